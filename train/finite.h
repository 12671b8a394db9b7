/* What a run does about a step whose loss or gradient is not finite: it ends and says what can be done
 * (train.nan_policy "stop"), or leaves the step out ("skip") unless too many are. */
#ifndef TRAIN_FINITE_H
#define TRAIN_FINITE_H

#include <stdbool.h>
#include <stdint.h>

#include "train/config/config.h"

/* More than so many in a row are no accident of a batch. */
enum { FINITE_MAX_SKIPPED_IN_A_ROW = 100 };

struct finite_watch {
	uint64_t skipped_in_a_row;
	bool diverged; /* that is what ended the run */
	/* For the advice; the trainer keeps them up to date. */
	bool has_checkpoint; /* there is a last.ckpt */
	uint64_t checkpoint_step;
	uint64_t best_step; /* of best.ckpt; 0 where there is none */
};

/* `step`: the one under way, counted from 1. *usable: it may change the weights. A failure ends the run, and its
 * message says how to go on. */
enum status finite_check(struct finite_watch *watch, const struct config *config, uint64_t step, double loss,
			 double norm, bool *usable);
/* At the end of a run of `steps` steps: a failure if most of them were left out. */
enum status finite_judge(struct finite_watch *watch, uint64_t skipped, uint64_t steps);

#endif
