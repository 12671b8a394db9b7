/* See baseline.h. */
#include "train/evaluate/baseline.h"

#include <stdlib.h>

#include "infer/image/graph_cut.h"
#include "infer/image/postprocess.h"

enum { MAX_SIDE = 1024, MAX_CLICKS = 64 };

struct baseline {
	struct infer_graph_cut cut;
	struct infer_click clicks[MAX_CLICKS];
	int count;
	uint8_t *guess;
	void *workspace, *postprocess_workspace;
};

void baseline_free(struct baseline *b)
{
	if (!b)
		return;
	free(b->guess);
	free(b->workspace);
	free(b->postprocess_workspace);
	free(b);
}

enum status baseline_new(const struct image *photo, struct baseline **baseline)
{
	int w = photo->width, h = photo->height;
	*baseline = NULL;
	if (w > MAX_SIDE || h > MAX_SIDE)
		return status_fail(STATUS_LIMIT, "the baseline takes sides of up to %d pixels, found %dx%d", MAX_SIDE,
				   w, h);
	struct baseline *b = calloc(1, sizeof *b);
	if (b) {
		b->guess = malloc((size_t)w * (size_t)h);
		b->workspace = malloc(infer_graph_cut_workspace(w, h));
		b->postprocess_workspace = malloc(infer_postprocess_workspace(w, h));
	}
	if (!b || !b->guess || !b->workspace || !b->postprocess_workspace) {
		baseline_free(b);
		return status_fail(STATUS_NO_MEMORY, "no memory for a graph of %dx%d pixels", w, h);
	}
	b->cut = (struct infer_graph_cut){.rgb = photo->pixels,
					  .w = w,
					  .h = h,
					  .guess_weight = 8,
					  .colour_weight = 8,
					  .edge_weight = 96,
					  .rounds = 3,
					  .tap_radius = 5};
	infer_graph_cut_start(&b->cut, b->workspace);
	*baseline = b;
	return STATUS_OK;
}

enum status baseline_click(struct baseline *b, const struct click *click, uint8_t *mask)
{
	int w = b->cut.w, h = b->cut.h;
	static const size_t holes_ppm = 500; /* as a session's default */
	const struct infer_postprocess options = {.keep_touched = 1,
						  .fill_pixels = (size_t)w * (size_t)h * holes_ppm / 1000000};
	if (b->count == MAX_CLICKS)
		return status_fail(STATUS_LIMIT, "the baseline takes up to %d taps", MAX_CLICKS);
	b->clicks[b->count++] = (struct infer_click){(float)click->x, (float)click->y, click->positive};
	infer_graph_cut_guess(b->clicks, b->count, w, h, b->guess);
	infer_graph_cut_run(&b->cut, b->guess, b->clicks, b->count, mask);
	infer_postprocess(&options, b->clicks, b->count, mask, w, h, b->postprocess_workspace);
	return STATUS_OK;
}
