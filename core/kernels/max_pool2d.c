/* See max_pool2d.h. A maximum has the same bits in any order; the winner is the first in reading order among equals, or
 * the last NaN if there is one. */
#include "core/kernels/max_pool2d.h"

#include <string.h>

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

#define UNROLL _Pragma("GCC unroll 16")

enum {
	MANY_CHANNELS = 16, /* from here on vectors run over channels */
	AHEAD = 512,        /* floats from where is written to what the cache is asked for: it does not guess writes */
};

/* A tap's values against the best so far. */
static void challenge(const float *restrict values, int tap, int channels, float *restrict best,
		      uint8_t *restrict winners)
{
	for (int c = 0; c < channels; c++) {
		int wins = (values[c] > best[c]) | (values[c] != values[c]);
		best[c] = wins ? values[c] : best[c];
		winners[c] = (uint8_t)(wins ? tap : winners[c]);
	}
}

/* A window of any kind, tap after tap; x: the sample. */
static void pool_any(const struct max_pool2d *p, const float *x, int oy, int ox, float *y, uint8_t *winners)
{
	int first_row = oy * p->stride - p->padding, first_column = ox * p->stride - p->padding;
	bool found = false;
	for (int ky = 0; ky < p->kernel; ky++)
		for (int kx = 0; kx < p->kernel; kx++) {
			int row = first_row + ky, column = first_column + kx, tap = ky * p->kernel + kx;
			if (row < 0 || row >= p->h || column < 0 || column >= p->w)
				continue;
			const float *values = x + ((size_t)row * (size_t)p->w + (size_t)column) * (size_t)p->channels;
			if (found) {
				challenge(values, tap, p->channels, y, winners);
				continue;
			}
			memcpy(y, values, (size_t)p->channels * sizeof *y);
			memset(winners, tap, (size_t)p->channels);
			found = true;
		}
}

/* Values without NaN: tap k against the best so far. */
#define CHALLENGE(k, value)                   \
	do {                                  \
		int wins = (value) > best;    \
		best = wins ? (value) : best; \
		winner = wins ? (k) : winner; \
	} while (0)

/* A 3x3 window inside the input, all nine taps while the best is in a register. False: there is a NaN, the result does
 * not count. `row`: floats of an input row. */
static bool pool_3x3(const float *restrict x, ptrdiff_t row, int channels, float *restrict y, uint8_t *restrict winners)
{
	const float *upper = x, *middle = x + row, *lower = middle + row;
	int second = channels, third = 2 * channels, unordered = 0;
	for (int c = 0; c < channels; c++) {
		float a0 = upper[c], a1 = upper[second + c], a2 = upper[third + c];
		float b0 = middle[c], b1 = middle[second + c], b2 = middle[third + c];
		float c0 = lower[c], c1 = lower[second + c], c2 = lower[third + c];
		float best = a0;
		int winner = 0;
		CHALLENGE(1, a1);
		CHALLENGE(2, a2);
		CHALLENGE(3, b0);
		CHALLENGE(4, b1);
		CHALLENGE(5, b2);
		CHALLENGE(6, c0);
		CHALLENGE(7, c1);
		CHALLENGE(8, c2);
		y[c] = best;
		winners[c] = (uint8_t)winner;
		unordered |= __builtin_isunordered(a0, a1) | __builtin_isunordered(a2, b0) |
			     __builtin_isunordered(b1, b2) | __builtin_isunordered(c0, c1) | (c2 != c2);
	}
	return !unordered;
}

/* The best of a window's columns, which are in best[] with the tap rows that won: `ky`, `kx` and value against the best
 * column so far. The first in reading order among equals, the last NaN. */
static inline bool column_wins(float value, int ky, float best, int best_ky)
{
	if (value != value)
		return best == best || ky >= best_ky;
	return value > best || (value == best && ky < best_ky);
}

/* A row of windows where channels are few: the maxima of the windows' columns first, with vectors along the row. */
static void pool_row(const struct max_pool2d *p, const float *x, int oy, float *y, uint8_t *winners, float *line)
{
	int count = p->w * p->channels, first_row = oy * p->stride - p->padding;
	int ky = first_row < 0 ? -first_row : 0, end = p->h - first_row < p->kernel ? p->h - first_row : p->kernel;
	uint8_t *line_ky = (uint8_t *)(line + count);
	memcpy(line, x + (ptrdiff_t)(first_row + ky) * count, (size_t)count * sizeof *line);
	memset(line_ky, ky, (size_t)count);
	for (ky++; ky < end; ky++)
		challenge(x + (ptrdiff_t)(first_row + ky) * count, ky, count, line, line_ky);
	for (int ox = 0; ox < p->out_w; ox++) {
		int left = ox * p->stride - p->padding, right = left + p->kernel < p->w ? left + p->kernel : p->w;
		int first = left < 0 ? 0 : left;
		for (int c = 0; c < p->channels; c++, y++, winners++) {
			int best = first * p->channels + c, best_column = first;
			for (int column = first + 1; column < right; column++) {
				int at = column * p->channels + c;
				if (column_wins(line[at], line_ky[at], line[best], line_ky[best])) {
					best = at;
					best_column = column;
				}
			}
			*y = line[best];
			*winners = (uint8_t)(line_ky[best] * p->kernel + best_column - left);
		}
	}
}

void KERNEL(max_pool2d)(const struct max_pool2d *p, const float *x, float *y, uint8_t *winners, float *line)
{
	ptrdiff_t row = (ptrdiff_t)p->w * p->channels, out_row = (ptrdiff_t)p->out_w * p->channels;
	for (int oy = 0; oy < p->out_h; oy++) {
		if (p->channels < MANY_CHANNELS) {
			pool_row(p, x, oy, y + oy * out_row, winners + oy * out_row, line);
			continue;
		}
		int top = oy * p->stride - p->padding;
		for (int ox = 0; ox < p->out_w; ox++) {
			int left = ox * p->stride - p->padding;
			bool inside = top >= 0 && top + p->kernel <= p->h && left >= 0 && left + p->kernel <= p->w;
			ptrdiff_t to = oy * out_row + (ptrdiff_t)ox * p->channels;
			const float *first = x + top * row + (ptrdiff_t)left * p->channels;
			if (!inside || p->kernel != 3 || !pool_3x3(first, row, p->channels, y + to, winners + to))
				pool_any(p, x, oy, ox, y + to, winners + to);
		}
	}
}

static void add_won(const float *restrict grad, const uint8_t *restrict winners, int tap, int channels,
		    float *restrict x_grad)
{
	for (int c = 0; c < channels; c++) {
		int winner = winners[c];
		x_grad[c] += winner == tap ? grad[c] : 0;
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
	return (struct range){first, last < windows ? last : windows - 1};
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
			size_t at = ((size_t)oy * (size_t)p->out_w + (size_t)ox) * (size_t)p->channels;
			add_won(y_grad + at, winners + at, ky * p->kernel + kx, p->channels, x_grad);
		}
}

/* Four pixels of 3x3 windows of stride 2: the top left ones of window (oy, ox), whose gradient is y_grad, and what the
 * windows above and to the left of it send there. up and row: floats of an output's and of an input's row. Whole
 * vectors of channels only. */
static inline void unpool_block(const float *y_grad, const uint8_t *winners, ptrdiff_t up, ptrdiff_t row, int channels,
				float *x_grad, bool add)
{
	ptrdiff_t left = channels;
	for (int c = 0; c < channels; c += VEC_LANES, y_grad += VEC_LANES, winners += VEC_LANES, x_grad += VEC_LANES) {
		vec own = vec_load(y_grad), beside = vec_load(y_grad - left);
		vec above = vec_load(y_grad - up), corner = vec_load(y_grad - up - left);
		vec_bytes own_tap = vec_load_bytes(winners), beside_tap = vec_load_bytes(winners - left);
		vec_bytes above_tap = vec_load_bytes(winners - up), corner_tap = vec_load_bytes(winners - up - left);
		float *to[4] = {x_grad, x_grad + channels, x_grad + row, x_grad + row + channels};
		vec sum[4];
		UNROLL for (int i = 0; i < 4; i++) __builtin_prefetch(to[i] + AHEAD, 1);
		UNROLL for (int i = 0; i < 4; i++) sum[i] = add ? vec_load(to[i]) : vec_zero();
		sum[0] = vec_add(sum[0], vec_where_byte(corner_tap, 8, corner));
		sum[0] = vec_add(sum[0], vec_where_byte(above_tap, 6, above));
		sum[0] = vec_add(sum[0], vec_where_byte(beside_tap, 2, beside));
		sum[0] = vec_add(sum[0], vec_where_byte(own_tap, 0, own));
		sum[1] = vec_add(sum[1], vec_where_byte(above_tap, 7, above));
		sum[1] = vec_add(sum[1], vec_where_byte(own_tap, 1, own));
		sum[2] = vec_add(sum[2], vec_where_byte(beside_tap, 5, beside));
		sum[2] = vec_add(sum[2], vec_where_byte(own_tap, 3, own));
		sum[3] = vec_add(sum[3], vec_where_byte(own_tap, 4, own));
		UNROLL for (int i = 0; i < 4; i++) vec_store(to[i], sum[i]);
	}
}

/* The whole gradient where channels are few: each window sends its own to its winner. */
static void unpool_windows(const struct max_pool2d *p, const float *y_grad, const uint8_t *winners, float *x_grad,
			   bool add)
{
	if (!add)
		memset(x_grad, 0, (size_t)p->h * (size_t)p->w * (size_t)p->channels * sizeof *x_grad);
	for (int oy = 0; oy < p->out_h; oy++)
		for (int ox = 0; ox < p->out_w; ox++)
			for (int c = 0; c < p->channels; c++, winners++) {
				int row = oy * p->stride - p->padding + *winners / p->kernel;
				int column = ox * p->stride - p->padding + *winners % p->kernel;
				x_grad[((ptrdiff_t)row * p->w + column) * p->channels + c] += *y_grad++;
			}
}

void KERNEL(max_pool2d_grad)(const struct max_pool2d *p, const float *y_grad, const uint8_t *winners, float *x_grad,
			     bool add)
{
	if (p->channels < MANY_CHANNELS) {
		unpool_windows(p, y_grad, winners, x_grad, add);
		return;
	}
	bool blocks = p->kernel == 3 && p->stride == 2 && p->padding == 0 && p->channels % VEC_LANES == 0;
	ptrdiff_t row = (ptrdiff_t)p->w * p->channels, up = (ptrdiff_t)p->out_w * p->channels;
	for (int iy = 0; iy < p->h; iy++) {
		int oy = iy / 2;
		bool block_row = blocks && oy > 0 && oy < p->out_h && 2 * oy + 1 < p->h;
		for (int ix = 0; ix < p->w; ix++) {
			int ox = ix / 2;
			float *to = x_grad + iy * row + (ptrdiff_t)ix * p->channels;
			ptrdiff_t at = oy * up + (ptrdiff_t)ox * p->channels;
			if (!block_row || ox == 0 || ox >= p->out_w || 2 * ox + 1 >= p->w)
				unpool_pixel(p, y_grad, winners, iy, ix, to, add);
			else if (iy % 2 == 0 && ix % 2 == 0 && add)
				unpool_block(y_grad + at, winners + at, up, row, p->channels, to, true);
			else if (iy % 2 == 0 && ix % 2 == 0)
				unpool_block(y_grad + at, winners + at, up, row, p->channels, to, false);
		}
	}
}
