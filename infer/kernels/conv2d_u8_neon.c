/* The inner loops of conv2d_u8.c for 64-bit ARM. With the dot product extension one sdot is 16 products; without it,
 * smull and sadalp are eight. Both take signed bytes: they compute with q - 128, and 128 times the sum of the
 * weights is added to the bias. */
#include "conv2d_u8_band.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum { VECTORS = INFER_U8_BLOCK / 4 }; /* of four outputs in a block */

typedef int32_t quad_sums[INFER_U8_QUAD][INFER_U8_BLOCK];

/* --- from sums to bytes --------------------------------------------------- */

INLINE int32x4_t rounded(int32x4_t sum, const float *multiplier, float low, float high)
{
	float32x4_t t = vmulq_f32(vcvtq_f32_s32(sum), vld1q_f32(multiplier));
	return vcvtnq_s32_f32(vminq_f32(vmaxq_f32(t, vdupq_n_f32(low)), vdupq_n_f32(high)));
}

/* Four outputs of one pixel, less zero. sums: of each operand. */
INLINE int32x4_t four_outputs(const struct infer_conv2d_u8_band *b, const quad_sums *sums, int p, int i, int output,
			      const uint8_t *addend)
{
	if (infer_conv2d_u8_is_simple(b))
		return rounded(vld1q_s32(&sums[0][p][i]), b->operand[0].multiplier + output, (float)b->low,
			       (float)(255 - b->zero));
	int32x4_t sum = vdupq_n_s32(1 << (INFER_U8_FRACTION - 1));
	for (int k = 0; k < b->operand_count; k++)
		sum = vaddq_s32(sum, rounded(vld1q_s32(&sums[k][p][i]), b->operand[k].multiplier + output,
					     -INFER_U8_TERM_LIMIT, INFER_U8_TERM_LIMIT));
	if (addend) {
		int32_t q[4] = {addend[0], addend[1], addend[2], addend[3]};
		sum = vmlaq_n_s32(sum, vsubq_s32(vld1q_s32(q), vdupq_n_s32(b->addend_zero)), b->addend_multiplier);
	}
	sum = vmaxq_s32(vshrq_n_s32(sum, INFER_U8_FRACTION), vdupq_n_s32(b->low));
	return vminq_s32(sum, vdupq_n_s32(255 - b->zero));
}

static void store_quad(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
		       const quad_sums *sums)
{
	int first = block * INFER_U8_BLOCK;
	if (!band->out || first + INFER_U8_BLOCK > band->outputs) {
		infer_conv2d_u8_finish(band, quad, block, sums);
		return;
	}
	for (int p = 0; p < band->pixels; p++) {
		size_t pixel = quad->out + (size_t)p;
		const uint8_t *addend = band->addend ? band->addend + pixel * band->addend_pitch + first : NULL;
		uint16x4_t q[VECTORS];
		for (int v = 0; v < VECTORS; v++) {
			int32x4_t less =
				four_outputs(band, sums, p, 4 * v, first + 4 * v, addend ? addend + 4 * v : NULL);
			q[v] = vmovn_u32(vreinterpretq_u32_s32(vaddq_s32(less, vdupq_n_s32(band->zero))));
		}
		vst1q_u8(band->out + pixel * band->out_pitch + first,
			 vcombine_u8(vmovn_u16(vcombine_u16(q[0], q[1])), vmovn_u16(vcombine_u16(q[2], q[3]))));
	}
}

INLINE int8x16_t splat_signed(const uint8_t *x)
{
	uint32_t four;
	memcpy(&four, x, 4);
	return vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x80808080u));
}

/* --- with the dot product ------------------------------------------------- */

#if defined(__ARM_FEATURE_DOTPROD)
#define TARGET_DOT
#define HAVE_DOT
#elif !defined(__clang__)
#define TARGET_DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#define HAVE_DOT
#endif

#ifdef HAVE_DOT

TARGET_DOT static void sum_quad_dot(const struct infer_conv2d_u8_operand *o, size_t in, int block, quad_sums sums)
{
	const int8_t *w = o->weight + (size_t)block * o->block_bytes;
	int32x4_t sum[INFER_U8_QUAD][VECTORS];
	for (int v = 0; v < VECTORS; v++) {
		int at = block * INFER_U8_BLOCK + 4 * v;
		for (int p = 0; p < INFER_U8_QUAD; p++)
			sum[p][v] = vaddq_s32(vld1q_s32(o->bias + at), vld1q_s32(o->sum128 + at));
	}
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const uint8_t *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < o->groups; g++, w += 64, x += INFER_U8_GROUP) {
				int8x16_t weight[VECTORS] = {vld1q_s8(w), vld1q_s8(w + 16), vld1q_s8(w + 32),
							     vld1q_s8(w + 48)};
#pragma GCC unroll 4
				for (int p = 0; p < INFER_U8_QUAD; p++) {
					int8x16_t a = splat_signed(x + (size_t)p * o->pixel_stride);
#pragma GCC unroll 4
					for (int v = 0; v < VECTORS; v++)
						sum[p][v] = vdotq_s32(sum[p][v], weight[v], a);
				}
			}
		}
	for (int p = 0; p < INFER_U8_QUAD; p++)
		for (int v = 0; v < VECTORS; v++)
			vst1q_s32(&sums[p][4 * v], sum[p][v]);
}

void infer_conv2d_u8_neon_dot(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++)
		for (int i = 0; i < band->quad_count; i++) {
			quad_sums sums[2];
			for (int k = 0; k < band->operand_count; k++)
				sum_quad_dot(&band->operand[k], band->quads[i].in[k], block, sums[k]);
			store_quad(band, &band->quads[i], block, (const quad_sums *)sums);
		}
}

#else

void infer_conv2d_u8_neon_dot(const struct infer_conv2d_u8_band *band)
{
	infer_conv2d_u8_neon(band);
}

#endif

/* --- without -------------------------------------------------------------- */

/* Half a block: four vectors of two outputs, each with its sums of the first and of the last two inputs of all
 * groups. */
INLINE void sum_half(const struct infer_conv2d_u8_operand *o, size_t in, int block, int half, quad_sums sums)
{
	const int8_t *w = o->weight + (size_t)block * o->block_bytes + half * 32;
	int at = block * INFER_U8_BLOCK + half * 8;
	int32x4_t sum[INFER_U8_QUAD][4];
	for (int p = 0; p < INFER_U8_QUAD; p++)
		for (int v = 0; v < 4; v++)
			sum[p][v] = vdupq_n_s32(0);
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const uint8_t *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < o->groups; g++, w += 64, x += INFER_U8_GROUP) {
				int8x8_t weight[4] = {vld1_s8(w), vld1_s8(w + 8), vld1_s8(w + 16), vld1_s8(w + 24)};
#pragma GCC unroll 4
				for (int p = 0; p < INFER_U8_QUAD; p++) {
					int8x8_t a = vget_low_s8(splat_signed(x + (size_t)p * o->pixel_stride));
#pragma GCC unroll 4
					for (int v = 0; v < 4; v++)
						sum[p][v] = vpadalq_s16(sum[p][v], vmull_s8(weight[v], a));
				}
			}
		}
	for (int p = 0; p < INFER_U8_QUAD; p++)
		for (int v = 0; v < 2; v++) {
			int32x4_t bias = vaddq_s32(vld1q_s32(o->bias + at + 4 * v), vld1q_s32(o->sum128 + at + 4 * v));
			vst1q_s32(&sums[p][half * 8 + 4 * v],
				  vaddq_s32(bias, vpaddq_s32(sum[p][2 * v], sum[p][2 * v + 1])));
		}
}

void infer_conv2d_u8_neon(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++)
		for (int i = 0; i < band->quad_count; i++) {
			quad_sums sums[2];
			for (int k = 0; k < band->operand_count; k++)
				for (int half = 0; half < 2; half++)
					sum_half(&band->operand[k], band->quads[i].in[k], block, half, sums[k]);
			store_quad(band, &band->quads[i], block, (const quad_sums *)sums);
		}
}

#endif
