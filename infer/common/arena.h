/* One block of memory that is handed out in pieces. An arena without memory only counts, so that the code that takes
 * its pieces also says how many bytes it needs: run it once with {0}, allocate `used` bytes, run it again. */
#ifndef INFER_COMMON_ARENA_H
#define INFER_COMMON_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum { INFER_ALIGNMENT = 64 }; /* of all pieces, if the memory has it: a cache line, and the widest vector */

struct infer_arena {
	unsigned char *memory; /* NULL: only counts; every piece is NULL then */
	size_t used;           /* bytes of all pieces so far, each rounded up to INFER_ALIGNMENT */
};

/* The next `bytes` of it. In the header, because a call across files costs the library more bytes than the code. */
static inline void *infer_arena_take(struct infer_arena *arena, size_t bytes)
{
	size_t at = arena->used;
	arena->used += infer_round_up(bytes, INFER_ALIGNMENT);
	return arena->memory ? arena->memory + at : NULL;
}

/* The first aligned byte of `memory`, which has INFER_ALIGNMENT bytes to spare. */
static inline unsigned char *infer_aligned(void *memory)
{
	return (unsigned char *)memory + (0 - (uintptr_t)memory) % INFER_ALIGNMENT;
}

#endif
