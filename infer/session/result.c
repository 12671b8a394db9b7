/* From the mask at the working resolution to one of the photo's size, or of a page's.
 *
 *	mask (grid) --grown, shrunk--> band: surely object, surely not, the edge between them
 *	object's surroundings of the photo --resampled--> canvas (long side at most 1024)
 *	probabilities in the band --------resampled-----> canvas --guided filter on the photo's own rows--> alpha
 *
 * The canvas shows the object and its surroundings only, so a small object in a large photo is seen at the photo's
 * own resolution. Outside the band the mask has the last word: an island that post-processing took away and a hole
 * that it filled leave no trace. A preview uses the grid itself as its canvas, which needs no look at the photo. */
#include <stdbool.h>
#include <string.h>

#include "../common/bytes.h"
#include "../image/feather.h"
#include "../image/guided.h"
#include "../image/postprocess.h"
#include "session.h"

enum { HALF = 128 };
enum { OUTSIDE = 0, EDGE = 1, INSIDE = 255 };

/* In pixels of the logits, because that is how far the network may be off: how wide the band is on either side, and
 * the windows of the guided filter, wider where the photo is larger than the grid and a pixel of the logits is many
 * of the photo. Chosen on GrabCut and clicks/val, as is the rest: a fixed radius in pixels of the photo cost small
 * objects dearly, and so did 3 in small photos. */
static const double BAND = 3, RADIUS = 1.5, RADIUS_LARGE = 3;
enum { LEAST_BAND = 3 }; /* pixels of the grid */
/* of the second time, in pixels of the canvas; where the photo is larger than that */
enum { FINE_RADIUS = 1, FINE_RADIUS_LARGE = 2 };
static const double EPSILON = 20; /* windows whose colours vary less (standard deviation 4.5 of 255) are flat */
/* probabilities under threshold - 1 / 4 are surely not object, over + 1 / 4 surely */
static const float GAIN = 2;

struct infer_result {
	uint8_t *band;          /* grid: OUTSIDE, EDGE, INSIDE */
	struct infer_box reach; /* of the band's pixels that are not outside */
	bool band_ready;
	uint8_t *small; /* grid: alpha for previews */
	bool small_ready;
	uint8_t *photo;         /* grid: 3 bytes */
	uint8_t *guide, *input; /* canvas: 3 bytes, 1 byte */
	uint8_t *refined;       /* canvas: what the guided filter made of the input */
	uint8_t *rows;          /* INFER_STRIP_ROWS of w bytes */
	void *canvas_postprocess;
	void *workspace; /* of the guided filter; of the band */
	float *mixed;
	void *feather_workspace;
};

struct infer_result *infer_result_place(struct infer_arena *arena, int w, int h, int grid_w, int grid_h)
{
	struct infer_result none, *r = infer_arena_take(arena, sizeof *r);
	struct infer_result *to = r ? r : &none;
	size_t grid = (size_t)grid_w * (size_t)grid_h;
	size_t canvas_w = (size_t)(w < INFER_GRID_SIDE ? w : INFER_GRID_SIDE),
	       canvas_h = (size_t)(h < INFER_GRID_SIDE ? h : INFER_GRID_SIDE);
	to->band = infer_arena_take(arena, grid);
	to->small = infer_arena_take(arena, grid);
	to->photo = infer_arena_take(arena, 3 * grid);
	to->guide = infer_arena_take(arena, 3 * canvas_w * canvas_h);
	to->input = infer_arena_take(arena, canvas_w * canvas_h);
	to->refined = infer_arena_take(arena, canvas_w * canvas_h);
	to->canvas_postprocess = infer_arena_take(arena, infer_postprocess_workspace((int)canvas_w, (int)canvas_h));
	to->rows = infer_arena_take(arena, (size_t)w * INFER_STRIP_ROWS);
	to->workspace = infer_arena_take(arena, infer_guided_workspace((int)canvas_w, INFER_GUIDED_MAX_RADIUS));
	to->mixed = infer_arena_take(arena, 4 * canvas_w * sizeof(float));
	to->feather_workspace = infer_arena_take(arena, infer_feather_workspace(w));
	return r;
}

void infer_result_stale(struct infer_result *r)
{
	r->band_ready = r->small_ready = false;
}

void infer_result_photo(struct tapcut_session *s)
{
	static const uint8_t black[3];
	struct infer_rect whole = {0, 0, s->w, s->h};
	infer_resize_u8(s->photo, s->w, s->h, 3 * (size_t)s->w, 3, whole, s->result->photo, s->grid_w, s->grid_h, black,
			0, s->resize_workspace);
	infer_result_stale(s->result);
}

/* --- the band ------------------------------------------------------------- */

/* Adds or takes away row y of the mask, as 0 or 1. */
static void count_row(const struct tapcut_session *s, int y, int32_t sign, int32_t *columns)
{
	if (y < 0 || y >= s->grid_h)
		return;
	const uint8_t *row = s->mask + (size_t)y * (size_t)s->grid_w;
	for (int x = 0; x < s->grid_w; x++)
		columns[x] += (row[x] & 1) * sign;
}

/* Pixels of 0..size-1 within radius of a centre. */
static int window(int centre, int radius, int size)
{
	return infer_min(centre + radius, size - 1) - infer_max(centre - radius, 0) + 1;
}

static void band_row(const struct tapcut_session *s, int y, int radius, struct infer_box reach, const int32_t *columns,
		     uint8_t *out)
{
	int count = 0, rows = window(y, radius, s->grid_h);
	for (int x = infer_max(reach.x0 - radius, 0); x < infer_min(reach.x0 + radius, s->grid_w); x++)
		count += columns[x];
	for (int x = reach.x0; x < reach.x1; x++) {
		count += x + radius < s->grid_w ? columns[x + radius] : 0;
		out[x] = count == 0 ? OUTSIDE : count == rows * window(x, radius, s->grid_w) ? INSIDE : EDGE;
		count -= x >= radius ? columns[x - radius] : 0;
	}
}

/* Pixels of the photo for one of the logits. */
static double cell(const struct tapcut_session *s)
{
	return s->look ? (double)(s->view.x1 - s->view.x0) / s->look->fit_w : 1;
}

static int band_radius(const struct tapcut_session *s)
{
	int part = (int)(BAND * cell(s) * s->grid_w / s->w + 0.5);
	return part > LEAST_BAND ? part : LEAST_BAND;
}

static bool is_large(const struct tapcut_session *s)
{
	return s->grid_w != s->w || s->grid_h != s->h;
}

static int filter_radius(const struct tapcut_session *s, double scale)
{
	double wanted = (is_large(s) ? RADIUS_LARGE : RADIUS) * cell(s) * scale + 0.5;
	return wanted < 1 ? 1 : wanted > INFER_GUIDED_MAX_RADIUS ? INFER_GUIDED_MAX_RADIUS : (int)wanted;
}

static void make_band(struct tapcut_session *s)
{
	struct infer_result *r = s->result;
	if (r->band_ready)
		return;
	r->band_ready = true;
	memset(r->band, OUTSIDE, (size_t)s->grid_w * (size_t)s->grid_h);
	struct infer_box box = infer_mask_box(s->mask, s->grid_w, s->grid_h);
	r->reach = (struct infer_box){0, 0, 0, 0};
	if (box.x1 <= box.x0)
		return;
	int radius = band_radius(s);
	r->reach = (struct infer_box){infer_max(box.x0 - radius, 0), infer_max(box.y0 - radius, 0),
				      infer_min(box.x1 + radius, s->grid_w), infer_min(box.y1 + radius, s->grid_h)};
	int32_t *columns = r->workspace;
	memset(columns, 0, (size_t)s->grid_w * sizeof *columns);
	for (int y = r->reach.y0 - radius; y < r->reach.y0 + radius; y++)
		count_row(s, y, 1, columns);
	for (int y = r->reach.y0; y < r->reach.y1; y++) {
		count_row(s, y + radius, 1, columns);
		band_row(s, y, radius, r->reach, columns, r->band + (size_t)y * (size_t)s->grid_w);
		count_row(s, y - radius, -1, columns);
	}
}

/* --- the canvas ----------------------------------------------------------- */

struct canvas {
	struct infer_box box; /* of the photo */
	struct infer_rect on_grid;
	int w, h;
};

static uint8_t soft_byte(float probability, float threshold)
{
	float t = (probability - threshold) * GAIN + 0.5f;
	return t <= 0 ? 0 : t >= 1 ? 255 : (uint8_t)(t * 255 + 0.5f);
}

/* Rows of probabilities (in the strip) become the canvas's input where the band leaves the choice. */
static void put_input(struct tapcut_session *s, const struct canvas *c, int x0, int x1, int y0, int rows)
{
	struct infer_result *r = s->result;
	double step_x = (c->on_grid.x1 - c->on_grid.x0) / c->w, step_y = (c->on_grid.y1 - c->on_grid.y0) / c->h;
	for (int y = y0; y < y0 + rows; y++) {
		int grid_y = (int)(c->on_grid.y0 + (y + 0.5) * step_y);
		const uint8_t *band =
			r->band + (size_t)(grid_y < s->grid_h ? grid_y : s->grid_h - 1) * (size_t)s->grid_w;
		const float *p = s->strip + (size_t)(y - y0) * (size_t)(x1 - x0);
		uint8_t *out = r->input + (size_t)y * (size_t)c->w;
		for (int x = x0; x < x1; x++) {
			int grid_x = (int)(c->on_grid.x0 + (x + 0.5) * step_x);
			uint8_t verdict = band[grid_x < s->grid_w ? grid_x : s->grid_w - 1];
			out[x] = verdict == EDGE ? soft_byte(p[x - x0], s->options.threshold) : verdict;
		}
	}
}

static void input_from_grid(struct tapcut_session *s, const struct canvas *c)
{
	double step = (c->on_grid.y1 - c->on_grid.y0) / c->h;
	for (int y = 0; y < c->h; y += INFER_STRIP_ROWS) {
		int rows = c->h - y < INFER_STRIP_ROWS ? c->h - y : INFER_STRIP_ROWS;
		struct infer_rect rect = c->on_grid;
		rect.y1 = rect.y0 + (y + rows) * step;
		rect.y0 += y * step;
		infer_resize_f32(s->answer, s->grid_w, s->grid_h, rect, s->strip, c->w, rows, s->resize_workspace);
		put_input(s, c, 0, c->w, y, rows);
	}
}

/* --- alpha ---------------------------------------------------------------- */

/* Filters `input` of the canvas; the result on the w x h pixels of rgb, which show the same as the canvas. */
static void filter(const struct infer_result *r, const struct canvas *c, const uint8_t *input, int radius,
		   const uint8_t *rgb, int w, int h, size_t rgb_stride, uint8_t *out, size_t stride)
{
	struct infer_guided g =
		{.guide = r->guide, .input = input, .w = c->w, .h = c->h, .radius = radius, .epsilon = EPSILON};
	int last = -1;
	const float *rows[2] = {NULL, NULL};
	infer_guided_start(&g, r->workspace);
	for (int y = 0; y < h; y++) {
		double at = (y + 0.5) * c->h / h - 0.5;
		int above = at > 0 ? (int)at : 0;
		float down = at > 0 && above + 1 < c->h ? (float)(at - above) : 0;
		while (last < above + (down > 0)) {
			last++;
			rows[last & 1] = infer_guided_next(&g);
		}
		infer_guided_apply(rows[above & 1], rows[(above + 1) & 1], down, c->w, rgb + (size_t)y * rgb_stride,
				   out + (size_t)y * stride, w, r->mixed);
	}
}

/* The edge is found first, then drawn. */
static void draw(struct tapcut_session *s, const struct canvas *c, const uint8_t *rgb, size_t rgb_stride, uint8_t *out,
		 size_t stride)
{
	struct infer_result *r = s->result;
	int w = c->box.x1 - c->box.x0, h = c->box.y1 - c->box.y0;
	size_t canvas_stride = (size_t)c->w, pixels = canvas_stride * (size_t)c->h, area = 0;
	double scale = (double)c->w / ((c->on_grid.x1 - c->on_grid.x0) * s->w / s->grid_w);
	int radius = filter_radius(s, scale);
	filter(r, c, r->input, radius, r->guide, c->w, c->h, 3 * canvas_stride, r->refined, canvas_stride);
	for (size_t i = 0; i < pixels; i++) {
		r->refined[i] = r->refined[i] < HALF ? 0 : 255;
		area += r->refined[i] & 1;
	}
	size_t limit = 4 * (size_t)radius * (size_t)radius;
	limit = limit < area / 16 ? limit : area / 16;
	const struct infer_postprocess clean = {.drop_pixels = limit, .fill_pixels = limit};
	infer_postprocess(&clean, NULL, 0, r->refined, c->w, c->h, r->canvas_postprocess);
	int fine = w == c->w ? FINE_RADIUS : FINE_RADIUS_LARGE;
	filter(r, c, r->refined, fine, rgb, w, h, rgb_stride, out, stride);
}

/* The band's reach on the photo, at a size that fits the canvas. */
static struct canvas surroundings(const struct tapcut_session *s)
{
	struct infer_box reach = s->result->reach;
	double x = (double)s->w / s->grid_w, y = (double)s->h / s->grid_h;
	int margin = 2 + 2 * INFER_GUIDED_MAX_RADIUS;
	struct canvas c = {
		.box = {infer_max(0, (int)(reach.x0 * x) - margin), infer_max(0, (int)(reach.y0 * y) - margin),
			infer_min(s->w, (int)(reach.x1 * x) + margin), infer_min(s->h, (int)(reach.y1 * y) + margin)}};
	int w = c.box.x1 - c.box.x0, h = c.box.y1 - c.box.y0, longest = infer_max(w, h),
	    side = infer_min(longest, INFER_GRID_SIDE);
	c.on_grid = infer_grid_rect(s, c.box);
	c.w = infer_max(1, (int)((double)w * side / longest + 0.5));
	c.h = infer_max(1, (int)((double)h * side / longest + 0.5));
	return c;
}

static void clear(uint8_t *out, int w, int h, size_t stride)
{
	for (int y = 0; y < h; y++)
		memset(out + (size_t)y * stride, 0, (size_t)w);
}

/* Alpha without feather on the grid. */
static void make_small(struct tapcut_session *s)
{
	struct infer_result *r = s->result;
	make_band(s);
	if (r->small_ready)
		return;
	r->small_ready = true;
	clear(r->small, s->grid_w, s->grid_h, (size_t)s->grid_w);
	if (r->reach.x1 <= r->reach.x0)
		return;
	int w = r->reach.x1 - r->reach.x0, h = r->reach.y1 - r->reach.y0;
	struct canvas c = {.box = r->reach,
			   .on_grid = {r->reach.x0, r->reach.y0, r->reach.x1, r->reach.y1},
			   .w = w,
			   .h = h};
	for (int y = 0; y < h; y++)
		memcpy(r->guide + (size_t)y * 3 * (size_t)w,
		       r->photo + 3 * ((size_t)(r->reach.y0 + y) * (size_t)s->grid_w + (size_t)r->reach.x0),
		       3 * (size_t)w);
	input_from_grid(s, &c);
	draw(s, &c, r->guide, 3 * (size_t)w, r->small + (size_t)r->reach.y0 * (size_t)s->grid_w + r->reach.x0,
	     (size_t)s->grid_w);
}

/* Alpha without feather at the size of a photo that is larger than the grid; returns the box outside of which it is
 * 0. */
static struct infer_box make_large(struct tapcut_session *s, uint8_t *alpha, size_t stride)
{
	static const uint8_t black[3];
	struct infer_result *r = s->result;
	make_band(s);
	clear(alpha, s->w, s->h, stride);
	if (r->reach.x1 <= r->reach.x0)
		return (struct infer_box){0, 0, 0, 0};
	struct canvas c = surroundings(s);
	struct infer_rect rect = {c.box.x0, c.box.y0, c.box.x1, c.box.y1};
	infer_resize_u8(s->photo, s->w, s->h, 3 * (size_t)s->w, 3, rect, r->guide, c.w, c.h, black, 0,
			s->resize_workspace);
	input_from_grid(s, &c);
	draw(s, &c, s->photo + 3 * ((size_t)c.box.y0 * (size_t)s->w + (size_t)c.box.x0), 3 * (size_t)s->w,
	     alpha + (size_t)c.box.y0 * stride + c.box.x0, stride);
	return c.box;
}

static struct infer_box make_alpha(struct tapcut_session *s, uint8_t *alpha, size_t stride)
{
	if (is_large(s))
		return make_large(s, alpha, stride);
	make_small(s);
	for (int y = 0; y < s->h; y++)
		memcpy(alpha + (size_t)y * stride, s->result->small + (size_t)y * (size_t)s->w, (size_t)s->w);
	return s->result->reach;
}

/* --- calls ---------------------------------------------------------------- */

static enum tapcut_status check_target(struct tapcut_session *s, const char *call, const uint8_t *out, int w,
				       size_t stride)
{
	if (s->w == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "%s: there is no photo yet", call);
	if (!out || stride < (size_t)w)
		return infer_fail(s->message, TAPCUT_ARGUMENT,
				  "%s: expected memory and a stride of at least %d, found %zu", call, w, stride);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_mask(struct tapcut_session *s, uint8_t *mask, size_t stride)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	enum tapcut_status status = check_target(s, "mask", mask, s->w, stride);
	if (status)
		return status;
	struct infer_box box = make_alpha(s, mask, stride);
	for (int y = box.y0; y < box.y1; y++)
		for (int x = box.x0; x < box.x1; x++)
			mask[(size_t)y * stride + (size_t)x] = mask[(size_t)y * stride + (size_t)x] < HALF ? 0 : 255;
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_alpha(struct tapcut_session *s, uint8_t *alpha, size_t stride)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	enum tapcut_status status = check_target(s, "alpha", alpha, s->w, stride);
	if (status)
		return status;
	struct infer_box box = make_alpha(s, alpha, stride);
	if (box.x1 <= box.x0)
		return TAPCUT_OK;
	int reach = (int)s->options.feather / 2 + 2;
	box = (struct infer_box){infer_max(0, box.x0 - reach), infer_max(0, box.y0 - reach),
				 infer_min(s->w, box.x1 + reach), infer_min(s->h, box.y1 + reach)};
	infer_feather(alpha + (size_t)box.y0 * stride + box.x0, box.x1 - box.x0, box.y1 - box.y0, stride,
		      s->options.feather, s->result->feather_workspace);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_preview(struct tapcut_session *s, uint8_t *alpha, int w, int h, size_t stride)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	static const uint8_t none[1];
	if (s->w > 0 && (w < 1 || h < 1 || w > s->w || h > s->h))
		return infer_fail(s->message, TAPCUT_ARGUMENT, "preview: expected 1x1 to %dx%d, found %dx%d", s->w,
				  s->h, w, h);
	enum tapcut_status status = check_target(s, "preview", alpha, w, stride);
	if (status)
		return status;
	make_small(s);
	for (int top = 0; top < h; top += INFER_STRIP_ROWS) {
		int rows = h - top < INFER_STRIP_ROWS ? h - top : INFER_STRIP_ROWS;
		struct infer_rect rect = {0, (double)top / h * s->grid_h, s->grid_w,
					  (double)(top + rows) / h * s->grid_h};
		infer_resize_u8(s->result->small, s->grid_w, s->grid_h, (size_t)s->grid_w, 1, rect, s->result->rows, w,
				rows, none, 0, s->resize_workspace);
		for (int y = 0; y < rows; y++)
			memcpy(alpha + (size_t)(top + y) * stride, s->result->rows + (size_t)y * (size_t)w, (size_t)w);
	}
	infer_feather(alpha, w, h, stride, s->options.feather * (float)w / (float)s->w, s->result->feather_workspace);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_set_feather(struct tapcut_session *s, float pixels)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	enum tapcut_status status = infer_check_feather(pixels, s->message);
	if (!status)
		s->options.feather = pixels;
	return status;
}
