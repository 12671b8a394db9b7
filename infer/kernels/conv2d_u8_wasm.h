/* What the convolutions of bytes for WebAssembly share: the direct one (conv2d_u8_wasm.c) and Winograd's
 * (winograd_u8_wasm.c). */
#ifndef INFER_KERNELS_CONV2D_U8_WASM_H
#define INFER_KERNELS_CONV2D_U8_WASM_H

#include <stdbool.h>

#include "conv2d_u8_band.h"

#if defined(__wasm_simd128__)

#include <wasm_simd128.h>

enum { INFER_U8_PART = 4 }; /* outputs in a register */

/* Integers nearest to the products, ties to even. */
static inline v128_t infer_wasm_scaled(v128_t sum, const float *multiplier, float low, float high)
{
	v128_t t = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum), wasm_v128_load(multiplier));
	t = wasm_f32x4_pmin(wasm_f32x4_splat(high), wasm_f32x4_pmax(wasm_f32x4_splat(low), t));
	return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(t));
}

/* The terms of all operands and of the addend as one value each, for outputs first..first+3 of one pixel, within the
 * range of a byte but for its zero. */
static inline v128_t infer_wasm_terms(const struct infer_conv2d_u8_band *band, size_t pixel, int first,
				      const v128_t sum[2])
{
	const float limit = (float)INFER_U8_TERM_LIMIT;
	int count = band->outputs - first;
	v128_t terms = wasm_i32x4_splat(0);
	for (int k = 0; k < band->operand_count; k++)
		terms = wasm_i32x4_add(terms,
				       infer_wasm_scaled(sum[k], band->operand[k].multiplier + first, -limit, limit));
	if (band->addend) {
		uint8_t bytes[INFER_U8_PART] = {0};
		memcpy(bytes, band->addend + pixel * band->addend_pitch + first,
		       (size_t)(count < INFER_U8_PART ? count : INFER_U8_PART));
		v128_t four = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(bytes)));
		four = wasm_i32x4_sub(four, wasm_i32x4_splat(band->addend_zero));
		terms = wasm_i32x4_add(terms, wasm_i32x4_mul(four, wasm_i32x4_splat(band->addend_multiplier)));
	}
	v128_t q = wasm_i32x4_shr(wasm_i32x4_add(terms, wasm_i32x4_splat(1 << (INFER_U8_FRACTION - 1))),
				  INFER_U8_FRACTION);
	return wasm_i32x4_min(wasm_i32x4_max(q, wasm_i32x4_splat(band->low)), wasm_i32x4_splat(255 - band->zero));
}

/* As infer_conv2d_u8_finish, for outputs first..first+3 (those that there are) of one pixel. */
static inline void infer_wasm_store(const struct infer_conv2d_u8_band *band, size_t pixel, int first,
				    const v128_t sum[2])
{
	int count = band->outputs - first;
	if (band->logits) {
		float reals[INFER_U8_PART];
		wasm_v128_store(reals, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum[0]),
						      wasm_v128_load(band->operand[0].multiplier + first)));
		for (int i = 0; i < INFER_U8_PART && i < count; i++)
			band->logits[pixel * band->out_pitch + (size_t)(first + i)] = reals[i];
		return;
	}
	v128_t q = infer_conv2d_u8_is_simple(band) ? infer_wasm_scaled(sum[0], band->operand[0].multiplier + first,
								       (float)band->low, (float)(255 - band->zero))
						   : infer_wasm_terms(band, pixel, first, sum);
	q = wasm_i32x4_add(q, wasm_i32x4_splat(band->zero));
	q = wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(q, q), q);
	uint8_t *out = band->out + pixel * band->out_pitch + first;
	if (count >= INFER_U8_PART) {
		wasm_v128_store32_lane(out, q, 0);
		return;
	}
	uint8_t bytes[sizeof q];
	wasm_v128_store(bytes, q);
	memcpy(out, bytes, (size_t)count);
}

/* --- Winograd's F(4x4, 3x3) with integers: winograd_u8_wasm.c ------------- */

/* The weights of a conv2d as conv2d_u8.c lays them out, [block][tap][group][16 outputs][4 inputs]. */
struct infer_winograd_u8_weights {
	const int8_t *integers;
	size_t block_bytes;
	int outputs, inputs, groups;
};

/* Whether a step may be done so, by its shapes. */
bool infer_winograd_u8_suits(const struct infer_call *call);
/* The weights in its own layout; they also say whether sums are small enough to be exact. */
size_t infer_winograd_u8_packed(const struct infer_call *call);
void infer_winograd_u8_pack(const struct infer_winograd_u8_weights *weights, void *packed);
bool infer_winograd_u8_is_exact(const void *packed);
int infer_winograd_u8_row_step(const struct infer_call *call);
size_t infer_winograd_u8_scratch(const struct infer_call *call);
/* Rows first..end-1; band: of the whole output, with one operand's bias and multiplier. */
void infer_winograd_u8(const struct infer_call *call, const struct infer_conv2d_u8_band *band, const void *packed,
		       int first, int end, void *scratch);

#endif

#endif
