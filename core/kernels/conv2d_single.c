/* See conv2d_single.h. */
#include "core/kernels/conv2d_single.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

#define UNROLL _Pragma("GCC unroll 16")
#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16, PARTS = LANES / VEC_LANES, TAPS = 9 }; /* virtual lanes: PARTS vectors */

/* part += a * b over `count` floats, element i in lane i % 16. `rest`: count may be no multiple of 16. */
INLINE void add_products(vec part[PARTS], const float *a, const float *b, int count, const bool rest)
{
	int i = 0;
	for (; i + LANES <= count; i += LANES)
		UNROLL for (int p = 0; p < PARTS; p++) part[p] =
			vec_fma(vec_load(a + i + p * VEC_LANES), vec_load(b + i + p * VEC_LANES), part[p]);
	UNROLL for (int p = 0; rest && p < PARTS; p++)
	{
		int at = i + p * VEC_LANES, left = count - at;
		vec_mask mask = vec_mask_first(left < 0 ? 0 : left < VEC_LANES ? left : VEC_LANES);
		part[p] = vec_fma(vec_load_masked(a + at, mask), vec_load_masked(b + at, mask), part[p]);
	}
}

INLINE void forward_row(const struct conv2d_single_forward *f, const bool rest)
{
	int run = 3 * f->channels, line = (f->width + 2) * f->channels;
	for (int x = 0; x < f->width; x++) {
		vec part[PARTS];
		UNROLL for (int p = 0; p < PARTS; p++) part[p] = vec_zero();
		UNROLL for (int ky = 0; ky < 3; ky++)
			add_products(part, f->lines + ky * line + x * f->channels, f->weight + ky * run, run, rest);
		f->y[x] = vec_sum16(part);
	}
}

void KERNEL(conv2d_single_forward)(const struct conv2d_single_forward *f)
{
	if (3 * f->channels % LANES == 0)
		forward_row(f, false);
	else
		forward_row(f, true);
}

/* Channels [c, c + count) of a row, count <= VEC_LANES. */
static inline void backward_channels(const struct conv2d_single_backward *b, int c, vec_mask mask)
{
	vec weight[TAPS], sum[TAPS];
	for (int tap = 0; tap < TAPS; tap++) {
		weight[tap] = vec_load_masked(b->weight + tap * b->channels + c, mask);
		sum[tap] = b->weight_sums ? vec_load_masked(b->weight_sums + tap * b->channels + c, mask) : vec_zero();
	}
	for (int x = 0; x < b->width; x++) {
		const float *in = b->x + x * b->channels + c;
		float *to = b->x_grad + x * b->channels + c;
		vec value = b->weight_sums ? vec_load_masked(in, mask) : vec_zero();
		vec grad = b->x_grad && b->add ? vec_load_masked(to, mask) : vec_zero();
		for (int ky = 0; ky < 3; ky++)
			for (int kx = 0; kx < 3; kx++) {
				int tap = 3 * ky + kx;
				vec g = vec_set1(b->grad_lines[(2 - ky) * (b->width + 2) + x + 2 - kx]);
				grad = vec_fma(g, weight[tap], grad);
				sum[tap] = vec_fma(g, value, sum[tap]);
			}
		if (b->x_grad)
			vec_store_masked(to, mask, grad);
	}
	for (int tap = 0; tap < TAPS && b->weight_sums; tap++)
		vec_store_masked(b->weight_sums + tap * b->channels + c, mask, sum[tap]);
}

void KERNEL(conv2d_single_backward)(const struct conv2d_single_backward *b)
{
	for (int c = 0; c < b->channels; c += VEC_LANES) {
		int count = b->channels - c < VEC_LANES ? b->channels - c : VEC_LANES;
		backward_channels(b, c, vec_mask_first(count));
	}
}
