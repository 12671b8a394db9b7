/* The curves of a run for pictures: validations, and the training IoU thinned out. */
#ifndef TRAIN_SWEEP_CURVES_H
#define TRAIN_SWEEP_CURVES_H

#include "train/record/run_log.h"
#include "train/sweep/state.h"

enum { CURVE_POINTS = 100 }; /* at most so many of the training's */

struct run_curves {
	int val_count, train_count;
	double *val_samples, (*val)[SWEEP_METRICS]; /* owned; rising samples */
	double *train_samples, *train_iou;          /* owned; means over neighbours where there were too many */
};

/* From DIR/log.jsonl of a run with this batch size; empty where there is no log. */
enum status run_curves_read(struct run_curves *curves, const char *dir, int batch_size);
/* The same of a unit, with the validations at the ends of its rungs. */
enum status unit_curves_read(struct run_curves *curves, const struct sweep_state *state, const struct sweep_unit *unit);
void run_curves_release(struct run_curves *curves);

#endif
