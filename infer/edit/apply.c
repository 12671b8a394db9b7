/* From the caller's photo to strips and back: checks, memory, and the rows that an edit must see around those that it
 * makes. */
#include <stdlib.h>
#include <string.h>

#include "../common/fail.h"
#include "edit.h"

enum { MAX_SIDE = 16384, MIN_STRIP = 64, LARGE_STRIP = 1024 };

/* Workspaces have INFER_ALIGNMENT bytes to spare. */
static struct infer_arena arena_in(void *workspace)
{
	return (struct infer_arena){.memory = infer_aligned(workspace)};
}

/* --- checks --------------------------------------------------------------- */

static enum tapcut_status check_size(int width, int height, char *message)
{
	if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
		return infer_fail(message, TAPCUT_LIMIT, "edit: expected 1 to %d pixels a side, found %dx%d", MAX_SIDE,
				  width, height);
	return TAPCUT_OK;
}

static enum tapcut_status check_edit(const struct tapcut_edit *edit, char *message)
{
	if (!edit)
		return infer_fail(message, TAPCUT_ARGUMENT, "edit: NULL");
	const struct tapcut_filter *filter = tapcut_filter_at(edit->filter);
	if (!filter)
		return infer_fail(message, TAPCUT_ARGUMENT, "edit: no filter has the number %d, there are %d",
				  edit->filter, edit_filter_count);
	if (!(edit->amount >= filter->min && edit->amount <= filter->max))
		return infer_fail(message, TAPCUT_ARGUMENT, "%s: expected an amount of %g to %g, found %g",
				  filter->name, (double)filter->min, (double)filter->max, (double)edit->amount);
	if ((int)edit->where < TAPCUT_EVERYWHERE || edit->where > TAPCUT_OUTSIDE)
		return infer_fail(message, TAPCUT_ARGUMENT, "%s: expected everywhere, inside or outside, found %d",
				  filter->name, edit->where);
	if (!(edit->depth >= 0 && edit->depth <= 1))
		return infer_fail(message, TAPCUT_ARGUMENT, "%s: expected a depth of 0 to 1, found %g", filter->name,
				  (double)edit->depth);
	if (edit->picture.rgb && (check_size(edit->picture.width, edit->picture.height, NULL) != TAPCUT_OK ||
				  edit->picture.stride < 3 * (size_t)edit->picture.width))
		return infer_fail(message, TAPCUT_ARGUMENT, "%s: a picture of %dx%d pixels with a stride of %zu",
				  filter->name, edit->picture.width, edit->picture.height, edit->picture.stride);
	return TAPCUT_OK;
}

/* --- one strip ------------------------------------------------------------ */

/* Filter a row, then mix by the mask. */
static void point_rows(const struct edit_filter *filter, const struct edit_job *job, struct infer_arena *arena)
{
	struct edit_point *point = infer_arena_take(arena, sizeof *point);
	uint8_t *filtered = infer_arena_take(arena, 3 * (size_t)job->width);
	if (!arena->memory)
		return;
	point->width = job->width;
	point->height = job->height;
	filter->prepare(point, job->edit);
	for (int y = job->first; y < job->first + job->count; y++) {
		const uint8_t *rgb = edit_rgb(job->in, y), *alpha = edit_alpha(job->in, y);
		uint8_t *out = edit_out(job, y);
		filter->row(point, rgb, filtered, y);
		for (int x = 0; x < job->width; x++) {
			unsigned weight = edit_weight(job->edit->where, alpha[x]);
			for (int c = 3 * x; c < 3 * x + 3; c++)
				out[c] = edit_mix(filtered[c], rgb[c], weight);
		}
	}
}

static void copy_rows(const struct edit_job *job)
{
	for (int y = job->first; y < job->first + job->count; y++)
		memmove(edit_out(job, y), edit_rgb(job->in, y), 3 * (size_t)job->width);
}

static void run_job(const struct edit_job *job, struct infer_arena *arena)
{
	const struct edit_filter *filter = &edit_filters[job->edit->filter];
	if (job->edit->amount == 0) {
		if (arena->memory)
			copy_rows(job);
	} else if (filter->rows) {
		filter->rows(job, arena);
	} else {
		point_rows(filter, job, arena);
	}
}

int tapcut_edit_border(const struct tapcut_edit *edit, int width, int height)
{
	if (!edit || !tapcut_filter_at(edit->filter) || !edit_filters[edit->filter].border || edit->amount == 0)
		return 0;
	return edit_filters[edit->filter].border(edit, width, height);
}

size_t tapcut_edit_rows_workspace(const struct tapcut_edit *edit, int width, int height, int count)
{
	if (check_size(width, height, NULL) != TAPCUT_OK || check_edit(edit, NULL) != TAPCUT_OK || count < 1)
		return 0;
	struct tapcut_rows none = {0};
	struct edit_job job = {.edit = edit, .width = width, .height = height, .in = &none, .count = count};
	struct infer_arena arena = {0};
	run_job(&job, &arena);
	return arena.used + INFER_ALIGNMENT;
}

static enum tapcut_status check_rows(int width, int height, const struct tapcut_rows *in, int border, int first,
				     int count, const void *workspace, char *message)
{
	enum tapcut_status status = check_size(width, height, message);
	if (status != TAPCUT_OK)
		return status;
	if (!in || !in->rgb || !in->alpha || !workspace || in->rgb_stride < 3 * (size_t)width ||
	    in->alpha_stride < (size_t)width)
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "edit: expected colours, alpha and a workspace, with strides of %d and %d at least",
				  3 * width, width);
	if (first < 0 || count < 1 || count > height - first)
		return infer_fail(message, TAPCUT_ARGUMENT, "edit: rows %d to %d of a photo of %d", first,
				  first + count, height);
	int low = first - border > 0 ? first - border : 0,
	    high = height - first - count > border ? first + count + border : height;
	if (in->first < 0 || in->first > low || in->count < high - in->first)
		return infer_fail(message, TAPCUT_ARGUMENT, "edit: rows %d to %d are needed, %d to %d are given", low,
				  high, in->first, in->first + in->count);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_edit_rows(const struct tapcut_edit *edit, int width, int height, const struct tapcut_rows *in,
				    int first, int count, uint8_t *out, size_t out_stride, void *workspace,
				    char *message)
{
	enum tapcut_status status = check_edit(edit, message);
	if (status == TAPCUT_OK)
		status = check_rows(width, height, in, tapcut_edit_border(edit, width, height), first, count, workspace,
				    message);
	if (status != TAPCUT_OK)
		return status;
	if (!out || out_stride < 3 * (size_t)width)
		return infer_fail(message, TAPCUT_ARGUMENT, "edit: the result's rows need %d bytes", 3 * width);
	struct edit_job job = {edit, width, height, in, first, count, out, out_stride};
	struct infer_arena arena = arena_in(workspace);
	run_job(&job, &arena);
	return TAPCUT_OK;
}

/* --- a whole photo -------------------------------------------------------- */

/* Tall enough that the rows around a strip, which are worked on twice, do not count much; where the border is large,
 * memory decides. */
static int strip_rows(int border, int height)
{
	int rows = edit_clamp(4 * border, MIN_STRIP, border > LARGE_STRIP ? border : LARGE_STRIP);
	return rows < height ? rows : height;
}

/* Copies of the rows that the next strips still want to see as they were. */
struct window {
	uint8_t *rgb;
	size_t stride;
	int first, end;
};

/* Moves on to rows first..end-1; those that are new come from the photo. */
static void slide(struct window *window, const struct tapcut_photo *photo, int first, int end)
{
	int kept = window->end > first ? window->end - first : 0;
	memmove(window->rgb, window->rgb + (size_t)(window->end - kept - window->first) * window->stride,
		(size_t)kept * window->stride);
	for (int y = first + kept; y < end; y++)
		memcpy(window->rgb + (size_t)(y - first) * window->stride, photo->rgb + (size_t)y * photo->rgb_stride,
		       window->stride);
	window->first = first;
	window->end = end;
}

/* In place. With an arena without memory: takes the memory and returns. */
static void apply_one(const struct tapcut_edit *edit, const struct tapcut_photo *photo, struct infer_arena *arena)
{
	int w = photo->width, h = photo->height, border = tapcut_edit_border(edit, w, h), strip = strip_rows(border, h);
	struct window window = {.stride = 3 * (size_t)w};
	if (border > 0)
		window.rgb = infer_arena_take(arena, window.stride * (size_t)(strip + 2 * border));
	size_t used = arena->used;
	for (int y = 0; y < h; y += strip) {
		int count = h - y < strip ? h - y : strip;
		int low = y - border > 0 ? y - border : 0, high = y + count + border < h ? y + count + border : h;
		struct tapcut_rows in = {.first = low,
					 .count = high - low,
					 .rgb_stride = window.stride,
					 .alpha_stride = photo->alpha_stride};
		struct edit_job job = {edit, w, h, &in, y, count, NULL, photo->rgb_stride};
		arena->used = used;
		if (arena->memory) {
			job.out = photo->rgb + (size_t)y * photo->rgb_stride;
			in.alpha = photo->alpha + (size_t)low * photo->alpha_stride;
			if (border > 0)
				slide(&window, photo, low, high);
			in.rgb = border > 0 ? window.rgb : job.out;
			in.rgb_stride = border > 0 ? window.stride : photo->rgb_stride;
		}
		run_job(&job, arena);
		if (!arena->memory)
			return; /* the first strip is as large as any */
	}
}

static size_t workspace_of(const struct tapcut_edit *edits, int count, int width, int height)
{
	struct tapcut_photo photo = {.width = width, .height = height};
	size_t most = 0;
	for (int i = 0; i < count; i++) {
		struct infer_arena arena = {0};
		apply_one(&edits[i], &photo, &arena);
		most = arena.used > most ? arena.used : most;
	}
	return most + INFER_ALIGNMENT;
}

size_t tapcut_edit_workspace(const struct tapcut_edit *edits, int count, int width, int height)
{
	if (check_size(width, height, NULL) != TAPCUT_OK || count < 0 || (count > 0 && !edits))
		return 0;
	for (int i = 0; i < count; i++)
		if (check_edit(&edits[i], NULL) != TAPCUT_OK)
			return 0;
	return workspace_of(edits, count, width, height);
}

static enum tapcut_status check_photo(const struct tapcut_edit *edits, int count, const struct tapcut_photo *photo,
				      char *message)
{
	if (!photo || count < 0 || (count > 0 && !edits))
		return infer_fail(message, TAPCUT_ARGUMENT, "edit: %d edits, or one or the photo is NULL", count);
	enum tapcut_status status = check_size(photo->width, photo->height, message);
	if (status == TAPCUT_OK && (!photo->rgb || !photo->alpha || photo->rgb_stride < 3 * (size_t)photo->width ||
				    photo->alpha_stride < (size_t)photo->width))
		status = infer_fail(message, TAPCUT_ARGUMENT,
				    "edit: expected colours and alpha with strides of %d and %d at least",
				    3 * photo->width, photo->width);
	for (int i = 0; i < count && status == TAPCUT_OK; i++)
		status = check_edit(&edits[i], message);
	return status;
}

enum tapcut_status tapcut_edit_apply(const struct tapcut_edit *edits, int count, const struct tapcut_photo *photo,
				     void *workspace, char *message)
{
	enum tapcut_status status = check_photo(edits, count, photo, message);
	if (status != TAPCUT_OK)
		return status;
	size_t bytes = workspace_of(edits, count, photo->width, photo->height);
	void *own = workspace ? NULL : malloc(bytes);
	if (!workspace && !own)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory: %zu bytes to edit a photo of %dx%d", bytes,
				  photo->width, photo->height);
	for (int i = 0; i < count; i++) {
		struct tapcut_edit edit = edits[i];
		struct infer_arena arena = arena_in(workspace ? workspace : own);
		if (edit.depth > 0)
			tapcut_edit_measure(&edit, photo->alpha, photo->alpha_stride, photo->width, photo->height);
		apply_one(&edit, photo, &arena);
	}
	free(own);
	return TAPCUT_OK;
}

/* --- cutouts -------------------------------------------------------------- */

int tapcut_cutout_border(int width, int height)
{
	return edit_matte_border(width, height);
}

size_t tapcut_cutout_workspace(int width, int height)
{
	if (check_size(width, height, NULL) != TAPCUT_OK)
		return 0;
	struct edit_job job = {.width = width, .height = height};
	struct infer_arena arena = {0};
	edit_cutout(&job, false, &arena);
	return arena.used + INFER_ALIGNMENT;
}

enum tapcut_status tapcut_cutout_rows(int width, int height, const struct tapcut_rows *in, int first, int count,
				      int premultiplied, uint8_t *rgba, size_t rgba_stride, void *workspace,
				      char *message)
{
	enum tapcut_status status =
		check_rows(width, height, in, edit_matte_border(width, height), first, count, workspace, message);
	if (status != TAPCUT_OK)
		return status;
	if (!rgba || rgba_stride < 4 * (size_t)width)
		return infer_fail(message, TAPCUT_ARGUMENT, "cutout: the result's rows need %d bytes", 4 * width);
	struct edit_job job = {NULL, width, height, in, first, count, rgba, rgba_stride};
	struct infer_arena arena = arena_in(workspace);
	edit_cutout(&job, premultiplied != 0, &arena);
	return TAPCUT_OK;
}
