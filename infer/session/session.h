/* What a tapcut_session is inside: session.c changes it, result.c makes masks from it. */
#ifndef INFER_SESSION_H
#define INFER_SESSION_H

#include "../common/arena.h"
#include "../common/fail.h"
#include "../network/model.h"
#include "../image/preprocess.h"
#include "../image/resize.h"
#include "../tapcut.h"
#include "view.h"

/* The working resolution: the photo's long side, where it is larger. */
enum { INFER_STRIP_ROWS = 64, INFER_GRID_SIDE = 1024 };

/* One size at which the network sees the photo. */
struct infer_look {
	int fit_w, fit_h, plane_w, plane_h;
	struct infer_runner *runner;
	struct infer_box loaded; /* what the image planes show; empty: nothing */
};

/* The first click is judged from further away: a network finds the whole object best at the size it was trained on,
 * and the edge best when it is larger. */
enum { INFER_FIRST_LOOK, INFER_CLOSE_LOOK, INFER_LOOKS };

struct infer_result; /* result.c */
struct infer_refine; /* refine.c */

struct tapcut_session {
	const struct tapcut_model *model;
	struct tapcut_options options; /* without "default" left in them */
	char message[TAPCUT_MESSAGE_SIZE];

	int w, h;           /* the photo; 0: none */
	int grid_w, grid_h; /* the working resolution */
	struct infer_look looks[INFER_LOOKS];
	struct infer_click clicks[TAPCUT_MAX_CLICKS]; /* in pixels of the photo */
	int click_count;
	struct infer_look *look; /* of the last run */
	struct infer_box view;   /* of the last run, in pixels of the photo */
	_Atomic int cancelled;   /* set by any thread */
	bool may_cancel;         /* a click runs that has not been taken before */
	bool labelled;           /* the network has run on this photo, labels are there */
	bool logits_lost;        /* to a click that was cancelled: the clicks are to be taken again before the next */

	/* One allocation, cut into: */
	void *memory;
	size_t memory_bytes;
	float *probabilities;        /* grid */
	float *logits;               /* fit_w x fit_h of the look: the last run's, in `view` */
	float *strip;                /* some rows of floats */
	uint8_t *mask;               /* grid, 255 or 0 */
	uint8_t *photo;              /* h rows of 3 w bytes */
	uint8_t *fit;                /* fit_h rows of 3 fit_w bytes */
	struct infer_refine *refine; /* NULL without the option graph_cut */
	const float *answer;         /* grid: the probabilities, or what refining made of them */
	struct infer_result *result;
	uint8_t *labels;  /* grid, of a model that labels scenes; else NULL */
	float *label_row; /* fit_w pixels of the logits' map */
	void *resize_workspace;
	void *postprocess_workspace;
};

/* A box of the photo in continuous coordinates of the grid. */
static inline struct infer_rect infer_grid_rect(const struct tapcut_session *s, struct infer_box box)
{
	double x = (double)s->grid_w / s->w, y = (double)s->grid_h / s->h;
	return (struct infer_rect){box.x0 * x, box.y0 * y, box.x1 * x, box.y1 * y};
}

/* result.c: its pieces of the arena, for photos of w x h with this grid (NULL where the arena only counts). Then
 * everything is stale. */
struct infer_result *infer_result_place(struct infer_arena *arena, int w, int h, int grid_w, int grid_h);
/* The photo has come. */
void infer_result_photo(struct tapcut_session *session);
/* The clicks have changed. */
void infer_result_stale(struct infer_result *result);
/* refine.c: its pieces of the arena; the photo has come; the network's answer after so many clicks, refined. */
struct infer_refine *infer_refine_place(struct infer_arena *arena, int grid_w, int grid_h);
void infer_refine_photo(struct tapcut_session *session);
const float *infer_refine_answer(struct tapcut_session *session, int count);

/* The network's logits; NULL where the click was cancelled. Clicks that are only taken again cannot be. */
const float *infer_session_run(struct tapcut_session *session, struct infer_look *look);
/* labels.c: its pieces of the arena; the regions under the first clicks become the probabilities (false where the click
 * was cancelled). */
void infer_labels_place(struct tapcut_session *session, struct infer_arena *arena);
bool infer_labels_answer(struct tapcut_session *session, int count);

/* options.c: what is wrong with these for this model (enum tapcut_status; message may be NULL). */
enum tapcut_status infer_check_options(const struct tapcut_model *model, const struct tapcut_options *options,
				       char *message);
enum tapcut_status infer_check_feather(float pixels, char *message);

#endif
