/* How a sweep stands: read from its folder, anew whenever somebody asks. There is nothing else that could say something
 * different.
 *
 *	DIR/sweep.json, base.json       the plan (plan.h)
 *	DIR/decisions.jsonl             what was decided and why (decisions.h)
 *	DIR/trials/0007-seed1/          a unit: trial 7 with seed 1, a run as `tapcut train` leaves it
 *	    config.json                 all keys; written before it starts
 *	    output.txt                  what the trainer said, from its first line on
 *	    rung-1.json, rung-2.json    summary.json as it was at the end of each rung; never changed again
 *	    lock, .claim/lock           held by its trainer, and by the worker that looks after it (run_lock.h)
 *
 * A unit that was killed has a summary of state "running" and no lock that is held: it goes on. */
#ifndef TRAIN_SWEEP_STATE_H
#define TRAIN_SWEEP_STATE_H

#include "train/record/run_lock.h"
#include "train/sweep/plan.h"

enum unit_state {
	UNIT_WAITING,  /* there is something to do, and nobody does it */
	UNIT_BUSY,     /* somebody does it */
	UNIT_RESTING,  /* as far as its trial may go by now */
	UNIT_FINISHED, /* the last rung is done */
	UNIT_DIVERGED,
	UNIT_FAILED,
};
extern const char *const unit_state_names[];

/* What is known at the end of a rung. */
struct rung_result {
	uint64_t step, samples;
	double seconds;
	double metrics[SWEEP_METRICS]; /* NaN: not measured */
	uint64_t bytes;                /* of the weights as they are exported */
	char sha256[65];
};

struct sweep_unit {
	int trial, seed_index;
	enum unit_state state;
	int rungs; /* complete ones */
	struct rung_result results[SWEEP_MAX_RUNGS];
	/* Of summary.json; only of units whose next rung is not complete. */
	uint64_t step, steps;
	double seconds;
	char why[200];
	struct run_owner owner; /* UNIT_BUSY */
	bool cleaned;           /* keep.h has removed its checkpoints */
};

struct sweep_state {
	struct sweep_plan *plan; /* borrowed */
	char dir[SWEEP_PATH];
	struct sweep_unit *units; /* those of trial t from t * seed_count on */
	int unit_count;           /* of the trials that are known */
	int *allowed;             /* of each trial: the last rung (from 0) that it may train */
};

enum status sweep_state_init(struct sweep_state *state, struct sweep_plan *plan, const char *dir);
void sweep_state_release(struct sweep_state *state);
/* Looks at the folder. What is complete is not looked at again. */
enum status sweep_state_scan(struct sweep_state *state);

/* "DIR/trials/0007-seed1", and a file in it; `name` NULL: the folder itself. */
void sweep_unit_path(const struct sweep_state *state, const struct sweep_unit *unit, const char *name,
		     char path[SWEEP_PATH]);
/* "trial 7", or "trial 7 seed 2" where there are several. */
void sweep_unit_name(const struct sweep_state *state, const struct sweep_unit *unit, char *text, size_t size);
/* Reads the result of a summary (summary.json or a rung's). STATUS_IO where there is none. */
enum status sweep_result_read(const char *path, struct rung_result *result);

/* All its units have ended this rung, or never will. */
bool sweep_trial_settled(const struct sweep_state *state, int trial, int rung);
/* Mean over the seeds at the end of this rung; NaN where one has none. */
double sweep_trial_metric(const struct sweep_state *state, int trial, int rung, int metric);
double sweep_trial_bytes(const struct sweep_state *state, int trial, int rung);
/* The state of the units together: the worst that one has. */
enum unit_state sweep_trial_state(const struct sweep_state *state, int trial);
/* The last rung that all its units have ended; -1: none. */
int sweep_trial_rung(const struct sweep_state *state, int trial);
/* Why it has no result, "" where none is given. */
const char *sweep_trial_why(const struct sweep_state *state, int trial);

#endif
