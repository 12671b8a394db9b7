/* Early stopping: a run ends when so many validations in a row have brought nothing better (train.patience,
 * train.patience_metric). Only validations of eval.every count, so that it makes no difference where a run was
 * stopped. */
#ifndef TRAIN_PATIENCE_H
#define TRAIN_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "train/config/config.h"
#include "train/record/run_log.h"

struct patience {
	const struct config *config;
	uint64_t best_step; /* 0: none yet */
	double best;
	int since; /* validations since the best one */
};

/* No validation yet. */
void patience_init(struct patience *patience, const struct config *config);
/* Those of a log, for a run that goes on. */
enum status patience_read_log(struct patience *patience, const char *log_path);
void patience_add(struct patience *patience, const struct run_val *val);
/* Whether the run is to end, and the sentence that says why. */
bool patience_is_over(const struct patience *patience);
void patience_describe(const struct patience *patience, char *text, size_t size);

/* What train.patience_metric may be; NULL-terminated. */
extern const char *const patience_metrics[];

#endif
