/* Allocations that are counted and can be made to fail, in calls inside COUNTED() alone (Check allocates too). For
 * one test program each: it is linked with COUNTED_WRAPS (Makefile), so that what the library asks for comes by
 * here; what zlib asks for inside of uncompress2 and the C library inside of fopen and pthread_create counts as one
 * each. */
#ifndef TESTS_PORTS_COUNTED_H
#define TESTS_PORTS_COUNTED_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static atomic_long counted_calls; /* so far */
static atomic_long counted_live;  /* blocks, files and threads that are open */
static atomic_long counted_fail;  /* the call with this number fails, once; 0: none */

static int counted_on;

#define COUNTED(call)                                     \
	__extension__({                                   \
		counted_on = 1;                           \
		__typeof__(call) counted_result = (call); \
		counted_on = 0;                           \
		counted_result;                           \
	})
#define COUNTED_DO(call)        \
	do {                    \
		counted_on = 1; \
		call;           \
		counted_on = 0; \
	} while (0)

static inline int counted_refuses(void)
{
	return counted_on && atomic_fetch_add(&counted_calls, 1) + 1 == atomic_load(&counted_fail);
}

static inline void *counted_block(void *block)
{
	atomic_fetch_add(&counted_live, counted_on && block != NULL);
	return block;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void __wrap_free(void *block);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
typedef void *counted_main(void *);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, counted_main *start, void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, counted_main *start, void *context);
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);
int __real_uncompress2(Bytef *out, uLongf *out_size, const Bytef *in, uLong *in_size);
int __wrap_uncompress2(Bytef *out, uLongf *out_size, const Bytef *in, uLong *in_size);

void *__wrap_malloc(size_t size)
{
	return counted_refuses() ? NULL : counted_block(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return counted_refuses() ? NULL : counted_block(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
	if (counted_refuses())
		return NULL;
	void *moved = __real_realloc(block, size);
	return block ? moved : counted_block(moved);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return counted_refuses() ? NULL : counted_block(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block)
{
	atomic_fetch_sub(&counted_live, counted_on && block != NULL);
	__real_free(block);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (counted_refuses()) {
		errno = ENOMEM;
		return NULL;
	}
	return counted_block(__real_fopen(path, mode));
}

int __wrap_fclose(FILE *file)
{
	atomic_fetch_sub(&counted_live, counted_on);
	return __real_fclose(file);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, counted_main *start, void *context)
{
	int status = counted_refuses() ? EAGAIN : __real_pthread_create(thread, attributes, start, context);
	atomic_fetch_add(&counted_live, counted_on && status == 0);
	return status;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
	atomic_fetch_sub(&counted_live, counted_on);
	return __real_pthread_join(thread, result);
}

int __wrap_uncompress2(Bytef *out, uLongf *out_size, const Bytef *in, uLong *in_size)
{
	return counted_refuses() ? Z_MEM_ERROR : __real_uncompress2(out, out_size, in, in_size);
}

#endif
