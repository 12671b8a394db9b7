/* See columns.h. */
#include "core/conv2d/columns.h"

#include <string.h>

bool columns_are_input(const struct conv2d_dims *d)
{
	return d->kernel_h == 1 && d->kernel_w == 1 && d->stride == 1 && d->padding == 0;
}

int columns_taps(const struct conv2d_dims *d)
{
	return d->kernel_h * d->kernel_w;
}

int columns_depth(const struct conv2d_dims *d)
{
	return columns_taps(d) * d->c;
}

int columns_pixels(const struct conv2d_dims *d)
{
	return d->n * d->out_h * d->out_w;
}

size_t columns_input_floats(const struct conv2d_dims *d)
{
	return (size_t)d->n * (size_t)d->h * (size_t)d->w * (size_t)d->c;
}

size_t columns_weight_offset(const struct conv2d_dims *d, int k, int o)
{
	int tap = k / d->c, c = k % d->c;
	return ((size_t)o * (size_t)d->c + (size_t)c) * (size_t)columns_taps(d) + (size_t)tap;
}

/* Where the window of an output pixel begins. */
struct window {
	int n, y, x;
};

static struct window window_of(const struct conv2d_dims *d, int pixel)
{
	int row = pixel / d->out_w;
	return (struct window){
		.n = row / d->out_h,
		.y = row % d->out_h * d->stride - d->padding,
		.x = pixel % d->out_w * d->stride - d->padding,
	};
}

/* To the next output pixel. */
static void advance(const struct conv2d_dims *d, struct window *w)
{
	w->x += d->stride;
	if (w->x + d->padding < d->out_w * d->stride)
		return;
	w->x = -d->padding;
	w->y += d->stride;
	if (w->y + d->padding < d->out_h * d->stride)
		return;
	w->y = -d->padding;
	w->n++;
}

/* Some taps of one kernel row that lie inside the image and side by side in memory (all of them without dilation,
 * else one): floats [at, at + count) of the row's kernel_w * c are the image's from `x` on. */
struct run {
	int at, count;
	size_t x;
};

/* The runs of kernel row ky, at most kernel_w; their number. */
static int find_runs(const struct conv2d_dims *d, const struct window *w, int ky, struct run *runs)
{
	int y = w->y + ky * d->dilation, found = 0;
	if (y < 0 || y >= d->h)
		return 0;
	size_t row = ((size_t)w->n * (size_t)d->h + (size_t)y) * (size_t)d->w;
	if (d->dilation == 1) {
		int first = w->x < 0 ? -w->x : 0, end = d->w - w->x < d->kernel_w ? d->w - w->x : d->kernel_w;
		if (first < end)
			runs[found++] = (struct run){first * d->c, (end - first) * d->c,
						     (row + (size_t)(w->x + first)) * (size_t)d->c};
		return found;
	}
	for (int kx = 0; kx < d->kernel_w; kx++) {
		int x = w->x + kx * d->dilation;
		if (x >= 0 && x < d->w)
			runs[found++] = (struct run){kx * d->c, d->c, (row + (size_t)x) * (size_t)d->c};
	}
	return found;
}

enum { MAX_RUNS = 1024 }; /* kernel_w at most (core/ops/conv2d.c) */

/* memcpy with a small count costs more than what it copies. */
static inline void copy(float *to, const float *from, int count)
{
	if (count >= 64) {
		memcpy(to, from, (size_t)count * sizeof *to);
		return;
	}
	for (int i = 0; i < count; i++)
		to[i] = from[i];
}

void columns_gather(const struct conv2d_dims *d, const float *x, int first, int count, float *columns)
{
	struct run runs[MAX_RUNS];
	struct window w = window_of(d, first);
	int row = d->kernel_w * d->c;
	for (int p = 0; p < count; p++, advance(d, &w))
		for (int ky = 0; ky < d->kernel_h; ky++, columns += row) {
			int found = find_runs(d, &w, ky, runs);
			if (found != 1 || runs[0].count != row)
				memset(columns, 0, (size_t)row * sizeof *columns);
			for (int i = 0; i < found; i++)
				copy(columns + runs[i].at, x + runs[i].x, runs[i].count);
		}
}

const float *columns_rows(const struct conv2d_dims *d, const float *x, int first, int count, float *columns)
{
	if (columns_are_input(d))
		return x + (size_t)first * (size_t)d->c;
	columns_gather(d, x, first, count, columns);
	return columns;
}

void columns_scatter_add(const struct conv2d_dims *d, const float *columns, int first, int count, float *x)
{
	struct run runs[MAX_RUNS];
	struct window w = window_of(d, first);
	for (int p = 0; p < count; p++, advance(d, &w))
		for (int ky = 0; ky < d->kernel_h; ky++, columns += d->kernel_w * d->c) {
			int found = find_runs(d, &w, ky, runs);
			for (int i = 0; i < found; i++) {
				float *restrict to = x + runs[i].x;
				const float *restrict from = columns + runs[i].at;
				for (int k = 0; k < runs[i].count; k++)
					to[k] += from[k];
			}
		}
}

/* In squares of 16 x 16, so that both sides stay in the cache. */
void columns_add_weights(const struct conv2d_dims *d, const float *grad, float *weight_grad)
{
	enum { SIDE = 16 };
	int taps = columns_taps(d), depth = columns_depth(d);
	for (int o = 0; o < d->o; o += SIDE)
		for (int k = 0; k < depth; k += SIDE) {
			int o_end = o + SIDE < d->o ? o + SIDE : d->o, k_end = k + SIDE < depth ? k + SIDE : depth;
			for (int i = k; i < k_end; i++) {
				const float *from = grad + (size_t)i * (size_t)d->o;
				float *to = weight_grad + columns_weight_offset(d, i, 0);
				for (int j = o; j < o_end; j++)
					to[(size_t)j * (size_t)d->c * (size_t)taps] += d->scale * from[j];
			}
		}
}
