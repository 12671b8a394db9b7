/* The record of a run: log.jsonl (everything, one object per line), log.csv (training) and val.csv (validation),
 * each line flushed as soon as it is written. A run that is continued cuts all three back to its checkpoint's step,
 * so that a run that was killed and continued leaves the same lines as one that was not, wall-clock columns aside. */
#ifndef TRAIN_RUN_LOG_H
#define TRAIN_RUN_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"
#include "train/record/event_file.h"

/* One line of training: means over the steps since the line before, unless said otherwise. */
struct run_step {
	uint64_t step;    /* steps taken */
	uint64_t samples; /* seen so far */
	double epoch;     /* samples / objects of the training set */
	double loss;
	double lr;        /* of the last step */
	double grad_norm; /* before clipping */
	double iou;       /* of the last round's prediction, 0..1 */
	double rounds;    /* corrective rounds per sample */
	/* Wall clock: not the same in two runs. */
	double samples_per_s;
	double loader_wait; /* share of the time spent waiting for samples, 0..1 */
	double seconds;     /* since the run was started or continued */
};

/* One validation. Figures as in train/evaluate/evaluate.h. */
struct run_val {
	uint64_t step;
	uint64_t instances;
	double noc85, noc90;
	uint64_t nof90;
	double miou1, miou2, miou3, miou5, biou1; /* 0..1 */
	double ms_per_click;                      /* wall clock */
};

struct json;
struct text;
/* A validation as a JSON object with val.csv's columns as keys, and read back; what is missing becomes NaN or 0. */
void run_val_add_json(struct text *text, const struct run_val *val);
void run_val_read_json(const struct json *object, struct run_val *val);

struct run_log {
	FILE *jsonl, *csv, *val;
	struct event_file events; /* none unless run_log_write_events was called */
	char dir[1024];
};

/* Opens the log in an existing folder. resume_step 0: begins anew, whatever is there; else keeps what is there up to
 * and with this step and goes on behind it; of this step's validation only if it was `validated`. A validation must be
 * written before the checkpoint that counts it is. */
enum status run_log_open(struct run_log *log, const char *dir, uint64_t resume_step, bool validated);
/* From now on for TensorBoard too (event_file.h): what the log holds already, then each record. */
enum status run_log_write_events(struct run_log *log);
enum status run_log_step(struct run_log *log, const struct run_step *step);
enum status run_log_val(struct run_log *log, const struct run_val *val);
/* Anything else, in log.jsonl only: {"event":"skip","step":12,"text":"loss is not finite"}. */
enum status run_log_event(struct run_log *log, uint64_t step, const char *event, const char *text);
/* Allowed after a failed open, and twice. */
void run_log_close(struct run_log *log);

/* A log.jsonl read back, e.g. for the report. Lines that are no such record are passed over. */
struct run_history {
	struct run_step *steps; /* owned */
	int step_count;
	struct run_val *vals; /* owned */
	int val_count;
};
enum status run_history_read(struct run_history *history, const char *path);
void run_history_release(struct run_history *history);

#endif
