/* A sweep's page, and all of its report. See report.h. */
#include "train/sweep/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "infer/tapcut.h"
#include "train/sweep/decisions.h"
#include "train/sweep/halving.h"
#include "train/sweep/page.h"

enum { MAX_DECISIONS = 100 * 1000 * 1000 };

/* --- keys ----------------------------------------------------------------- */

/* A list of numbers is drawn as numbers, anything else as choices. */
static bool is_numeric(const struct space_parameter *p)
{
	for (int i = 0; i < p->value_count; i++)
		if (p->values[i][strspn(p->values[i], "+-.0123456789eE")])
			return false;
	return true;
}

static bool is_spread_wide(const struct space_parameter *p)
{
	if (p->kind != SPACE_LIST)
		return p->kind == SPACE_LOG || p->kind == SPACE_LOG_INTEGER;
	double low = INFINITY, high = 0;
	for (int i = 0; i < p->value_count; i++) {
		double x = strtod(p->values[i], NULL);
		low = x < low ? x : low;
		high = x > high ? x : high;
	}
	return low > 0 && high / low >= 30;
}

/* A choice is a text on the page, whatever it is in the config. */
static void add_value(struct text *json, const struct space_parameter *p, double at)
{
	const char *value = p->kind == SPACE_LIST ? p->values[(int)at] : "";
	if (p->kind == SPACE_LIST && !is_numeric(p) && *value != '"')
		text_add_json_string(json, value);
	else
		space_add_value(json, p, at);
}

static void add_key(struct text *json, const struct space_parameter *p)
{
	bool numeric = is_numeric(p);
	text_add(json, "{\"key\":\"%s\",\"type\":\"%s\",\"log\":%s,\"values\":[", p->key, numeric ? "number" : "choice",
		 numeric && is_spread_wide(p) ? "true" : "false");
	for (int i = 0; i < p->value_count; i++) {
		text_add(json, i ? "," : "");
		add_value(json, p, i);
	}
	text_add(json, "]}");
}

/* --- trials --------------------------------------------------------------- */

static void add_numbers(struct text *json, const char *name, const double *numbers, int count)
{
	text_add(json, ",\"%s\":[", name);
	for (int i = 0; i < count; i++) {
		text_add(json, i ? "," : "");
		text_add_number(json, numbers[i]);
	}
	text_add(json, "]");
}

static void add_figures(struct text *json, const struct sweep_results *results, const struct trial_result *r)
{
	const struct sweep_plan *plan = results->state->plan;
	double rungs[SWEEP_MAX_RUNGS];
	for (int i = 0; i <= r->rung; i++)
		rungs[i] = sweep_trial_metric(results->state, r->trial, i, plan->metric);
	add_numbers(json, "r", rungs, r->rung + 1);
	add_numbers(json, "m", r->metrics, SWEEP_METRICS);
	text_add(json, ",\"sd\":");
	text_add_number(json, r->spread);
	text_add(json, ",\"bytes\":");
	text_add_number(json, r->bytes);
	text_add(json, ",\"ms\":");
	text_add_number(json, r->ms);
	text_add(json, ",\"samples\":%llu,\"seconds\":%.1f,\"rank\":%d", (unsigned long long)r->samples, r->seconds,
		 r->rank);
	text_add(json, ",\"compared\":%d,\"ok\":%d,\"front\":%d,\"apart\":%d", r->compared, r->feasible, r->front,
		 r->apart);
}

static enum status add_curves(struct text *json, const struct sweep_state *state, int trial)
{
	struct text training;
	enum status status = STATUS_OK;
	text_init(&training);
	text_add(json, ",\"c\":[");
	for (int s = 0; s < state->plan->seed_count && status == STATUS_OK; s++) {
		struct run_curves curves;
		status = unit_curves_read(&curves, state, &state->units[trial * state->plan->seed_count + s]);
		if (status != STATUS_OK)
			break;
		text_add(json, s ? "," : "");
		text_add(&training, s ? "," : "");
		page_add_validations(json, &curves, state->plan->metric);
		page_add_training(&training, &curves);
		run_curves_release(&curves);
	}
	text_add(json, "],\"t\":[%s]", training.data ? training.data : "");
	json->failed |= training.failed;
	text_release(&training);
	return status;
}

static enum status add_trial(struct text *json, const struct sweep_results *results, const struct trial_result *r)
{
	const struct sweep_plan *plan = results->state->plan;
	text_add(json, "{\"id\":%d,\"label\":\"%d\",\"state\":\"%s\",\"v\":[", r->trial, r->trial,
		 unit_state_names[r->state]);
	for (int k = 0; k < plan->space.count; k++) {
		text_add(json, k ? "," : "");
		add_value(json, &plan->space.parameters[k], plan->points[r->trial].at[k]);
	}
	text_add(json, "]");
	add_figures(json, results, r);
	text_add(json, ",\"why\":");
	text_add_json_string(json, sweep_trial_why(results->state, r->trial));
	TRY(add_curves(json, results->state, r->trial));
	text_add(json, "}");
	return STATUS_OK;
}

/* --- decisions ------------------------------------------------------------ */

static void add_decision(struct text *json, const struct json *root, bool first)
{
	double trial = NAN;
	bool on = false;
	const char *label = json_string(json_get(root, "decision")), *why = json_string(json_get(root, "why"));
	if (json_get(root, "trial"))
		json_number(json_get(root, "trial"), &trial);
	text_add(json, "%s[", first ? "" : ",");
	text_add_json_string(json, label ? label : "");
	text_add(json, ",");
	text_add_number(json, trial);
	text_add(json, ",");
	text_add_json_string(json, why ? why : "");
	if (json_get(root, "goes_on") && json_bool(json_get(root, "goes_on"), &on) == STATUS_OK)
		text_add(json, ",%s", on ? "true" : "false");
	text_add(json, "]");
}

static enum status add_decisions(struct text *json, const char *dir)
{
	char path[SWEEP_PATH], *text;
	size_t size;
	bool first = true;
	snprintf(path, sizeof path, "%.900s/decisions.jsonl", dir);
	if (access(path, F_OK) != 0)
		return STATUS_OK;
	TRY(file_read(path, MAX_DECISIONS, &text, &size));
	for (char *line = text, *end; (end = memchr(line, '\n', (size_t)(text + size - line))); line = end + 1) {
		struct json *root;
		if (json_parse(line, (size_t)(end - line), path, &root) != STATUS_OK)
			continue;
		add_decision(json, root, first);
		first = false;
		json_free(root);
	}
	free(text);
	return STATUS_OK;
}

/* --- the page ------------------------------------------------------------- */

static void add_limit(struct text *json, const char *name, double limit)
{
	text_add(json, "\"%s\":", name);
	text_add_number(json, limit);
}

static void add_head(struct text *json, const struct sweep_results *results)
{
	const struct sweep_plan *plan = results->state->plan;
	text_add(json, "{\"kind\":\"sweep\",\"version\":\"%s\",\"name\":", TAPCUT_VERSION);
	text_add_json_string(json, plan->name);
	text_add(json, ",\"about\":\"%s, %d trials, %d seed%s, %s %s\",\"verdict\":", sweep_method_names[plan->method],
		 plan->trials, plan->seed_count, plan->seed_count == 1 ? "" : "s",
		 plan->maximize ? "maximize" : "minimize", sweep_metric_names[plan->metric]);
	text_add_json_string(json, results->verdict);
	text_add(json, ",\"metric\":\"%s\",\"maximize\":%s,", sweep_metric_names[plan->metric],
		 plan->maximize ? "true" : "false");
	page_add_metric_names(json);
	text_add(json, ",\"limits\":{");
	add_limit(json, "bytes", plan->max_bytes);
	text_add(json, ",");
	add_limit(json, "ms", plan->max_ms);
	text_add(json, "},\"best\":%d,\"compromise\":", results->best);
	text_add_number(json, results->compromise < 0 ? NAN : results->compromise);
	text_add(json, ",\"least\":");
	text_add_number(json, results->least_difference);
	text_add(json, ",\"rungs\":[");
	for (int r = 0; r < plan->rung_count; r++)
		text_add(json, "%s%llu", r ? "," : "", (unsigned long long)plan->rungs[r]);
	text_add(json, "],\"keys\":[");
	for (int k = 0; k < plan->space.count; k++) {
		text_add(json, k ? "," : "");
		add_key(json, &plan->space.parameters[k]);
	}
	text_add(json, "]");
}

static enum status add_data(struct text *json, const struct sweep_results *results)
{
	add_head(json, results);
	text_add(json, ",\n\"decisions\":[");
	TRY(add_decisions(json, results->state->dir));
	text_add(json, "],\n\"trials\":[");
	for (int t = 0; t < results->count; t++) {
		text_add(json, t ? ",\n" : "");
		TRY(add_trial(json, results, &results->trials[t]));
	}
	text_add(json, "]}");
	return text_status(json);
}

enum status sweep_page_write(const struct sweep_results *results)
{
	char path[SWEEP_PATH];
	struct text json;
	text_init(&json);
	snprintf(path, sizeof path, "%.900s/report.html", results->state->dir);
	enum status status = add_data(&json, results);
	if (status == STATUS_OK)
		status = page_write(path, &json);
	text_release(&json);
	return status;
}

/* --- all of it ------------------------------------------------------------ */

static enum status look(struct sweep_state *state)
{
	int complete;
	TRY(sweep_state_scan(state));
	if (state->plan->method != SWEEP_HALVING)
		return STATUS_OK;
	TRY(halving_decide(state, &complete));
	return sweep_state_scan(state);
}

static enum status write_all(struct sweep_state *state, bool *sqlite, char *verdict, size_t size)
{
	struct sweep_results results;
	TRY(look(state));
	TRY(sweep_results_compute(&results, state));
	snprintf(verdict, size, "%s", results.verdict);
	enum status status = sweep_table_write(&results);
	if (status == STATUS_OK)
		status = sweep_sqlite_write(&results, sqlite);
	if (status == STATUS_OK)
		status = sweep_page_write(&results);
	sweep_results_release(&results);
	return status;
}

enum status sweep_report_write(const char *dir, bool *sqlite, char *verdict, size_t size)
{
	struct sweep_plan plan;
	struct sweep_state state;
	*sqlite = false;
	TRY(sweep_plan_open(&plan, dir));
	enum status status = STATUS_OK;
	if (plan.method == SWEEP_SEARCH)
		status = decisions_read_points(&plan, dir);
	if (status == STATUS_OK)
		status = sweep_state_init(&state, &plan, dir);
	if (status == STATUS_OK) {
		status = write_all(&state, sqlite, verdict, size);
		sweep_state_release(&state);
	}
	sweep_plan_release(&plan);
	return status;
}
