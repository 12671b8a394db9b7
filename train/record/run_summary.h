/* How a run fares or ended, for programs: DIR/summary.json, whole at any time (it is written beside and renamed).
 *
 * It is written when a run begins (state "running"), with each checkpoint, and at the end, whatever the end. A reader
 * that finds "running" and no lock held (run_lock_probe) knows that the run was killed. train/README.md describes the
 * keys. */
#ifndef TRAIN_RUN_SUMMARY_H
#define TRAIN_RUN_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "train/record/run_log.h"

enum run_outcome {
	RUN_RUNNING,
	RUN_FINISHED, /* all its steps, or ended early by train.patience */
	RUN_STOPPED,  /* on request; it can go on */
	RUN_DIVERGED, /* loss or gradient was not finite, and so ended it or left most steps out */
	RUN_FAILED,   /* anything else: a damaged photo, a full disk */
};
extern const char *const run_outcome_names[]; /* "running", ...; NULL-terminated */

struct run_summary {
	enum run_outcome state;
	char why[512];
	long pid; /* of the trainer that wrote it */
	char host[64];
	uint64_t step, steps, samples;
	uint64_t skipped;             /* steps left out because loss or gradient was not finite */
	double seconds;               /* of training, all resumes together */
	bool has_metrics;             /* there was a validation */
	struct run_val metrics, best; /* the last one, and the best of the log */
	struct {
		char file[32]; /* "final.tapcut", or "last.ckpt" where the run stopped; "": none */
		uint64_t bytes;
		char sha256[65]; /* of the weights as they are exported */
	} result;
	char *manifest; /* JSON object to embed; owned; NULL: none */
};

/* A summary that says nothing; this process and this machine are in it. */
void run_summary_init(struct run_summary *summary);
void run_summary_release(struct run_summary *summary);

enum status run_summary_write(const struct run_summary *summary, const char *dir);
/* STATUS_IO where there is none, STATUS_FORMAT where it is damaged. */
enum status run_summary_read(struct run_summary *summary, const char *dir);

/* Digest and size of weights as they are exported. */
void run_summary_set_result(struct run_summary *summary, const char *file, const void *data, size_t size);
/* Takes over a validation as the last one, and as the best one if it is better. */
void run_summary_add_validation(struct run_summary *summary, const struct run_val *val);
/* Fewer clicks are better; among equals the better first tap. */
bool run_val_is_better(const struct run_val *a, const struct run_val *b);

#endif
