/* The report of a run: its curves, and what the present weights make of some photos. */
#ifndef TRAIN_RUN_REPORT_H
#define TRAIN_RUN_REPORT_H

#include "core/nn/model.h"
#include "data/dataset.h"
#include "infer/tapcut.h"
#include "train/config/config.h"
#include "train/record/report.h"
#include "train/record/report_picture.h"

/* Writes out_dir/report.html from out_dir's log and from a few objects of `dataset`, each clicked up to three times. */
enum status run_report_write(const char *out_dir, const struct config *config, const struct model *model,
			     const float *values, const struct dataset *dataset, const struct report_fact *facts,
			     int fact_count);

/* Object `index` of the dataset, clicked by the robot until its mask is good or so many clicks are used up. What the
 * sample borrows is its own; release it, on failure too. */
enum status run_report_sample(struct tapcut_session *session, const struct dataset *dataset, int index, int most_clicks,
			      struct report_sample *sample);
void run_report_release_sample(struct report_sample *sample);

#endif
