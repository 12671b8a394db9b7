/* The option graph_cut: the network's answer, cut along the photo's colours before it becomes a mask. At a size of
 * its own, because the guided filter finds the exact edge later. */
#include <string.h>

#include "../image/graph_cut.h"
#include "session.h"

enum { LONG_SIDE = 384 };

/* Chosen on GrabCut and clicks/val: more colour and longer edges help the first and cost the second. */
static const struct infer_graph_cut CUT = {.guess_weight = 20,
					   .colour_weight = 5,
					   .edge_weight = 32,
					   .rounds = 1,
					   .tap_radius = 2};

struct infer_refine {
	struct infer_graph_cut cut;
	int w, h;
	uint8_t *rgb, *guess, *mask;
	float *values; /* w x h */
	float *answer; /* grid */
	void *workspace;
};

static int side(int grid, int longest)
{
	int fit = longest > LONG_SIDE ? (int)((double)grid * LONG_SIDE / longest + 0.5) : grid;
	return fit > 0 ? fit : 1;
}

struct infer_refine *infer_refine_place(struct infer_arena *arena, int grid_w, int grid_h)
{
	struct infer_refine none, *r = infer_arena_take(arena, sizeof *r);
	struct infer_refine *to = r ? r : &none;
	int longest = grid_w > grid_h ? grid_w : grid_h;
	to->w = side(grid_w, longest);
	to->h = side(grid_h, longest);
	size_t pixels = (size_t)to->w * (size_t)to->h;
	to->rgb = infer_arena_take(arena, 3 * pixels);
	to->guess = infer_arena_take(arena, pixels);
	to->mask = infer_arena_take(arena, pixels);
	to->values = infer_arena_take(arena, pixels * sizeof(float));
	to->answer = infer_arena_take(arena, (size_t)grid_w * (size_t)grid_h * sizeof(float));
	to->workspace = infer_arena_take(arena, infer_graph_cut_workspace(to->w, to->h));
	return r;
}

void infer_refine_photo(struct tapcut_session *s)
{
	static const uint8_t black[3];
	struct infer_refine *r = s->refine;
	struct infer_rect whole = {0, 0, s->w, s->h};
	infer_resize_u8(s->photo, s->w, s->h, 3 * (size_t)s->w, 3, whole, r->rgb, r->w, r->h, black, 0,
			s->resize_workspace);
	r->cut = CUT;
	r->cut.rgb = r->rgb;
	r->cut.w = r->w;
	r->cut.h = r->h;
	infer_graph_cut_start(&r->cut, r->workspace);
}

const float *infer_refine_answer(struct tapcut_session *s, int count)
{
	struct infer_refine *r = s->refine;
	struct infer_click clicks[TAPCUT_MAX_CLICKS];
	size_t pixels = (size_t)r->w * (size_t)r->h;
	infer_resize_f32(s->probabilities, s->grid_w, s->grid_h, (struct infer_rect){0, 0, s->grid_w, s->grid_h},
			 r->values, r->w, r->h, s->resize_workspace);
	for (size_t i = 0; i < pixels; i++)
		r->guess[i] = (uint8_t)(r->values[i] * 255 + 0.5f);
	for (int i = 0; i < count; i++) {
		clicks[i] = s->clicks[i];
		clicks[i].x = (float)((long long)s->clicks[i].x * r->w / s->w);
		clicks[i].y = (float)((long long)s->clicks[i].y * r->h / s->h);
	}
	infer_graph_cut_run(&r->cut, r->guess, clicks, count, r->mask);
	for (size_t i = 0; i < pixels; i++)
		r->values[i] = r->mask[i] ? 1.0f : 0.0f;
	infer_resize_f32(r->values, r->w, r->h, (struct infer_rect){0, 0, r->w, r->h}, r->answer, s->grid_w, s->grid_h,
			 s->resize_workspace);
	return r->answer;
}
