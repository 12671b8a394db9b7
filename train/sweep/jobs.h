/* A trial's training as a child process: `tapcut train` of this same program, in the trial's folder, with what it says
 * in output.txt. It gets SIGTERM when its worker dies, so that it saves and ends. */
#ifndef TRAIN_SWEEP_JOBS_H
#define TRAIN_SWEEP_JOBS_H

#include <sys/types.h>

#include "train/sweep/state.h"

struct sweep_job {
	struct sweep_unit *unit; /* borrowed; NULL: none */
	struct run_lock claim;
	pid_t pid;
	int rung;        /* from 0: what it is to complete */
	uint64_t target; /* step at the end of the rung */
	uint64_t start;  /* step at which it began */
	int batch_size;
	double started; /* by clock_seconds */
	/* Of its log, brought up to date by sweep_job_look. */
	uint64_t step;
	double iou, loss; /* NaN: not known yet */
};

enum sweep_job_end {
	JOB_RUNS,
	JOB_DONE,    /* the rung is complete */
	JOB_STOPPED, /* by a signal; the unit can go on */
	JOB_DIVERGED,
	JOB_FAILED,
	JOB_TAKEN, /* another trainer is in its folder */
};

/* Claims a unit and starts to train its next rung. *started is false where another worker has it, or where it turns out
 * to be done. `program`: the tapcut program. */
enum status sweep_job_start(struct sweep_job *job, const struct sweep_state *state, struct sweep_unit *unit,
			    const char *program, int threads, bool *started);
/* Looks whether it has ended. When it has, the rung's result is put down and the claim given up. `why` says why it
 * failed. STATUS_IO and the like: the machine's fault (a full disk), the whole sweep's affair. */
enum status sweep_job_poll(struct sweep_job *job, const struct sweep_state *state, enum sweep_job_end *end, char *why,
			   size_t size);
/* Puts down that a unit has failed, where its trainer could not do so by itself. */
enum status sweep_job_give_up(const struct sweep_state *state, const struct sweep_unit *unit, const char *why);
/* Step and figures of a running job from its log. */
void sweep_job_look(struct sweep_job *job, const struct sweep_state *state);

#endif
