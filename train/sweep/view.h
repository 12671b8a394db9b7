/* What a running sweep shows the person who waits, on stderr: on a terminal a block with a line per running trial that
 * is redrawn, below what was said; elsewhere (a log file, a batch system) plain lines when something happens. */
#ifndef TRAIN_SWEEP_VIEW_H
#define TRAIN_SWEEP_VIEW_H

#include <stdio.h>

#include "train/sweep/jobs.h"

struct sweep_view {
	FILE *out; /* NULL: silent */
	bool terminal;
	int lines;            /* of the block that stands on the terminal */
	double drawn, began;  /* by clock_seconds */
	double done_at_first; /* share of the work that was done before; negative: not known yet */
};

void sweep_view_init(struct sweep_view *view, bool quiet);
/* A line that stays. */
void sweep_view_say(struct sweep_view *view, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Draws the block, or every half minute a plain line, with `jobs` running here. `force`: now. */
void sweep_view_draw(struct sweep_view *view, const struct sweep_state *state, struct sweep_job *jobs, int count,
		     bool force);
/* Takes the block away. */
void sweep_view_end(struct sweep_view *view);

/* The best trial of the highest rung that any has completed; -1: none has a result. *rung: from 0. */
int sweep_best_trial(const struct sweep_state *state, int *rung);

#endif
