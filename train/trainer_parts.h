/* What a training run is made of, for the files train/trainer_*.c alone: trainer_run.c is the run from beginning to
 * end, the others are its parts. */
#ifndef TRAIN_TRAINER_PARTS_H
#define TRAIN_TRAINER_PARTS_H

#include <stdio.h>

#include "train/batch.h"
#include "train/config/config_file.h"
#include "train/finite.h"
#include "train/init_weights.h"
#include "train/objective.h"
#include "train/patience.h"
#include "train/record/photo_record.h"
#include "train/record/progress.h"
#include "train/record/run_log.h"
#include "train/record/run_manifest.h"
#include "train/record/run_record.h"
#include "train/run_state.h"
#include "train/trainer.h"

struct draw; /* data/draw.h */

struct trainer {
	const struct config *config; /* the whole run's */
	struct config *now;          /* as it holds in the stage that the model and the batch are built for */
	int stage;
	const struct train_options *options;
	struct ranks *ranks;
	int threads;
	struct dataset train, val; /* val.object_count == 0: no validation */
	struct draw *draw;         /* NULL: every object once per epoch */
	struct params params;
	struct model model;
	struct init_weights init;      /* what init.weights gave */
	struct config_changes changes; /* what is otherwise than in the checkpoint that the run goes on from */
	struct finite_watch watch;
	struct patience patience; /* rank 0's; all know whether it is over */
	bool patience_over;
	struct objective objective;
	struct optim optim;
	struct workers *workers;
	struct batch batch;
	struct loader *loader;
	struct run_log log;
	struct run_record record;
	struct run_manifest manifest;
	struct photo_digests *photos; /* of the training set */
	int photos_written;           /* how many are in photos.csv */
	bool ready;                   /* all is set up: the state is that of the run */
	struct progress progress;
	struct run_state state;
	double started;
	/* Since the last log line. */
	double interval_start, interval_loss, interval_iou, interval_wait;
	int interval_steps, interval_samples, interval_rounds;
};

/* Rank 0 alone writes files, validates and speaks. */
static inline bool trainer_leads(const struct trainer *trainer)
{
	return trainer->ranks->rank == 0;
}

static inline void trainer_out_path(const struct trainer *trainer, const char *name, char path[1024])
{
	snprintf(path, 1024, "%s/%s", trainer->options->out_dir, name);
}

/* The samples that this run has taken: the number of the next one. */
static inline uint64_t trainer_samples_taken(const struct trainer *trainer)
{
	return config_samples(trainer->config, trainer->state.step);
}

static inline bool trainer_due(uint64_t number, int every)
{
	return every > 0 && number % (uint64_t)every == 0;
}

/* The step after which this process ends. */
static inline uint64_t trainer_end_step(const struct trainer *trainer)
{
	uint64_t steps = trainer->config->train.steps, until = trainer->options->until_step;
	return until && until < steps ? until : steps;
}

/* --- trainer_setup.c: all that a run stands on --------------------------------- */

/* Before a step: has its stage begun? Called by all ranks; all find the same. */
enum status trainer_enter_stage(struct trainer *trainer);
/* What going on with another length means: the schedules are curves over the whole length, the constant one is not. */
const char *trainer_length_note(const struct trainer *trainer, const struct config_change *change);
/* Whether all ranks have the same weights, to the bit. */
enum status trainer_compare_weights(struct trainer *trainer);
/* Ranks that began with different files or arguments would end with weights that nobody asked for. */
enum status trainer_set_up(struct trainer *trainer);
/* After set-up, whether it succeeded or not. */
void trainer_tear_down(struct trainer *trainer);

/* --- trainer_step.c: one step -------------------------------------------------- */

/* A signal has asked this process to stop. */
bool trainer_must_stop(const struct trainer *trainer);
/* STATUS_INTERRUPTED, with a message that says where the run stands. */
enum status trainer_asked_to_stop(const struct trainer *trainer);
/* The samples of the next step. STATUS_INTERRUPTED on all ranks when one of them has been asked to stop. */
enum status trainer_load(struct trainer *trainer);
/* The first steps only measure the ranges of values. */
bool trainer_quantizes(const struct trainer *trainer);
/* One step of the optimiser: load, compute, check, update, log. */
enum status trainer_step(struct trainer *trainer);

/* --- trainer_record.c: checkpoints, validations, manifest, report, weights ----- */

/* A checkpoint of that name in the folder of the run. */
enum status trainer_save(const struct trainer *trainer, const char *name);
/* Where the run stands, into the summary. */
void trainer_describe_position(struct trainer *trainer);
/* The manifest as the run stands, in its file and in the summary. */
enum status trainer_write_manifest(struct trainer *trainer);
/* SHA-256 of the weights after this step, into the manifest. */
void trainer_note_weights(struct trainer *trainer);
/* last.ckpt, and where it stands in manifest and summary. */
enum status trainer_save_last(struct trainer *trainer);
/* A checkpoint that stays. */
enum status trainer_save_step(const struct trainer *trainer);
/* report.html: the curves, and pictures of what the weights select. */
enum status trainer_write_report(struct trainer *trainer);
/* A checkpoint, the validation that is due, a checkpoint that knows of it. The first one is there because a validation
 * may take minutes: who is asked to stop meanwhile, or killed, loses nothing but the validation. */
enum status trainer_save_and_validate(struct trainer *trainer);
/* The weights as they are exported, and what the summary says of them. `file`: final.tapcut, which is written, or what
 * they were taken from. */
enum status trainer_export(struct trainer *trainer, const char *file, bool write);

/* --- trainer_photos.c: have all ranks read the same files? ---------------------- */

/* Each rank has read the photos of its own slots. Rank 0 notes them all, and finds one that is not the same for all. */
enum status trainer_share_photos(struct trainer *trainer);
/* Rank 0 has all photos' digests but has not read those of other ranks: are they the files that it would read? */
enum status trainer_check_foreign_photos(struct trainer *trainer);

/* --- trainer_estimate.c: what a run would take --------------------------------- */

/* options->estimate: what the run would take, from a few steps of it. Nothing is written. */
enum status trainer_estimate(struct trainer *trainer);

#endif
