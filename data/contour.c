/* See contour.h. Outlines are followed along the cracks between pixels, the object on the right hand; every closed
 * outline goes to the right somewhere, so that the cracks above object pixels, each looked at once, find them all.
 * Simplified by Douglas and Peucker, "Algorithms for the reduction of the number of points required to represent a
 * digitized line or its caricature" (1973). */
#include "data/contour.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RIGHT, DOWN, LEFT, UP };

struct tracer {
	const uint8_t *mask;
	int width, height;
	uint8_t *seen; /* a bit for the crack above each pixel */
	struct contours outer, holes;
};

static enum status no_memory(void)
{
	return status_fail(STATUS_NO_MEMORY, "no memory for the outline of a mask");
}

/* --- lists ---------------------------------------------------------------- */

/* Room for `more` numbers; capacities are the powers of 2 from 16, so that the count alone tells when one is full. */
static bool reserve(struct contour *c, int more)
{
	size_t capacity = c->count ? 16 : 0, need = (size_t)c->count + (size_t)more;
	while (capacity < (size_t)c->count)
		capacity *= 2;
	if (need <= capacity)
		return true;
	for (capacity = 16; capacity < need;)
		capacity *= 2;
	double *xy = realloc(c->xy, capacity * sizeof *xy);
	if (!xy)
		return false;
	c->xy = xy;
	return true;
}

static bool add_point(struct contour *c, double x, double y)
{
	if (!reserve(c, 2))
		return false;
	c->xy[c->count++] = x;
	c->xy[c->count++] = y;
	return true;
}

static bool add_contour(struct contours *list, struct contour *c)
{
	struct contour *items = list->items;
	if ((list->count & (list->count - 1)) == 0) {
		items = realloc(items, (list->count ? 2 * (size_t)list->count : 1) * sizeof *items);
		if (!items)
			return false;
		list->items = items;
	}
	items[list->count++] = *c;
	*c = (struct contour){0};
	return true;
}

void contours_release(struct contours *contours)
{
	for (int i = 0; i < contours->count; i++)
		free(contours->items[i].xy);
	free(contours->items);
	*contours = (struct contours){0};
}

/* --- following ------------------------------------------------------------ */

static bool is_object(const struct tracer *t, int x, int y)
{
	return x >= 0 && y >= 0 && x < t->width && y < t->height && t->mask[(size_t)y * (size_t)t->width + (size_t)x];
}

/* From a corner: right to go on, around a corner of the object or into one. Pieces that touch by a corner stay
 * apart. */
static int next_direction(const struct tracer *t, int x, int y, int direction)
{
	static const int ahead[4][2][2] = {/* the pixels ahead: on the left hand, on the right hand */
					   {{0, -1}, {0, 0}},
					   {{0, 0}, {-1, 0}},
					   {{-1, 0}, {-1, -1}},
					   {{-1, -1}, {0, -1}}};
	const int(*at)[2] = ahead[direction];
	if (!is_object(t, x + at[1][0], y + at[1][1]))
		return (direction + 1) % 4;
	return is_object(t, x + at[0][0], y + at[0][1]) ? (direction + 3) % 4 : direction;
}

static bool mark(struct tracer *t, int x, int y)
{
	size_t at = (size_t)y * (size_t)t->width + (size_t)x;
	bool seen = t->seen[at / 8] >> at % 8 & 1;
	t->seen[at / 8] |= (uint8_t)(1 << at % 8);
	return seen;
}

/* The outline that goes along the top of an object's pixel: its corners, or the middles of its cracks, through which a
 * slanting edge runs straight. */
static bool follow(struct tracer *t, int x, int y, bool middles, struct contour *c)
{
	static const int step[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
	int direction = RIGHT, start_x = x, start_y = y;
	do {
		if (direction == RIGHT)
			mark(t, x, y);
		if (middles && !add_point(c, x + 0.5 * step[direction][0], y + 0.5 * step[direction][1]))
			return false;
		x += step[direction][0];
		y += step[direction][1];
		int next = next_direction(t, x, y, direction);
		if (!middles && next != direction && !add_point(c, x, y))
			return false;
		direction = next;
	} while (x != start_x || y != start_y || direction != RIGHT);
	return true;
}

/* Twice the area; positive for outlines around the object, negative for those of holes. */
static double area(const struct contour *c)
{
	double sum = 0;
	for (int i = 0; i < c->count; i += 2) {
		int next = i + 2 < c->count ? i + 2 : 0;
		sum += c->xy[i] * c->xy[next + 1] - c->xy[next] * c->xy[i + 1];
	}
	return sum;
}

/* --- fewer points --------------------------------------------------------- */

static double distance_to_line(const double *p, const double *a, const double *b)
{
	double dx = b[0] - a[0], dy = b[1] - a[1], length = sqrt(dx * dx + dy * dy);
	if (length == 0)
		return hypot(p[0] - a[0], p[1] - a[1]);
	return fabs(dx * (p[1] - a[1]) - dy * (p[0] - a[0])) / length;
}

/* Marks the points between `first` and `end` (indices of points; `end` may be `points`, which is point 0) that must
 * stay. */
static void keep_needed(const struct contour *c, double tolerance, int first, int end, bool *keep, int *stack)
{
	int depth = 0, points = c->count / 2;
	stack[depth++] = first;
	stack[depth++] = end;
	while (depth > 0) {
		int to = stack[--depth], from = stack[--depth], farthest = from;
		double most = tolerance;
		for (int i = from + 1; i < to; i++) {
			double d = distance_to_line(c->xy + 2 * i, c->xy + 2 * from, c->xy + 2 * (to % points));
			if (d > most) {
				most = d;
				farthest = i;
			}
		}
		if (farthest == from)
			continue;
		keep[farthest] = true;
		stack[depth++] = from;
		stack[depth++] = farthest;
		stack[depth++] = farthest;
		stack[depth++] = to;
	}
}

static int farthest_point(const struct contour *c)
{
	int best = 0;
	double most = -1;
	for (int i = 1; i < c->count / 2; i++) {
		double d = hypot(c->xy[2 * i] - c->xy[0], c->xy[2 * i + 1] - c->xy[1]);
		if (d > most) {
			most = d;
			best = i;
		}
	}
	return best;
}

/* Two points that are far from each other stay, and what each half needs. An outline that would have under three points
 * stays whole. */
static enum status simplify(struct contour *c, double tolerance)
{
	int points = c->count / 2, kept = 0, opposite = farthest_point(c);
	bool *keep = calloc((size_t)points, sizeof *keep);
	int *stack = malloc(((size_t)points + 2) * 2 * sizeof *stack);
	if (keep && stack) {
		keep[0] = keep[opposite] = true;
		keep_needed(c, tolerance, 0, opposite, keep, stack);
		keep_needed(c, tolerance, opposite, points, keep, stack);
		for (int i = 0; i < points; i++)
			kept += keep[i];
		int count = 0;
		for (int i = 0; i < points && kept >= 3; i++)
			if (keep[i]) {
				c->xy[count++] = c->xy[2 * i];
				c->xy[count++] = c->xy[2 * i + 1];
			}
		c->count = kept >= 3 ? count : c->count;
	}
	enum status status = keep && stack ? STATUS_OK : no_memory();
	free(keep);
	free(stack);
	return status;
}

/* --- holes ---------------------------------------------------------------- */

static bool contains(const struct contour *c, double x, double y)
{
	bool inside = false;
	for (int i = 0, j = c->count - 2; i < c->count; j = i, i += 2) {
		double xi = c->xy[i], yi = c->xy[i + 1], xj = c->xy[j], yj = c->xy[j + 1];
		if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi)
			inside = !inside;
	}
	return inside;
}

/* What an outline covers: few points must be looked at where boxes say no. */
struct extent {
	double area, left, top, right, bottom;
};

static struct extent extent_of(const struct contour *c)
{
	struct extent e = {area(c), HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
	for (int i = 0; i < c->count; i += 2) {
		e.left = fmin(e.left, c->xy[i]);
		e.right = fmax(e.right, c->xy[i]);
		e.top = fmin(e.top, c->xy[i + 1]);
		e.bottom = fmax(e.bottom, c->xy[i + 1]);
	}
	return e;
}

/* The smallest outline around a hole that has this point. */
static struct contour *around(const struct tracer *t, const struct extent *extents, double x, double y)
{
	int best = -1;
	for (int i = 0; i < t->outer.count; i++) {
		const struct extent *e = &extents[i];
		bool near = x > e->left && x < e->right && y > e->top && y < e->bottom;
		if (near && (best < 0 || e->area < extents[best].area) && contains(&t->outer.items[i], x, y))
			best = i;
	}
	return best < 0 ? NULL : &t->outer.items[best];
}

/* One for each hole; before lines are simplified, while what contains what is exact. The caller frees. */
static struct contour **find_owners(const struct tracer *t)
{
	struct contour **owners = malloc(((size_t)t->holes.count + 1) * sizeof *owners);
	struct extent *extents = malloc(((size_t)t->outer.count + 1) * sizeof *extents);
	for (int i = 0; i < t->outer.count && extents; i++)
		extents[i] = extent_of(&t->outer.items[i]);
	for (int i = 0; i < t->holes.count && owners && extents; i++)
		owners[i] = around(t, extents, t->holes.items[i].xy[0], t->holes.items[i].xy[1]);
	if (!extents) {
		free(owners);
		owners = NULL;
	}
	free(extents);
	return owners;
}

/* Goes from the outline's nearest point to the hole, round it, and back. */
static enum status join(struct contour *c, const struct contour *hole)
{
	int from = 0;
	double least = HUGE_VAL;
	for (int i = 0; i < c->count; i += 2) {
		double d = hypot(c->xy[i] - hole->xy[0], c->xy[i + 1] - hole->xy[1]);
		if (d < least) {
			least = d;
			from = i;
		}
	}
	int more = hole->count + 4;
	if (!reserve(c, more))
		return no_memory();
	memmove(c->xy + from + 2 + more, c->xy + from + 2, (size_t)(c->count - from - 2) * sizeof *c->xy);
	memcpy(c->xy + from + 2, hole->xy, (size_t)hole->count * sizeof *c->xy);
	memcpy(c->xy + from + 2 + hole->count, hole->xy, 2 * sizeof *c->xy);
	memcpy(c->xy + from + 4 + hole->count, c->xy + from, 2 * sizeof *c->xy);
	c->count += more;
	return STATUS_OK;
}

/* --- all of it ------------------------------------------------------------ */

/* Without what is smaller than the tolerance would see: a mask that follows a noisy photo has thousands of specks. */
static enum status trace_one(struct tracer *t, int x, int y, double tolerance)
{
	struct contour c = {0};
	bool done = follow(t, x, y, tolerance > 0, &c);
	double twice = done ? area(&c) : 0;
	if (done && fabs(twice) >= 2 * CONTOUR_SPECK * tolerance * tolerance)
		done = add_contour(twice > 0 ? &t->outer : &t->holes, &c);
	free(c.xy);
	return done ? STATUS_OK : no_memory();
}

static enum status trace_all(struct tracer *t, double tolerance)
{
	for (int y = 0; y < t->height; y++)
		for (int x = 0; x < t->width; x++)
			if (is_object(t, x, y) && !is_object(t, x, y - 1) && !mark(t, x, y))
				TRY(trace_one(t, x, y, tolerance));
	struct contour **owners = find_owners(t);
	if (!owners)
		return no_memory();
	enum status status = STATUS_OK;
	for (int i = 0; i < t->outer.count && status == STATUS_OK && tolerance > 0; i++)
		status = simplify(&t->outer.items[i], tolerance);
	for (int i = 0; i < t->holes.count && status == STATUS_OK; i++) {
		status = tolerance > 0 ? simplify(&t->holes.items[i], tolerance) : STATUS_OK;
		if (status == STATUS_OK && owners[i])
			status = join(owners[i], &t->holes.items[i]);
	}
	free(owners);
	return status;
}

enum status contours_trace(struct contours *contours, const uint8_t *mask, int width, int height, double tolerance)
{
	struct tracer t = {.mask = mask, .width = width, .height = height};
	*contours = (struct contours){0};
	t.seen = calloc((size_t)width * (size_t)height / 8 + 1, 1);
	enum status status = t.seen ? trace_all(&t, tolerance) : no_memory();
	free(t.seen);
	contours_release(&t.holes);
	if (status == STATUS_OK)
		*contours = t.outer;
	else
		contours_release(&t.outer);
	return status;
}
