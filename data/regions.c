/* See regions.h. Two passes with a forest of equivalent numbers (Rosenfeld & Pfaltz, "Sequential operations in digital
 * picture processing", Journal of the ACM, 1966): each pixel points to an earlier one of its region, at last to the
 * region's first pixel. */
#include "data/regions.h"

#include <stdbool.h>
#include <stdlib.h>

static int32_t root_of(int32_t *parent, int32_t pixel)
{
	while (parent[pixel] != pixel) {
		parent[pixel] = parent[parent[pixel]];
		pixel = parent[pixel];
	}
	return pixel;
}

static void join(int32_t *parent, int32_t a, int32_t b)
{
	a = root_of(parent, a);
	b = root_of(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

/* Joins each pixel with those of its label among the four neighbours before it. */
static void join_neighbours(const struct image *labels, int32_t *parent)
{
	const uint8_t *p = labels->pixels;
	int w = labels->width;
	for (int y = 0; y < labels->height; y++)
		for (int x = 0; x < w; x++) {
			int32_t at = (int32_t)(y * w + x);
			parent[at] = at;
			if (x > 0 && p[at - 1] == p[at])
				join(parent, at, at - 1);
			for (int dx = -1; dx <= 1 && y > 0; dx++)
				if (x + dx >= 0 && x + dx < w && p[at - w + dx] == p[at])
					join(parent, at, at - w + dx);
		}
}

static int compare(const void *a, const void *b)
{
	const struct region *x = a, *y = b;
	if (x->area != y->area)
		return x->area > y->area ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void measure(const struct image *labels, int32_t *parent, const int32_t *number, struct region *items)
{
	int w = labels->width;
	for (int32_t at = 0; at < w * labels->height; at++) {
		struct region *r = &items[number[root_of(parent, at)]];
		int x = at % w, y = at / w;
		if (r->area++ == 0)
			*r = (struct region){labels->pixels[at], 1, (size_t)at, {x, y, x + 1, y + 1}};
		r->box.x0 = x < r->box.x0 ? x : r->box.x0;
		r->box.x1 = x >= r->box.x1 ? x + 1 : r->box.x1;
		r->box.y1 = y + 1;
	}
}

/* Every pixel's region, by its place among those that are left. */
static void fill_map(struct regions *regions, size_t pixels, int32_t *parent, int32_t *number)
{
	for (size_t at = 0; at < pixels; at++)
		number[at] = -1;
	for (int i = 0; i < regions->count; i++)
		number[regions->items[i].first] = i;
	for (size_t at = 0; at < pixels; at++)
		regions->map[at] = number[root_of(parent, (int32_t)at)];
}

static int number_roots(const int32_t *parent, size_t pixels, int32_t *number)
{
	int count = 0;
	for (size_t at = 0; at < pixels; at++)
		if (parent[at] == (int32_t)at)
			number[at] = count++;
	return count;
}

enum status regions_find(struct regions *regions, const struct image *labels, size_t least)
{
	size_t pixels = (size_t)labels->width * (size_t)labels->height;
	*regions = (struct regions){.map = malloc(pixels * sizeof *regions->map)};
	int32_t *parent = malloc(pixels * sizeof *parent), *number = malloc(pixels * sizeof *number);
	bool enough = regions->map && parent && number;
	if (enough) {
		join_neighbours(labels, parent);
		regions->count = number_roots(parent, pixels, number);
		regions->items = calloc((size_t)regions->count, sizeof *regions->items);
		enough = regions->items != NULL;
	}
	if (enough) {
		measure(labels, parent, number, regions->items);
		qsort(regions->items, (size_t)regions->count, sizeof *regions->items, compare);
		while (regions->count && regions->items[regions->count - 1].area < least)
			regions->count--;
		fill_map(regions, pixels, parent, number);
	}
	free(parent);
	free(number);
	if (enough)
		return STATUS_OK;
	regions_release(regions);
	return status_fail(STATUS_NO_MEMORY, "no memory for the regions of %d x %d pixels", labels->width,
			   labels->height);
}

void regions_release(struct regions *regions)
{
	free(regions->items);
	free(regions->map);
	*regions = (struct regions){0};
}
