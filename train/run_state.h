/* Where a run stands: what a checkpoint holds beside parameters and moments, and how both go to disk and come back. */
#ifndef TRAIN_RUN_STATE_H
#define TRAIN_RUN_STATE_H

#include "core/checkpoint.h"
#include "core/optim.h"
#include "train/config/config_file.h"

struct run_state {
	uint64_t step;      /* steps taken; the next sample is step * batch_size */
	uint64_t skipped;   /* steps left out because loss or gradient was not finite */
	uint64_t best_step; /* 0 before the first validation */
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

/* The state of another run for one that branches off: step, parameters, moments and average, all by name. What
 * is best and what the data were is not taken over. Refuses a checkpoint of another kind of optimiser. */
enum status run_state_branch(const char *path, struct run_state *state, struct params *params, struct optim *optim);

/* The config that the parameters of a checkpoint were made with: that of its stage. */
enum status run_state_config(const struct checkpoint *checkpoint, const char *path, struct config *config);

/* What a checkpoint says of where its run stood, but for the history. */
enum status run_state_find(const struct checkpoint *checkpoint, struct run_state *state);

/* Steps taken when the checkpoint was written. The whole file is verified. */
enum status run_state_step(const char *path, uint64_t *step);

#endif
