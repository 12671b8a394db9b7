/* The report of a run: its curves, and what the present weights make of some photos. */
#ifndef TRAIN_RUN_REPORT_H
#define TRAIN_RUN_REPORT_H

#include "core/nn/model.h"
#include "data/dataset.h"
#include "train/config/config.h"

/* Writes out_dir/report.html from out_dir's log and from a few objects of `dataset`, each clicked up to three times. */
enum status run_report_write(const char *out_dir, const struct config *config, const struct model *model,
			     const float *values, const struct dataset *dataset);

#endif
