/* The page of sweeps and of runs that are compared: one HTML file with style, script and data in it, which loads
 * nothing. What is in page/ is compiled into the program; how page/data.js and the others use
 * the data says what they look like. */
#ifndef TRAIN_SWEEP_PAGE_H
#define TRAIN_SWEEP_PAGE_H

#include "core/text.h"
#include "train/sweep/curves.h"

/* Writes the page around its data, a JSON object; "<" in its texts is escaped here. */
enum status page_write(const char *path, const struct text *json);

/* Adds "[[samples, y], ...]": one metric's validations, the training IoU. */
void page_add_validations(struct text *json, const struct run_curves *curves, int metric);
void page_add_training(struct text *json, const struct run_curves *curves);
/* "metrics": [names]. */
void page_add_metric_names(struct text *json);

#endif
