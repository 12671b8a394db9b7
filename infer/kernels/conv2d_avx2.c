/* conv2d for processors with AVX2 and FMA: 8 floats, 16 registers. */
#include "conv2d_band.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define NOINLINE __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 8")
#define VEC __m256
#define LANES 8
#define WIDE 0
#define VLOAD(p) _mm256_loadu_ps(p)
#define VSTORE(p, v) _mm256_storeu_ps(p, v)
#define VSET(x) _mm256_set1_ps(x)
#define VADD(a, b) _mm256_add_ps(a, b)
#define VFMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define VRELU(v) _mm256_max_ps(v, _mm256_setzero_ps())
#define BAND infer_conv2d_band_avx2
#include "conv2d_band.inc"

#else

void infer_conv2d_band_avx2(const struct infer_conv2d_band *band)
{
	infer_conv2d_band_generic(band);
}

#endif
