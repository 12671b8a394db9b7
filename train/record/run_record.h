/* The summary of one run over its life: begun when the trainer begins, brought up to date with each checkpoint, ended
 * whatever the end. Rank 0 alone keeps one. */
#ifndef TRAIN_RUN_RECORD_H
#define TRAIN_RUN_RECORD_H

#include "train/record/run_summary.h"

struct run_record {
	char dir[1024];
	struct run_summary summary; /* the trainer fills in step, steps, samples, skipped and manifest */
	struct run_summary before;  /* what the folder's summary said when this began */
	bool had_before;
	double started; /* monotonic clock */
};

/* Remembers the summary of the folder (which exists) and writes one of state "running". With `resume` the earlier
 * figures are carried on; without it they are another run's. */
enum status run_record_begin(struct run_record *record, const char *dir, bool resume);
/* The validations of a run that goes on, from its log. */
enum status run_record_read_log(struct run_record *record);
/* Of training so far, all resumes together. */
double run_record_seconds(const struct run_record *record);
/* Writes the summary as it stands, state "running". */
enum status run_record_update(struct run_record *record);
/* Writes the last summary of this process. `status`: how the run ended; its message is the reason unless `why` is
 * given. `refused`: it was not even begun, and the summary of the run that is in the folder stays as it was. Returns
 * `status` with its message, or why the summary could not be written. */
enum status run_record_end(struct run_record *record, enum status status, bool refused, enum run_outcome outcome,
			   const char *why);

#endif
