/* A model that labels scenes: what class each pixel is of, and the regions that a click selects. A region is what hangs
 * together and has one label. The network runs once for a photo; its logits stay in the runner. */
#include <string.h>

#include "../image/postprocess.h"
#include "../kernels/kernels.h"
#include "session.h"

void infer_labels_place(struct tapcut_session *s, struct infer_arena *arena)
{
	s->labels = infer_arena_take(arena, (size_t)s->grid_w * (size_t)s->grid_h);
	const struct infer_look *look = &s->looks[INFER_FIRST_LOOK];
	size_t row = (size_t)look->fit_w * infer_runner_output(look->runner)->pitch;
	s->label_row = infer_arena_take(arena, row * sizeof *s->label_row);
}

/* Between which two of `from` numbers the middle of number i of `to` lies, and how far from the first to the second. */
struct between {
	int a, b;
	float part;
};

static struct between between(int i, int to, int from)
{
	double at = (i + 0.5) * from / to - 0.5;
	int a = at < 0 ? 0 : (int)at;
	return (struct between){a, infer_min(a + 1, from - 1), at < 0 ? 0 : (float)(at - a)};
}

/* The label of each of w x h pixels that the photo is divided into. */
static void label_rows(struct tapcut_session *s, uint8_t *labels, int w, int h, size_t stride)
{
	const struct infer_look *look = &s->looks[INFER_FIRST_LOOK];
	const struct infer_map *logits = infer_runner_output(look->runner);
	int classes = logits->c;
	size_t row = (size_t)look->fit_w * logits->pitch;
	for (int y = 0; y < h; y++) {
		struct between v = between(y, h, look->fit_h);
		const float *above = infer_row(logits, v.a), *below = infer_row(logits, v.b);
		for (size_t i = 0; i < row; i++)
			s->label_row[i] = above[i] + v.part * (below[i] - above[i]);
		for (int x = 0; x < w; x++) {
			struct between u = between(x, w, look->fit_w);
			const float *left = s->label_row + (size_t)u.a * logits->pitch;
			const float *right = s->label_row + (size_t)u.b * logits->pitch;
			float most = 0;
			int best = 0;
			for (int c = 0; c < classes; c++) {
				float value = left[c] + u.part * (right[c] - left[c]);
				if (c == 0 || value > most) {
					most = value;
					best = c;
				}
			}
			labels[(size_t)y * stride + (size_t)x] = (uint8_t)best;
		}
	}
}

/* The network has run on this photo, unless it was cancelled. */
static bool find_labels(struct tapcut_session *s)
{
	struct infer_look *look = &s->looks[INFER_FIRST_LOOK];
	if (!s->labelled && infer_session_run(s, look)) {
		label_rows(s, s->labels, s->grid_w, s->grid_h, (size_t)s->grid_w);
		s->labelled = true;
	}
	return s->labelled;
}

enum tapcut_status tapcut_session_labels(struct tapcut_session *s, uint8_t *labels, size_t stride)
{
	if (!s)
		return TAPCUT_ARGUMENT;
	if (!s->labels || !labels || stride < (size_t)s->w)
		return infer_fail(s->message, TAPCUT_ARGUMENT, "labels: expected classes, a photo and %d bytes a row",
				  s->w);
	find_labels(s);
	label_rows(s, labels, s->w, s->h, stride);
	return TAPCUT_OK;
}

/* The region under each positive click is the object; what the others are on is left to the graph cut, since a region
 * may hold the object and more. */
bool infer_labels_answer(struct tapcut_session *s, int count)
{
	if (!find_labels(s))
		return false;
	s->look = &s->looks[INFER_FIRST_LOOK];
	const struct infer_postprocess only_touched = {.keep_touched = true};
	size_t grid = (size_t)s->grid_w * (size_t)s->grid_h;
	memset(s->probabilities, 0, grid * sizeof *s->probabilities);
	for (int i = 0; i < count; i++) {
		struct infer_click click = s->clicks[i];
		if (!click.positive)
			continue;
		click.x = (float)((long long)click.x * s->grid_w / s->w);
		click.y = (float)((long long)click.y * s->grid_h / s->h);
		uint8_t label = s->labels[(size_t)click.y * (size_t)s->grid_w + (size_t)click.x];
		for (size_t k = 0; k < grid; k++)
			s->mask[k] = s->labels[k] == label ? 255 : 0;
		infer_postprocess(&only_touched, &click, 1, s->mask, s->grid_w, s->grid_h, s->postprocess_workspace);
		for (size_t k = 0; k < grid; k++)
			if (s->mask[k])
				s->probabilities[k] = 1;
	}
	return true;
}
