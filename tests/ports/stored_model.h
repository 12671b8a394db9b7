/* A weights file with its payload unpacked (infer/FORMAT.md, 1), for builds that cannot unpack. */
#ifndef TESTS_PORTS_STORED_MODEL_H
#define TESTS_PORTS_STORED_MODEL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static inline uint32_t stored_u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void stored_put_u32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static inline void stored_model_write(const char *path, const char *stored_path)
{
	enum { HEAD = 28, TAIL = 4, FLAGS = 12, FILE_SIZE = 16, CONTENT_SIZE = 20 };
	size_t size;
	uint8_t *file = (uint8_t *)slurp(path, &size);
	uLongf content = stored_u32_at(file + CONTENT_SIZE);
	size_t stored_size = HEAD + content + TAIL;
	uint8_t *stored = malloc(stored_size);
	ck_assert_ptr_nonnull(stored);
	memcpy(stored, file, HEAD);
	if (file[FLAGS] & 1)
		ck_assert_int_eq(uncompress(stored + HEAD, &content, file + HEAD, (uLong)(size - HEAD - TAIL)), Z_OK);
	else
		memcpy(stored + HEAD, file + HEAD, content);
	stored[FLAGS] &= (uint8_t)~1;
	stored_put_u32(stored + FILE_SIZE, (uint32_t)stored_size);
	stored_put_u32(stored + stored_size - TAIL, (uint32_t)crc32(0, stored, (uInt)(stored_size - TAIL)));
	spit(stored_path, stored, stored_size);
	free(stored);
	free(file);
}

#endif
