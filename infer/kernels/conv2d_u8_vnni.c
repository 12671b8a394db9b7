/* The inner loops of conv2d_u8.c for AVX-512 VNNI: one vpdpbusd is 64 products, four for each of 16 outputs. For
 * rows of at least four pixels. */
#include "conv2d_u8_band.h"

#if defined(__x86_64__)

#include <stdbool.h>
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum { MAX_SUMS = 24, MAX_QUADS = 4 }; /* of 32 registers */

/* Sums of `quads` quads of pixels for `blocks` blocks of outputs: sum[(quad * 4 + pixel) * blocks + block]. */
INLINE void sum_tile(const struct infer_conv2d_u8_operand *o, const size_t *in, int block, const int quads,
		     const int blocks, __m512i *sum)
{
	const int8_t *w = o->weight + (size_t)block * o->block_bytes;
	size_t s = o->pixel_stride;
#pragma GCC unroll 24
	for (int i = 0; i < quads * INFER_U8_QUAD * blocks; i++)
		sum[i] = _mm512_loadu_si512(o->bias + (block + i % blocks) * INFER_U8_BLOCK);
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const uint8_t *run = o->in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x,
				      *x[MAX_QUADS];
#pragma GCC unroll 4
			for (int q = 0; q < quads; q++)
				x[q] = run + in[q];
			for (int g = 0; g < o->groups; g++, w += 64) {
				__m512i weight[2];
#pragma GCC unroll 2
				for (int b = 0; b < blocks; b++)
					weight[b] = _mm512_loadu_si512(w + (size_t)b * o->block_bytes);
#pragma GCC unroll 4
				for (int q = 0; q < quads; q++) {
#pragma GCC unroll 4
					for (int p = 0; p < INFER_U8_QUAD; p++) {
						int32_t four;
						memcpy(&four, x[q] + (size_t)p * s, 4);
						__m512i broadcast = _mm512_set1_epi32(four);
#pragma GCC unroll 2
						for (int b = 0; b < blocks; b++)
							sum[(q * 4 + p) * blocks + b] =
								_mm512_dpbusd_epi32(sum[(q * 4 + p) * blocks + b],
										    broadcast, weight[b]);
					}
					x[q] += INFER_U8_GROUP;
				}
			}
		}
}

struct rounding {
	__m512 multiplier, low, high;
	__m512i zero;
};

INLINE struct rounding rounding_of(const struct infer_conv2d_u8_band *b, int block)
{
	return (struct rounding){_mm512_loadu_ps(b->operand[0].multiplier + block * INFER_U8_BLOCK),
				 _mm512_set1_ps((float)b->low), _mm512_set1_ps((float)(255 - b->zero)),
				 _mm512_set1_epi32(b->zero)};
}

INLINE __m512i round_sums(__m512i sum, const struct rounding *r)
{
	__m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), r->multiplier);
	t = _mm512_min_ps(_mm512_max_ps(t, r->low), r->high);
	return _mm512_add_epi32(_mm512_cvtps_epi32(t), r->zero);
}

/* The bytes of a tile. */
INLINE void store_tile(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
		       const int quads, const int blocks, const __m512i *sum)
{
#pragma GCC unroll 2
	for (int b = 0; b < blocks; b++) {
		int first = (block + b) * INFER_U8_BLOCK, left = band->outputs - first;
		__mmask16 mask = (__mmask16)(left >= INFER_U8_BLOCK ? 0xffff : (1u << left) - 1);
		struct rounding r = rounding_of(band, block + b);
#pragma GCC unroll 4
		for (int q = 0; q < quads; q++) {
			uint8_t *out = band->out + quad[q].out * band->out_pitch + first;
#pragma GCC unroll 4
			for (int p = 0; p < INFER_U8_QUAD; p++, out += band->out_pitch)
				_mm512_mask_cvtepi32_storeu_epi8(out, mask,
								 round_sums(sum[(q * 4 + p) * blocks + b], &r));
		}
	}
}

/* Sums as terms, in fractions of the output's step. */
INLINE void make_terms(const struct infer_conv2d_u8_operand *o, int block, const int quads, const int blocks,
		       __m512i *sum)
{
	const __m512 low = _mm512_set1_ps(-INFER_U8_TERM_LIMIT), high = _mm512_set1_ps(INFER_U8_TERM_LIMIT);
#pragma GCC unroll 24
	for (int i = 0; i < quads * INFER_U8_QUAD * blocks; i++) {
		__m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[i]),
					 _mm512_loadu_ps(o->multiplier + (block + i % blocks) * INFER_U8_BLOCK));
		sum[i] = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(t, low), high));
	}
}

INLINE __m512i add_bytes(const struct infer_conv2d_u8_band *b, __m512i term, __mmask16 mask, const uint8_t *addend)
{
	__m512i q = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, addend));
	q = _mm512_sub_epi32(q, _mm512_set1_epi32(b->addend_zero));
	return _mm512_add_epi32(term, _mm512_mullo_epi32(q, _mm512_set1_epi32(b->addend_multiplier)));
}

INLINE __m512i round_term(const struct infer_conv2d_u8_band *b, __m512i term)
{
	const __m512i half = _mm512_set1_epi32(1 << (INFER_U8_FRACTION - 1)), zero = _mm512_set1_epi32(b->zero);
	__m512i q = _mm512_srai_epi32(_mm512_add_epi32(term, half), INFER_U8_FRACTION);
	q = _mm512_max_epi32(q, _mm512_set1_epi32(b->low));
	return _mm512_add_epi32(_mm512_min_epi32(q, _mm512_sub_epi32(_mm512_set1_epi32(255), zero)), zero);
}

/* One block of one pixel: bytes of terms, or logits of a sum. */
INLINE void store_other(const struct infer_conv2d_u8_band *band, size_t pixel, int first, __mmask16 mask, __m512i value)
{
	size_t at = pixel * band->out_pitch + (size_t)first;
	if (band->logits) {
		__m512 t =
			_mm512_mul_ps(_mm512_cvtepi32_ps(value), _mm512_loadu_ps(band->operand[0].multiplier + first));
		_mm512_mask_storeu_ps(band->logits + at, mask, t);
		return;
	}
	if (band->addend)
		value = add_bytes(band, value, mask, band->addend + pixel * band->addend_pitch + first);
	_mm512_mask_cvtepi32_storeu_epi8(band->out + at, mask, round_term(band, value));
}

/* What is not bytes of one sum: sum of terms, or logits; of one or two blocks. */
__attribute__((noinline)) TARGET static void store_others(const struct infer_conv2d_u8_band *band,
							  const struct infer_conv2d_u8_quad *quad, int block, int quads,
							  int blocks, const __m512i *sum)
{
	for (int i = 0; i < quads * INFER_U8_QUAD * blocks; i++) {
		int pixel = i >> (blocks - 1), first = (block + (i & (blocks - 1))) * INFER_U8_BLOCK,
		    left = band->outputs - first;
		__mmask16 mask = (__mmask16)(left >= INFER_U8_BLOCK ? 0xffff : (1u << left) - 1);
		store_other(band, quad[pixel / INFER_U8_QUAD].out + (size_t)(pixel % INFER_U8_QUAD), first, mask,
			    sum[i]);
	}
}

/* Whether a tile's windows hold zeros alone, as those of clicks mostly do: 0 where they are too wide to be asked. */
INLINE int is_empty(const struct infer_conv2d_u8_operand *o, const size_t *in, const int quads)
{
	size_t bytes = (size_t)o->groups * INFER_U8_GROUP + (INFER_U8_QUAD - 1) * o->pixel_stride;
	__m512i any = _mm512_setzero_si512();
	if (bytes > 64 || o->runs_x > 1)
		return 0;
	__mmask64 mask = ~(__mmask64)0 >> (64 - bytes);
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int q = 0; q < quads; q++)
			any = _mm512_or_si512(any, _mm512_maskz_loadu_epi8(mask,
									   o->in + in[q] + (size_t)ry * o->run_step_y));
	return _mm512_test_epi32_mask(any, any) == 0;
}

INLINE void do_tile(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
		    const int quads, const int blocks)
{
	__m512i sum[MAX_SUMS], other[MAX_SUMS];
#pragma GCC unroll 24
	for (int i = 0; i < quads * INFER_U8_QUAD * blocks; i++)
		other[i] = _mm512_setzero_si512();
	for (int k = 0; k < band->operand_count; k++) {
		size_t in[MAX_QUADS];
		for (int q = 0; q < quads; q++)
			in[q] = quad[q].in[k];
		struct infer_conv2d_u8_operand operand = band->operand[k];
		if (band->operand_count > 1 && is_empty(&operand, in, quads))
			operand.runs_y = 0; /* its bias is its sum */
		sum_tile(&operand, in, block, quads, blocks, sum);
		if (infer_conv2d_u8_is_simple(band)) {
			store_tile(band, quad, block, quads, blocks, sum);
			return;
		}
		if (band->out)
			make_terms(&band->operand[k], block, quads, blocks, sum);
#pragma GCC unroll 24
		for (int i = 0; i < quads * INFER_U8_QUAD * blocks; i++)
			other[i] = _mm512_add_epi32(other[i], sum[i]);
	}
	store_others(band, quad, block, quads, blocks, other);
}

/* --- logits of one output ------------------------------------------------- */

enum { PIXEL_BYTES = 16, MOST_ALONE = 4096 }; /* bytes of weights */

/* Blocks of outputs would be 15 parts nothing. With 16 channels the same tap of four neighbouring pixels is one
 * register. */
static bool is_alone(const struct infer_conv2d_u8_band *band)
{
	const struct infer_conv2d_u8_operand *o = &band->operand[0];
	return band->logits && band->outputs == 1 && band->out_pitch == 1 && o->pixel_stride == PIXEL_BYTES &&
	       o->groups * INFER_U8_GROUP % PIXEL_BYTES == 0 &&
	       o->runs_y * o->runs_x * o->groups * INFER_U8_GROUP <= MOST_ALONE;
}

/* The weights of output 0, as a window's bytes lie. */
static void take_first_output(const struct infer_conv2d_u8_operand *o, int8_t *weight)
{
	for (int i = 0; i < o->runs_y * o->runs_x * o->groups; i++)
		memcpy(weight + INFER_U8_GROUP * i, o->weight + (size_t)i * INFER_U8_BLOCK * INFER_U8_GROUP,
		       INFER_U8_GROUP);
}

TARGET static void logits_alone(const struct infer_conv2d_u8_band *band)
{
	const struct infer_conv2d_u8_operand *o = &band->operand[0];
	int8_t weight[MOST_ALONE];
	take_first_output(o, weight);
	for (int i = 0; i < band->quad_count; i++) {
		__m512i sum = _mm512_setzero_si512(); /* four numbers for each pixel */
		const int8_t *w = weight;
		for (int ry = 0; ry < o->runs_y; ry++)
			for (int rx = 0; rx < o->runs_x; rx++) {
				const uint8_t *run = o->in + band->quads[i].in[0] + (size_t)ry * o->run_step_y +
						     (size_t)rx * o->run_step_x;
				for (int g = 0; g < o->groups;
				     g += PIXEL_BYTES / INFER_U8_GROUP, w += PIXEL_BYTES, run += PIXEL_BYTES)
					sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(run),
								  _mm512_broadcast_i32x4(_mm_loadu_si128(
									  (const __m128i *)(const void *)w)));
			}
		sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32(sum, (_MM_PERM_ENUM)0x4e));
		sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32(sum, (_MM_PERM_ENUM)0xb1));
		__m128i four = _mm512_castsi512_si128(_mm512_maskz_compress_epi32(0x1111, sum));
		four = _mm_add_epi32(four, _mm_set1_epi32(o->bias[0]));
		_mm_storeu_ps(band->logits + band->quads[i].out,
			      _mm_mul_ps(_mm_cvtepi32_ps(four), _mm_set1_ps(o->multiplier[0])));
	}
}

TARGET void infer_conv2d_u8_vnni(const struct infer_conv2d_u8_band *band)
{
	int blocks = (band->outputs + INFER_U8_BLOCK - 1) / INFER_U8_BLOCK, block = 0;
	if (is_alone(band)) {
		logits_alone(band);
		return;
	}
	for (; block + 2 <= blocks; block += 2)
		for (int i = 0; i < band->quad_count; i += 3)
			do_tile(band, band->quads + i, block, 3, 2);
	for (int i = 0; block < blocks && i < band->quad_count; i += 4)
		do_tile(band, band->quads + i, block, 4, 1);
}

#endif
