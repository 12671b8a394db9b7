/* One photo, its clicks and the network's answer at the working resolution; result.c makes masks of the photo's size
 * from it.
 *
 *	photo (w x h) --view--> fit (long side = size) --padding to 16--> planes --network--> logits
 *	                                                                                        |
 *	mask <--post-processing, threshold-- probabilities (grid) <--sigmoid, resampled---------+
 *
 * The grid is the photo at the working resolution, so that a click on a photo of 12 million pixels costs no more
 * than one on a small photo. A click's result depends on the clicks before it: the network sees its previous answer,
 * and where it looks (view.h) follows the mask. So undo starts over and repeats all clicks but the last; the same
 * steps give the same bits.
 *
 * All memory is allocated when the photo is set. */
#include "session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common/bytes.h"
#include "../kernels/sigmoid.h"
#include "../image/postprocess.h"
#include "../image/resize.h"

enum { MAX_SIDE = 16384, MAX_PIXELS = 100 * 1000 * 1000 };

/* --- life ----------------------------------------------------------------- */

enum tapcut_status tapcut_session_new(const struct tapcut_model *model, const struct tapcut_options *options,
				      struct tapcut_session **session, char *message)
{
	if (session)
		*session = NULL;
	if (!model || !session)
		return infer_fail(message, TAPCUT_ARGUMENT, "session: model or session is NULL");
	enum tapcut_status status = options ? infer_check_options(model, options, message) : TAPCUT_OK;
	if (status)
		return status;
	struct tapcut_session *s = calloc(1, sizeof *s);
	if (!s)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for a session");
	s->model = model;
	if (options)
		s->options = *options;
	else
		tapcut_options_init(&s->options);
	tapcut_options_resolve(model, &s->options);
	*session = s;
	return TAPCUT_OK;
}

/* Back to "no photo"; the runners may serve the next one. */
static void forget_photo(struct tapcut_session *s)
{
	free(s->memory);
	s->memory = NULL;
	s->labels = NULL;
	s->memory_bytes = 0;
	s->labelled = false;
	s->w = s->h = s->click_count = 0;
}

void tapcut_session_free(struct tapcut_session *s)
{
	if (!s)
		return;
	forget_photo(s);
	for (int i = 0; i < INFER_LOOKS; i++)
		infer_runner_free(s->looks[i].runner);
	free(s);
}

/* --- the photo ------------------------------------------------------------ */

static enum tapcut_status check_photo(struct tapcut_session *s, const uint8_t *rgb, int w, int h, size_t stride)
{
	if (!rgb || w < 1 || h < 1)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "photo: expected pixels and at least 1x1, found %dx%d",
				  w, h);
	if (w > MAX_SIDE || h > MAX_SIDE || (long long)w * h > MAX_PIXELS)
		return infer_fail(s->message, TAPCUT_LIMIT, "photo: sides at most %d and %d pixels in all, found %dx%d",
				  MAX_SIDE, MAX_PIXELS, w, h);
	if (stride < 3 * (size_t)w)
		return infer_fail(s->message, TAPCUT_ARGUMENT,
				  "photo: a row of %d pixels has %zu bytes, but the stride is %zu", w, 3 * (size_t)w,
				  stride);
	return TAPCUT_OK;
}

static int plane_side(int side, int multiple)
{
	return (side + multiple - 1) & -multiple;
}

static int fit_side(int side, int longest, int size)
{
	int fit = (int)((double)side * size / longest + 0.5);
	return fit > 0 ? fit : 1;
}

/* A runner for the photo's proportions; the one at hand if its planes have the same size. */
static enum tapcut_status prepare_look(struct tapcut_session *s, struct infer_look *look, int size, int w, int h)
{
	int longest = w > h ? w : h;
	look->fit_w = fit_side(w, longest, size);
	look->fit_h = fit_side(h, longest, size);
	look->loaded = (struct infer_box){0};
	int multiple = infer_network_multiple(&s->model->network);
	int plane_w = plane_side(look->fit_w, multiple), plane_h = plane_side(look->fit_h, multiple);
	if (look->runner && plane_w == look->plane_w && plane_h == look->plane_h)
		return TAPCUT_OK;
	infer_runner_free(look->runner);
	look->plane_w = plane_w;
	look->plane_h = plane_h;
	struct infer_run_options options = {.threads = s->options.threads, .isa = -1, .cancelled = &s->cancelled};
	options.arithmetic =
		s->options.arithmetic == TAPCUT_ARITHMETIC_INT8 ? INFER_ARITHMETIC_U8 : INFER_ARITHMETIC_F32;
	return infer_runner_new(&s->model->network, plane_h, plane_w, &options, &look->runner, s->message);
}

/* With one size for all clicks the first look serves them all. */
static bool has_close_look(const struct tapcut_session *s)
{
	return s->options.first_size != s->options.size;
}

static struct infer_look *close_look(struct tapcut_session *s)
{
	return &s->looks[has_close_look(s) ? INFER_CLOSE_LOOK : INFER_FIRST_LOOK];
}

/* Cuts the memory into its pieces; with memory NULL it only counts. Bytes in all. */
static size_t lay_out(struct tapcut_session *s, void *memory, int w, int h)
{
	struct infer_arena arena = {.memory = memory};
	size_t grid = (size_t)s->grid_w * (size_t)s->grid_h, fit = 0;
	size_t workspace = infer_resize_workspace(w, h, INFER_GRID_SIDE, INFER_GRID_SIDE);
	workspace = infer_max_size(workspace, infer_resize_workspace(s->grid_w, s->grid_h, w, INFER_STRIP_ROWS));
	for (int i = 0; i < INFER_LOOKS; i++) {
		const struct infer_look *look = &s->looks[i];
		if (!look->runner)
			continue;
		fit = infer_max_size(fit, (size_t)look->fit_w * (size_t)look->fit_h);
		workspace = infer_max_size(workspace, infer_resize_workspace(w, h, look->fit_w, look->fit_h));
		workspace = infer_max_size(workspace, infer_resize_workspace(look->fit_w, look->fit_h, INFER_GRID_SIDE,
									     INFER_STRIP_ROWS));
		workspace = infer_max_size(workspace,
					   infer_resize_workspace(s->grid_w, s->grid_h, look->fit_w, look->fit_h));
	}
	s->probabilities = infer_arena_take(&arena, grid * sizeof(float));
	s->logits = infer_arena_take(&arena, fit * sizeof(float));
	s->strip = infer_arena_take(&arena, (size_t)infer_min(w, INFER_GRID_SIDE) * INFER_STRIP_ROWS * sizeof(float));
	s->mask = infer_arena_take(&arena, grid);
	s->photo = infer_arena_take(&arena, 3 * (size_t)w * (size_t)h);
	s->fit = infer_arena_take(&arena, 3 * fit);
	s->resize_workspace = infer_arena_take(&arena, workspace);
	s->postprocess_workspace = infer_arena_take(&arena, infer_postprocess_workspace(s->grid_w, s->grid_h));
	if (s->model->network.class_count)
		infer_labels_place(s, &arena);
	s->refine = s->options.graph_cut ? infer_refine_place(&arena, s->grid_w, s->grid_h) : NULL;
	s->result = infer_result_place(&arena, w, h, s->grid_w, s->grid_h);
	return arena.used;
}

static enum tapcut_status allocate(struct tapcut_session *s, int w, int h)
{
	int longest = w > h ? w : h;
	s->grid_w = longest > INFER_GRID_SIDE ? fit_side(w, longest, INFER_GRID_SIDE) : w;
	s->grid_h = longest > INFER_GRID_SIDE ? fit_side(h, longest, INFER_GRID_SIDE) : h;
	enum tapcut_status status = prepare_look(s, &s->looks[INFER_FIRST_LOOK], s->options.first_size, w, h);
	if (!status && has_close_look(s))
		status = prepare_look(s, &s->looks[INFER_CLOSE_LOOK], s->options.size, w, h);
	if (status)
		return status;
	s->memory_bytes = lay_out(s, NULL, w, h);
	s->memory = malloc(s->memory_bytes);
	if (!s->memory)
		return infer_fail(s->message, TAPCUT_NO_MEMORY, "no memory: %zu bytes for a photo of %dx%d",
				  s->memory_bytes, w, h);
	lay_out(s, s->memory, w, h);
	return TAPCUT_OK;
}

static struct infer_box whole_photo(const struct tapcut_session *s)
{
	return (struct infer_box){0, 0, s->w, s->h};
}

static bool same_box(struct infer_box a, struct infer_box b)
{
	return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

static struct infer_rect rect_of(struct infer_box box)
{
	return (struct infer_rect){box.x0, box.y0, box.x1, box.y1};
}

/* The part of the photo that `view` shows becomes the look's image planes. */
static void load_view(struct tapcut_session *s, struct infer_look *look, struct infer_box view)
{
	static const uint8_t black[3];
	infer_resize_u8(s->photo, s->w, s->h, 3 * (size_t)s->w, 3, rect_of(view), s->fit, look->fit_w, look->fit_h,
			black, 0, s->resize_workspace);
	infer_runner_set_photo(look->runner, s->fit, look->fit_w, look->fit_h, 3 * (size_t)look->fit_w);
	look->loaded = view;
}

enum tapcut_status tapcut_session_set_image(struct tapcut_session *s, const uint8_t *rgb, int width, int height,
					    size_t stride)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	forget_photo(s);
	enum tapcut_status status = check_photo(s, rgb, width, height, stride);
	if (!status)
		status = allocate(s, width, height);
	if (status)
		return status;
	s->w = width;
	s->h = height;
	for (int y = 0; y < height; y++)
		memcpy(s->photo + (size_t)y * 3 * (size_t)width, rgb + (size_t)y * stride, 3 * (size_t)width);
	load_view(s, &s->looks[INFER_FIRST_LOOK], whole_photo(s));
	infer_result_photo(s);
	if (s->refine)
		infer_refine_photo(s);
	tapcut_session_reset(s);
	return TAPCUT_OK;
}

/* --- clicks --------------------------------------------------------------- */

static void clear_result(struct tapcut_session *s)
{
	size_t grid = (size_t)s->grid_w * (size_t)s->grid_h;
	memset(s->mask, 0, grid);
	memset(s->probabilities, 0, grid * sizeof *s->probabilities);
	infer_result_stale(s->result);
	s->view = whole_photo(s);
	s->look = NULL;
}

/* Clicks inside the view, in pixels of the planes, and the previous answer become the network's click input. */
static void draw_clicks(struct tapcut_session *s, const struct infer_look *look, struct infer_box view, int count,
			const float *previous)
{
	struct infer_click drawn[TAPCUT_MAX_CLICKS];
	int drawn_count = 0;
	double scale_x = (double)look->fit_w / (view.x1 - view.x0), scale_y = (double)look->fit_h / (view.y1 - view.y0);
	for (int i = 0; i < count; i++) {
		const struct infer_click *click = &s->clicks[i];
		if (click->x < view.x0 || click->x >= view.x1 || click->y < view.y0 || click->y >= view.y1)
			continue;
		drawn[drawn_count++] = (struct infer_click){
			.x = (float)((click->x + 0.5 - view.x0) * scale_x - 0.5),
			.y = (float)((click->y + 0.5 - view.y0) * scale_y - 0.5),
			.positive = click->positive,
		};
	}
	infer_runner_set_clicks(look->runner, drawn, drawn_count, previous, look->fit_w, look->fit_h);
}

/* The previous answer, as probability: straight from the last logits if the same look has the same view, else from
 * the photo's. NULL: there is none, or the network does not look at it. */
static const float *previous_answer(struct tapcut_session *s, const struct infer_look *look, struct infer_box view,
				    int first_click)
{
	if (first_click || !s->model->network.preprocess.previous_mask)
		return NULL;
	if (look == s->look && same_box(view, s->view))
		infer_sigmoid_array(s->logits, s->logits, (size_t)look->fit_w * (size_t)look->fit_h);
	else
		infer_resize_f32(s->probabilities, s->grid_w, s->grid_h, infer_grid_rect(s, view), s->logits,
				 look->fit_w, look->fit_h, s->resize_workspace);
	return s->logits;
}

const float *infer_session_run(struct tapcut_session *s, struct infer_look *look)
{
	const float *logits;
	while (!(logits = infer_runner_run(look->runner)) && !s->may_cancel)
		s->cancelled = 0;
	return logits;
}

/* They lose the padding. False where the click was cancelled. */
static bool find_logits(struct tapcut_session *s, struct infer_look *look)
{
	const float *logits = infer_session_run(s, look);
	if (!logits)
		return false;
	for (int y = 0; y < look->fit_h; y++)
		memcpy(s->logits + (size_t)y * (size_t)look->fit_w, logits + (size_t)y * (size_t)look->plane_w,
		       (size_t)look->fit_w * sizeof *logits);
	return true;
}

/* The grid's pixels whose centre is in the view; at least one, so that a tiny view of a huge photo changes
 * something. */
static struct infer_box grid_box(const struct tapcut_session *s, struct infer_box view)
{
	struct infer_rect r = infer_grid_rect(s, view);
	struct infer_box box = {(int)(r.x0 + 0.5), (int)(r.y0 + 0.5), (int)(r.x1 + 0.5), (int)(r.y1 + 0.5)};
	box.x0 -= box.x0 == box.x1 && box.x0 == s->grid_w;
	box.y0 -= box.y0 == box.y1 && box.y0 == s->grid_h;
	box.x1 += box.x1 == box.x0;
	box.y1 += box.y1 == box.y0;
	return box;
}

/* Logits, resampled to the working resolution, become the view's part of the probabilities. */
static void update_probabilities(struct tapcut_session *s)
{
	struct infer_box box = grid_box(s, s->view);
	int w = box.x1 - box.x0, fit_w = s->look->fit_w, fit_h = s->look->fit_h;
	/* Pixels of the photo for one of the grid; of the look for one of the photo. */
	double photo_x = (double)s->w / s->grid_w, photo_y = (double)s->h / s->grid_h;
	double view_w = s->view.x1 - s->view.x0, view_h = s->view.y1 - s->view.y0;
	double left = (box.x0 * photo_x - s->view.x0) / view_w * fit_w,
	       right = (box.x1 * photo_x - s->view.x0) / view_w * fit_w;
	for (int y = box.y0; y < box.y1; y += INFER_STRIP_ROWS) {
		int rows = box.y1 - y < INFER_STRIP_ROWS ? box.y1 - y : INFER_STRIP_ROWS;
		double top = (y * photo_y - s->view.y0) / view_h * fit_h,
		       bottom = ((y + rows) * photo_y - s->view.y0) / view_h * fit_h;
		infer_resize_f32(s->logits, fit_w, fit_h, (struct infer_rect){left, top, right, bottom}, s->strip, w,
				 rows, s->resize_workspace);
		for (int row = 0; row < rows; row++)
			infer_sigmoid_array(s->strip + (size_t)row * (size_t)w,
					    s->probabilities + (size_t)(y + row) * (size_t)s->grid_w + box.x0,
					    (size_t)w);
	}
}

/* The clicks in pixels of the grid. */
static void clicks_on_grid(const struct tapcut_session *s, int count, struct infer_click *clicks)
{
	for (int i = 0; i < count; i++) {
		clicks[i] = s->clicks[i];
		clicks[i].x = (float)((long long)s->clicks[i].x * s->grid_w / s->w);
		clicks[i].y = (float)((long long)s->clicks[i].y * s->grid_h / s->h);
	}
}

static void update_mask(struct tapcut_session *s, int count)
{
	size_t grid = (size_t)s->grid_w * (size_t)s->grid_h;
	struct infer_click clicks[TAPCUT_MAX_CLICKS];
	struct infer_postprocess options = {
		.keep_touched = !s->options.keep_all,
		.fill_pixels = (size_t)((double)grid * infer_max(s->options.hole_limit, 0) / 1e6),
	};
	s->answer = s->refine ? infer_refine_answer(s, count) : s->probabilities;
	for (size_t i = 0; i < grid; i++)
		s->mask[i] = s->answer[i] > s->options.threshold ? 255 : 0;
	clicks_on_grid(s, count, clicks);
	infer_postprocess(&options, clicks, count, s->mask, s->grid_w, s->grid_h, s->postprocess_workspace);
}

/* The mask's box in pixels of the photo. */
static struct infer_box mask_box(const struct tapcut_session *s)
{
	struct infer_box box = infer_mask_box(s->mask, s->grid_w, s->grid_h);
	if (box.x1 <= box.x0)
		return (struct infer_box){0, 0, 0, 0};
	return (struct infer_box){(int)((long long)box.x0 * s->w / s->grid_w),
				  (int)((long long)box.y0 * s->h / s->grid_h),
				  (int)(((long long)box.x1 * s->w + s->grid_w - 1) / s->grid_w),
				  (int)(((long long)box.y1 * s->h + s->grid_h - 1) / s->grid_h)};
}

/* The network's answer to the first `count` clicks, seeing `view` and, unless this is the very first look, its answer
 * before. False where the click was cancelled. */
static bool look_at(struct tapcut_session *s, struct infer_look *look, struct infer_box view, int count, bool first)
{
	draw_clicks(s, look, view, count, previous_answer(s, look, view, first));
	if (!same_box(view, look->loaded))
		load_view(s, look, view);
	if (!find_logits(s, look))
		return false;
	s->look = look;
	s->view = view;
	update_probabilities(s);
	update_mask(s, count);
	return true;
}

/* What a model that labels scenes makes of the first `count` clicks. */
static bool select_regions(struct tapcut_session *s, int count)
{
	if (!infer_labels_answer(s, count))
		return false;
	update_mask(s, count);
	return true;
}

static bool look_closer(struct tapcut_session *s, int count)
{
	struct infer_box view = s->view;
	if (!s->options.no_zoom)
		view = infer_next_view(s->view, mask_box(s), s->clicks, count, s->w, s->h);
	return look_at(s, close_look(s), view, count, false);
}

/* The effect of click number `index`, all before it being done. The first one's object is looked for in the whole
 * photo, and then looked at. False where it was cancelled. */
static bool apply_click(struct tapcut_session *s, int index)
{
	infer_result_stale(s->result);
	if (s->labels)
		return select_regions(s, index + 1);
	if (index > 0)
		return look_closer(s, index + 1);
	return look_at(s, &s->looks[INFER_FIRST_LOOK], whole_photo(s), 1, true) &&
	       (!s->clicks[0].positive || s->options.one_look || s->options.no_zoom || look_closer(s, 1));
}

static void apply_all(struct tapcut_session *s)
{
	s->logits_lost = false;
	clear_result(s);
	for (int i = 0; i < s->click_count; i++)
		apply_click(s, i);
}

enum tapcut_status tapcut_session_click(struct tapcut_session *s, int x, int y, int positive)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	if (s->w == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "click: there is no photo yet");
	if (x < 0 || y < 0 || x >= s->w || y >= s->h)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "click: %d,%d is outside the photo of %dx%d", x, y, s->w,
				  s->h);
	if (s->click_count == TAPCUT_MAX_CLICKS)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "click: there are %d already, the most there can be",
				  TAPCUT_MAX_CLICKS);
	if (s->logits_lost)
		apply_all(s);
	s->clicks[s->click_count] = (struct infer_click){(float)x, (float)y, positive != 0};
	s->cancelled = 0;
	s->may_cancel = true;
	bool done = apply_click(s, s->click_count++);
	s->may_cancel = false;
	if (done)
		return TAPCUT_OK;
	s->logits_lost = true;
	if (--s->click_count == 0) /* its first look may be done */
		apply_all(s);
	return infer_fail(s->message, TAPCUT_CANCELLED, "click: cancelled");
}

void tapcut_session_cancel(struct tapcut_session *s)
{
	if (s)
		s->cancelled = 1;
}

enum tapcut_status tapcut_session_undo(struct tapcut_session *s)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	if (s->click_count == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "undo: there is no click to take back");
	s->click_count--;
	apply_all(s);
	return TAPCUT_OK;
}

void tapcut_session_reset(struct tapcut_session *s)
{
	if (!s)
		return;
	s->click_count = 0;
	if (s->w > 0)
		apply_all(s);
}

int tapcut_session_click_count(const struct tapcut_session *s)
{
	return s ? s->click_count : 0;
}

/* --- what is inside ------------------------------------------------------- */

const float *tapcut_session_probabilities(struct tapcut_session *s, int *w, int *h)
{
	bool photo = s && s->w > 0;
	if (w)
		*w = photo ? s->grid_w : 0;
	if (h)
		*h = photo ? s->grid_h : 0;
	return photo ? s->probabilities : NULL;
}

const char *tapcut_session_message(const struct tapcut_session *s)
{
	return s ? s->message : "there is no session";
}

size_t tapcut_session_bytes(const struct tapcut_session *s)
{
	if (!s)
		return 0;
	size_t bytes = sizeof *s + s->memory_bytes;
	for (int i = 0; i < INFER_LOOKS; i++)
		bytes += s->looks[i].runner ? infer_runner_bytes(s->looks[i].runner) : 0;
	return bytes;
}
