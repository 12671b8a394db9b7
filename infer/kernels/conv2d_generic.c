/* conv2d for any processor: vectors of 4 floats where the compiler has them (SSE2, NEON, WebAssembly SIMD), which it maps to the
 * machine's own; else one float at a time. */
#include <string.h>

#include "conv2d_band.h"

#define TARGET
#define BAND infer_conv2d_band_generic

#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 8")
typedef float vec4 __attribute__((vector_size(16)));
typedef int mask4 __attribute__((vector_size(16)));
#define VEC vec4
#define LANES 4

static inline vec4 load(const float *p)
{
	vec4 v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline vec4 set(float x)
{
	return (vec4){ x, x, x, x };
}

static inline vec4 positive_part(vec4 v)
{
	mask4 positive = v > set(0);
	return (vec4)((mask4)v & positive);
}

#define VLOAD(p) load(p)
#define VSTORE(p, v) memcpy(p, &(v), sizeof(vec4))
#define VSET(x) set(x)
#define VRELU(v) positive_part(v)
#else
#define NOINLINE
#define UNROLL
#define VEC float
#define LANES 1
#define VLOAD(p) (*(p))
#define VSTORE(p, v) (*(p) = (v))
#define VSET(x) (x)
#define VRELU(v) ((v) > 0 ? (v) : 0)
#endif

#define VADD(a, b) ((a) + (b))
#if defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#define VFMA(a, b, c) ((vec4)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define WIDE 1
#else
#define VFMA(a, b, c) ((a) * (b) + (c))
#define WIDE 0
#endif

#include "conv2d_band.inc"
