/* The inner loops of float convolutions with AVX-512; where that cannot be built, nothing calls them. */
#include "product.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define NOINLINE __attribute__((noinline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define VEC __m512
#define LANES 16
#define PIXELS 8
#define BLOCKS 3
#define LANE_MASK(n) ((__mmask16)((1u << (n)) - 1))
#define VLOAD(p) _mm512_loadu_ps(p)
#define VSTORE(p, v) _mm512_storeu_ps(p, v)
#define VLOAD_PART(p, n) _mm512_maskz_loadu_ps(LANE_MASK(n), p)
#define VSTORE_PART(p, v, n) _mm512_mask_storeu_ps(p, LANE_MASK(n), v)
#define PREFETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define VSET(x) _mm512_set1_ps(x)
#define VADD(a, b) _mm512_add_ps(a, b)
#define VSUB(a, b) _mm512_sub_ps(a, b)
#define VMUL(a, b) _mm512_mul_ps(a, b)
#define VFMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define VMAX(a, b) _mm512_max_ps(a, b)
#define VRELU(v) _mm512_max_ps(v, _mm512_setzero_ps())
#define KERNELS infer_product_avx512
#include "product.inc"

#else

const struct infer_product_kernels infer_product_avx512 = {0};

#endif
