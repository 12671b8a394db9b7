/* The inner loops of conv2d_u8.c for AVX2: vpmaddubsw makes 16-bit sums of two products, which cannot saturate
 * because weights are within +-63, vpmaddwd adds pairs of these. A block of 16 outputs is two registers. */
#include "conv2d_u8_band.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline)) TARGET

/* sum[pixel * 2 + half of the block] */
INLINE void sum_quad(const struct infer_conv2d_u8_operand *o, size_t in, int block, __m256i sum[8])
{
	const int8_t *w = o->weight + (size_t)block * o->block_bytes;
	const __m256i ones = _mm256_set1_epi16(1);
	size_t s = o->pixel_stride;
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		sum[i] = _mm256_loadu_si256(
			(const __m256i *)(const void *)(o->bias + block * INFER_U8_BLOCK + i % 2 * 8));
	for (int ry = 0; ry < o->runs_y; ry++)
		for (int rx = 0; rx < o->runs_x; rx++) {
			const uint8_t *x = o->in + in + (size_t)ry * o->run_step_y + (size_t)rx * o->run_step_x;
			for (int g = 0; g < o->groups; g++, w += 64, x += INFER_U8_GROUP) {
				__m256i low = _mm256_loadu_si256((const __m256i *)(const void *)w);
				__m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32));
#pragma GCC unroll 4
				for (int p = 0; p < INFER_U8_QUAD; p++) {
					int32_t four;
					memcpy(&four, x + (size_t)p * s, 4);
					__m256i a = _mm256_set1_epi32(four);
					sum[2 * p] =
						_mm256_add_epi32(sum[2 * p],
								 _mm256_madd_epi16(_mm256_maddubs_epi16(a, low), ones));
					sum[2 * p + 1] =
						_mm256_add_epi32(sum[2 * p + 1],
								 _mm256_madd_epi16(_mm256_maddubs_epi16(a, high),
										   ones));
				}
			}
		}
}

INLINE __m256i round_sums(const struct infer_conv2d_u8_band *b, __m256i sum, const float *multiplier)
{
	__m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(multiplier));
	t = _mm256_min_ps(_mm256_max_ps(t, _mm256_set1_ps((float)b->low)), _mm256_set1_ps((float)(255 - b->zero)));
	return _mm256_add_epi32(_mm256_cvtps_epi32(t), _mm256_set1_epi32(b->zero));
}

INLINE void store_bytes(uint8_t *out, __m256i low, __m256i high)
{
	__m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
	__m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
	_mm_storeu_si128((__m128i *)(void *)out, bytes);
}

INLINE void store_quad(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
		       const __m256i *sum)
{
	int first = block * INFER_U8_BLOCK;
	uint8_t *out = band->out + quad->out * band->out_pitch + first;
	const float *multiplier = band->operand[0].multiplier + first;
#pragma GCC unroll 4
	for (int p = 0; p < INFER_U8_QUAD; p++, out += band->out_pitch) {
		__m256i low = round_sums(band, sum[2 * p], multiplier),
			high = round_sums(band, sum[2 * p + 1], multiplier + 8);
		store_bytes(out, low, high);
	}
}

/* Sums as terms, in fractions of the output's step. */
INLINE __m256i term_of(__m256i sum, const float *multiplier)
{
	__m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(multiplier));
	t = _mm256_min_ps(_mm256_max_ps(t, _mm256_set1_ps(-INFER_U8_TERM_LIMIT)), _mm256_set1_ps(INFER_U8_TERM_LIMIT));
	return _mm256_cvtps_epi32(t);
}

INLINE __m256i round_term(const struct infer_conv2d_u8_band *b, __m256i term, const uint8_t *addend)
{
	const __m256i half = _mm256_set1_epi32(1 << (INFER_U8_FRACTION - 1)), zero = _mm256_set1_epi32(b->zero);
	if (addend) {
		__m256i q = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)addend));
		q = _mm256_sub_epi32(q, _mm256_set1_epi32(b->addend_zero));
		term = _mm256_add_epi32(term, _mm256_mullo_epi32(q, _mm256_set1_epi32(b->addend_multiplier)));
	}
	__m256i q = _mm256_srai_epi32(_mm256_add_epi32(term, half), INFER_U8_FRACTION);
	q = _mm256_max_epi32(q, _mm256_set1_epi32(b->low));
	return _mm256_add_epi32(_mm256_min_epi32(q, _mm256_sub_epi32(_mm256_set1_epi32(255), zero)), zero);
}

/* Bytes of sums of terms. */
INLINE void store_terms(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block,
			const __m256i *term)
{
	int first = block * INFER_U8_BLOCK;
	for (int p = 0; p < INFER_U8_QUAD; p++) {
		size_t pixel = quad->out + (size_t)p;
		const uint8_t *addend = band->addend ? band->addend + pixel * band->addend_pitch + first : NULL;
		store_bytes(band->out + pixel * band->out_pitch + first, round_term(band, term[2 * p], addend),
			    round_term(band, term[2 * p + 1], addend ? addend + 8 : NULL));
	}
}

/* A quad whose four pixels and block are all there. */
INLINE void do_whole(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block)
{
	__m256i sum[8], term[8] = {_mm256_setzero_si256()};
	for (int k = 0; k < band->operand_count; k++) {
		const float *multiplier = band->operand[k].multiplier + block * INFER_U8_BLOCK;
		sum_quad(&band->operand[k], quad->in[k], block, sum);
		if (infer_conv2d_u8_is_simple(band)) {
			store_quad(band, quad, block, sum);
			return;
		}
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			__m256i t = term_of(sum[i], multiplier + i % 2 * 8);
			term[i] = _mm256_add_epi32(term[i], t);
		}
	}
	store_terms(band, quad, block, term);
}

INLINE void do_part(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block)
{
	int32_t sums[2][INFER_U8_QUAD][INFER_U8_BLOCK];
	__m256i sum[8];
	for (int k = 0; k < band->operand_count; k++) {
		sum_quad(&band->operand[k], quad->in[k], block, sum);
		memcpy(sums[k], sum, sizeof sum);
	}
	infer_conv2d_u8_finish(band, quad, block, (const int32_t(*)[INFER_U8_QUAD][INFER_U8_BLOCK])sums);
}

TARGET void infer_conv2d_u8_avx2(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++) {
		int whole = band->out && band->pixels == INFER_U8_QUAD && (block + 1) * INFER_U8_BLOCK <= band->outputs;
		for (int i = 0; i < band->quad_count; i++) {
			if (whole)
				do_whole(band, &band->quads[i], block);
			else
				do_part(band, &band->quads[i], block);
		}
	}
}

#endif
