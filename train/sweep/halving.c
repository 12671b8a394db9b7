/* See halving.h. */
#include "train/sweep/halving.h"

#include <math.h>
#include <stdlib.h>

struct ranked {
	int trial;
	double metric; /* less is better; INFINITY: no result */
	bool large;    /* more bytes than are allowed */
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	bool x_out = x->large || isinf(x->metric), y_out = y->large || isinf(y->metric);
	if (x_out != y_out)
		return x_out ? 1 : -1;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return x->trial - y->trial;
}

int halving_promoted(int count, double reduction_factor)
{
	int promoted = (int)floor(count / reduction_factor);
	return promoted < 1 ? 1 : promoted;
}

/* The trials that trained this rung, best first; *ranked is returned, the caller frees. */
static enum status rank_trials(const struct sweep_state *state, int rung, struct ranked **ranked, int *count)
{
	const struct sweep_plan *plan = state->plan;
	*count = 0;
	if (!(*ranked = calloc((size_t)plan->trials, sizeof **ranked)))
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", plan->trials);
	for (int t = 0; t < plan->known; t++) {
		if (state->allowed[t] < rung)
			continue;
		double metric = sweep_trial_metric(state, t, rung, plan->metric);
		metric = plan->maximize ? -metric : metric;
		(*ranked)[(*count)++] = (struct ranked){
			.trial = t,
			.metric = isnan(metric) ? INFINITY : metric,
			.large = sweep_trial_bytes(state, t, rung) > plan->max_bytes,
		};
	}
	qsort(*ranked, (size_t)*count, sizeof **ranked, compare);
	return STATUS_OK;
}

bool halving_is_complete(const struct sweep_state *state, int rung)
{
	for (int t = 0; t < state->plan->known; t++)
		if (state->allowed[t] >= rung && !sweep_trial_settled(state, t, rung))
			return false;
	return true;
}

enum status halving_decide(struct sweep_state *state, int *complete)
{
	const struct sweep_plan *plan = state->plan;
	for (int t = 0; t < plan->known; t++)
		state->allowed[t] = 0;
	for (*complete = 0; *complete < plan->rung_count && halving_is_complete(state, *complete); ++*complete) {
		struct ranked *ranked;
		int count;
		if (*complete + 1 == plan->rung_count)
			continue;
		TRY(rank_trials(state, *complete, &ranked, &count));
		int promoted = halving_promoted(count, plan->reduction_factor);
		for (int i = 0; i < promoted && i < count; i++)
			if (!ranked[i].large && !isinf(ranked[i].metric))
				state->allowed[ranked[i].trial] = *complete + 1;
		free(ranked);
	}
	return STATUS_OK;
}

static void explain(const struct sweep_state *state, int rung, const struct ranked *ranked, int rank, int count,
		    struct text *lines)
{
	const struct sweep_plan *plan = state->plan;
	const struct ranked *r = &ranked[rank];
	int promoted = halving_promoted(count, plan->reduction_factor);
	bool on = state->allowed[r->trial] > rung;
	text_add(lines,
		 "{\"decision\": \"rung %d\", \"samples\": %llu, \"trial\": %d, \"goes_on\": %s, \"%s\": ", rung + 1,
		 (unsigned long long)plan->rungs[rung], r->trial, on ? "true" : "false",
		 sweep_metric_names[plan->metric]);
	text_add_number(lines, plan->maximize ? -r->metric : r->metric);
	text_add(lines, ", \"rank\": %d, \"of\": %d, \"why\": ", rank + 1, count);
	struct text why;
	text_init(&why);
	if (isinf(r->metric))
		text_add(&why, "it %s: %s", unit_state_names[sweep_trial_state(state, r->trial)],
			 sweep_trial_why(state, r->trial));
	else if (r->large)
		text_add(&why, "its weights have %.0f bytes, subject_to allows %.0f",
			 sweep_trial_bytes(state, r->trial, rung), plan->max_bytes);
	else
		text_add(&why, "the best %d of %d go on to %llu samples, and it is number %d", promoted, count,
			 (unsigned long long)plan->rungs[rung + 1], rank + 1);
	text_add_json_string(lines, why.data ? why.data : "");
	lines->failed |= why.failed;
	text_release(&why);
	text_add(lines, "}\n");
}

enum status halving_explain(const struct sweep_state *state, int rung, struct text *lines)
{
	struct ranked *ranked;
	int count;
	if (rung + 1 >= state->plan->rung_count)
		return STATUS_OK;
	TRY(rank_trials(state, rung, &ranked, &count));
	for (int i = 0; i < count; i++)
		explain(state, rung, ranked, i, count, lines);
	free(ranked);
	return text_status(lines);
}
