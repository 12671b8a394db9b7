/* The inner loops of conv2d_u8.c for WebAssembly: i32x4.dot_i16x8_s multiplies eight pairs of 16-bit numbers and
 * adds neighbours. Four outputs of four pixels at a time: their eight sums, of even and odd pairs of inputs, and
 * what they are made from fit the sixteen registers that an engine has on x86-64. */
#include "conv2d_u8_wasm.h"

#include <stdbool.h>

#if defined(__wasm_simd128__)

/* sum[pixel]: outputs first..first+3. runs_y and groups are the operand's; constants make code without loops. */
static inline __attribute__((always_inline)) void sum_part(const struct infer_conv2d_u8_operand *o, size_t in,
							   int first, int runs_y, int groups, v128_t sum[INFER_U8_QUAD])
{
	const int8_t *w =
		o->weight + (size_t)(first / INFER_U8_BLOCK) * o->block_bytes + first % INFER_U8_BLOCK * INFER_U8_GROUP;
	v128_t low[INFER_U8_QUAD], high[INFER_U8_QUAD];
	size_t s = o->pixel_stride;
#pragma clang loop unroll(full)
	for (int p = 0; p < INFER_U8_QUAD; p++)
		low[p] = high[p] = wasm_i32x4_splat(0);
#pragma clang loop unroll_count(3)
	for (int ry = 0; ry < runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const int16_t *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < groups; g++, w += INFER_U8_BLOCK * INFER_U8_GROUP, x += INFER_U8_GROUP) {
				v128_t a = wasm_i16x8_load8x8(w), b = wasm_i16x8_load8x8(w + 8);
#pragma clang loop unroll(full)
				for (int p = 0; p < INFER_U8_QUAD; p++) {
					v128_t four = wasm_v128_load64_splat(x + (size_t)p * s);
					low[p] = wasm_i32x4_add(low[p], wasm_i32x4_dot_i16x8(four, a));
					high[p] = wasm_i32x4_add(high[p], wasm_i32x4_dot_i16x8(four, b));
				}
			}
		}
	v128_t bias = wasm_v128_load(o->bias + first);
#pragma clang loop unroll(full)
	for (int p = 0; p < INFER_U8_QUAD; p++)
		sum[p] = wasm_i32x4_add(bias, wasm_i32x4_add(wasm_i32x4_shuffle(low[p], high[p], 0, 2, 4, 6),
							     wasm_i32x4_shuffle(low[p], high[p], 1, 3, 5, 7)));
}

/* Whether all inputs of a quad are 0, as the planes of the taps are nearly everywhere. Only asked where these are
 * few. */
static bool is_empty(const struct infer_conv2d_u8_operand *o, size_t in)
{
	int lanes = o->groups * INFER_U8_GROUP + (INFER_U8_QUAD - 1) * (int)o->pixel_stride;
	v128_t any = wasm_i32x4_splat(0);
	if (o->runs_x != 1 || o->groups > 3 || lanes < 8)
		return false;
	for (int ry = 0; ry < o->runs_y; ry++) {
		const int16_t *x = o->in + in + (size_t)ry * o->run_step_y;
		for (int i = 0; i < lanes - 8; i += 8)
			any = wasm_v128_or(any, wasm_v128_load(x + i));
		any = wasm_v128_or(any, wasm_v128_load(x + lanes - 8));
	}
	return !wasm_v128_any_true(any);
}

static inline void sum_operand(const struct infer_conv2d_u8_operand *o, size_t in, int empty, int first,
			       v128_t sum[INFER_U8_QUAD])
{
	if (empty)
		for (int p = 0; p < INFER_U8_QUAD; p++)
			sum[p] = wasm_v128_load(o->bias + first);
	else if (o->runs_y == 3 && o->runs_x == 1 && o->groups == 3)
		sum_part(o, in, first, 3, 3, sum);
	else
		sum_part(o, in, first, o->runs_y, o->groups, sum);
}

void infer_conv2d_u8_wasm(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block < band->outputs; block += INFER_U8_BLOCK)
		for (int i = 0; i < band->quad_count; i++) {
			const struct infer_conv2d_u8_quad *quad = &band->quads[i];
			int end = block + INFER_U8_BLOCK < band->outputs ? block + INFER_U8_BLOCK : band->outputs;
			int empty[2] = {0};
			for (int k = 0; k < band->operand_count; k++)
				empty[k] = is_empty(&band->operand[k], quad->in[k]);
			for (int first = block; first < end; first += INFER_U8_PART) {
				v128_t sums[2][INFER_U8_QUAD];
				for (int k = 0; k < band->operand_count; k++)
					sum_operand(&band->operand[k], quad->in[k], empty[k], first, sums[k]);
				for (int p = 0; p < band->pixels; p++)
					infer_wasm_store(band, quad->out + (size_t)p, first,
							 (v128_t[]){sums[0][p], sums[1][p]});
			}
		}
}

#endif
