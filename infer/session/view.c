/* See view.h. The rules of when to move are RITM's: a click leaves the view, or the box that would be chosen now has
 * less than half in common with it. */
#include "view.h"

#include <stdbool.h>
#include <string.h>

#include "../common/bytes.h"

static const double EXPANSION = 1.7, MIN_OVERLAP = 0.5;
static const double WORTHWHILE = 0.9; /* a view with sides over this part of the photo's is the whole photo */
enum { MIN_SIDE = 64, MIN_PART = 4 }; /* a view's long side: at least 64 pixels and a quarter of the photo's */

struct infer_box infer_mask_box(const uint8_t *mask, int w, int h)
{
	struct infer_box box = {w, h, 0, 0};
	for (int y = 0; y < h; y++) {
		const uint8_t *row = mask + (size_t)y * (size_t)w;
		const uint8_t *first = memchr(row, 255, (size_t)w);
		if (!first)
			continue;
		int last = w - 1;
		while (!row[last])
			last--;
		box.x0 = infer_min(box.x0, (int)(first - row));
		box.x1 = infer_max(box.x1, last + 1);
		box.y0 = infer_min(box.y0, y);
		box.y1 = y + 1;
	}
	return box;
}

static struct infer_box include(struct infer_box box, const struct infer_click *click)
{
	int x = (int)click->x, y = (int)click->y;
	if (box.x1 <= box.x0)
		return (struct infer_box){x, y, x + 1, y + 1};
	return (struct infer_box){infer_min(box.x0, x), infer_min(box.y0, y), infer_max(box.x1, x + 1),
				  infer_max(box.y1, y + 1)};
}

static bool contains(struct infer_box box, const struct infer_click *click)
{
	return click->x >= box.x0 && click->x < box.x1 && click->y >= box.y0 && click->y < box.y1;
}

static double area(struct infer_box box)
{
	return box.x1 > box.x0 && box.y1 > box.y0 ? (double)(box.x1 - box.x0) * (box.y1 - box.y0) : 0;
}

static double overlap(struct infer_box a, struct infer_box b)
{
	struct infer_box both = {infer_max(a.x0, b.x0), infer_max(a.y0, b.y0), infer_min(a.x1, b.x1),
				 infer_min(a.y1, b.y1)};
	return area(both) / (area(a) + area(b) - area(both));
}

/* `side` pixels around `centre`, pushed into 0..size. */
static int place(double centre, int side, int size)
{
	int start = (int)(centre - side / 2.0 + 0.5);
	return infer_max(0, infer_min(start, size - side));
}

/* The box enlarged, at least as large as the minimum, with the photo's proportions, inside the photo. */
static struct infer_box surroundings(struct infer_box box, int w, int h)
{
	double least = infer_max(MIN_SIDE, infer_max(w, h) / MIN_PART) / (double)infer_max(w, h);
	double part_w = (box.x1 - box.x0) * EXPANSION / w, part_h = (box.y1 - box.y0) * EXPANSION / h;
	double part = part_w > part_h ? part_w : part_h;
	part = part > least ? part : least;
	if (part > WORTHWHILE)
		return (struct infer_box){0, 0, w, h};
	int side_w = infer_max(1, (int)(part * w + 0.5)), side_h = infer_max(1, (int)(part * h + 0.5));
	/* Rounding may have cut a pixel off a box that fills its enlargement. */
	side_w = infer_min(w, infer_max(side_w, box.x1 - box.x0));
	side_h = infer_min(h, infer_max(side_h, box.y1 - box.y0));
	int x = place((box.x0 + box.x1) / 2.0, side_w, w), y = place((box.y0 + box.y1) / 2.0, side_h, h);
	return (struct infer_box){x, y, x + side_w, y + side_h};
}

struct infer_box infer_next_view(struct infer_box current, struct infer_box mask, const struct infer_click *clicks,
				 int count, int w, int h)
{
	const struct infer_box whole = {0, 0, w, h};
	struct infer_box box = mask;
	int left = 0;
	for (int i = 0; i < count; i++) {
		if (clicks[i].positive)
			box = include(box, &clicks[i]);
		left |= (clicks[i].positive || i == count - 1) && !contains(current, &clicks[i]);
	}
	if (area(box) == 0)
		return whole;
	if (left)
		box = include(box, &clicks[count - 1]);
	struct infer_box next = surroundings(box, w, h);
	int zoomed = current.x1 - current.x0 < w || current.y1 - current.y0 < h;
	return zoomed && !left && overlap(current, next) >= MIN_OVERLAP ? current : next;
}
