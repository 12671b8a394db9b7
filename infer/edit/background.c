/* Another background, and no background: what the object's soft edge is composited on. */
#include <string.h>

#include "edit.h"

/* --- what is behind ------------------------------------------------------- */

/* A picture scaled to cover width x height: its pixels per pixel of ours, in 65536ths, and the first one's place. */
struct cover {
	int64_t step, left, top;
};

static struct cover cover_of(const struct edit_job *job)
{
	int pw = job->edit->picture.width, ph = job->edit->picture.height, w = job->width, h = job->height;
	bool by_width = (int64_t)pw * h <= (int64_t)ph * w; /* the picture is the narrower one: its width decides */
	struct cover cover = {.step = by_width ? ((int64_t)pw << 16) / w : ((int64_t)ph << 16) / h};
	cover.left = (((int64_t)pw << 16) - cover.step * w) / 2;
	cover.top = (((int64_t)ph << 16) - cover.step * h) / 2;
	return cover;
}

/* Where a pixel's samples begin and end: at least one. */
static void samples(int64_t from, int64_t step, int size, int *first, int *end)
{
	*first = edit_clamp((int)(from >> 16), 0, size - 1);
	*end = edit_clamp((int)((from + step) >> 16), *first + 1, size);
}

/* Mean of the picture's pixels under one of ours: for pictures larger than the photo. */
static void mean_pixel(const struct tapcut_edit *edit, const struct cover *cover, int x, int y, uint8_t *out)
{
	int x0, x1, y0, y1;
	unsigned sum[3] = {0};
	samples(cover->left + cover->step * x, cover->step, edit->picture.width, &x0, &x1);
	samples(cover->top + cover->step * y, cover->step, edit->picture.height, &y0, &y1);
	for (int j = y0; j < y1; j++)
		for (int i = x0; i < x1; i++)
			for (int c = 0; c < 3; c++)
				sum[c] +=
					edit->picture.rgb[(size_t)j * edit->picture.stride + 3 * (size_t)i + (size_t)c];
	unsigned count = (unsigned)((x1 - x0) * (y1 - y0));
	for (int c = 0; c < 3; c++)
		out[c] = (uint8_t)((sum[c] + count / 2) / count);
}

/* The two pixels beside a place, and 256ths of the second. */
static int neighbours(int64_t at, int size, int *first, int *second)
{
	at = at < 0 ? 0 : at;
	*first = edit_clamp((int)(at >> 16), 0, size - 1);
	*second = *first + 1 < size ? *first + 1 : *first;
	return (int)(at >> 8 & 255);
}

/* Bilinear: for pictures smaller than the photo. */
static void between_pixel(const struct tapcut_edit *edit, const struct cover *cover, int x, int y, uint8_t *out)
{
	int x0, x1, y0, y1, half = (int)(cover->step - 65536) / 2;
	int fx = neighbours(cover->left + cover->step * x + half, edit->picture.width, &x0, &x1);
	int fy = neighbours(cover->top + cover->step * y + half, edit->picture.height, &y0, &y1);
	const uint8_t *upper = edit->picture.rgb + (size_t)y0 * edit->picture.stride;
	const uint8_t *lower = edit->picture.rgb + (size_t)y1 * edit->picture.stride;
	for (int c = 0; c < 3; c++) {
		int up = upper[3 * x0 + c] * (256 - fx) + upper[3 * x1 + c] * fx;
		int low = lower[3 * x0 + c] * (256 - fx) + lower[3 * x1 + c] * fx;
		out[c] = (uint8_t)((up * (256 - fy) + low * fy + 32768) >> 16);
	}
}

static void behind_row(const struct edit_job *job, const struct cover *cover, int y, uint8_t *out)
{
	for (int x = 0; x < job->width; x++, out += 3) {
		if (!job->edit->picture.rgb)
			memcpy(out, job->edit->colours[0], 3);
		else if (cover->step > 65536)
			mean_pixel(job->edit, cover, x, y, out);
		else
			between_pixel(job->edit, cover, x, y, out);
	}
}

/* --- on another background ------------------------------------------------ */

int edit_border_background(const struct tapcut_edit *edit, int width, int height)
{
	(void)edit;
	return edit_matte_border(width, height);
}

/* `amount` of the new background: the old picture under it shows through by the rest. */
void edit_rows_background(const struct edit_job *job, struct infer_arena *arena)
{
	struct edit_matte matte;
	bool inside = job->edit->where == TAPCUT_INSIDE;
	edit_matte_init(&matte, job->in, job->width, job->height, inside, arena);
	uint8_t *own = infer_arena_take(arena, 3 * (size_t)job->width),
		*behind = infer_arena_take(arena, 3 * (size_t)job->width);
	if (!arena->memory)
		return;
	struct cover cover = {0};
	if (job->edit->picture.rgb)
		cover = cover_of(job);
	unsigned part = (unsigned)(255 * job->edit->amount + 0.5f);
	for (int y = job->first; y < job->first + job->count; y++) {
		const uint8_t *rgb = edit_rgb(job->in, y), *alpha = edit_alpha(job->in, y);
		uint8_t *out = edit_out(job, y);
		edit_matte_row(&matte, y, own);
		behind_row(job, &cover, y, behind);
		for (int i = 0; i < 3 * job->width; i++) {
			unsigned a = job->edit->where == TAPCUT_EVERYWHERE
					     ? 0
					     : edit_weight(inside ? TAPCUT_OUTSIDE : TAPCUT_INSIDE, alpha[i / 3]);
			out[i] = edit_mix(edit_mix(own[i], behind[i], a), rgb[i], part);
		}
	}
}

/* --- on none -------------------------------------------------------------- */

void edit_cutout(const struct edit_job *job, bool premultiplied, struct infer_arena *arena)
{
	struct edit_matte matte;
	edit_matte_init(&matte, job->in, job->width, job->height, false, arena);
	uint8_t *own = infer_arena_take(arena, 3 * (size_t)job->width);
	if (!arena->memory)
		return;
	for (int y = job->first; y < job->first + job->count; y++) {
		const uint8_t *alpha = edit_alpha(job->in, y);
		uint8_t *out = edit_out(job, y);
		edit_matte_row(&matte, y, own);
		for (int x = 0; x < job->width; x++) {
			for (int c = 0; c < 3; c++) {
				unsigned colour = alpha[x] ? own[3 * x + c] : 0;
				out[4 * x + c] = (uint8_t)(premultiplied ? edit_div255(colour * alpha[x]) : colour);
			}
			out[4 * x + 3] = alpha[x];
		}
	}
}
