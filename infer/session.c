/* One photo, its clicks and its mask.
 *
 *	photo (w x h) --view--> fit (long side = size) --padding to 16--> planes --network--> logits
 *	                                                                                        |
 *	mask <--post-processing, threshold-- probabilities (w x h) <--sigmoid, resampled--------+
 *
 * A click's result depends on the clicks before it: the network sees its previous answer, and where it looks (view.h) follows
 * the mask. So undo starts over and repeats all clicks but the last; the same steps give the same bits.
 *
 * All memory is allocated when the photo is set. */
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "model.h"
#include "postprocess.h"
#include "preprocess.h"
#include "resize.h"
#include "tapcut.h"
#include "view.h"

enum { MAX_SIDE = 16384, MAX_PIXELS = 100 * 1000 * 1000, MIN_SIZE = 16, PLANE_MULTIPLE = 16, STRIP_ROWS = 64 };

static const float DEFAULT_THRESHOLD = 0.49f; /* RITM's */
enum { DEFAULT_ZOOM = 1, DEFAULT_KEEP_TOUCHED = 1, DEFAULT_FILL_HOLES = 500 };

/* One size at which the network sees the photo. */
struct look {
	int fit_w, fit_h, plane_w, plane_h;
	struct infer_runner *runner;
	struct infer_box loaded;    /* what the image planes show; empty: nothing */
	int planes_new;             /* the image planes have not been run yet */
};

/* The first click is judged from further away: a network finds the whole object best at the size it was trained on, and the edge best
 * when it is larger. */
enum { FIRST_LOOK, CLOSE_LOOK, LOOKS };

struct tapcut_session {
	const struct tapcut_model *model;
	struct tapcut_options options; /* without "default" left in them */
	char message[TAPCUT_MESSAGE_SIZE];

	int w, h; /* 0: no photo */
	struct look looks[LOOKS];
	struct infer_click clicks[TAPCUT_MAX_CLICKS]; /* in pixels of the photo */
	int click_count;
	struct look *look;          /* of the last run */
	struct infer_box view;      /* of the last run */

	/* One allocation, cut into: */
	void *memory;
	size_t memory_bytes;
	float *probabilities;       /* w x h */
	float *logits;              /* fit_w x fit_h of the look: the last run's, in `view` */
	float *strip;               /* some rows of a view, at the photo's resolution */
	uint8_t *mask;              /* w x h, 255 or 0 */
	uint8_t *photo;             /* h rows of 3 w bytes */
	uint8_t *fit;               /* fit_h rows of 3 fit_w bytes */
	void *resize_workspace;
	void *postprocess_workspace;
};

/* --- life ----------------------------------------------------------------------------------------------------------- */

void tapcut_options_init(struct tapcut_options *options)
{
	*options = (struct tapcut_options){ .zoom = -1, .keep_touched = -1, .fill_holes = -1 };
}

static int size_allowed(int size)
{
	return size == 0 || (size >= MIN_SIZE && size <= INFER_MAX_SIZE);
}

static int check_options(const struct tapcut_options *o, char *message)
{
	if (!size_allowed(o->size) || !size_allowed(o->first_size))
		return infer_fail(message, TAPCUT_ARGUMENT, "options: size and first_size must be 0 or %d to %d, found %d and %d", MIN_SIZE,
				  INFER_MAX_SIZE, o->size, o->first_size);
	if (!(o->threshold >= 0 && o->threshold < 1))
		return infer_fail(message, TAPCUT_ARGUMENT, "options: threshold must be at least 0 and under 1, found %g",
				  (double)o->threshold);
	if (o->zoom < -1 || o->zoom > 1 || o->keep_touched < -1 || o->keep_touched > 1)
		return infer_fail(message, TAPCUT_ARGUMENT, "options: zoom and keep_touched must be -1, 0 or 1, found %d and %d", o->zoom,
				  o->keep_touched);
	if (o->fill_holes < -1 || o->fill_holes > 1000000)
		return infer_fail(message, TAPCUT_ARGUMENT, "options: fill_holes must be -1 to 1000000, found %d", o->fill_holes);
	return TAPCUT_OK;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

void tapcut_options_resolve(const struct tapcut_model *model, struct tapcut_options *o)
{
	o->zoom = o->zoom < 0 ? DEFAULT_ZOOM : o->zoom;
	int natural = model->network.default_size;
	if (!o->size)
		o->size = o->zoom ? smaller(natural * 5 / 4, INFER_MAX_SIZE) : natural;
	if (!o->first_size)
		o->first_size = smaller(natural, o->size);
	o->threshold = o->threshold > 0 ? o->threshold : DEFAULT_THRESHOLD;
	o->keep_touched = o->keep_touched < 0 ? DEFAULT_KEEP_TOUCHED : o->keep_touched;
	o->fill_holes = o->fill_holes < 0 ? DEFAULT_FILL_HOLES : o->fill_holes;
}

enum tapcut_status tapcut_session_new(const struct tapcut_model *model, const struct tapcut_options *options,
				      struct tapcut_session **session, char *message)
{
	*session = NULL;
	enum tapcut_status status = options ? check_options(options, message) : TAPCUT_OK;
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
	s->memory_bytes = 0;
	s->w = s->h = s->click_count = 0;
}

void tapcut_session_free(struct tapcut_session *s)
{
	if (!s)
		return;
	forget_photo(s);
	for (int i = 0; i < LOOKS; i++)
		infer_runner_free(s->looks[i].runner);
	free(s);
}

/* --- the photo ------------------------------------------------------------------------------------------------------ */

static int check_photo(struct tapcut_session *s, const uint8_t *rgb, int w, int h, size_t stride)
{
	if (!rgb || w < 1 || h < 1)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "photo: expected pixels and at least 1x1, found %dx%d", w, h);
	if (w > MAX_SIDE || h > MAX_SIDE || (long long)w * h > MAX_PIXELS)
		return infer_fail(s->message, TAPCUT_LIMIT, "photo: sides at most %d and %d pixels in all, found %dx%d", MAX_SIDE,
				  MAX_PIXELS, w, h);
	if (stride < 3 * (size_t)w)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "photo: a row of %d pixels has %zu bytes, but the stride is %zu", w,
				  3 * (size_t)w, stride);
	return TAPCUT_OK;
}

static int round_up(int value, int multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

static int fit_side(int side, int longest, int size)
{
	int fit = (int)((double)side * size / longest + 0.5);
	return fit > 0 ? fit : 1;
}

/* A runner for the photo's proportions; the one at hand if its planes have the same size. */
static int prepare_look(struct tapcut_session *s, struct look *look, int size, int w, int h)
{
	int longest = w > h ? w : h;
	look->fit_w = fit_side(w, longest, size);
	look->fit_h = fit_side(h, longest, size);
	look->loaded = (struct infer_box){ 0 };
	int plane_w = round_up(look->fit_w, PLANE_MULTIPLE), plane_h = round_up(look->fit_h, PLANE_MULTIPLE);
	if (look->runner && plane_w == look->plane_w && plane_h == look->plane_h)
		return TAPCUT_OK;
	infer_runner_free(look->runner);
	look->plane_w = plane_w;
	look->plane_h = plane_h;
	return infer_runner_new(&s->model->network, plane_h, plane_w, &look->runner, s->message);
}

/* With one size for all clicks the first look serves them all. */
static int has_close_look(const struct tapcut_session *s)
{
	return s->options.first_size != s->options.size;
}

static struct look *look_of_click(struct tapcut_session *s, int index)
{
	return &s->looks[index > 0 && has_close_look(s) ? CLOSE_LOOK : FIRST_LOOK];
}

/* Is the photo needed after set_image? */
static int keeps_photo(const struct tapcut_session *s)
{
	return s->options.zoom || has_close_look(s);
}

/* Takes the next `bytes` of the memory; with memory NULL only counts. */
static void *carve(char *memory, size_t *used, size_t bytes)
{
	void *piece = memory ? memory + *used : NULL;
	*used += (bytes + 63) / 64 * 64;
	return piece;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t lay_out(struct tapcut_session *s, char *memory, int w, int h)
{
	size_t used = 0, pixels = (size_t)w * (size_t)h, fit = 0, workspace = 0;
	for (int i = 0; i < LOOKS; i++) {
		const struct look *look = &s->looks[i];
		if (!look->runner)
			continue;
		fit = larger(fit, (size_t)look->fit_w * (size_t)look->fit_h);
		workspace = larger(workspace, infer_resize_workspace(w, h, look->fit_w, look->fit_h));
		workspace = larger(workspace, infer_resize_workspace(look->fit_w, look->fit_h, w, STRIP_ROWS));
	}
	s->probabilities = carve(memory, &used, pixels * sizeof(float));
	s->logits = carve(memory, &used, fit * sizeof(float));
	s->strip = carve(memory, &used, (size_t)w * STRIP_ROWS * sizeof(float));
	s->mask = carve(memory, &used, pixels);
	s->photo = carve(memory, &used, keeps_photo(s) ? 3 * pixels : 0);
	s->fit = carve(memory, &used, 3 * fit);
	s->resize_workspace = carve(memory, &used, workspace);
	s->postprocess_workspace = carve(memory, &used, infer_postprocess_workspace(w, h));
	return used;
}

static int allocate(struct tapcut_session *s, int w, int h)
{
	int status = prepare_look(s, &s->looks[FIRST_LOOK], s->options.first_size, w, h);
	if (!status && has_close_look(s))
		status = prepare_look(s, &s->looks[CLOSE_LOOK], s->options.size, w, h);
	if (status)
		return status;
	s->memory_bytes = lay_out(s, NULL, w, h);
	s->memory = malloc(s->memory_bytes);
	if (!s->memory)
		return infer_fail(s->message, TAPCUT_NO_MEMORY, "no memory: %zu bytes for a photo of %dx%d", s->memory_bytes, w, h);
	lay_out(s, s->memory, w, h);
	return TAPCUT_OK;
}

static struct infer_box whole_photo(const struct tapcut_session *s)
{
	return (struct infer_box){ 0, 0, s->w, s->h };
}

static int same_box(struct infer_box a, struct infer_box b)
{
	return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

static struct infer_rect rect_of(struct infer_box box)
{
	return (struct infer_rect){ box.x0, box.y0, box.x1, box.y1 };
}

/* The part of the photo that `view` shows becomes the look's image planes. */
static void load_view(struct tapcut_session *s, struct look *look, struct infer_box view, const uint8_t *rgb, size_t stride)
{
	static const uint8_t black[3];
	infer_resize_u8(rgb, s->w, s->h, stride, 3, rect_of(view), s->fit, look->fit_w, look->fit_h, black, 0, s->resize_workspace);
	infer_normalize_rgb8(&s->model->network.preprocess, s->fit, look->fit_w, look->fit_h, 3 * (size_t)look->fit_w,
			     infer_runner_image(look->runner), look->plane_w, look->plane_h);
	look->loaded = view;
	look->planes_new = 1;
}

enum tapcut_status tapcut_session_set_image(struct tapcut_session *s, const uint8_t *rgb, int width, int height, size_t stride)
{
	forget_photo(s);
	enum tapcut_status status = check_photo(s, rgb, width, height, stride);
	if (!status)
		status = allocate(s, width, height);
	if (status)
		return status;
	s->w = width;
	s->h = height;
	for (int y = 0; keeps_photo(s) && y < height; y++)
		memcpy(s->photo + (size_t)y * 3 * (size_t)width, rgb + (size_t)y * stride, 3 * (size_t)width);
	load_view(s, &s->looks[FIRST_LOOK], whole_photo(s), rgb, stride);
	tapcut_session_reset(s);
	return TAPCUT_OK;
}

/* --- clicks --------------------------------------------------------------------------------------------------------- */

static void clear_result(struct tapcut_session *s)
{
	size_t pixels = (size_t)s->w * (size_t)s->h;
	memset(s->mask, 0, pixels);
	memset(s->probabilities, 0, pixels * sizeof *s->probabilities);
	s->view = whole_photo(s);
	s->look = NULL;
}

/* Clicks inside the view, in pixels of the planes, become their two planes. */
static void draw_clicks(struct tapcut_session *s, const struct look *look, struct infer_box view, int count)
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
	infer_draw_clicks(&s->model->network.preprocess, drawn, drawn_count, infer_runner_clicks(look->runner), look->plane_w,
			  look->plane_h);
}

/* The previous answer, as probability: straight from the last logits if the same look has the same view, else from the photo's. */
static void draw_previous(struct tapcut_session *s, const struct look *look, struct infer_box view, int first_click)
{
	const struct infer_preprocess *pre = &s->model->network.preprocess;
	size_t plane = (size_t)look->plane_w * (size_t)look->plane_h, fit = (size_t)look->fit_w * (size_t)look->fit_h;
	float *out = infer_runner_clicks(look->runner) + INFER_PLANE_PREVIOUS * plane;
	if (!pre->previous_mask)
		return;
	memset(out, 0, plane * sizeof *out);
	if (first_click)
		return;
	if (look == s->look && same_box(view, s->view))
		infer_sigmoid_array(s->logits, s->logits, fit);
	else
		infer_resize_f32(s->probabilities, s->w, s->h, rect_of(view), s->logits, look->fit_w, look->fit_h,
				 s->resize_workspace);
	for (int y = 0; y < look->fit_h; y++)
		for (int x = 0; x < look->fit_w; x++)
			out[(size_t)y * (size_t)look->plane_w + (size_t)x] =
				s->logits[(size_t)y * (size_t)look->fit_w + (size_t)x] * pre->click_scale;
}

/* Runs the network; its logits lose the padding. */
static void run_network(struct tapcut_session *s, struct look *look)
{
	const float *logits = infer_runner_run(look->runner, !look->planes_new);
	look->planes_new = 0;
	for (int y = 0; y < look->fit_h; y++)
		memcpy(s->logits + (size_t)y * (size_t)look->fit_w, logits + (size_t)y * (size_t)look->plane_w,
		       (size_t)look->fit_w * sizeof *logits);
}

/* Logits, resampled to the photo's resolution, become the view's part of the probabilities. */
static void update_probabilities(struct tapcut_session *s)
{
	int w = s->view.x1 - s->view.x0, h = s->view.y1 - s->view.y0, fit_w = s->look->fit_w, fit_h = s->look->fit_h;
	for (int top = 0; top < h; top += STRIP_ROWS) {
		int rows = top + STRIP_ROWS < h ? STRIP_ROWS : h - top;
		struct infer_rect rect = { 0, (double)top / h * fit_h, fit_w, (double)(top + rows) / h * fit_h };
		infer_resize_f32(s->logits, fit_w, fit_h, rect, s->strip, w, rows, s->resize_workspace);
		for (int y = 0; y < rows; y++)
			infer_sigmoid_array(s->strip + (size_t)y * (size_t)w,
					    s->probabilities + (size_t)(s->view.y0 + top + y) * (size_t)s->w + s->view.x0, (size_t)w);
	}
}

static void update_mask(struct tapcut_session *s, int count)
{
	size_t pixels = (size_t)s->w * (size_t)s->h;
	struct infer_postprocess options = {
		.keep_touched = s->options.keep_touched,
		.fill_pixels = (size_t)((double)pixels * s->options.fill_holes / 1e6),
	};
	for (size_t i = 0; i < pixels; i++)
		s->mask[i] = s->probabilities[i] > s->options.threshold ? 255 : 0;
	infer_postprocess(&options, s->clicks, count, s->mask, s->w, s->h, s->postprocess_workspace);
}

/* The effect of click number `index`, all before it being done. */
static void apply_click(struct tapcut_session *s, int index)
{
	struct look *look = look_of_click(s, index);
	struct infer_box view = s->view;
	if (s->options.zoom && index > 0)
		view = infer_next_view(s->view, infer_mask_box(s->mask, s->w, s->h), s->clicks, index + 1, s->w, s->h);
	draw_clicks(s, look, view, index + 1);
	draw_previous(s, look, view, index == 0);
	if (!same_box(view, look->loaded))
		load_view(s, look, view, s->photo, 3 * (size_t)s->w);
	run_network(s, look);
	s->look = look;
	s->view = view;
	update_probabilities(s);
	update_mask(s, index + 1);
}

enum tapcut_status tapcut_session_click(struct tapcut_session *s, int x, int y, int positive)
{
	if (s->w == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "click: there is no photo yet");
	if (x < 0 || y < 0 || x >= s->w || y >= s->h)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "click: %d,%d is outside the photo of %dx%d", x, y, s->w, s->h);
	if (s->click_count == TAPCUT_MAX_CLICKS)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "click: there are %d already, the most there can be", TAPCUT_MAX_CLICKS);
	s->clicks[s->click_count] = (struct infer_click){ (float)x, (float)y, positive != 0 };
	apply_click(s, s->click_count++);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_undo(struct tapcut_session *s)
{
	if (s->click_count == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "undo: there is no click to take back");
	s->click_count--;
	clear_result(s);
	for (int i = 0; i < s->click_count; i++)
		apply_click(s, i);
	return TAPCUT_OK;
}

void tapcut_session_reset(struct tapcut_session *s)
{
	s->click_count = 0;
	if (s->w > 0)
		clear_result(s);
}

int tapcut_session_click_count(const struct tapcut_session *s)
{
	return s->click_count;
}

/* --- results -------------------------------------------------------------------------------------------------------- */

enum tapcut_status tapcut_session_mask(struct tapcut_session *s, uint8_t *mask, size_t stride)
{
	if (s->w == 0)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "mask: there is no photo yet");
	if (!mask || stride < (size_t)s->w)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "mask: expected memory and a stride of at least %d, found %zu", s->w, stride);
	for (int y = 0; y < s->h; y++)
		memcpy(mask + (size_t)y * stride, s->mask + (size_t)y * (size_t)s->w, (size_t)s->w);
	return TAPCUT_OK;
}

const float *tapcut_session_probabilities(struct tapcut_session *s)
{
	return s->w > 0 ? s->probabilities : NULL;
}

const char *tapcut_session_message(const struct tapcut_session *s)
{
	return s->message;
}

size_t tapcut_session_bytes(const struct tapcut_session *s)
{
	size_t bytes = sizeof *s + s->memory_bytes;
	for (int i = 0; i < LOOKS; i++)
		bytes += s->looks[i].runner ? infer_runner_bytes(s->looks[i].runner) : 0;
	return bytes;
}
