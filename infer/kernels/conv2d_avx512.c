/* conv2d for processors with AVX-512: 16 floats, 32 registers. */
#include "conv2d_band.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define NOINLINE __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 8")
#define VEC __m512
#define LANES 16
#define WIDE 1
#define VLOAD(p) _mm512_loadu_ps(p)
#define VSTORE(p, v) _mm512_storeu_ps(p, v)
#define VSET(x) _mm512_set1_ps(x)
#define VADD(a, b) _mm512_add_ps(a, b)
#define VFMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define VRELU(v) _mm512_max_ps(v, _mm512_setzero_ps())
#define BAND infer_conv2d_band_avx512
#include "conv2d_band.inc"

#else

void infer_conv2d_band_avx512(const struct infer_conv2d_band *band)
{
	infer_conv2d_band_generic(band);
}

#endif
