/* See curves.h. */
#include "train/sweep/curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void metrics_of(const struct run_val *val, double metrics[SWEEP_METRICS])
{
	const double all[SWEEP_METRICS] = {val->noc85, val->noc90, (double)val->nof90, val->miou1,       val->miou2,
					   val->miou3, val->miou5, val->biou1,         val->ms_per_click};
	memcpy(metrics, all, sizeof all);
}

static bool reserve(struct run_curves *curves, int vals)
{
	curves->val_samples = calloc((size_t)vals + 1, sizeof *curves->val_samples);
	curves->val = calloc((size_t)vals + 1, sizeof *curves->val);
	curves->train_samples = calloc(CURVE_POINTS + 1, sizeof *curves->train_samples);
	curves->train_iou = calloc(CURVE_POINTS + 1, sizeof *curves->train_iou);
	return curves->val_samples && curves->val && curves->train_samples && curves->train_iou;
}

/* In as many groups of neighbours as there may be points. */
static void thin_out(struct run_curves *curves, const struct run_history *history)
{
	int groups = history->step_count < CURVE_POINTS ? history->step_count : CURVE_POINTS;
	for (int g = 0; g < groups; g++) {
		int first = (int)((int64_t)g * history->step_count / groups);
		int end = (int)((int64_t)(g + 1) * history->step_count / groups);
		double sum = 0;
		for (int i = first; i < end; i++)
			sum += history->steps[i].iou;
		curves->train_samples[g] = (double)history->steps[end - 1].samples;
		curves->train_iou[g] = sum / (end - first);
	}
	curves->train_count = groups;
}

/* A validation in its place; one at the same samples is replaced. */
static void insert(struct run_curves *curves, double samples, const double metrics[SWEEP_METRICS])
{
	int at = curves->val_count;
	while (at && curves->val_samples[at - 1] > samples)
		at--;
	if (!at || curves->val_samples[at - 1] != samples) {
		memmove(&curves->val_samples[at + 1], &curves->val_samples[at],
			(size_t)(curves->val_count - at) * sizeof *curves->val_samples);
		memmove(&curves->val[at + 1], &curves->val[at], (size_t)(curves->val_count - at) * sizeof *curves->val);
		curves->val_count++;
		at++;
	}
	curves->val_samples[at - 1] = samples;
	memcpy(curves->val[at - 1], metrics, sizeof *curves->val);
}

static enum status read_log(struct run_curves *curves, const char *dir, int batch_size, int more)
{
	char path[SWEEP_PATH + 16];
	struct run_history history = {0};
	*curves = (struct run_curves){0};
	snprintf(path, sizeof path, "%s/log.jsonl", dir);
	if (access(path, F_OK) == 0)
		TRY(run_history_read(&history, path));
	if (!reserve(curves, history.val_count + more)) {
		run_history_release(&history);
		run_curves_release(curves);
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for its curves", dir);
	}
	for (int i = 0; i < history.val_count; i++) {
		double metrics[SWEEP_METRICS];
		metrics_of(&history.vals[i], metrics);
		insert(curves, (double)history.vals[i].step * batch_size, metrics);
	}
	thin_out(curves, &history);
	run_history_release(&history);
	return STATUS_OK;
}

enum status run_curves_read(struct run_curves *curves, const char *dir, int batch_size)
{
	return read_log(curves, dir, batch_size, 0);
}

enum status unit_curves_read(struct run_curves *curves, const struct sweep_state *state, const struct sweep_unit *unit)
{
	struct config config;
	char dir[SWEEP_PATH];
	const struct sweep_plan *plan = state->plan;
	sweep_unit_path(state, unit, NULL, dir);
	TRY(sweep_plan_config(plan, &plan->points[unit->trial], unit->seed_index, &config));
	TRY(read_log(curves, dir, config.train.batch_size, unit->rungs));
	for (int r = 0; r < unit->rungs; r++)
		insert(curves, (double)unit->results[r].samples, unit->results[r].metrics);
	return STATUS_OK;
}

void run_curves_release(struct run_curves *curves)
{
	free(curves->val_samples);
	free(curves->val);
	free(curves->train_samples);
	free(curves->train_iou);
	*curves = (struct run_curves){0};
}
