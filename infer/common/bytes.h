/* Little things that many files of infer need: numbers as little-endian bytes, rounding up, the smaller and the larger
 * of two. */
#ifndef INFER_COMMON_BYTES_H
#define INFER_COMMON_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t infer_u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline int32_t infer_i32_at(const uint8_t *p)
{
	uint32_t bits = infer_u32_at(p);
	int32_t value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline float infer_float_of_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline float infer_f32_at(const uint8_t *p)
{
	return infer_float_of_bits(infer_u32_at(p));
}

/* The next multiple, or the number if it is one. */
static inline size_t infer_round_up(size_t number, size_t multiple)
{
	return (number + multiple - 1) / multiple * multiple;
}

static inline int infer_min(int a, int b)
{
	return a < b ? a : b;
}

static inline int infer_max(int a, int b)
{
	return a > b ? a : b;
}

static inline size_t infer_max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

#endif
