/* The inner loops of conv2d_u8.c for every x86-64 processor: bytes and weights widened to 16 bits, pmaddwd makes
 * sums of two products in 32 bits. Eight outputs of two pixels at a time. */
#include "conv2d_u8_band.h"

#if defined(__x86_64__)

#include <emmintrin.h>

#define INLINE static inline __attribute__((always_inline))

enum { PIXELS = 2, HALF = 8, SUMS = 4 }; /* a sum: of two outputs, each of its first two and of its last two inputs */

typedef int32_t quad_sums[INFER_U8_QUAD][INFER_U8_BLOCK];

/* Outputs first.. of half a block. */
INLINE void sum_half(const struct infer_conv2d_u8_operand *o, size_t in, int first, int32_t *out)
{
	const int8_t *w =
		o->weight + (size_t)(first / INFER_U8_BLOCK) * o->block_bytes + first % INFER_U8_BLOCK * INFER_U8_GROUP;
	const __m128i zero = _mm_setzero_si128();
	__m128i sum[PIXELS][SUMS] = {{zero, zero, zero, zero}, {zero, zero, zero, zero}};
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const uint8_t *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < o->groups; g++, w += INFER_U8_BLOCK * INFER_U8_GROUP, x += INFER_U8_GROUP) {
				__m128i a = _mm_loadu_si128((const __m128i *)(const void *)w);
				__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(w + 16));
				__m128i weight[SUMS] = {_mm_srai_epi16(_mm_unpacklo_epi8(a, a), 8),
							_mm_srai_epi16(_mm_unpackhi_epi8(a, a), 8),
							_mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8),
							_mm_srai_epi16(_mm_unpackhi_epi8(b, b), 8)};
#pragma GCC unroll 2
				for (int p = 0; p < PIXELS; p++) {
					int32_t four;
					memcpy(&four, x + (size_t)p * o->pixel_stride, 4);
					__m128i q = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero);
					q = _mm_unpacklo_epi64(q, q);
#pragma GCC unroll 4
					for (int s = 0; s < SUMS; s++)
						sum[p][s] = _mm_add_epi32(sum[p][s], _mm_madd_epi16(q, weight[s]));
				}
			}
		}
	for (int p = 0; p < PIXELS; p++)
		for (int s = 0; s < SUMS; s += 2) {
			__m128 a = _mm_castsi128_ps(sum[p][s]), b = _mm_castsi128_ps(sum[p][s + 1]);
			__m128i even = _mm_castps_si128(_mm_shuffle_ps(a, b, 0x88)),
				odd = _mm_castps_si128(_mm_shuffle_ps(a, b, 0xdd));
			__m128i bias = _mm_loadu_si128((const __m128i *)(const void *)(o->bias + first + 2 * s));
			_mm_storeu_si128((__m128i *)(void *)(out + p * INFER_U8_BLOCK + first % INFER_U8_BLOCK + 2 * s),
					 _mm_add_epi32(bias, _mm_add_epi32(even, odd)));
		}
}

INLINE __m128i rounded(const int32_t *sum, const float *multiplier, float low, float high)
{
	__m128 t = _mm_mul_ps(_mm_cvtepi32_ps(_mm_loadu_si128((const __m128i *)(const void *)sum)),
			      _mm_loadu_ps(multiplier));
	return _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(t, _mm_set1_ps(low)), _mm_set1_ps(high)));
}

/* Four differences of 9 bits times one number of 23 bits: SSE2 multiplies 16 bits, so in two parts of it. */
INLINE __m128i times(__m128i difference, int multiplier)
{
	__m128i low = _mm_madd_epi16(difference, _mm_set1_epi32(multiplier & 4095));
	__m128i high = _mm_madd_epi16(difference, _mm_set1_epi32(multiplier >> 12));
	return _mm_add_epi32(low, _mm_slli_epi32(high, 12));
}

/* Four outputs of one pixel, less zero and not yet limited to bytes. */
INLINE __m128i four_outputs(const struct infer_conv2d_u8_band *b, const quad_sums *sums, int p, int i, int output,
			    const uint8_t *addend)
{
	if (infer_conv2d_u8_is_simple(b))
		return rounded(&sums[0][p][i], b->operand[0].multiplier + output, (float)b->low,
			       (float)(255 - b->zero));
	__m128i sum = _mm_set1_epi32(1 << (INFER_U8_FRACTION - 1));
	for (int k = 0; k < b->operand_count; k++)
		sum = _mm_add_epi32(sum, rounded(&sums[k][p][i], b->operand[k].multiplier + output,
						 -INFER_U8_TERM_LIMIT, INFER_U8_TERM_LIMIT));
	if (addend) {
		int32_t four;
		memcpy(&four, addend, 4);
		__m128i q = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), _mm_setzero_si128());
		q = _mm_sub_epi16(q, _mm_set1_epi16((int16_t)b->addend_zero)); /* above the four it does not matter */
		q = _mm_and_si128(_mm_unpacklo_epi16(q, q), _mm_set1_epi32(0xffff));
		sum = _mm_add_epi32(sum, times(q, b->addend_multiplier));
	}
	return _mm_srai_epi32(sum, INFER_U8_FRACTION);
}

static void store_quad(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
		       const quad_sums *sums)
{
	int first = block * INFER_U8_BLOCK;
	__m128i least = _mm_set1_epi16((int16_t)band->low), zero = _mm_set1_epi16((int16_t)band->zero);
	if (!band->out || first + INFER_U8_BLOCK > band->outputs) {
		infer_conv2d_u8_finish(band, quad, block, sums);
		return;
	}
	for (int p = 0; p < band->pixels; p++) {
		size_t pixel = quad->out + (size_t)p;
		const uint8_t *addend = band->addend ? band->addend + pixel * band->addend_pitch + first : NULL;
		__m128i q[INFER_U8_BLOCK / 4], words[2];
		for (int i = 0; i < INFER_U8_BLOCK; i += 4)
			q[i / 4] = four_outputs(band, sums, p, i, first + i, addend ? addend + i : NULL);
		for (int h = 0; h < 2; h++)
			words[h] = _mm_add_epi16(_mm_max_epi16(_mm_packs_epi32(q[2 * h], q[2 * h + 1]), least), zero);
		_mm_storeu_si128((__m128i *)(void *)(band->out + pixel * band->out_pitch + first),
				 _mm_packus_epi16(words[0], words[1]));
	}
}

void infer_conv2d_u8_sse2(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++)
		for (int i = 0; i < band->quad_count; i++) {
			const struct infer_conv2d_u8_quad *quad = &band->quads[i];
			quad_sums sums[2];
			for (int k = 0; k < band->operand_count; k++)
				for (int p = 0; p < INFER_U8_QUAD; p += PIXELS)
					for (int half = 0; half < INFER_U8_BLOCK; half += HALF)
						sum_half(&band->operand[k],
							 quad->in[k] + (size_t)p * band->operand[k].pixel_stride,
							 block * INFER_U8_BLOCK + half, sums[k][p]);
			store_quad(band, quad, block, (const quad_sums *)sums);
		}
}

#endif
