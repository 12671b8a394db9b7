/* The inner loops of conv2d_u8.c for AVX2: vpmaddubsw makes 16-bit sums of two products, which cannot saturate because weights are
 * within +-63, vpmaddwd adds pairs of these. A block of 16 outputs is two registers. */
#include "conv2d_u8.h"

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
		sum[i] = _mm256_loadu_si256((const __m256i *)(const void *)(o->bias + block * INFER_U8_BLOCK + i % 2 * 8));
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
					sum[2 * p] = _mm256_add_epi32(sum[2 * p], _mm256_madd_epi16(_mm256_maddubs_epi16(a, low), ones));
					sum[2 * p + 1] =
						_mm256_add_epi32(sum[2 * p + 1], _mm256_madd_epi16(_mm256_maddubs_epi16(a, high), ones));
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

INLINE void store_quad(const struct infer_conv2d_u8_band *band, const struct infer_conv2d_u8_quad *quad, int block, const __m256i *sum)
{
	int first = block * INFER_U8_BLOCK;
	uint8_t *out = band->out + quad->out * band->out_pitch + first;
	const float *multiplier = band->operand[0].multiplier + first;
#pragma GCC unroll 4
	for (int p = 0; p < INFER_U8_QUAD; p++, out += band->out_pitch) {
		__m256i low = round_sums(band, sum[2 * p], multiplier), high = round_sums(band, sum[2 * p + 1], multiplier + 8);
		__m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
		__m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
		_mm_storeu_si128((__m128i *)(void *)out, bytes);
	}
}

TARGET void infer_conv2d_u8_avx2(const struct infer_conv2d_u8_band *band)
{
	for (int block = 0; block * INFER_U8_BLOCK < band->outputs; block++) {
		int whole = infer_conv2d_u8_is_simple(band) && band->pixels == INFER_U8_QUAD &&
			    (block + 1) * INFER_U8_BLOCK <= band->outputs;
		for (int i = 0; i < band->quad_count; i++) {
			const struct infer_conv2d_u8_quad *quad = &band->quads[i];
			int32_t sums[2][INFER_U8_QUAD][INFER_U8_BLOCK];
			__m256i sum[8];
			for (int k = 0; k < band->operand_count; k++) {
				sum_quad(&band->operand[k], quad->in[k], block, sum);
				if (!whole)
					memcpy(sums[k], sum, sizeof sum);
			}
			if (whole)
				store_quad(band, quad, block, sum);
			else
				infer_conv2d_u8_finish(band, quad, block, (const int32_t(*)[INFER_U8_QUAD][INFER_U8_BLOCK])sums);
		}
	}
}

#endif
