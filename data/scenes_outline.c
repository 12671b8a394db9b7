/* From the visible part of an object to the polygon an annotator might have drawn. */
#include "data/scenes_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Marks with `to` all pixels of value `from` that hang together with `start` (4 neighbours, or 8); returns how many.
 * `stack` has room for every pixel. */
static int flood(uint8_t *map, int width, int height, int start, uint8_t from, uint8_t to, bool diagonal, int *stack)
{
	int depth = 0, count = 0;
	map[start] = to;
	stack[depth++] = start;
	while (depth) {
		int at = stack[--depth], x = at % width, y = at / width;
		count++;
		for (int dy = -1; dy <= 1; dy++)
			for (int dx = -1; dx <= 1; dx++) {
				int nx = x + dx, ny = y + dy;
				if ((dx && dy && !diagonal) || nx < 0 || ny < 0 || nx >= width || ny >= height ||
				    map[ny * width + nx] != from)
					continue;
				map[ny * width + nx] = to;
				stack[depth++] = ny * width + nx;
			}
	}
	return count;
}

enum status mask_remove_specks(uint8_t *mask, int width, int height, int least)
{
	int *stack = malloc((size_t)width * (size_t)height * sizeof *stack);
	if (!stack)
		return status_fail(STATUS_NO_MEMORY, "no memory to clean a mask");
	for (int i = 0; i < width * height; i++)
		if (mask[i] == 1 && flood(mask, width, height, i, 1, 2, false, stack) < least)
			flood(mask, width, height, i, 2, 0, false, stack);
	for (int i = 0; i < width * height; i++)
		mask[i] = mask[i] == 2;
	free(stack);
	return STATUS_OK;
}

enum status mask_is_simple(const uint8_t *mask, int width, int height, int *simple)
{
	/* With a frame of zeros, all that is not a hole hangs together around the object. */
	int w = width + 2, h = height + 2, parts = 0, holes = 0;
	uint8_t *map = calloc((size_t)w * (size_t)h, 1);
	int *stack = malloc((size_t)w * (size_t)h * sizeof *stack);
	enum status status = STATUS_OK;
	if (!map || !stack) {
		status = status_fail(STATUS_NO_MEMORY, "no memory to look for holes in a mask");
	} else {
		for (int y = 0; y < height; y++)
			memcpy(map + (y + 1) * w + 1, mask + y * width, (size_t)width);
		flood(map, w, h, 0, 0, 2, true, stack);
		for (int i = 0; i < w * h; i++) {
			holes += map[i] == 0;
			if (map[i] == 1 && parts++ < 2)
				flood(map, w, h, i, 1, 3, false, stack);
		}
		*simple = parts == 1 && holes == 0;
	}
	free(map);
	free(stack);
	return status;
}

/* --- tracing -------------------------------------------------------------- */

static bool inside(const uint8_t *mask, int width, int height, int x, int y)
{
	return x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x];
}

struct point {
	double x, y;
};

/* Headings of the walk along the edges between pixels, object on the right hand: right, down, left, up. From the
 * corner x,y, the pixels ahead on the right and on the left: */
static const int step_x[] = {1, 0, -1, 0}, step_y[] = {0, 1, 0, -1};
static const int right_x[] = {0, -1, -1, 0}, right_y[] = {0, 0, -1, -1};
static const int left_x[] = {0, 0, -1, -1}, left_y[] = {-1, 0, 0, -1};

/* Diagonal neighbours do not hang together, so at a corner that two pixels share the walk turns right. */
static int next_heading(const uint8_t *mask, int width, int height, int x, int y, int heading)
{
	if (!inside(mask, width, height, x + right_x[heading], y + right_y[heading]))
		return (heading + 1) % 4;
	if (inside(mask, width, height, x + left_x[heading], y + left_y[heading]))
		return (heading + 3) % 4;
	return heading;
}

/* Begins with the top edge of pixel `first`, the first of the object in reading order. Keeps the middle of every
 * edge: on a slanted outline those lie on the line that the stairs stand for. With points NULL, only counts. */
static int walk(const uint8_t *mask, int width, int height, int first, struct point *points)
{
	int x = first % width, y = first / width, start_x = x, start_y = y, heading = 0, count = 0;
	do {
		if (points)
			points[count] = (struct point){x + 0.5 * step_x[heading], y + 0.5 * step_y[heading]};
		count++;
		x += step_x[heading];
		y += step_y[heading];
		heading = next_heading(mask, width, height, x, y, heading);
	} while (x != start_x || y != start_y || heading != 0);
	return count;
}

static double distance_to_line(struct point p, struct point a, struct point b)
{
	double dx = b.x - a.x, dy = b.y - a.y, length = sqrt(dx * dx + dy * dy);
	if (length == 0)
		return sqrt((p.x - a.x) * (p.x - a.x) + (p.y - a.y) * (p.y - a.y));
	return fabs((p.x - a.x) * dy - (p.y - a.y) * dx) / length;
}

/* Douglas & Peucker (Cartographica, 1973) on the stretch from..to of the closed outline: keep[i] is set where the
 * line must bend. */
static void simplify(const struct point *points, int count, int from, int to, double tolerance, uint8_t *keep)
{
	int farthest = -1;
	double most = tolerance;
	for (int i = from + 1; i < to; i++) {
		double distance = distance_to_line(points[i], points[from], points[to % count]);
		if (distance > most) {
			most = distance;
			farthest = i;
		}
	}
	if (farthest < 0)
		return;
	keep[farthest] = 1;
	simplify(points, count, from, farthest, tolerance, keep);
	simplify(points, count, farthest, to, tolerance, keep);
}

static int farthest_from_first(const struct point *points, int count)
{
	int best = 0;
	double most = -1;
	for (int i = 0; i < count; i++) {
		double dx = points[i].x - points[0].x, dy = points[i].y - points[0].y;
		if (dx * dx + dy * dy > most) {
			most = dx * dx + dy * dy;
			best = i;
		}
	}
	return best;
}

enum status mask_trace(const uint8_t *mask, int width, int height, double tolerance, double **xy, int *count)
{
	const uint8_t *first = memchr(mask, 1, (size_t)width * (size_t)height);
	*xy = NULL;
	*count = 0;
	if (!first)
		return STATUS_OK;
	int start = (int)(first - mask), edges = walk(mask, width, height, start, NULL);
	struct point *points = malloc((size_t)edges * sizeof *points);
	uint8_t *keep = calloc((size_t)edges, 1);
	double *out = malloc((size_t)edges * 2 * sizeof *out);
	if (!points || !keep || !out) {
		free(points), free(keep), free(out);
		return status_fail(STATUS_NO_MEMORY, "no memory to trace an outline of %d edges", edges);
	}
	walk(mask, width, height, start, points);
	int opposite = farthest_from_first(points, edges);
	keep[0] = keep[opposite] = 1;
	simplify(points, edges, 0, opposite, tolerance, keep);
	simplify(points, edges, opposite, edges, tolerance, keep);
	for (int i = 0; i < edges; i++)
		if (keep[i]) {
			out[(*count)++] = points[i].x;
			out[(*count)++] = points[i].y;
		}
	free(points), free(keep);
	*xy = out;
	return STATUS_OK;
}
