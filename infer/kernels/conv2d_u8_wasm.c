/* The inner loops of conv2d_u8.c for WebAssembly: i32x4.dot_i16x8_s multiplies eight pairs of 16-bit numbers and adds neighbours. Four
 * outputs of four pixels at a time: their eight sums, of even and odd pairs of inputs, and what they are made from fit the sixteen
 * registers that an engine has on x86-64. */
#include "conv2d_u8.h"

#if defined(__wasm_simd128__)

#include <wasm_simd128.h>

enum { PART = 4, PARTS = INFER_U8_BLOCK / PART };

/* sum[pixel]: four outputs of a block, the `part`th. */
static inline __attribute__((always_inline)) void sum_part(const struct infer_conv2d_u8_operand *o, size_t in, int block, int part,
							   v128_t sum[INFER_U8_QUAD])
{
	const int8_t *w = o->weight + (size_t)block * o->block_bytes + part * PART * INFER_U8_GROUP;
	v128_t low[INFER_U8_QUAD], high[INFER_U8_QUAD];
	size_t s = o->pixel_stride;
#pragma clang loop unroll(full)
	for (int p = 0; p < INFER_U8_QUAD; p++)
		low[p] = high[p] = wasm_i32x4_splat(0);
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const int16_t *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < o->groups; g++, w += INFER_U8_BLOCK * INFER_U8_GROUP, x += INFER_U8_GROUP) {
				v128_t a = wasm_i16x8_load8x8(w), b = wasm_i16x8_load8x8(w + 8);
#pragma clang loop unroll(full)
				for (int p = 0; p < INFER_U8_QUAD; p++) {
					v128_t four = wasm_v128_load64_splat(x + (size_t)p * s);
					low[p] = wasm_i32x4_add(low[p], wasm_i32x4_dot_i16x8(four, a));
					high[p] = wasm_i32x4_add(high[p], wasm_i32x4_dot_i16x8(four, b));
				}
			}
		}
	v128_t bias = wasm_v128_load(o->bias + block * INFER_U8_BLOCK + part * PART);
#pragma clang loop unroll(full)
	for (int p = 0; p < INFER_U8_QUAD; p++)
		sum[p] = wasm_i32x4_add(bias, wasm_i32x4_add(wasm_i32x4_shuffle(low[p], high[p], 0, 2, 4, 6),
							     wasm_i32x4_shuffle(low[p], high[p], 1, 3, 5, 7)));
}

static inline void store_part(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block, int part,
			      const v128_t sum[INFER_U8_QUAD])
{
	int first = block * INFER_U8_BLOCK + part * PART;
	uint8_t *out = band->out + quad->out * band->out_pitch + first;
	v128_t multiplier = wasm_v128_load(band->operand[0].multiplier + first);
	v128_t low = wasm_f32x4_splat((float)band->low), high = wasm_f32x4_splat((float)(255 - band->zero));
	for (int p = 0; p < INFER_U8_QUAD; p++, out += band->out_pitch) {
		v128_t t = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum[p]), multiplier);
		t = wasm_f32x4_nearest(wasm_f32x4_pmin(wasm_f32x4_pmax(t, low), high));
		t = wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(t), wasm_i32x4_splat(band->zero));
		t = wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(t, t), t);
		wasm_v128_store32_lane(out, t, 0);
	}
}

static void run_block(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block, int whole)
{
	int32_t sums[2][INFER_U8_QUAD][INFER_U8_BLOCK];
	v128_t sum[INFER_U8_QUAD];
	for (int k = 0; k < band->operand_count; k++)
		for (int part = 0; part < PARTS; part++) {
			sum_part(&band->operand[k], quad->in[k], block, part, sum);
			if (whole)
				store_part(band, quad, block, part, sum);
			else
				for (int p = 0; p < INFER_U8_QUAD; p++)
					wasm_v128_store(sums[k][p] + part * PART, sum[p]);
		}
	if (!whole)
		infer_conv2d_u8_finish(band, quad, block, (const int32_t(*)[INFER_U8_QUAD][INFER_U8_BLOCK])sums);
}

void infer_conv2d_u8_wasm(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++) {
		int whole = infer_conv2d_u8_is_simple(band) && band->pixels == INFER_U8_QUAD && (block + 1) * INFER_U8_BLOCK <= band->outputs;
		for (int i = 0; i < band->quad_count; i++)
			run_block(band, &band->quads[i], block, whole);
	}
}

#endif
