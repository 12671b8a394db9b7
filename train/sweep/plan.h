/* A sweep as its file says it: what is varied, how trials are chosen, how long they train, what is best.
 *
 * A trial is one point of the space (space.h). It is trained once per seed; each of these trainings is a unit with a
 * folder of its own. Its length is cut into rungs: at each, it stops with a checkpoint and a validation, and goes on
 * if the sweep's method says so. docs/sweeps.md describes the file. */
#ifndef TRAIN_SWEEP_PLAN_H
#define TRAIN_SWEEP_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "train/config/config.h"
#include "train/sweep/space.h"

enum {
	SWEEP_MAX_TRIALS = 10000,
	SWEEP_MAX_SEEDS = 16,
	SWEEP_MAX_RUNGS = 8,
	SWEEP_PATH = 1024,
};

enum sweep_method {
	SWEEP_GRID,
	SWEEP_RANDOM,
	SWEEP_HALVING, /* synchronous successive halving (Jamieson and Talwalkar, AISTATS 2016) */
	SWEEP_SEARCH,  /* tree-structured Parzen estimators (Bergstra et al., NIPS 2011), in rounds */
};
extern const char *const sweep_method_names[]; /* NULL-terminated */

/* What a validation measures, in the order of summary.json. */
extern const char *const sweep_metric_names[]; /* NULL-terminated */
enum { SWEEP_METRICS = 9 };

struct sweep_plan {
	char name[64];
	char path[SWEEP_PATH]; /* of its file, for messages */
	char base[SWEEP_PATH]; /* the config that the trials change */
	char **set;            /* "KEY=JSON" for all trials; owned */
	int set_count;
	struct space space;
	enum sweep_method method;
	uint64_t seed; /* of the choice of trials */
	int trials;
	struct space_point *points; /* of trial 0 .. known - 1; owned; `trials` of them */
	int known;                  /* all trials, but with SWEEP_SEARCH only those of the rounds chosen so far */
	uint64_t seeds[SWEEP_MAX_SEEDS];
	int seed_count;
	int metric; /* index into sweep_metric_names */
	bool maximize;
	double max_bytes, max_ms;        /* subject_to; INFINITY: no limit */
	uint64_t rungs[SWEEP_MAX_RUNGS]; /* samples seen at the end of each; 0: as long as train.steps says */
	int rung_count;
	double reduction_factor; /* SWEEP_HALVING: one in so many goes on */
	int round_size;          /* SWEEP_SEARCH: trials chosen together */
	int keep;                /* checkpoints of so many best trials; -1: all */
	int equal_failures;      /* so many at the start, and the sweep gives up */
	char *text;              /* the file as JSON; owned */
};

/* Reads the file and the base config and checks both, and chooses the trials that can be chosen now. `base`: use this
 * config, with all of "set" in it already, in place of the file's; NULL: the file's, looked for from the working
 * directory, then beside the file. */
enum status sweep_plan_load(struct sweep_plan *plan, const char *path, const char *base);
void sweep_plan_release(struct sweep_plan *plan);

/* Key, value, default and meaning of every key of a sweep's file, as docs/sweeps.md has them. */
void sweep_plan_print_keys(FILE *out);

/* The config of a trial; `point` may be one that is only considered. */
enum status sweep_plan_config(const struct sweep_plan *plan, const struct space_point *point, int seed_index,
			      struct config *config);
/* The step at which a trial with this config ends a rung. */
uint64_t sweep_plan_rung_step(const struct sweep_plan *plan, const struct config *config, int rung);

/* What a trial will need, from its network. */
struct sweep_estimate {
	double parameters;
	double macs;    /* multiply-adds of training on one sample */
	double bytes;   /* on the disk while it trains */
	double weights; /* bytes that its weights file has at least */
	uint64_t samples;
};
/* Checks config, network and files of every known trial; with SWEEP_SEARCH also all values of each key in turn. The
 * message names the trial. `estimates`: one for each known trial, or NULL. */
enum status sweep_plan_check(const struct sweep_plan *plan, struct sweep_estimate *estimates);
/* The network of one config: can it be built, and how much is it? */
enum status sweep_plan_check_network(const struct config *config, struct sweep_estimate *estimate);

/* Puts the sweep into its folder (made if need be), as DIR/sweep.json and DIR/base.json, or compares it with the one
 * that is there: name, keep, subject_to and equal_failures may differ, trials and seeds may grow; for anything else
 * STATUS_CONFIG names what differs. Trials that are in the folder keep their values in any case. */
enum status sweep_plan_store(const struct sweep_plan *plan, const char *dir);
/* The plan of a sweep's folder. */
enum status sweep_plan_open(struct sweep_plan *plan, const char *dir);

#endif
