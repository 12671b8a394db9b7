/* The inner loops of float convolutions with AVX2 and FMA; where that cannot be built, nothing calls them. */
#include "product.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define NOINLINE __attribute__((noinline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define VEC __m256
#define LANES 8
#define PIXELS 6
#define BLOCKS 1

TARGET static inline __m256i lane_mask(int n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define VLOAD(p) _mm256_loadu_ps(p)
#define VSTORE(p, v) _mm256_storeu_ps(p, v)
#define VLOAD_PART(p, n) _mm256_maskload_ps(p, lane_mask(n))
#define VSTORE_PART(p, v, n) _mm256_maskstore_ps(p, lane_mask(n), v)
#define PREFETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define VSET(x) _mm256_set1_ps(x)
#define VADD(a, b) _mm256_add_ps(a, b)
#define VSUB(a, b) _mm256_sub_ps(a, b)
#define VMUL(a, b) _mm256_mul_ps(a, b)
#define VFMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define VMAX(a, b) _mm256_max_ps(a, b)
#define VRELU(v) _mm256_max_ps(v, _mm256_setzero_ps())
#define KERNELS infer_product_avx2
#include "product.inc"

#else

const struct infer_product_kernels infer_product_avx2 = {0};

#endif
