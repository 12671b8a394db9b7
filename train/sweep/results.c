/* See results.h. */
#include "train/sweep/results.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MS = SWEEP_METRICS - 1 }; /* ms_per_click in sweep_metric_names */

/* --- one trial ------------------------------------------------------------ */

static const struct sweep_unit *unit_of(const struct sweep_state *state, int trial, int seed)
{
	return &state->units[trial * state->plan->seed_count + seed];
}

static double spread_of(const struct sweep_state *state, int trial, int rung, double mean)
{
	int n = state->plan->seed_count;
	double sum = 0;
	if (n < 2 || rung < 0)
		return NAN;
	for (int i = 0; i < n; i++) {
		double d = unit_of(state, trial, i)->results[rung].metrics[state->plan->metric] - mean;
		sum += d * d;
	}
	return sqrt(sum / (n - 1));
}

static void summarise(const struct sweep_state *state, int trial, struct trial_result *r)
{
	const struct sweep_plan *plan = state->plan;
	int rung = sweep_trial_rung(state, trial);
	*r = (struct trial_result){.trial = trial, .state = sweep_trial_state(state, trial), .rung = rung};
	for (int i = 0; i < SWEEP_METRICS; i++)
		r->metrics[i] = rung < 0 ? NAN : sweep_trial_metric(state, trial, rung, i);
	for (int i = 0; i < plan->seed_count; i++) {
		const struct sweep_unit *unit = unit_of(state, trial, i);
		int last = unit->rungs - 1;
		double seconds = last < 0 ? unit->seconds : unit->results[last].seconds;
		r->seconds += isfinite(seconds) ? seconds : 0;
		if (rung >= 0 && unit->results[rung].samples > r->samples)
			r->samples = unit->results[rung].samples;
	}
	r->spread = spread_of(state, trial, rung, r->metrics[plan->metric]);
	r->bytes = rung < 0 ? NAN : sweep_trial_bytes(state, trial, rung);
	r->ms = r->metrics[MS];
	r->apart = true;
}

/* The metric, less is better. */
static double loss_of(const struct sweep_plan *plan, const struct trial_result *r)
{
	double metric = r->metrics[plan->metric];
	return plan->maximize ? -metric : metric;
}

/* --- comparison ----------------------------------------------------------- */

/* Quantile 0.975 of Student's t. */
static double t_quantile(int degrees)
{
	static const double table[] = {0,     12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
				       2.201, 2.179,  2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};
	int last = (int)(sizeof table / sizeof *table) - 1;
	if (degrees <= last)
		return table[degrees < 1 ? 1 : degrees];
	return 1.960 + 2.4 / degrees; /* within 0.004 from 21 degrees on */
}

static void find_compared(struct sweep_results *results)
{
	const struct sweep_plan *plan = results->state->plan;
	int farthest = -1;
	for (int t = 0; t < results->count; t++)
		if (isfinite(loss_of(plan, &results->trials[t])) && results->trials[t].rung > farthest)
			farthest = results->trials[t].rung;
	for (int t = 0; t < results->count; t++) {
		struct trial_result *r = &results->trials[t];
		r->compared = farthest >= 0 && r->rung == farthest && isfinite(loss_of(plan, r));
		r->feasible = r->compared && !(r->bytes > plan->max_bytes) && !(r->ms > plan->max_ms);
		results->compared += r->compared;
		results->feasible += r->feasible;
	}
}

static void pool_spread(struct sweep_results *results)
{
	int n = results->state->plan->seed_count, degrees = results->compared * (n - 1);
	double sum = 0;
	results->pooled_spread = results->least_difference = NAN;
	if (degrees < 1)
		return;
	for (int t = 0; t < results->count; t++)
		if (results->trials[t].compared)
			sum += results->trials[t].spread * results->trials[t].spread;
	results->pooled_spread = sqrt(sum / results->compared);
	results->least_difference = t_quantile(degrees) * results->pooled_spread * sqrt(2.0 / n);
}

static bool not_apart(const struct sweep_results *results, const struct trial_result *a, const struct trial_result *b)
{
	const struct sweep_plan *plan = results->state->plan;
	return fabs(loss_of(plan, a) - loss_of(plan, b)) <= results->least_difference; /* false for NaN */
}

/* No worse in anything, and better in something. What is not known is no argument. */
static bool dominates(const struct sweep_plan *plan, const struct trial_result *a, const struct trial_result *b)
{
	double x[] = {loss_of(plan, a), a->bytes, a->ms}, y[] = {loss_of(plan, b), b->bytes, b->ms};
	bool better = false;
	for (int i = 0; i < 3; i++) {
		if (x[i] > y[i])
			return false;
		better |= x[i] < y[i];
	}
	return better;
}

static void find_front(struct sweep_results *results)
{
	const struct sweep_plan *plan = results->state->plan;
	for (int t = 0; t < results->count; t++) {
		struct trial_result *r = &results->trials[t];
		r->front = r->compared;
		for (int o = 0; o < results->count && r->front; o++)
			r->front = !(results->trials[o].compared && dominates(plan, &results->trials[o], r));
	}
}

static const struct sweep_plan *ranking_plan; /* qsort has no context; set by rank_trials alone */

static int compare(const void *a, const void *b)
{
	const struct trial_result *x = *(const struct trial_result *const *)a,
				  *y = *(const struct trial_result *const *)b;
	double lx = loss_of(ranking_plan, x), ly = loss_of(ranking_plan, y);
	if (isnan(lx) != isnan(ly))
		return isnan(lx) ? 1 : -1;
	if (x->rung != y->rung)
		return y->rung - x->rung;
	if (lx != ly && !isnan(lx))
		return lx < ly ? -1 : 1;
	return x->trial - y->trial;
}

static enum status rank_trials(struct sweep_results *results)
{
	struct trial_result **order = calloc((size_t)results->count + 1, sizeof *order);
	if (!order)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", results->count);
	for (int t = 0; t < results->count; t++)
		order[t] = &results->trials[t];
	ranking_plan = results->state->plan;
	qsort(order, (size_t)results->count, sizeof *order, compare);
	for (int i = 0; i < results->count && isfinite(loss_of(ranking_plan, order[i])); i++)
		order[i]->rank = i + 1;
	results->best = results->count && order[0]->rank ? order[0]->trial : -1;
	free(order);
	return STATUS_OK;
}

static void choose(struct sweep_results *results)
{
	const struct sweep_plan *plan = results->state->plan;
	const struct trial_result *accurate = NULL, *chosen = NULL;
	for (int t = 0; t < results->count; t++) {
		const struct trial_result *r = &results->trials[t];
		if (r->feasible && (!accurate || loss_of(plan, r) < loss_of(plan, accurate)))
			accurate = r;
	}
	chosen = accurate;
	for (int t = 0; accurate && t < results->count; t++) {
		const struct trial_result *r = &results->trials[t];
		if (r->feasible && not_apart(results, r, accurate) && r->bytes < chosen->bytes)
			chosen = r;
	}
	results->compromise = chosen ? chosen->trial : -1;
	for (int t = 0; t < results->count && results->best >= 0; t++)
		if (results->trials[t].compared && t != results->best)
			results->trials[t].apart =
				!not_apart(results, &results->trials[t], &results->trials[results->best]);
}

/* --- in words ------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format, ...)
{
	va_list args;
	size_t used = strlen(text);
	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static void describe_trial(const struct sweep_results *results, int trial, char *text, size_t size)
{
	const struct sweep_plan *plan = results->state->plan;
	const struct trial_result *r = &results->trials[trial];
	add(text, size, "trial %d: %s %.4g", trial, sweep_metric_names[plan->metric], r->metrics[plan->metric]);
	if (isfinite(r->spread))
		add(text, size, " \u00b1 %.2g over %d seeds", r->spread, plan->seed_count);
	if (isfinite(r->bytes))
		add(text, size, ", %.0f bytes", r->bytes);
	if (isfinite(r->ms))
		add(text, size, ", %.3g ms per click", r->ms);
}

static void describe_limits(const struct sweep_plan *plan, char *text, size_t size)
{
	if (isfinite(plan->max_bytes))
		add(text, size, "%.0f bytes", plan->max_bytes);
	if (isfinite(plan->max_ms))
		add(text, size, "%s%.4g ms per click", isfinite(plan->max_bytes) ? " and " : "", plan->max_ms);
}

static void describe_ties(const struct sweep_results *results, char *text, size_t size)
{
	int ties = 0;
	for (int t = 0; t < results->count; t++)
		ties += results->trials[t].compared && !results->trials[t].apart;
	if (isnan(results->least_difference)) {
		add(text, size, " With one seed nobody can say which differences are chance.");
	} else if (!ties) {
		add(text, size, " It is told apart from all others (at 95 %%, more than %.2g).",
		    results->least_difference);
	} else {
		add(text, size, " Not told apart from the best, trial %d: ", results->best);
		for (int t = 0, shown = 0; t < results->count && shown < 9; t++)
			if (results->trials[t].compared && !results->trials[t].apart)
				add(text, size, shown++ ? ", %d" : "%d", t);
		add(text, size, "%s (they differ by no more than %.2g, at 95 %%).", ties > 9 ? ", ..." : "",
		    results->least_difference);
	}
}

static void judge(struct sweep_results *results)
{
	const struct sweep_plan *plan = results->state->plan;
	char *text = results->verdict;
	size_t size = sizeof results->verdict;
	bool limits = isfinite(plan->max_bytes) || isfinite(plan->max_ms);
	if (results->best < 0) {
		add(text, size, "No trial has a result yet.");
		return;
	}
	if (results->compromise < 0) {
		add(text, size, "None feasible: of %d trials that are compared, none keeps within ", results->compared);
		describe_limits(plan, text, size);
		add(text, size, ". The most accurate one without limits is ");
		describe_trial(results, results->best, text, size);
	} else {
		add(text, size, "%s ", limits ? "Best compromise:" : "Best:");
		describe_trial(results, results->compromise, text, size);
		if (limits) {
			add(text, size, "; within ");
			describe_limits(plan, text, size);
			add(text, size, ", as %d of %d are", results->feasible, results->compared);
		}
		if (results->compromise != results->best)
			add(text, size, ". The most accurate is trial %d, %.4g", results->best,
			    results->trials[results->best].metrics[plan->metric]);
	}
	add(text, size, ".");
	describe_ties(results, text, size);
}

enum status sweep_results_compute(struct sweep_results *results, const struct sweep_state *state)
{
	*results = (struct sweep_results){.state = state, .count = state->plan->known, .best = -1, .compromise = -1};
	results->trials = calloc((size_t)results->count + 1, sizeof *results->trials);
	if (!results->trials)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", results->count);
	for (int t = 0; t < results->count; t++)
		summarise(state, t, &results->trials[t]);
	find_compared(results);
	pool_spread(results);
	find_front(results);
	enum status status = rank_trials(results);
	choose(results);
	judge(results);
	if (status != STATUS_OK)
		sweep_results_release(results);
	return status;
}

void sweep_results_release(struct sweep_results *results)
{
	free(results->trials);
	*results = (struct sweep_results){.best = -1, .compromise = -1};
}
