/* See state.h. */
#include "train/sweep/state.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/record/run_summary.h"

const char *const unit_state_names[] = {"waiting", "running", "stopped", "finished", "diverged", "failed", NULL};

enum status sweep_state_init(struct sweep_state *state, struct sweep_plan *plan, const char *dir)
{
	*state = (struct sweep_state){.plan = plan};
	if (snprintf(state->dir, sizeof state->dir, "%s", dir) >= SWEEP_PATH - 100)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	size_t count = (size_t)plan->trials * (size_t)plan->seed_count;
	state->units = calloc(count, sizeof *state->units);
	state->allowed = calloc((size_t)plan->trials, sizeof *state->allowed);
	if (!state->units || !state->allowed) {
		sweep_state_release(state);
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", plan->trials);
	}
	for (size_t i = 0; i < count; i++) {
		state->units[i].trial = (int)i / plan->seed_count;
		state->units[i].seed_index = (int)i % plan->seed_count;
	}
	return STATUS_OK;
}

void sweep_state_release(struct sweep_state *state)
{
	free(state->units);
	free(state->allowed);
	*state = (struct sweep_state){.plan = NULL};
}

/* --- names ---------------------------------------------------------------- */

void sweep_unit_path(const struct sweep_state *state, const struct sweep_unit *unit, const char *name,
		     char path[SWEEP_PATH])
{
	snprintf(path, SWEEP_PATH, "%.900s/trials/%04d-seed%llu%s%s", state->dir, unit->trial,
		 (unsigned long long)state->plan->seeds[unit->seed_index], name ? "/" : "", name ? name : "");
}

void sweep_unit_name(const struct sweep_state *state, const struct sweep_unit *unit, char *text, size_t size)
{
	if (state->plan->seed_count == 1)
		snprintf(text, size, "trial %d", unit->trial);
	else
		snprintf(text, size, "trial %d seed %llu", unit->trial,
			 (unsigned long long)state->plan->seeds[unit->seed_index]);
}

/* --- one unit ------------------------------------------------------------- */

static double number_of(const struct json *object, const char *key)
{
	double number;
	return json_number(json_get(object, key), &number) == STATUS_OK ? number : NAN;
}

static uint64_t count_of(const struct json *object, const char *key)
{
	double number = number_of(object, key);
	return number > 0 && number < 1e18 ? (uint64_t)number : 0;
}

/* Metrics are of this step, or they are none. */
static void read_result(const struct json *root, struct rung_result *result)
{
	const struct json *metrics = json_get(root, "metrics"), *weights = json_get(root, "result");
	const char *sha256 = json_string(json_get(weights, "sha256"));
	*result = (struct rung_result){.step = count_of(root, "step"),
				       .samples = count_of(root, "samples"),
				       .seconds = number_of(root, "seconds"),
				       .bytes = count_of(weights, "bytes")};
	snprintf(result->sha256, sizeof result->sha256, "%s", sha256 ? sha256 : "");
	bool fresh = !json_get(metrics, "step") || count_of(metrics, "step") == result->step;
	for (int i = 0; i < SWEEP_METRICS; i++)
		result->metrics[i] = fresh ? number_of(metrics, sweep_metric_names[i]) : NAN;
}

enum status sweep_result_read(const char *path, struct rung_result *result)
{
	struct json *root;
	if (access(path, F_OK) != 0)
		return status_fail(STATUS_IO, "%s: there is no such file", path);
	TRY(json_read_file(path, &root));
	read_result(root, result);
	json_free(root);
	return STATUS_OK;
}

static enum status read_rungs(const struct sweep_state *state, struct sweep_unit *unit)
{
	char name[32], path[SWEEP_PATH];
	int rungs = state->plan->rung_count ? state->plan->rung_count : 1;
	for (; unit->rungs < rungs; unit->rungs++) {
		snprintf(name, sizeof name, "rung-%d.json", unit->rungs + 1);
		sweep_unit_path(state, unit, name, path);
		if (access(path, F_OK) != 0)
			return STATUS_OK;
		TRY(sweep_result_read(path, &unit->results[unit->rungs]));
	}
	return STATUS_OK;
}

/* A disk that was full is no fault of the trial: it goes on when there is room. */
static bool is_want_of_room(const char *why)
{
	return strstr(why, strerror(ENOSPC)) || strstr(why, strerror(EDQUOT));
}

static enum status probe(const struct sweep_state *state, struct sweep_unit *unit)
{
	static const char *const folders[] = {".claim", NULL};
	bool held = false;
	for (int i = 0; i < 2 && !held; i++) {
		char path[SWEEP_PATH];
		sweep_unit_path(state, unit, folders[i], path);
		TRY(run_lock_probe(path, &held, &unit->owner));
	}
	if (held)
		unit->state = UNIT_BUSY;
	return STATUS_OK;
}

/* A unit whose next rung is not complete. */
static enum status scan_open(const struct sweep_state *state, struct sweep_unit *unit)
{
	struct run_summary summary;
	char dir[SWEEP_PATH];
	unit->state = UNIT_WAITING;
	unit->why[0] = '\0';
	sweep_unit_path(state, unit, NULL, dir);
	if (access(dir, F_OK) != 0)
		return STATUS_OK;
	if (run_summary_read(&summary, dir) == STATUS_OK) { /* none, or a damaged one: as if it had not begun */
		unit->step = summary.step;
		unit->steps = summary.steps;
		unit->seconds = summary.seconds;
		if (summary.state == RUN_DIVERGED)
			unit->state = UNIT_DIVERGED;
		else if (summary.state == RUN_FAILED && !is_want_of_room(summary.why))
			unit->state = UNIT_FAILED;
		if (unit->state != UNIT_WAITING)
			snprintf(unit->why, sizeof unit->why, "%.199s", summary.why);
		run_summary_release(&summary);
	}
	return probe(state, unit);
}

enum status sweep_state_scan(struct sweep_state *state)
{
	int rungs = state->plan->rung_count ? state->plan->rung_count : 1;
	state->unit_count = state->plan->known * state->plan->seed_count;
	for (int i = 0; i < state->unit_count; i++) {
		struct sweep_unit *unit = &state->units[i];
		if (unit->state == UNIT_FINISHED)
			continue;
		TRY(read_rungs(state, unit));
		if (unit->rungs == rungs)
			unit->state = UNIT_FINISHED;
		else if (unit->rungs > state->allowed[unit->trial])
			unit->state = UNIT_RESTING;
		else
			TRY(scan_open(state, unit));
	}
	return STATUS_OK;
}

/* --- trials --------------------------------------------------------------- */

static const struct sweep_unit *units_of(const struct sweep_state *state, int trial)
{
	return &state->units[trial * state->plan->seed_count];
}

bool sweep_trial_settled(const struct sweep_state *state, int trial, int rung)
{
	for (int i = 0; i < state->plan->seed_count; i++) {
		const struct sweep_unit *unit = &units_of(state, trial)[i];
		if (unit->rungs <= rung && unit->state != UNIT_DIVERGED && unit->state != UNIT_FAILED)
			return false;
	}
	return true;
}

double sweep_trial_metric(const struct sweep_state *state, int trial, int rung, int metric)
{
	double sum = 0;
	for (int i = 0; i < state->plan->seed_count; i++) {
		const struct sweep_unit *unit = &units_of(state, trial)[i];
		sum += unit->rungs > rung ? unit->results[rung].metrics[metric] : NAN;
	}
	return sum / state->plan->seed_count;
}

double sweep_trial_bytes(const struct sweep_state *state, int trial, int rung)
{
	double sum = 0;
	for (int i = 0; i < state->plan->seed_count; i++) {
		const struct sweep_unit *unit = &units_of(state, trial)[i];
		sum += unit->rungs > rung && unit->results[rung].bytes ? (double)unit->results[rung].bytes : NAN;
	}
	return sum / state->plan->seed_count;
}

enum unit_state sweep_trial_state(const struct sweep_state *state, int trial)
{
	static const enum unit_state order[] = {UNIT_FAILED,  UNIT_DIVERGED, UNIT_BUSY,
						UNIT_WAITING, UNIT_RESTING,  UNIT_FINISHED};
	for (size_t o = 0; o < sizeof order / sizeof *order; o++)
		for (int i = 0; i < state->plan->seed_count; i++)
			if (units_of(state, trial)[i].state == order[o])
				return order[o];
	return UNIT_WAITING;
}

int sweep_trial_rung(const struct sweep_state *state, int trial)
{
	int least = SWEEP_MAX_RUNGS;
	for (int i = 0; i < state->plan->seed_count; i++)
		if (units_of(state, trial)[i].rungs < least)
			least = units_of(state, trial)[i].rungs;
	return least - 1;
}

const char *sweep_trial_why(const struct sweep_state *state, int trial)
{
	for (int i = 0; i < state->plan->seed_count; i++)
		if (units_of(state, trial)[i].why[0])
			return units_of(state, trial)[i].why;
	return "";
}
