/* Small arithmetic on bytes and sizes that every layer above needs: little-endian numbers in files, the smaller and the
 * larger of two, rounding up to a multiple. (`infer` has its own, because it stands alone.) */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The lowest `count` bytes (1 to 8) of `value`, the lowest first. `at` needs no alignment. */
static inline void bytes_store(void *at, uint64_t value, int count)
{
	unsigned char *to = (unsigned char *)at;
	for (int i = 0; i < count; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

/* What bytes_store stored. */
static inline uint64_t bytes_load(const void *at, int count)
{
	const unsigned char *from = (const unsigned char *)at;
	uint64_t value = 0;
	for (int i = 0; i < count; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

/* A float as its 4 bytes (IEEE 754 binary32), the lowest first. */
static inline void bytes_store_float(void *at, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	bytes_store(at, bits, 4);
}

static inline float bytes_load_float(const void *at)
{
	uint32_t bits = (uint32_t)bytes_load(at, 4);
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline int min_int(int a, int b)
{
	return a < b ? a : b;
}

static inline int max_int(int a, int b)
{
	return a > b ? a : b;
}

/* The smallest multiple of `multiple` (above 0) that is not below `value` (0 or above). The result must fit. */
static inline int round_up_int(int value, int multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

static inline size_t round_up_size(size_t value, size_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

#endif
