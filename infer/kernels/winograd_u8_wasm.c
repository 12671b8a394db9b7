/* 3x3 convolutions of bytes with a quarter of the multiplications, exactly: Winograd's F(4x4, 3x3) as in winograd.c,
 * in integers. Where the matrices there have fractions, here the rows of G are multiplied until they are whole, and
 * the columns of A^T make up for it:
 *
 *	     1  0  0             6 -4 -4  1  1  0
 *	     1  1  1     A^T  =  0 -4  4  2 -2  0
 *	G =  1 -1  1             0 -4 -4  4  4  0
 *	     1  2  4             0 -4  4  8 -8 24
 *	     1 -2  4
 *	     0  0  1
 *
 * so that a tile comes out as 24 x 24 = 576 times its sums. Transformed bytes are within 255 * 5 * 10 and
 * transformed weights within 63 * 49, which fits 16 bits; products are added modulo 2^32, and what comes out is
 * right if 576 sums fit 32 bits, which is known from the weights. Then 576 y / 64 = 9 y, and the product with 1/9
 * modulo 2^32 is y. The sums are those of the direct convolution, bit for bit. */
#include "conv2d_u8_wasm.h"

#include <stdbool.h>

#if defined(__wasm_simd128__)

enum { SIDE = 6, POINTS = SIDE * SIDE, TILE = 4, TILES = 48, LANES = 8, HALF = 8, HEADER = 64 };
static const int MOST_SUM = INT32_MAX / 576;
static const uint32_t NINTH = 0x38e38e39; /* 9 * NINTH = 1 modulo 2^32 */

bool infer_winograd_u8_suits(const struct infer_call *call)
{
	const int *args = call->step->args;
	const struct infer_tensor *weight = call->tensor[0];
	return args[0] == 3 && args[1] == 3 && args[2] == 1 && args[3] == args[4] && weight->dims[0] >= HALF &&
	       weight->dims[1] >= LANES && !call->image;
}

static size_t channels_of(int inputs)
{
	return ((size_t)inputs + LANES - 1) / LANES * LANES;
}

/* --- weights: a header, then [block of 16 outputs][36][pair of inputs][16 outputs][2]  */

static size_t point_numbers(int inputs)
{
	return channels_of(inputs) * INFER_U8_BLOCK;
}

size_t infer_winograd_u8_packed(const struct infer_call *call)
{
	size_t blocks = ((size_t)call->tensor[0]->dims[0] + INFER_U8_BLOCK - 1) / INFER_U8_BLOCK;
	return HEADER + blocks * POINTS * point_numbers(call->tensor[0]->dims[1]) * sizeof(int16_t);
}

static int weight_at(const struct infer_winograd_u8_weights *w, int output, int input, int tap)
{
	size_t group = (size_t)tap * (size_t)w->groups + (size_t)(input / INFER_U8_GROUP);
	size_t at = (group * INFER_U8_BLOCK + (size_t)(output % INFER_U8_BLOCK)) * INFER_U8_GROUP +
		    (size_t)(input % INFER_U8_GROUP);
	return w->integers[(size_t)(output / INFER_U8_BLOCK) * w->block_bytes + at];
}

/* G g G^T. */
static void transform_kernel(const int *g, int *u)
{
	static const int G[SIDE][3] = {{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 1}};
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			u[SIDE * i + j] = 0;
			for (int k = 0; k < 9; k++)
				u[SIDE * i + j] += G[i][k / 3] * G[j][k % 3] * g[k];
		}
}

/* The largest magnitude that a sum of bytes times this output's weights can have. */
static long most_sum(const struct infer_winograd_u8_weights *w, int output)
{
	long up = 0, down = 0;
	for (int c = 0; c < w->inputs; c++)
		for (int tap = 0; tap < 9; tap++) {
			int x = weight_at(w, output, c, tap);
			*(x > 0 ? &up : &down) += x > 0 ? x : -x;
		}
	return 255 * (up > down ? up : down);
}

void infer_winograd_u8_pack(const struct infer_winograd_u8_weights *w, void *packed)
{
	int32_t *exact = packed;
	int16_t *out = (int16_t *)(void *)((char *)packed + HEADER);
	size_t point = point_numbers(w->inputs);
	*exact = 1;
	for (int o = 0; o < w->outputs; o++) {
		*exact &= most_sum(w, o) <= MOST_SUM;
		for (int c = 0; c < w->inputs; c++) {
			int g[9], u[POINTS];
			for (int tap = 0; tap < 9; tap++)
				g[tap] = weight_at(w, o, c, tap);
			transform_kernel(g, u);
			int16_t *at = out + (size_t)(o / INFER_U8_BLOCK) * POINTS * point +
				      ((size_t)(c / 2) * INFER_U8_BLOCK + (size_t)(o % INFER_U8_BLOCK)) * 2 +
				      (size_t)(c % 2);
			for (size_t p = 0; p < POINTS; p++)
				at[p * point] = (int16_t)u[p];
		}
	}
}

bool infer_winograd_u8_is_exact(const void *packed)
{
	return *(const int32_t *)packed;
}

/* --- tiles, in the order: rows of 4 d output rows, the d x d grids of pixels that see each other, then columns  */

struct work {
	const struct infer_call *call;
	const struct infer_conv2d_u8_band *band;
	int dilation, across;
	size_t channels;
	uint8_t *patch;       /* 36 pixels of a tile that reaches over the edge */
	int16_t *transformed; /* 36 x TILES x channels */
	int32_t *products;    /* 36 x TILES x 16 */
};

int infer_winograd_u8_row_step(const struct infer_call *call)
{
	return TILE * call->step->args[4];
}

static size_t lay_out(const struct infer_call *call, char *memory, struct work *w)
{
	size_t channels = channels_of(call->in[0].c), patch = infer_round_up(POINTS * channels, 64);
	size_t transformed = POINTS * TILES * channels * sizeof(int16_t);
	if (memory) {
		w->call = call;
		w->channels = channels;
		w->dilation = call->step->args[4];
		w->across = (call->out.w + TILE * w->dilation - 1) / (TILE * w->dilation);
		w->patch = (uint8_t *)memory;
		w->transformed = (int16_t *)(void *)(memory + patch);
		w->products = (int32_t *)(void *)(memory + patch + transformed);
	}
	return patch + transformed + POINTS * TILES * INFER_U8_BLOCK * sizeof(int32_t);
}

size_t infer_winograd_u8_scratch(const struct infer_call *call)
{
	return lay_out(call, NULL, NULL);
}

/* First output pixel of a tile; it lies outside where a grid has fewer columns than its neighbours. */
static void place_of_tile(const struct work *w, int index, int *y, int *x)
{
	int grids = w->dilation * w->dilation, grid = index / w->across % grids;
	*y = index / w->across / grids * TILE * w->dilation + grid / w->dilation;
	*x = index % w->across * TILE * w->dilation + grid % w->dilation;
}

/* --- inputs: B^T d B, eight channels at a time ---------------------------- */

static void copy_patch(const struct work *w, int y, int x)
{
	const struct infer_map *in = &w->call->in[0];
	uint8_t *out = w->patch;
	for (int i = 0; i < POINTS; i++, out += w->channels) {
		int row = y + i / SIDE * w->dilation, column = x + i % SIDE * w->dilation;
		if (row >= 0 && column >= 0 && row < in->h && column < in->w)
			memcpy(out, infer_u8_row(in, row) + (size_t)column * in->pitch, (size_t)in->c);
		else
			memset(out, in->zero, (size_t)in->c);
	}
}

#define ADD wasm_i16x8_add
#define SUB wasm_i16x8_sub
#define SHIFT wasm_i16x8_shl

/* B^T d, with `step` from one element to the next. */
static inline __attribute__((always_inline)) void transform_inputs(v128_t *d, int step)
{
	v128_t d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
	v128_t even = SUB(d4, SHIFT(d2, 2)), odd = SUB(d3, SHIFT(d1, 2)); /* d4 - 4 d2, d3 - 4 d1 */
	v128_t flat = SUB(d4, d2), slope = SHIFT(SUB(d3, d1), 1);
	d[0] = ADD(SUB(even, d2), SHIFT(d0, 2));
	d[step] = ADD(even, odd);
	d[2 * step] = SUB(even, odd);
	d[3 * step] = ADD(flat, slope);
	d[4 * step] = SUB(flat, slope);
	d[5 * step] = SUB(SUB(d5, SHIFT(d3, 2)), SUB(d3, SHIFT(d1, 2)));
}

/* The input of tile `index` becomes row `tile_row` of the 36 matrices. */
static void transform_tile(const struct work *w, int index, int tile_row)
{
	const struct infer_map *in = &w->call->in[0];
	int y, x, step = w->dilation;
	place_of_tile(w, index, &y, &x);
	y -= step;
	x -= step;
	const uint8_t *from = w->patch;
	size_t pixel = w->channels, row = SIDE * w->channels;
	if (y >= 0 && x >= 0 && y + 5 * step < in->h && x + 5 * step < in->w && in->c % LANES == 0) {
		from = infer_u8_row(in, y) + (size_t)x * in->pitch;
		pixel = (size_t)step * in->pitch;
		row = (size_t)step * infer_row_numbers(in);
	} else {
		copy_patch(w, y, x);
	}
	for (size_t c = 0; c < w->channels; c += LANES) {
		v128_t d[POINTS];
		for (int i = 0; i < SIDE; i++)
			for (int j = 0; j < SIDE; j++)
				d[SIDE * i + j] = wasm_u16x8_load8x8(from + (size_t)i * row + (size_t)j * pixel + c);
		for (int j = 0; j < SIDE; j++)
			transform_inputs(d + j, SIDE);
		for (int i = 0; i < SIDE; i++)
			transform_inputs(d + SIDE * i, 1);
		for (size_t p = 0; p < POINTS; p++)
			wasm_v128_store(w->transformed + (p * TILES + (size_t)tile_row) * w->channels + c, d[p]);
	}
}

#undef ADD
#undef SUB
#undef SHIFT

/* --- products ------------------------------------------------------------- */

/* Eight outputs of four tiles at one point. x: rows of `channels`; u: [pair][16][2]; m: rows of 16. */
static inline void multiply_four(const int16_t *x, size_t channels, const int16_t *u, int32_t *m)
{
	v128_t sum[4][2];
#pragma clang loop unroll(full)
	for (int t = 0; t < 4; t++)
		sum[t][0] = sum[t][1] = wasm_i32x4_splat(0);
	for (size_t c = 0; c < channels; c += 2, u += 2 * INFER_U8_BLOCK) {
		v128_t a = wasm_v128_load(u), b = wasm_v128_load(u + 8);
#pragma clang loop unroll(full)
		for (size_t t = 0; t < 4; t++) {
			v128_t pair = wasm_v128_load32_splat(x + t * channels + c);
			sum[t][0] = wasm_i32x4_add(sum[t][0], wasm_i32x4_dot_i16x8(pair, a));
			sum[t][1] = wasm_i32x4_add(sum[t][1], wasm_i32x4_dot_i16x8(pair, b));
		}
	}
#pragma clang loop unroll(full)
	for (int t = 0; t < 4; t++) {
		wasm_v128_store(m + t * INFER_U8_BLOCK, sum[t][0]);
		wasm_v128_store(m + t * INFER_U8_BLOCK + 4, sum[t][1]);
	}
}

static void multiply(const struct work *w, const int16_t *block, int tiles, int outputs)
{
	size_t point = w->channels * INFER_U8_BLOCK;
	for (size_t p = 0; p < POINTS; p++)
		for (int half = 0; half < outputs; half += HALF)
			for (int t = 0; t < tiles; t += 4)
				multiply_four(w->transformed + (p * TILES + (size_t)t) * w->channels, w->channels,
					      block + p * point + 2 * half,
					      w->products + (p * TILES + (size_t)t) * INFER_U8_BLOCK + half);
}

/* --- outputs: A^T m A, four at a time ------------------------------------- */

/* A^T m: y[0], y[out_step] ... from m[0], m[step] ... */
static inline __attribute__((always_inline)) void transform_outputs(const v128_t *m, int step, v128_t *y, int out_step)
{
	v128_t p = wasm_i32x4_add(m[step], m[2 * step]), n = wasm_i32x4_sub(m[step], m[2 * step]);
	v128_t q = wasm_i32x4_add(m[3 * step], m[4 * step]), r = wasm_i32x4_sub(m[3 * step], m[4 * step]);
	p = wasm_i32x4_shl(p, 2);
	n = wasm_i32x4_shl(n, 2);
	v128_t six = wasm_i32x4_add(wasm_i32x4_shl(m[0], 2), wasm_i32x4_shl(m[0], 1));
	v128_t last = wasm_i32x4_add(wasm_i32x4_shl(m[5 * step], 4), wasm_i32x4_shl(m[5 * step], 3));
	y[0] = wasm_i32x4_add(wasm_i32x4_sub(six, p), q);
	y[out_step] = wasm_i32x4_sub(wasm_i32x4_shl(r, 1), n);
	y[2 * out_step] = wasm_i32x4_sub(wasm_i32x4_shl(q, 2), p);
	y[3 * out_step] = wasm_i32x4_add(wasm_i32x4_sub(wasm_i32x4_shl(r, 3), n), last);
}

/* Outputs first..first+3 of the tile, from row `tile_row` of the products. */
static void finish_part(const struct work *w, int y, int x, int tile_row, int first)
{
	const struct infer_map *out = &w->call->out;
	v128_t m[POINTS], z[TILE * SIDE], sums[TILE * TILE];
	for (size_t p = 0; p < POINTS; p++)
		m[p] = wasm_v128_load(w->products + (p * TILES + (size_t)tile_row) * INFER_U8_BLOCK +
				      first % INFER_U8_BLOCK);
	for (int j = 0; j < SIDE; j++)
		transform_outputs(m + j, SIDE, z + j, SIDE);
	for (int i = 0; i < TILE; i++)
		transform_outputs(z + SIDE * i, 1, sums + TILE * i, 1);
	v128_t ninth = wasm_i32x4_splat((int32_t)NINTH), bias = wasm_v128_load(w->band->operand[0].bias + first);
	for (int i = 0; i < TILE && y + i * w->dilation < out->h; i++)
		for (int j = 0; j < TILE && x + j * w->dilation < out->w; j++) {
			v128_t sum = wasm_i32x4_add(bias, wasm_i32x4_mul(wasm_i32x4_shr(sums[TILE * i + j], 6), ninth));
			size_t pixel = (size_t)(y + i * w->dilation) * (size_t)out->w + (size_t)(x + j * w->dilation);
			infer_wasm_store(w->band, pixel, first, &sum);
		}
}

void infer_winograd_u8(const struct infer_call *call, const struct infer_conv2d_u8_band *band, const void *packed,
		       int first, int end, void *scratch)
{
	struct work w = {.band = band};
	lay_out(call, scratch, &w);
	const int16_t *weights = (const int16_t *)(const void *)((const char *)packed + HEADER);
	int step = infer_winograd_u8_row_step(call), row = w.across * w.dilation * w.dilation,
	    last = (end + step - 1) / step * row;
	memset(w.patch, 0, POINTS * w.channels);
	for (int from = first / step * row; from < last; from += TILES) {
		int tiles = last - from < TILES ? last - from : TILES;
		for (int i = 0; i < tiles; i++)
			transform_tile(&w, from + i, i);
		for (int o = 0; o < call->out.c; o += INFER_U8_BLOCK) {
			int outputs = call->out.c - o < INFER_U8_BLOCK ? call->out.c - o : INFER_U8_BLOCK;
			multiply(&w, weights + (size_t)(o / INFER_U8_BLOCK) * POINTS * w.channels * INFER_U8_BLOCK,
				 tiles, outputs);
			for (int i = 0; i < tiles; i++) {
				int y, x;
				place_of_tile(&w, from + i, &y, &x);
				for (int part = o; part < o + outputs; part += INFER_U8_PART)
					finish_part(&w, y, x, i, part);
			}
		}
	}
}

#endif
