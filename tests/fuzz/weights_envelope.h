/* A weights file around a payload: magic, sizes and checksums that are right (infer/FORMAT.md, section 1), so that a
 * fuzzer gets past them. */
#ifndef TESTS_FUZZ_WEIGHTS_ENVELOPE_H
#define TESTS_FUZZ_WEIGHTS_ENVELOPE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ENVELOPE_HEAD = 28, ENVELOPE_TAIL = 4 };

static inline void envelope_put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static inline size_t envelope_size(size_t payload_size)
{
	return ENVELOPE_HEAD + payload_size + ENVELOPE_TAIL;
}

/* envelope_size(size) bytes, which the caller frees; NULL when memory is out. */
static inline uint8_t *envelope_make(const uint8_t *payload, size_t size, uint32_t flags, uint32_t content_size)
{
	uint8_t *file = malloc(envelope_size(size));
	if (!file)
		return NULL;
	memcpy(file, "\x89TAPCUT\n", 8);
	envelope_put_u32(file + 8, 1);
	envelope_put_u32(file + 12, flags);
	envelope_put_u32(file + 16, (uint32_t)envelope_size(size));
	envelope_put_u32(file + 20, content_size);
	envelope_put_u32(file + 24, (uint32_t)crc32_z(0, payload, size));
	if (size)
		memcpy(file + ENVELOPE_HEAD, payload, size);
	envelope_put_u32(file + ENVELOPE_HEAD + size, (uint32_t)crc32_z(0, file, ENVELOPE_HEAD + size));
	return file;
}

#endif
