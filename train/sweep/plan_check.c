/* What can be known to fail is said before the first trial runs. See plan.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/graph.h"
#include "train/config/config_file.h"
#include "train/objective.h"
#include "train/sweep/plan.h"

enum status sweep_plan_check_network(const struct config *config, struct sweep_estimate *estimate)
{
	struct params params;
	struct model model = {0};
	struct objective objective;
	int size = config->train.size;
	params_init(&params);
	enum status status = model_build(&model, &params, &config->model, config->train.slot_size, size, size);
	if (status == STATUS_OK)
		status = objective_add(&objective, &model, config);
	if (status == STATUS_OK)
		status = graph_plan(&model.graph, GRAPH_TRAINING);
	if (status == STATUS_OK && estimate) {
		double passes =
			3 + 0.5 * config->max_corrective_rounds; /* forward, two backward; rounds are forward only */
		double average = config->optim.ema_decay > 0;
		double copies = 2 + (config->optim.kind == OPTIM_SGD ? 0 : 1) + average;
		estimate->parameters = (double)params.total;
		estimate->macs = passes * model.graph.forward_macs / config->train.slot_size;
		estimate->samples = config->train.steps * (uint64_t)config->train.batch_size;
		/* last.ckpt and best.ckpt, the weights, log and report */
		/* in float, compressed, three bytes and a half; in 8 bits less than one */
		estimate->weights = config->model.quantize ? 0 : 3 * estimate->parameters;
		estimate->bytes = 4.0 * estimate->parameters * (2 * copies + 1) + 500e3;
	}
	model_release(&model);
	params_release(&params);
	return status;
}

/* "trial 7 (optim.lr 0.5, ...): " before the message. */
static enum status name_trial(const struct sweep_plan *plan, enum status status, int trial,
			      const struct space_point *point)
{
	struct text text;
	text_init(&text);
	space_add_settings(&text, &plan->space, point);
	status_wrap(status, "%s: trial %d (%.300s)", plan->path, trial, text.data ? text.data : "");
	text_release(&text);
	return status;
}

static enum status check_point(const struct sweep_plan *plan, int trial, const struct space_point *point,
			       struct sweep_estimate *estimate)
{
	struct config config;
	enum status status = sweep_plan_config(plan, point, 0, &config);
	if (status == STATUS_OK)
		status = sweep_plan_check_network(&config, estimate);
	if (status == STATUS_OK && (trial == 0 || config.init_trunk[0]))
		status = config_check_training(&config);
	return status == STATUS_OK ? status : name_trial(plan, status, trial, point);
}

/* A sequential search has not chosen its points yet: each value of each key, the others as in trial 0. */
static enum status check_values(const struct sweep_plan *plan)
{
	for (int i = 0; i < plan->space.count; i++) {
		const struct space_parameter *p = &plan->space.parameters[i];
		int count = p->kind == SPACE_LIST ? p->value_count : 2;
		for (int j = 0; j < count; j++) {
			struct space_point point = plan->points[0];
			point.at[i] = p->kind == SPACE_LIST ? j : j ? p->max : p->min;
			TRY(check_point(plan, 0, &point, NULL));
		}
	}
	return STATUS_OK;
}

/* Halving lets no trial go on whose weights are too large; where that is all of them, nothing would be learnt. */
static enum status check_bytes(const struct sweep_plan *plan, struct sweep_estimate smallest)
{
	if (plan->method != SWEEP_HALVING || smallest.weights <= plan->max_bytes)
		return STATUS_OK;
	return status_fail(
		STATUS_CONFIG,
		"%s: subject_to.bytes: expected room for one trial at least, found %.0f; the smallest network "
		"has %.0f parameters, in float over %.0f bytes (quantize.enabled makes them 8 bits)",
		plan->path, plan->max_bytes, smallest.parameters, smallest.weights);
}

enum status sweep_plan_check(const struct sweep_plan *plan, struct sweep_estimate *estimates)
{
	struct sweep_estimate smallest = {.weights = INFINITY};
	for (int t = 0; t < plan->known; t++) {
		struct sweep_estimate estimate;
		TRY(check_point(plan, t, &plan->points[t], &estimate));
		if (estimates)
			estimates[t] = estimate;
		if (estimate.weights < smallest.weights)
			smallest = estimate;
	}
	TRY(check_bytes(plan, smallest));
	return plan->method == SWEEP_SEARCH ? check_values(plan) : STATUS_OK;
}
