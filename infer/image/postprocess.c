/* Flood fills over runs of pixels. Keeping what is reachable from positive clicks: the structural integrity strategy
 * of FCA-Net (Lin et al., CVPR 2020).
 *
 * A run is a longest piece of one row with one value. A run is filled when it is found and its first pixel goes on
 * the stack once, so the stack never holds more than all runs of a picture: ceil(w / 2) in each row. */
#include "postprocess.h"

#include <stdbool.h>
#include <string.h>

enum { BACKGROUND = 0, KEPT = 1, OUTSIDE = 2, HOLE = 3, OBJECT = 255 };

struct flood {
	uint8_t *mask;
	int w, h;
	uint8_t from, to;
	int diagonal; /* 1: 8-connected, 0: 4-connected */
	uint32_t *stack;
	size_t depth;
	size_t area;
};

size_t infer_postprocess_workspace(int w, int h)
{
	return ((size_t)w + 1) / 2 * (size_t)h * sizeof(uint32_t);
}

/* Fills the run around (x, y), whose value is `from`; returns where it ends. */
static int fill_run(struct flood *f, int x, int y)
{
	uint8_t *row = f->mask + (size_t)y * (size_t)f->w;
	int first = x, end = x;
	while (first > 0 && row[first - 1] == f->from)
		first--;
	while (end < f->w && row[end] == f->from)
		end++;
	memset(row + first, f->to, (size_t)(end - first));
	f->area += (size_t)(end - first);
	f->stack[f->depth++] = (uint32_t)((size_t)y * (size_t)f->w + (size_t)first);
	return end;
}

/* Fills the runs of row y that touch columns first..end-1. */
static void fill_beside(struct flood *f, int first, int end, int y)
{
	if (y < 0 || y >= f->h)
		return;
	const uint8_t *row = f->mask + (size_t)y * (size_t)f->w;
	for (int x = first; x < end; x++)
		if (row[x] == f->from)
			x = fill_run(f, x, y);
}

/* Everything connected to (x, y) with its value becomes `to`. Returns the number of pixels. No other area with the
 * value `to` may touch it. */
static size_t flood(struct flood *f, int x, int y, uint8_t to)
{
	f->from = f->mask[(size_t)y * (size_t)f->w + (size_t)x];
	f->to = to;
	f->area = f->depth = 0;
	fill_run(f, x, y);
	while (f->depth > 0) {
		size_t at = f->stack[--f->depth];
		int row = (int)(at / (size_t)f->w), first = (int)(at % (size_t)f->w), end = first;
		const uint8_t *pixels = f->mask + (size_t)row * (size_t)f->w;
		while (end < f->w && pixels[end] == to)
			end++;
		first -= f->diagonal && first > 0;
		end += f->diagonal && end < f->w;
		fill_beside(f, first, end, row - 1);
		fill_beside(f, first, end, row + 1);
	}
	return f->area;
}

static uint8_t *at_click(const struct flood *f, const struct infer_click *click)
{
	return f->mask + (size_t)click->y * (size_t)f->w + (size_t)click->x;
}

static void keep_touched(struct flood *f, const struct infer_click *clicks, int count)
{
	bool touched = false;
	f->diagonal = 1;
	for (int i = 0; i < count; i++)
		if (clicks[i].positive && *at_click(f, &clicks[i]) == OBJECT) {
			flood(f, (int)clicks[i].x, (int)clicks[i].y, KEPT);
			touched = 1;
		}
	if (!touched)
		return;
	size_t pixels = (size_t)f->w * (size_t)f->h;
	for (size_t i = 0; i < pixels; i++)
		f->mask[i] = f->mask[i] == KEPT ? OBJECT : BACKGROUND;
}

static void drop_small(struct flood *f, size_t limit)
{
	f->diagonal = 1;
	for (int y = 0; y < f->h; y++) {
		uint8_t *row = f->mask + (size_t)y * (size_t)f->w, *end = row + f->w, *pixel = row;
		while ((pixel = memchr(pixel, OBJECT, (size_t)(end - pixel))) != NULL)
			if (flood(f, (int)(pixel - row), y, KEPT) <= limit)
				flood(f, (int)(pixel - row), y, OUTSIDE);
	}
	size_t pixels = (size_t)f->w * (size_t)f->h;
	for (size_t i = 0; i < pixels; i++)
		f->mask[i] = f->mask[i] == KEPT ? OBJECT : BACKGROUND;
}

static void flood_background(struct flood *f, int x, int y)
{
	if (f->mask[(size_t)y * (size_t)f->w + (size_t)x] == BACKGROUND)
		flood(f, x, y, OUTSIDE);
}

static void mark_outside(struct flood *f)
{
	for (int x = 0; x < f->w; x++) {
		flood_background(f, x, 0);
		flood_background(f, x, f->h - 1);
	}
	for (int y = 0; y < f->h; y++) {
		flood_background(f, 0, y);
		flood_background(f, f->w - 1, y);
	}
}

static bool has_negative(const struct flood *f, const struct infer_click *clicks, int count)
{
	for (int i = 0; i < count; i++)
		if (!clicks[i].positive && *at_click(f, &clicks[i]) == HOLE)
			return true;
	return false;
}

static void fill_holes(struct flood *f, size_t limit, const struct infer_click *clicks, int count)
{
	f->diagonal = 0;
	mark_outside(f);
	for (int y = 0; y < f->h; y++) {
		uint8_t *row = f->mask + (size_t)y * (size_t)f->w, *end = row + f->w, *pixel = row;
		while ((pixel = memchr(pixel, BACKGROUND, (size_t)(end - pixel))) != NULL) {
			int x = (int)(pixel - row);
			size_t area = flood(f, x, y, HOLE);
			flood(f, x, y, area <= limit && !has_negative(f, clicks, count) ? KEPT : OUTSIDE);
		}
	}
	size_t pixels = (size_t)f->w * (size_t)f->h;
	for (size_t i = 0; i < pixels; i++)
		f->mask[i] = f->mask[i] == OUTSIDE ? BACKGROUND : OBJECT;
}

void infer_postprocess(const struct infer_postprocess *options, const struct infer_click *clicks, int count,
		       uint8_t *mask, int w, int h, void *workspace)
{
	struct flood f = {.mask = mask, .w = w, .h = h, .stack = workspace};
	if (options->keep_touched)
		keep_touched(&f, clicks, count);
	if (options->drop_pixels > 0)
		drop_small(&f, options->drop_pixels);
	if (options->fill_pixels > 0)
		fill_holes(&f, options->fill_pixels, clicks, count);
}
