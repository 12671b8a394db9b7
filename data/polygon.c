/* Polygons to masks, pixel for pixel as COCO's tools draw them (cocodataset/cocoapi, common/maskApi.c, rleFrPoly; the
 * vectors of tests/data/test_polygon.c hold us to it).
 *
 * The rule. Vertices are put on a grid five times finer than the pixels. Each edge becomes a digital line on that
 * grid: one point per step along its longer axis, the other coordinate rounded. The line matters where it passes the
 * middle of a pixel column c, from grid column 5c+2 to 5c+3: there the mask changes its value, from some row of the
 * pixel column on, until the next change. The mask as one long column-major sequence is thus a set of positions where
 * the value toggles, and two toggles at one position cancel.
 *
 * The published method walks along every grid point of every edge, so a far-away vertex costs its distance. Here each
 * edge goes straight from one pixel column to the next, with the same arithmetic at the points that matter: the work
 * is at most edges x columns, whatever the coordinates. Toggles are single bits, so that cancelling is an exclusive
 * or and sorting is not needed. */
#include "data/rle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 5, MIDDLE = 2 }; /* grid columns per pixel; the last one before a pixel's middle */

/* The toggles of the pixel columns [first, first + columns): bit (c - first) * height + row, row 0..height. */
struct toggles {
	int first, columns, height;
	size_t words;
	uint64_t *bits;
};

struct vertex {
	int x, y; /* fine grid */
};

/* To the grid as a cast from double does it: towards zero. */
static int fine(double coordinate)
{
	return (int)(FINE * coordinate + 0.5);
}

/* The line's lower grid row at its step through the middle of pixel column c is `y` (>= 0 where it matters). */
static void toggle(struct toggles *t, int c, int y)
{
	int row = y <= MIDDLE ? 0 : (y + MIDDLE) / FINE; /* the first pixel whose middle lies below y */
	if (row > t->height)
		row = t->height;
	size_t bit = (size_t)(c - t->first) * (size_t)t->height + (size_t)row;
	t->bits[bit / 64] ^= (uint64_t)1 << (bit % 64);
}

/* An edge that is at least as wide as high, a.x < b.x: y is a rounded function of x. */
static void flat_edge(struct toggles *t, struct vertex a, struct vertex b, int from, int to)
{
	double slope = (double)(b.y - a.y) / (b.x - a.x);
	for (int c = from; c <= to; c++) {
		int step = FINE * c + MIDDLE - a.x;
		int before = (int)(a.y + slope * step + 0.5);
		int after = (int)(a.y + slope * (step + 1) + 0.5);
		toggle(t, c, before < after ? before : after);
	}
}

/* An edge that is higher than wide, a.y < b.y: x is a rounded function of y, and the step through the middle of a
 * column has to be found: estimated by division, then corrected with the very rounding of the rule. */
static void steep_edge(struct toggles *t, struct vertex a, struct vertex b, int from, int to)
{
	int height = b.y - a.y;
	double slope = (double)(b.x - a.x) / height;
	for (int c = from; c <= to; c++) {
		int left = FINE * c + MIDDLE; /* across means: x > left going right, x <= left going left */
		int step = (int)((left + 0.5 - a.x) / slope);
		step = step < 1 ? 1 : step > height ? height : step;
#define ACROSS(s) (((int)(a.x + slope * (s) + 0.5) > left) == (slope > 0))
		while (step > 1 && ACROSS(step - 1))
			step--;
		while (step < height && !ACROSS(step))
			step++;
#undef ACROSS
		toggle(t, c, a.y + step - 1);
	}
}

/* Pixel columns whose middle the grid interval [low, high] passes: 5c+2 >= low and 5c+3 <= high. */
static int first_column(int low)
{
	return low <= MIDDLE ? 0 : (low - MIDDLE + FINE - 1) / FINE;
}

static int last_column(int high, int width)
{
	int last = high <= MIDDLE ? -1 : (high - MIDDLE - 1) / FINE;
	return last < width ? last : width - 1;
}

static void edge(struct toggles *t, struct vertex a, struct vertex b)
{
	int from = first_column(a.x < b.x ? a.x : b.x);
	int to = last_column(a.x < b.x ? b.x : a.x, t->first + t->columns);
	if (from > to)
		return;
	if (abs(b.x - a.x) >= abs(b.y - a.y)) {
		if (a.x < b.x)
			flat_edge(t, a, b, from, to);
		else
			flat_edge(t, b, a, from, to);
	} else if (a.y < b.y) {
		steep_edge(t, a, b, from, to);
	} else {
		steep_edge(t, b, a, from, to);
	}
}

static enum status check_coordinates(const double *xy, int count)
{
	for (int i = 0; i < count; i++)
		if (!(fabs(xy[i]) <= RLE_MAX_COORDINATE)) /* NaN too */
			return status_fail(STATUS_LIMIT, "polygon: coordinate %d is %g, over the limit of +-%d", i,
					   xy[i], RLE_MAX_COORDINATE);
	return STATUS_OK;
}

/* The columns that the vertices span, as far as the picture has them; 0: none. */
static int spanned_columns(const double *xy, int count, int width, int *first)
{
	int low = fine(xy[0]), high = low;
	for (int i = 2; i < count; i += 2) {
		int x = fine(xy[i]);
		low = x < low ? x : low;
		high = x > high ? x : high;
	}
	*first = first_column(low);
	int last = last_column(high, width);
	return last >= *first ? last - *first + 1 : 0;
}

uint64_t rle_polygon_work(const double *xy, int count, int width, int height)
{
	int first;
	uint64_t columns = (uint64_t)spanned_columns(xy, count, width, &first), work = columns * (uint64_t)height / 64;
	for (int i = 0; i < count; i += 2) {
		double ends[4] = {xy[i ? i - 2 : count - 2], 0, xy[i], 0};
		work += 1 + (uint64_t)spanned_columns(ends, 4, width, &first);
	}
	return work;
}

static enum status toggles_init(struct toggles *t, const double *xy, int count, int width, int height)
{
	int first, columns = spanned_columns(xy, count, width, &first);
	size_t words = (size_t)columns * (size_t)height / 64 + 1;
	*t = (struct toggles){first, columns, height, words, calloc(words, sizeof(uint64_t))};
	return t->bits ? STATUS_OK
		       : status_fail(STATUS_NO_MEMORY, "no memory for a polygon on %d x %d pixels", width, height);
}

static size_t count_toggles(const struct toggles *t)
{
	size_t sum = 0;
	for (size_t i = 0; i < t->words; i++)
		sum += (size_t)__builtin_popcountll(t->bits[i]);
	return sum;
}

/* Positions in ascending order are run boundaries. The last run, which ends with the picture, is left out if empty. */
static void toggles_to_runs(const struct toggles *t, struct rle *rle)
{
	uint32_t position = 0, end = (uint32_t)rle->width * (uint32_t)rle->height;
	uint32_t offset = (uint32_t)t->first * (uint32_t)t->height;
	for (size_t i = 0; i < t->words; i++)
		for (uint64_t word = t->bits[i]; word; word &= word - 1) {
			uint32_t at = offset + (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(word);
			rle->counts[rle->count++] = at - position;
			position = at;
		}
	if (position < end)
		rle->counts[rle->count++] = end - position;
}

enum status rle_from_polygon(struct rle *rle, const double *xy, int count, int width, int height)
{
	memset(rle, 0, sizeof *rle);
	if (count < 6 || count % 2)
		return status_fail(STATUS_FORMAT, "polygon of %d numbers: expected at least 6, an even count", count);
	TRY(check_coordinates(xy, count));
	TRY(rle_init(rle, width, height, 0)); /* the size is checked before anything is allocated by it */
	rle_release(rle);

	struct toggles t;
	TRY(toggles_init(&t, xy, count, width, height));
	struct vertex previous = {fine(xy[count - 2]), fine(xy[count - 1])};
	for (int i = 0; i < count && t.columns; i += 2) {
		struct vertex next = {fine(xy[i]), fine(xy[i + 1])};
		edge(&t, previous, next);
		previous = next;
	}
	enum status status = rle_init(rle, width, height, count_toggles(&t) + 1);
	if (status == STATUS_OK)
		toggles_to_runs(&t, rle);
	free(t.bits);
	return status;
}

enum status rle_from_bbox(struct rle *rle, const double bbox[4], int width, int height)
{
	double left = bbox[0], top = bbox[1], right = left + bbox[2], bottom = top + bbox[3];
	double corners[8] = {left, top, left, bottom, right, bottom, right, top};
	return rle_from_polygon(rle, corners, 8, width, height);
}
