/* Exact squared Euclidean distances in two passes (Meijster, Roerdink, Hesselink: "A general algorithm for computing
 * distance transforms in linear time", 2000; Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions",
 * 2012). The first pass finds for each pixel how far the next zero lies up or down its column; the second takes along
 * each row the lower envelope of the parabolas (x - u)^2 + column(u)^2.
 *
 * The second pass works on each run of non-zero pixels alone: a zero that ends the run is nearer than anything behind
 * it, so pixels outside the object cost nothing. All in integers: the same result on any machine. */
#include "data/distance.h"

#include <assert.h>
#include <stdbool.h>

/* Squares of coordinates and their sums stay below 2^31. */
enum { MAX_SIDE = 32767 };

/* A column without any zero: more than any real distance, and counting up from it stays far from overflow. */
enum { COLUMN_INFINITE = 1 << 20 };

/* One parabola of the envelope: it is the lowest from pixel `from` on. */
struct site {
	int32_t x, square, from;
};

size_t distance_workspace(int w, int h)
{
	(void)h;
	return ((size_t)w + 2) * sizeof(struct site);
}

/* out = distance to the next zero in the same column, COLUMN_INFINITE or more if there is none. */
static void column_pass(const uint8_t *mask, int w, int h, int32_t outside, int32_t *out)
{
	for (int x = 0; x < w; x++)
		out[x] = mask[x] ? outside + 1 : 0;
	for (int y = 1; y < h; y++) {
		const uint8_t *m = mask + (size_t)y * w;
		int32_t *row = out + (size_t)y * w;
		const int32_t *above = row - w;
		for (int x = 0; x < w; x++)
			row[x] = m[x] ? above[x] + 1 : 0;
	}
	int32_t *last = out + (size_t)(h - 1) * w;
	for (int x = 0; x < w; x++)
		last[x] = last[x] < outside + 1 ? last[x] : outside + 1;
	for (int y = h - 2; y >= 0; y--) {
		int32_t *row = out + (size_t)y * w;
		const int32_t *below = row + w;
		for (int x = 0; x < w; x++)
			row[x] = row[x] < below[x] + 1 ? row[x] : below[x] + 1;
	}
}

/* The first pixel from which the parabola at (x, square) lies below that of `s`, which is further left. */
static int32_t takes_over(const struct site *s, int32_t x, int32_t square)
{
	int64_t numerator = (int64_t)x * x - (int64_t)s->x * s->x + square - s->square;
	int64_t denominator = 2 * (int64_t)(x - s->x);
	/* Floor division; the numerator is negative where the new parabola wins left of pixel 0. */
	int64_t quotient = numerator / denominator;
	if (numerator % denominator < 0)
		quotient--;
	return (int32_t)(quotient + 1);
}

/* Adds a parabola to the envelope over pixels begin..end-1. */
static int add_site(struct site *sites, int count, int32_t x, int32_t square, int begin, int end)
{
	int32_t from = begin;
	while (count > 0) {
		from = takes_over(&sites[count - 1], x, square);
		if (from > sites[count - 1].from)
			break;
		count--;
		from = begin;
	}
	if (from >= end)
		return count;
	sites[count] = (struct site){.x = x, .square = square, .from = from};
	return count + 1;
}

/* Pixels begin..end-1 of one row are non-zero; what ends the run on either side is a zero, or the picture's edge. */
static void run_pass(int32_t *row, int begin, int end, bool left, bool right, struct site *sites)
{
	int count = 0;
	if (left)
		count = add_site(sites, count, begin - 1, 0, begin, end);
	for (int x = begin; x < end; x++)
		if (row[x] < COLUMN_INFINITE)
			count = add_site(sites, count, x, row[x] * row[x], begin, end);
	if (right)
		count = add_site(sites, count, end, 0, begin, end);
	if (count == 0) {
		for (int x = begin; x < end; x++)
			row[x] = INT32_MAX;
		return;
	}
	for (int k = count - 1, x = end - 1; x >= begin; x--) {
		while (x < sites[k].from)
			k--;
		int32_t d = x - sites[k].x;
		row[x] = d * d + sites[k].square;
	}
}

void distance_squared(const uint8_t *mask, int w, int h, int border, int32_t *out, void *workspace)
{
	assert(w > 0 && h > 0 && w <= MAX_SIDE && h <= MAX_SIDE);
	column_pass(mask, w, h, border ? 0 : COLUMN_INFINITE, out);
	for (int y = 0; y < h; y++) {
		const uint8_t *m = mask + (size_t)y * w;
		for (int begin = 0; begin < w;) {
			if (!m[begin]) {
				begin++;
				continue;
			}
			int end = begin + 1;
			while (end < w && m[end])
				end++;
			run_pass(out + (size_t)y * w, begin, end, border || begin > 0, border || end < w, workspace);
			begin = end;
		}
	}
}
