/* The tables of a sweep as CSV (RFC 4180). See report.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/atomic_file.h"
#include "train/sweep/report.h"

enum { MS = SWEEP_METRICS - 1 };

static void add_number(struct text *csv, double number)
{
	text_add(csv, ",");
	if (isfinite(number))
		text_add_number(csv, number);
}

static void add_text(struct text *csv, const char *text)
{
	text_add(csv, ",");
	if (!strpbrk(text, ",\"\n\r")) {
		text_add(csv, "%s", text);
		return;
	}
	text_add(csv, "\"");
	for (const char *c = text; *c; c++)
		text_add(csv, *c == '"' ? "\"\"" : "%c", *c);
	text_add(csv, "\"");
}

static void add_values(struct text *csv, const struct sweep_plan *plan, int trial)
{
	for (int k = 0; k < plan->space.count; k++) {
		struct text value;
		text_init(&value);
		space_add_plain(&value, &plan->space.parameters[k], plan->points[trial].at[k]);
		csv->failed |= value.failed;
		add_text(csv, value.data ? value.data : "");
		text_release(&value);
	}
}

static void add_header(struct text *csv, const struct sweep_plan *plan, const char *first, const char *middle)
{
	text_add(csv, "%s", first);
	for (int k = 0; k < plan->space.count; k++)
		text_add(csv, ",%s", plan->space.parameters[k].key);
	for (int m = 0; m < MS; m++)
		text_add(csv, ",%s", sweep_metric_names[m]);
	text_add(csv, "%s", middle);
}

static void add_trial(struct text *csv, const struct sweep_results *results, const struct trial_result *r)
{
	const struct sweep_plan *plan = results->state->plan;
	text_add(csv, "%d,", r->trial);
	if (r->rank)
		text_add(csv, "%d", r->rank);
	add_text(csv, unit_state_names[r->state]);
	text_add(csv, ",%d,%llu", r->rung + 1, (unsigned long long)r->samples);
	add_values(csv, plan, r->trial);
	for (int m = 0; m < MS; m++)
		add_number(csv, r->metrics[m]);
	add_number(csv, r->spread);
	text_add(csv, ",%s", !r->compared || isnan(results->least_difference) ? "" : r->apart ? "yes" : "no");
	add_number(csv, r->bytes);
	add_text(csv, sweep_trial_why(results->state, r->trial));
	text_add(csv, ",%.1f", r->seconds);
	add_number(csv, r->ms);
	text_add(csv, ",%s,%s\n",
		 !r->compared  ? ""
		 : r->feasible ? "yes"
			       : "no",
		 !r->compared ? ""
		 : r->front   ? "yes"
			      : "no");
}

static void add_unit(struct text *csv, const struct sweep_state *state, const struct sweep_unit *unit)
{
	const struct sweep_plan *plan = state->plan;
	const struct rung_result *result = unit->rungs ? &unit->results[unit->rungs - 1] : NULL;
	text_add(csv, "%d,%llu,%s,%d,%llu,%llu", unit->trial, (unsigned long long)plan->seeds[unit->seed_index],
		 unit_state_names[unit->state], unit->rungs, result ? (unsigned long long)result->step : 0,
		 result ? (unsigned long long)result->samples : 0);
	add_values(csv, plan, unit->trial);
	for (int m = 0; m < MS; m++)
		add_number(csv, result ? result->metrics[m] : NAN);
	add_number(csv, result && result->bytes ? (double)result->bytes : NAN);
	add_text(csv, result ? result->sha256 : "");
	add_text(csv, unit->why);
	text_add(csv, ",%.1f", result ? result->seconds : unit->seconds);
	add_number(csv, result ? result->metrics[MS] : NAN);
	text_add(csv, "\n");
}

static enum status write_text(struct text *text, const char *dir, const char *name)
{
	char path[SWEEP_PATH];
	snprintf(path, sizeof path, "%.900s/%s", dir, name);
	enum status status = text_status(text);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){text->data, text->length}, 1);
	text_release(text);
	return status;
}

enum status sweep_table_write(const struct sweep_results *results)
{
	const struct sweep_state *state = results->state;
	struct text csv;
	text_init(&csv);
	add_header(&csv, state->plan, "trial,rank,state,rung,samples",
		   ",spread,told_apart,bytes,why,seconds,ms_per_click,feasible,pareto_front\n");
	for (int t = 0; t < results->count; t++)
		add_trial(&csv, results, &results->trials[t]);
	TRY(write_text(&csv, state->dir, "trials.csv"));
	add_header(&csv, state->plan, "trial,seed,state,rung,step,samples", ",bytes,sha256,why,seconds,ms_per_click\n");
	for (int i = 0; i < state->unit_count; i++)
		add_unit(&csv, state, &state->units[i]);
	return write_text(&csv, state->dir, "runs.csv");
}
