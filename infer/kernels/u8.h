/* What the kernels on bytes share (../FORMAT.md, section 3): real = scale (q - zero). All of it is integers and
 * single IEEE 754 operations, so the bytes are the same everywhere. */
#ifndef INFER_KERNELS_U8_H
#define INFER_KERNELS_U8_H

#include <stdint.h>
#include <string.h>

#include "kernels.h"

/* Terms of a sum of several are in this many fractional bits of the output's step. */
enum { INFER_U8_FRACTION = 12, INFER_U8_TERM_LIMIT = 1 << 22 };

/* The nearest integer, ties to even, of |x| <= 2^22: there is no room for a fraction above 2^23. */
static inline int infer_nearest(float x)
{
	union {
		float f;
		int32_t i;
	} shifted = {.f = x + 0x1.8p23f};
	return shifted.i - 0x4b400000;
}

static inline float infer_limit(float x, float low, float high)
{
	x = x > low ? x : low;
	return x < high ? x : high;
}

/* Real x / scale as a byte with this zero. */
static inline uint8_t infer_to_u8(float x, float scale, int zero)
{
	return (uint8_t)(infer_nearest(infer_limit(x / scale, (float)-zero, (float)(255 - zero))) + zero);
}

/* A ratio of scales as a multiplier that no sum can make infinite. */
static inline float infer_u8_multiplier(float from, float to)
{
	float m = from / to;
	return m < 0x1p60f ? m : 0x1p60f;
}

/* The same in INFER_U8_FRACTION bits, for the product with a difference of bytes. */
static inline int infer_u8_term(float from, float to)
{
	return infer_nearest(infer_limit(from / to * (1 << INFER_U8_FRACTION), 0, INFER_U8_TERM_LIMIT));
}

/* A sum of terms as a byte. low: the least result less zero, -zero or, with relu, 0. */
static inline uint8_t infer_u8_from_terms(int sum, int low, int zero)
{
	int q = (sum + (1 << (INFER_U8_FRACTION - 1))) >> INFER_U8_FRACTION;
	q = q > low ? q : low;
	return (uint8_t)((q < 255 - zero ? q : 255 - zero) + zero);
}

static inline uint8_t *infer_u8_row(const struct infer_map *map, int y)
{
	return (uint8_t *)map->data + (size_t)y * infer_row_numbers(map);
}

#define INFER_DECLARE_KERNEL_U8(name) \
	void infer_##name##_u8(const struct infer_call *call, int first, int end, void *scratch)
INFER_DECLARE_KERNEL_U8(conv2d);
INFER_DECLARE_KERNEL_U8(max_pool2d);
INFER_DECLARE_KERNEL_U8(global_avg_pool2d);
INFER_DECLARE_KERNEL_U8(upsample_nearest);
INFER_DECLARE_KERNEL_U8(upsample_bilinear);
INFER_DECLARE_KERNEL_U8(concat);
INFER_DECLARE_KERNEL_U8(add);
INFER_DECLARE_KERNEL_U8(mul);
INFER_DECLARE_KERNEL_U8(pointwise);
int infer_conv2d_u8_row_step(const struct infer_call *call);
size_t infer_conv2d_u8_scratch(const struct infer_call *call);
size_t infer_conv2d_u8_packed(const struct infer_call *call);
void infer_conv2d_u8_pack(const struct infer_call *call, void *packed);
size_t infer_conv2d_u8_constant_bytes(const struct infer_call *call);
void infer_conv2d_u8_fill_constants(const struct infer_call *call, void *constants);
size_t infer_max_pool2d_u8_scratch(const struct infer_call *call);
size_t infer_global_avg_pool2d_u8_scratch(const struct infer_call *call);
size_t infer_upsample_bilinear_u8_scratch(const struct infer_call *call);
size_t infer_concat_u8_constant_bytes(const struct infer_call *call);
void infer_concat_u8_fill_constants(const struct infer_call *call, void *constants);
size_t infer_pointwise_u8_constant_bytes(const struct infer_call *call);
void infer_pointwise_u8_fill_constants(const struct infer_call *call, void *constants);

#endif
