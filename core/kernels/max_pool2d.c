/* See max_pool2d.h. A maximum has the same bits in any order; the winner is the first in reading order among equals, the
 * last NaN if there is one. */
#include "core/kernels/max_pool2d.h"

#include <string.h>

#include "core/kernels/kernel.h"

/* Tap number `tap` with value v against the best so far. */
static inline void challenge(float v, int tap, float *best, int *winner)
{
	int wins = (v > *best) | (v != v);
	*best = wins ? v : *best;
	*winner = wins ? tap : *winner;
}

/* A 3x3 window inside the input: all nine taps while the best is in a register. `row`: floats of an input row. */
static inline void pool_3x3(const float *restrict x, size_t row, int channels, float *restrict y,
			    uint8_t *restrict winners)
{
	const float *middle = x + row, *lower = middle + row;
	const float *x1 = x + channels, *middle1 = middle + channels, *lower1 = lower + channels;
	const float *x2 = x1 + channels, *middle2 = middle1 + channels, *lower2 = lower1 + channels;
	for (int c = 0; c < channels; c++) {
		float best = x[c];
		int winner = 0;
		challenge(x1[c], 1, &best, &winner);
		challenge(x2[c], 2, &best, &winner);
		challenge(middle[c], 3, &best, &winner);
		challenge(middle1[c], 4, &best, &winner);
		challenge(middle2[c], 5, &best, &winner);
		challenge(lower[c], 6, &best, &winner);
		challenge(lower1[c], 7, &best, &winner);
		challenge(lower2[c], 8, &best, &winner);
		y[c] = best;
		winners[c] = (uint8_t)winner;
	}
}

/* A window of any kind, tap after tap: rows top..bottom-1, columns left..right-1 of it are inside the input. x: where
 * its first pixel is or would be. */
static void pool_any(const struct max_pool2d *p, const float *x, int oy, int ox, float *restrict y,
		     uint8_t *restrict winners)
{
	int first_row = oy * p->stride - p->padding, first_column = ox * p->stride - p->padding;
	bool found = false;
	for (int ky = 0; ky < p->kernel; ky++)
		for (int kx = 0; kx < p->kernel; kx++) {
			int row = first_row + ky, column = first_column + kx, tap = ky * p->kernel + kx;
			if (row < 0 || row >= p->h || column < 0 || column >= p->w)
				continue;
			const float *values = x + ((size_t)row * (size_t)p->w + (size_t)column) * (size_t)p->channels;
			if (!found) {
				memcpy(y, values, (size_t)p->channels * sizeof *y);
				memset(winners, tap, (size_t)p->channels);
				found = true;
				continue;
			}
			for (int c = 0; c < p->channels; c++) {
				int winner = winners[c];
				challenge(values[c], tap, &y[c], &winner);
				winners[c] = (uint8_t)winner;
			}
		}
}

void KERNEL(max_pool2d)(const struct max_pool2d *p, const float *x, float *y, uint8_t *winners)
{
	size_t row = (size_t)p->w * (size_t)p->channels;
	for (int oy = 0; oy < p->out_h; oy++)
		for (int ox = 0; ox < p->out_w; ox++, y += p->channels, winners += p->channels) {
			int top = oy * p->stride - p->padding, left = ox * p->stride - p->padding;
			bool inside = top >= 0 && top + p->kernel <= p->h && left >= 0 && left + p->kernel <= p->w;
			if (inside && p->kernel == 3)
				pool_3x3(x + (size_t)top * row + (size_t)left * (size_t)p->channels, row, p->channels,
					 y, winners);
			else
				pool_any(p, x, oy, ox, y, winners);
		}
}

/* The windows that contain pixel `at` of a side: first..last. */
struct range {
	int first, last;
};

static struct range windows_of(const struct max_pool2d *p, int at, int windows)
{
	int shifted = at + p->padding, first = shifted - p->kernel + p->stride;
	first = first > 0 ? first / p->stride : 0;
	int last = shifted / p->stride;
	return (struct range){ first, last < windows ? last : windows - 1 };
}

/* One pixel's gradient: what the windows around it send if it has won, in reading order. */
static void unpool_pixel(const struct max_pool2d *p, const float *y_grad, const uint8_t *winners, int iy, int ix,
			 float *restrict x_grad, bool add)
{
	struct range rows = windows_of(p, iy, p->out_h), columns = windows_of(p, ix, p->out_w);
	if (!add)
		memset(x_grad, 0, (size_t)p->channels * sizeof *x_grad);
	for (int oy = rows.first; oy <= rows.last; oy++)
		for (int ox = columns.first; ox <= columns.last; ox++) {
			int ky = iy + p->padding - oy * p->stride, kx = ix + p->padding - ox * p->stride;
			int tap = ky * p->kernel + kx;
			size_t at = ((size_t)oy * (size_t)p->out_w + (size_t)ox) * (size_t)p->channels;
			const float *grad = y_grad + at;
			const uint8_t *winner = winners + at;
			for (int c = 0; c < p->channels; c++)
				x_grad[c] += winner[c] == tap ? grad[c] : 0;
		}
}

void KERNEL(max_pool2d_grad)(const struct max_pool2d *p, const float *y_grad, const uint8_t *winners, float *x_grad,
			     bool add)
{
	for (int iy = 0; iy < p->h; iy++)
		for (int ix = 0; ix < p->w; ix++, x_grad += p->channels)
			unpool_pixel(p, y_grad, winners, iy, ix, x_grad, add);
}
