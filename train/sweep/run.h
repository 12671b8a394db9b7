/* Runs a sweep: takes what is to be done from the state of its folder, trains it in child processes, decides, and ends
 * when nothing is left. Any number of these may be at work in one folder, on any number of machines that share it; each
 * may be killed at any time, and another one goes on. */
#ifndef TRAIN_SWEEP_RUN_H
#define TRAIN_SWEEP_RUN_H

#include <signal.h>

#include "train/sweep/plan.h"

struct sweep_run_options {
	const char *dir;     /* the sweep's folder; the plan is stored in it (sweep_plan_store) */
	const char *program; /* the tapcut program */
	int workers;         /* trials at a time, at least 1 */
	int threads;         /* of each; 0: all processors, shared among the workers */
	bool retry_failed;   /* failed units are tried again, once */
	int only_trial;      /* train this trial alone, as far as it may go by now; -1: all */
	bool quiet;
	/* Set by a signal handler: stop what runs here, with checkpoints. */
	const volatile sig_atomic_t *stop;
};

/* STATUS_OK: nothing is left to do. STATUS_INTERRUPTED: asked to stop; all is saved. Anything else: why the sweep
 * cannot go on. Trials that diverge or fail are no reason: the report shows them. */
enum status sweep_run(struct sweep_plan *plan, const struct sweep_run_options *options);

#endif
