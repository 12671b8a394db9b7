/* The inner loops of float convolutions for any processor: vectors of 4 floats where the compiler has them (SSE2,
 * NEON, WebAssembly SIMD), which it maps to the machine's own; else one float at a time. NEON multiplies and adds
 * with one rounding as AVX2 does; where there is no such instruction fmaf gives the same bits, slowly. WebAssembly
 * rounds twice instead. */
#include "product.h"

#include <math.h>
#include <string.h>

#define TARGET

#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#if !defined(__aarch64__) && !defined(__wasm__)
#define UNROLL /* no fused instruction: slow anyway, and 40 kB smaller */
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
typedef float vec4 __attribute__((vector_size(16)));
typedef int mask4 __attribute__((vector_size(16)));
#define VEC vec4
#define LANES 4

static inline vec4 load(const float *p, int n)
{
	vec4 v = {0};
	memcpy(&v, p, (size_t)n * sizeof *p);
	return v;
}

static inline vec4 set(float x)
{
	return (vec4){x, x, x, x};
}

static inline vec4 positive_part(vec4 v)
{
	mask4 positive = v > set(0);
	return (vec4)((mask4)v & positive);
}

static inline vec4 larger(vec4 a, vec4 b)
{
	mask4 first = a > b;
	return (vec4)(((mask4)a & first) | ((mask4)b & ~first));
}

#if defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#define PIXELS 6
static inline vec4 multiply_add(vec4 a, vec4 b, vec4 c)
{
	return (vec4)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
#elif defined(__wasm__)
#define PIXELS 3
static inline vec4 multiply_add(vec4 a, vec4 b, vec4 c)
{
	return a * b + c;
}
#else
#define PIXELS 3
static NOINLINE vec4 multiply_add(vec4 a, vec4 b, vec4 c)
{
	return (vec4){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
}
#endif

#define VLOAD(p) load(p, 4)
#define VSTORE(p, v) memcpy(p, &(v), sizeof(vec4))
#define VLOAD_PART(p, n) load(p, n)
#define VSTORE_PART(p, v, n) memcpy(p, &(v), (size_t)(n) * sizeof(float))
#define VSET(x) set(x)
#define VFMA(a, b, c) multiply_add(a, b, c)
#define VRELU(v) positive_part(v)
#define VMAX(a, b) larger(a, b)
#else
#define NOINLINE
#define UNROLL
#define VEC float
#define LANES 1
#define PIXELS 1
#define VLOAD(p) (*(p))
#define VSTORE(p, v) (*(p) = (v))
#define VLOAD_PART(p, n) ((void)(n), *(p))
#define VSTORE_PART(p, v, n) ((void)(n), *(p) = (v))
#define VSET(x) (x)
#define VFMA(a, b, c) fmaf(a, b, c)
#define VRELU(v) ((v) > 0 ? (v) : 0)
#define VMAX(a, b) ((a) > (b) ? (a) : (b))
#endif

#define VADD(a, b) ((a) + (b))
#define VSUB(a, b) ((a) - (b))
#define VMUL(a, b) ((a) * (b))
#define PREFETCH(p) ((void)(p))
#define BLOCKS 1
#define KERNELS infer_product_generic
#include "product.inc"
