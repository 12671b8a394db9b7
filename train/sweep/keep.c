/* See keep.h. */
#include "train/sweep/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/sweep/halving.h"

struct done {
	int trial, rung;
	double metric; /* less is better; INFINITY: none */
};

static int compare(const void *a, const void *b)
{
	const struct done *x = a, *y = b;
	if (x->rung != y->rung)
		return y->rung - x->rung;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return x->trial - y->trial;
}

/* Nothing more will be trained of it, as far as anybody knows. */
static bool is_done(const struct sweep_state *state, int trial)
{
	enum unit_state s = sweep_trial_state(state, trial);
	int rung = sweep_trial_rung(state, trial);
	return s == UNIT_FINISHED || s == UNIT_DIVERGED ||
	       (s == UNIT_RESTING && rung >= 0 && halving_is_complete(state, rung));
}

static bool has(const struct sweep_state *state, const struct sweep_unit *unit, const char *name)
{
	char path[SWEEP_PATH];
	sweep_unit_path(state, unit, name, path);
	return access(path, F_OK) == 0;
}

static void exec_export(const char *program, const char *from, const char *to)
{
	const char *arguments[] = {program, "export", from, "-o", to, "--weights", "f32", NULL};
	int null = open("/dev/null", O_RDWR);
	if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2)
		execv(program, (char *const *)arguments);
	_exit(1);
}

static bool export_weights(const struct sweep_state *state, const struct sweep_unit *unit, const char *program)
{
	char from[SWEEP_PATH], to[SWEEP_PATH];
	int status = 1;
	sweep_unit_path(state, unit, "last.ckpt", from);
	sweep_unit_path(state, unit, "weights.tapcut", to);
	pid_t pid = fork();
	if (pid == 0)
		exec_export(program, from, to);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Checkpoints go only where the weights are safe. */
static void clean(const struct sweep_state *state, struct sweep_unit *unit, const char *program)
{
	char path[SWEEP_PATH];
	unit->cleaned = true;
	bool safe = has(state, unit, "final.tapcut") || has(state, unit, "weights.tapcut") ||
		    !has(state, unit, "last.ckpt") || unit->state == UNIT_DIVERGED ||
		    export_weights(state, unit, program);
	for (int i = 0; safe && i < 2; i++) {
		sweep_unit_path(state, unit, i ? "best.ckpt" : "last.ckpt", path);
		unlink(path);
	}
}

enum status sweep_keep(struct sweep_state *state, const char *program)
{
	const struct sweep_plan *plan = state->plan;
	int count = 0;
	if (plan->keep < 0)
		return STATUS_OK;
	struct done *done = calloc((size_t)plan->trials, sizeof *done);
	if (!done)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", plan->trials);
	for (int t = 0; t < plan->known; t++) {
		if (!is_done(state, t))
			continue;
		int rung = sweep_trial_rung(state, t);
		double metric = rung < 0 ? NAN : sweep_trial_metric(state, t, rung, plan->metric);
		metric = plan->maximize ? -metric : metric;
		done[count++] = (struct done){t, rung, isnan(metric) ? INFINITY : metric};
	}
	qsort(done, (size_t)count, sizeof *done, compare);
	for (int i = plan->keep; i < count; i++)
		for (int s = 0; s < plan->seed_count; s++) {
			struct sweep_unit *unit = &state->units[done[i].trial * plan->seed_count + s];
			if (!unit->cleaned)
				clean(state, unit, program);
		}
	free(done);
	return STATUS_OK;
}
