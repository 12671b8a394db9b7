/* See conv2d_single.h. */
#include "core/kernels/conv2d_single.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

enum { LANES = 16, PARTS = LANES / VEC_LANES, TAPS = 9 }; /* virtual lanes: PARTS vectors */

/* ((0+8)+(4+12)) + ((2+10)+(6+14)) + ...: halves are added until one is left. */
static float sum_lanes(vec part[PARTS])
{
	float lane[LANES];
	for (int i = 0; i < PARTS; i++)
		vec_store(lane + i * VEC_LANES, part[i]);
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

/* part += a * b over `count` floats, element i in lane i % 16. */
static inline void add_products(vec part[PARTS], const float *a, const float *b, int count)
{
	int i = 0;
	for (; i + LANES <= count; i += LANES)
		for (int p = 0; p < PARTS; p++)
			part[p] = vec_fma(vec_load(a + i + p * VEC_LANES), vec_load(b + i + p * VEC_LANES), part[p]);
	for (int p = 0; i < count; p++, i += VEC_LANES) {
		vec_mask mask = vec_mask_first(count - i < VEC_LANES ? count - i : VEC_LANES);
		part[p] = vec_fma(vec_load_masked(a + i, mask), vec_load_masked(b + i, mask), part[p]);
	}
}

void KERNEL(conv2d_single_forward)(const struct conv2d_single_forward *f)
{
	int run = 3 * f->channels, line = (f->width + 2) * f->channels;
	for (int x = 0; x < f->width; x++) {
		vec part[PARTS];
		for (int p = 0; p < PARTS; p++)
			part[p] = vec_zero();
		for (int ky = 0; ky < 3; ky++)
			add_products(part, f->lines + ky * line + x * f->channels, f->weight + ky * run, run);
		f->y[x] = sum_lanes(part);
	}
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
