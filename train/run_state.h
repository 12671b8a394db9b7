/* Where a run stands: what a checkpoint holds beside parameters and moments, and how both go to disk and come back. */
#ifndef TRAIN_RUN_STATE_H
#define TRAIN_RUN_STATE_H

#include "core/checkpoint.h"
#include "core/optim.h"
#include "train/config/config.h"

struct run_state {
	uint64_t step;      /* steps taken; the next sample is step * batch_size */
	uint64_t skipped;   /* steps left out because loss or gradient was not finite */
	uint64_t best_step; /* 0: no validation yet */
	double best_noc90, best_miou1;
	double smooth_loss, smooth_iou; /* moving averages for the progress line */
	uint8_t data_digest[32];        /* of the training set */
	bool validation_due;            /* saved in front of this step's validation, which is to be done on resume */
	char *history; /* what was changed on the way: JSON objects with commas between; owned; NULL: nothing */
};
void run_state_release(struct run_state *state);

/* Writes config, state, values, moments and average, atomically. */
enum status run_state_save(const char *path, const struct config *config, const struct run_state *state,
			   const struct params *params, const struct optim *optim);

/* Reads it back into allocated params and optim. Refuses a checkpoint of another config (config_check_resume), of
 * another model size, or of other training data (state->data_digest as found now is the expectation). What the config
 * changes of the saved one goes to `changes` and is added to the history. */
enum status run_state_load(const char *path, const struct config *config, struct run_state *state,
			   struct params *params, struct optim *optim, struct config_changes *changes);

/* Steps taken when the checkpoint was written. The whole file is verified. */
enum status run_state_step(const char *path, uint64_t *step);

#endif
