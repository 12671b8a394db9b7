/* Vectors of the instruction set being compiled, for kernels that cannot be left to the compiler's vectoriser. A
 * kernel written with these names, and with its loops in steps of VEC_LANES, compiles for every set; NEON would be one
 * more block. Loads and stores need no alignment. */
#ifndef CORE_KERNELS_VEC_H
#define CORE_KERNELS_VEC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512 vec;
enum { VEC_LANES = 16, VEC_REGISTERS = 32 };
#define vec_zero() _mm512_setzero_ps()
#define vec_set1(x) _mm512_set1_ps(x)
#define vec_load(p) _mm512_loadu_ps(p)
#define vec_store(p, v) _mm512_storeu_ps(p, v)
#define vec_add(a, b) _mm512_add_ps(a, b)
#define vec_sub(a, b) _mm512_sub_ps(a, b)
#define vec_mul(a, b) _mm512_mul_ps(a, b)
#define vec_fma(a, b, c) _mm512_fmadd_ps(a, b, c) /* a * b + c, rounded once */
/* max(v, 0) that keeps a NaN: the second operand is returned where one is a NaN. */
#define vec_relu(v) _mm512_max_ps(_mm512_setzero_ps(), v)
/* a < b ? a : b and a > b ? a : b; b where one is a NaN. */
#define vec_min(a, b) _mm512_min_ps(a, b)
#define vec_max(a, b) _mm512_max_ps(a, b)
/* a where m > 0, else 0. */
#define vec_where_positive(m, a) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(m, _mm512_setzero_ps(), _CMP_GT_OQ), a)
/* The first n (0..VEC_LANES) floats; the others are read as 0 and not written. */
typedef __mmask16 vec_mask;
#define vec_mask_first(n) ((__mmask16)((1u << (n)) - 1))
#define vec_load_masked(p, mask) _mm512_maskz_loadu_ps(mask, p)
#define vec_store_masked(p, mask, v) _mm512_mask_storeu_ps(p, mask, v)
/* VEC_LANES bytes, to be compared: a where they equal `value`, else 0. */
typedef __m128i vec_bytes;
#define vec_load_bytes(p) _mm_loadu_si128((const __m128i *)(p))
#define vec_where_byte(bytes, value, a) _mm512_maskz_mov_ps(_mm_cmpeq_epi8_mask(bytes, _mm_set1_epi8(value)), a)
/* Transposes four vectors cut into pieces of four floats: float j of a piece of v[i] and float i of that piece of v[j]
 * change places. */
static inline void vec_transpose4(vec v[4])
{
	vec low01 = _mm512_unpacklo_ps(v[0], v[1]), low23 = _mm512_unpacklo_ps(v[2], v[3]);
	vec high01 = _mm512_unpackhi_ps(v[0], v[1]), high23 = _mm512_unpackhi_ps(v[2], v[3]);
	v[0] = _mm512_shuffle_ps(low01, low23, 0x44);
	v[1] = _mm512_shuffle_ps(low01, low23, 0xee);
	v[2] = _mm512_shuffle_ps(high01, high23, 0x44);
	v[3] = _mm512_shuffle_ps(high01, high23, 0xee);
}

#elif defined(__AVX2__)
#include <immintrin.h>
typedef __m256 vec;
enum { VEC_LANES = 8, VEC_REGISTERS = 16 };
#define vec_zero() _mm256_setzero_ps()
#define vec_set1(x) _mm256_set1_ps(x)
#define vec_load(p) _mm256_loadu_ps(p)
#define vec_store(p, v) _mm256_storeu_ps(p, v)
#define vec_add(a, b) _mm256_add_ps(a, b)
#define vec_sub(a, b) _mm256_sub_ps(a, b)
#define vec_mul(a, b) _mm256_mul_ps(a, b)
#define vec_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define vec_relu(v) _mm256_max_ps(_mm256_setzero_ps(), v)
#define vec_min(a, b) _mm256_min_ps(a, b)
#define vec_max(a, b) _mm256_max_ps(a, b)
#define vec_where_positive(m, a) _mm256_and_ps(_mm256_cmp_ps(m, _mm256_setzero_ps(), _CMP_GT_OQ), a)

typedef __m256i vec_mask;
static inline vec_mask vec_mask_first(int n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#define vec_load_masked(p, mask) _mm256_maskload_ps(p, mask)
#define vec_store_masked(p, mask, v) _mm256_maskstore_ps(p, mask, v)
typedef __m256i vec_bytes;
#define vec_load_bytes(p) _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p)))
#define vec_where_byte(bytes, value, a) \
	_mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(bytes, _mm256_set1_epi32(value))), a)
static inline void vec_transpose4(vec v[4])
{
	vec low01 = _mm256_unpacklo_ps(v[0], v[1]), low23 = _mm256_unpacklo_ps(v[2], v[3]);
	vec high01 = _mm256_unpackhi_ps(v[0], v[1]), high23 = _mm256_unpackhi_ps(v[2], v[3]);
	v[0] = _mm256_shuffle_ps(low01, low23, 0x44);
	v[1] = _mm256_shuffle_ps(low01, low23, 0xee);
	v[2] = _mm256_shuffle_ps(high01, high23, 0x44);
	v[3] = _mm256_shuffle_ps(high01, high23, 0xee);
}

#else
/* Plain C: the compiler makes of it what the target has. fmaf rounds once everywhere, in software if it must. */
enum { VEC_LANES = 4, VEC_REGISTERS = 16 };
typedef float vec __attribute__((vector_size(4 * VEC_LANES)));

static inline vec vec_set1(float x)
{
	return (vec){x, x, x, x};
}

static inline vec vec_zero(void)
{
	return vec_set1(0);
}

static inline vec vec_load(const float *p)
{
	vec v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline void vec_store(float *p, vec v)
{
	memcpy(p, &v, sizeof v);
}

#define vec_add(a, b) ((a) + (b))
#define vec_sub(a, b) ((a) - (b))
#define vec_mul(a, b) ((a) * (b))

static inline vec vec_fma(vec a, vec b, vec c)
{
	for (int i = 0; i < VEC_LANES; i++)
		a[i] = fmaf(a[i], b[i], c[i]);
	return a;
}

static inline vec vec_relu(vec v)
{
	for (int i = 0; i < VEC_LANES; i++)
		v[i] = v[i] < 0 ? 0 : v[i];
	return v;
}

typedef int32_t vec_choice __attribute__((vector_size(4 * VEC_LANES)));

static inline vec vec_min(vec a, vec b)
{
	vec_choice less = a < b;
	return (vec)((less & (vec_choice)a) | (~less & (vec_choice)b));
}

static inline vec vec_max(vec a, vec b)
{
	vec_choice more = a > b;
	return (vec)((more & (vec_choice)a) | (~more & (vec_choice)b));
}

static inline vec vec_where_positive(vec m, vec a)
{
	for (int i = 0; i < VEC_LANES; i++)
		a[i] = m[i] > 0 ? a[i] : 0;
	return a;
}

typedef int vec_mask;

static inline vec_mask vec_mask_first(int n)
{
	return n;
}

static inline vec vec_load_masked(const float *p, vec_mask n)
{
	vec v = vec_zero();
	for (int i = 0; i < n; i++)
		v[i] = p[i];
	return v;
}

static inline void vec_store_masked(float *p, vec_mask n, vec v)
{
	for (int i = 0; i < n; i++)
		p[i] = v[i];
}

typedef int32_t vec_bytes __attribute__((vector_size(4 * VEC_LANES)));

static inline vec_bytes vec_load_bytes(const uint8_t *p)
{
	return (vec_bytes){p[0], p[1], p[2], p[3]};
}

#define vec_where_byte(bytes, value, a) ((vec)(((bytes) == (value)) & (vec_bytes)(a)))

static inline void vec_transpose4(vec v[4])
{
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++) {
			float kept = v[i][j];
			v[i][j] = v[j][i];
			v[j][i] = kept;
		}
}
#endif

/* The sum of 16 virtual lanes, halves added until one is left: s[i] + s[i+8], then +4, +2, +1. */
enum { VEC_SUM_PARTS = 16 / VEC_LANES };
#if defined(__AVX2__)
static inline float vec_sum16(const vec part[VEC_SUM_PARTS])
{
#if defined(__AVX512F__)
	__m256 eight = _mm256_add_ps(_mm512_castps512_ps256(part[0]), _mm512_extractf32x8_ps(part[0], 1));
#else
	__m256 eight = _mm256_add_ps(part[0], part[1]);
#endif
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
	return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
#else
static inline float vec_sum16(const vec part[VEC_SUM_PARTS])
{
	vec four = vec_add(vec_add(part[0], part[2]), vec_add(part[1], part[3]));
	return (four[0] + four[2]) + (four[1] + four[3]);
}
#endif

#define vec_load_part(p, n) vec_load_masked(p, vec_mask_first(n))
#define vec_store_part(p, n, v) vec_store_masked(p, vec_mask_first(n), v)

#endif
