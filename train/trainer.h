/* The training run: data in, checkpoints, log, report and weights out. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "train/config/config.h"
#include "train/ranks.h"

/* What a run would be and take, measured on a few steps of it. Bytes are of files, or of memory. */
struct train_estimate {
	char data[512]; /* the set in words, as tapcut data prints it */
	int objects, photos, validation_objects;
	size_t parameters;
	double multiply_adds;         /* forward, per sample */
	uint64_t steps, samples;      /* still to do */
	int validations;              /* the same */
	double step_seconds;          /* of one step, mean of those measured */
	double validation_seconds;    /* of one validation; an upper bound: this network still needs all its clicks */
	uint64_t memory;              /* of this process at its peak */
	uint64_t checkpoint, weights; /* a checkpoint; the exported weights, before they are compressed */
	uint64_t disk;                /* all files of the run together */
};

struct train_options {
	const char *out_dir;
	int threads;         /* workers; 0 means all processors, shared among the ranks of a machine */
	struct ranks *ranks; /* NULL: this process trains alone */
	bool resume;         /* continue from out_dir/last.ckpt if it is there */
	bool quiet;          /* no progress line */
	uint64_t until_step; /* stop, with a checkpoint and a validation, after this step; 0: at train.steps */
	/* not NULL: nothing is trained and nothing is written; a few steps are measured, and this is filled in */
	struct train_estimate *estimate;
	/* set by a signal handler: checkpoint and return STATUS_INTERRUPTED; may be NULL */
	const volatile sig_atomic_t *stop;
};

/* Leaves in out_dir: config.json, log.jsonl, log.csv, val.csv, summary.json, manifest.json, photos.csv, last.ckpt,
 * best.ckpt, final.tapcut, report.html. A run that stops after until_step leaves no final.tapcut, and going on with it
 * gives the same bytes as if it had not stopped. Called by all ranks; rank 0 alone writes, and validates while the
 * others wait. */
enum status train_run(const struct config *config, const struct train_options *options);

#endif
