/* See avg_pool2d.h. Vectors run over channels; each output is one chain of additions, window in reading order. */
#include "core/kernels/avg_pool2d.h"

#include "core/kernels/kernel.h"

/* The part of a window that lies inside the input, along one axis. */
struct span {
	int begin, end;
};

static struct span window(int index, int size, const struct avg_pool2d *p)
{
	int begin = index * p->stride - p->padding, end = begin + p->kernel;
	return (struct span){begin > 0 ? begin : 0, end < size ? end : size};
}

/* One over the number of pixels that the mean is taken of. */
static float share(struct span y, struct span x, const struct avg_pool2d *p)
{
	int inside = (y.end - y.begin) * (x.end - x.begin);
	return 1.0f / (float)(p->count_padding ? p->kernel * p->kernel : inside);
}

static void add_pixel(float *restrict to, const float *restrict from, float factor, int channels)
{
	for (int c = 0; c < channels; c++)
		to[c] += factor * from[c];
}

/* y: out_h x out_w x channels, x: h x w x channels. */
void KERNEL(avg_pool2d)(const struct avg_pool2d *p, const float *x, float *y)
{
	size_t channels = (size_t)p->channels;
	for (int i = 0; i < p->out_h; i++)
		for (int j = 0; j < p->out_w; j++, y += channels) {
			struct span rows = window(i, p->h, p), cols = window(j, p->w, p);
			for (size_t c = 0; c < channels; c++)
				y[c] = 0;
			for (int row = rows.begin; row < rows.end; row++)
				for (int col = cols.begin; col < cols.end; col++)
					add_pixel(y, x + ((size_t)row * (size_t)p->w + (size_t)col) * channels, 1,
						  p->channels);
			float factor = share(rows, cols, p);
			for (size_t c = 0; c < channels; c++)
				y[c] *= factor;
		}
}

/* The windows that contain an input's row or column. */
static struct span windows_with(int at, int windows, const struct avg_pool2d *p)
{
	int from = at + p->padding - p->kernel + 1, last = (at + p->padding) / p->stride;
	return (struct span){from > 0 ? (from + p->stride - 1) / p->stride : 0,
			     last + 1 < windows ? last + 1 : windows};
}

void KERNEL(avg_pool2d_grad)(const struct avg_pool2d *p, const float *y_grad, float *x_grad, bool add)
{
	size_t channels = (size_t)p->channels;
	for (int row = 0; row < p->h; row++)
		for (int col = 0; col < p->w; col++, x_grad += channels) {
			struct span is = windows_with(row, p->out_h, p), js = windows_with(col, p->out_w, p);
			for (size_t c = 0; c < channels && !add; c++)
				x_grad[c] = 0;
			for (int i = is.begin; i < is.end; i++)
				for (int j = js.begin; j < js.end; j++)
					add_pixel(x_grad,
						  y_grad + ((size_t)i * (size_t)p->out_w + (size_t)j) * channels,
						  share(window(i, p->h, p), window(j, p->w, p), p), p->channels);
		}
}
