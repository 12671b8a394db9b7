/* What all optimisers share: state, clipping, groups, buffers and the moving average. The rules have files of
 * their own (core/optim_rule.h). One thread does it all: a step is a few passes over a few megabytes, and its
 * order is the array's. */
#include "core/optim.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/optim_rule.h"

const char *const optim_names[] = {"sgd", "adam", "adamw", NULL};

static const struct {
	optim_rule *update;
	bool has_second;
} rules[] = {
	[OPTIM_SGD] = {optim_sgd, false},
	[OPTIM_ADAM] = {optim_adam, true},
	[OPTIM_ADAMW] = {optim_adamw, true},
};

void optim_config_init(struct optim_config *config)
{
	*config = (struct optim_config){
		.kind = OPTIM_ADAM,
		.momentum = 0.9,
		.beta1 = 0.9,
		.beta2 = 0.999,
		.epsilon = 1e-8,
		.buffer_momentum = 0.1,
	};
	for (int group = 0; group < PARAM_GROUP_COUNT; group++)
		config->lr_scale[group] = 1;
}

enum status optim_init(struct optim *optim, const struct optim_config *config, const struct params *params)
{
	assert(params->values);
	bool has_second = rules[config->kind].has_second, has_average = config->ema_decay > 0;
	*optim = (struct optim){.config = *config, .total = params->total};
	size_t count = params->total ? params->total : 1;
	optim->first = calloc(count, sizeof(float));
	if (has_second)
		optim->second = calloc(count, sizeof(float));
	if (has_average)
		optim->average = calloc(count, sizeof(float));
	if (!optim->first || (has_second && !optim->second) || (has_average && !optim->average)) {
		optim_release(optim);
		return status_fail(STATUS_NO_MEMORY, "out of memory for the optimiser's state: %zu parameters",
				   params->total);
	}
	if (has_average)
		memcpy(optim->average, params->values, params->total * sizeof(float));
	return STATUS_OK;
}

void optim_release(struct optim *optim)
{
	free(optim->first);
	free(optim->second);
	free(optim->average);
	*optim = (struct optim){0};
}

/* The sum of squares in 16 running sums, element i of the parameters' sequence in sum i mod 16 of its parameter,
 * and a fixed tree at the end: an order that vectors of any width can follow. */
double optim_grad_norm(const struct params *params, const float *grads)
{
	enum { LANES = 16 };
	double lanes[LANES] = {0};
	for (int p = 0; p < params->count; p++) {
		const struct param *param = &params->items[p];
		if (param->kind == PARAM_BUFFER)
			continue;
		const float *g = grads + param->offset;
		size_t count = shape_count(param->shape), whole = count - count % LANES;
		for (size_t i = 0; i < whole; i += LANES)
			for (size_t k = 0; k < LANES; k++)
				lanes[k] += (double)g[i + k] * g[i + k];
		for (size_t i = whole; i < count; i++)
			lanes[i - whole] += (double)g[i] * g[i];
	}
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int k = 0; k < half; k++)
			lanes[k] += lanes[k + half];
	return sqrt(lanes[0]);
}

/* As torch.nn.utils.clip_grad_norm_ has it. */
static double clip_scale(const struct optim_config *config, double norm)
{
	double scale = config->clip_norm > 0 ? config->clip_norm / (norm + 1e-6) : 1;
	return scale < 1 ? scale : 1;
}

/* values = values + rate * (target - values). */
static void move_towards(float *restrict values, const float *restrict target, size_t count, double rate)
{
	const float r = (float)rate;
	for (size_t i = 0; i < count; i++)
		values[i] += r * (target[i] - values[i]);
}

static void update_param(struct optim *optim, const struct param *param, float *values, const float *grads, double lr,
			 double grad_scale)
{
	const struct optim_config *config = &optim->config;
	size_t offset = param->offset, count = shape_count(param->shape);
	if (param->kind == PARAM_BUFFER) {
		move_towards(values + offset, grads + offset, count, config->buffer_momentum);
		return;
	}
	const struct optim_span span = {
		.values = values + offset,
		.first = optim->first + offset,
		.second = optim->second ? optim->second + offset : NULL,
		.grads = grads + offset,
		.count = count,
		.grad_scale = grad_scale,
		.lr = lr * config->lr_scale[param->group],
		.weight_decay = param->kind == PARAM_WEIGHT ? config->weight_decay : 0,
		.step = optim->step,
	};
	rules[config->kind].update(config, &span);
}

static double average_rate(const struct optim *optim)
{
	double warm = (1.0 + (double)optim->step) / (10.0 + (double)optim->step);
	return 1 - (warm < optim->config.ema_decay ? warm : optim->config.ema_decay);
}

void optim_step(struct optim *optim, struct params *params, const float *grads, double lr, double grad_norm)
{
	assert(params->total == optim->total);
	optim->step++;
	double grad_scale = clip_scale(&optim->config, grad_norm);
	for (int p = 0; p < params->count; p++)
		update_param(optim, &params->items[p], params->values, grads, lr, grad_scale);
	if (optim->average)
		move_towards(optim->average, params->values, optim->total, average_rate(optim));
}

const float *optim_best_values(const struct optim *optim, const struct params *params)
{
	return optim->average ? optim->average : params->values;
}
