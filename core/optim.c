/* What all optimisers share: state, clipping, groups, buffers and the moving average. The rules have files of their
 * own (core/optim_rule.h). The flat array is cut into parts of one size, whatever the number of threads; a part is
 * handled from beginning to end by one of them. */
#include "core/optim.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/optim_rule.h"

const char *const optim_names[] = {
#define OPTIM(KIND, name, has_second) #name,
#include "core/optim_list.h"
#undef OPTIM
	NULL,
};

static const struct {
	optim_rule *update;
	bool has_second;
} rules[] = {
#define OPTIM(KIND, name, has_second) {optim_##name, has_second},
#include "core/optim_list.h"
#undef OPTIM
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
	struct optim_config defaults;
	optim_config_init(&defaults);
	config = config ? config : &defaults;
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

void optim_carry(const struct optim *from, const struct params *from_params, struct optim *to,
		 const struct params *params)
{
	assert(from->config.kind == to->config.kind);
	to->step = from->step;
	params_carry(from_params, from->first, params, to->first);
	if (from->second && to->second)
		params_carry(from_params, from->second, params, to->second);
	if (from->average && to->average)
		params_carry(from_params, from->average, params, to->average);
}

enum { PARTS = 64, RUN = 4096 }; /* RUN floats of five arrays fit into the second-level cache */

/* Some floats of one parameter: values[begin], ... of the flat array. */
typedef void visit_run(void *context, const struct param *param, size_t begin, size_t count);

/* All runs of one part, in order: they end at the part's end, at parameters' ends and after RUN floats. */
static void visit_part(const struct params *params, int part, visit_run *visit, void *context)
{
	size_t size = params->total / PARTS + 1, part_begin = (size_t)part * size;
	for (int p = 0; p < params->count; p++) {
		const struct param *param = &params->items[p];
		size_t begin = param->offset, end = begin + shape_count(param->shape);
		begin = begin > part_begin ? begin : part_begin;
		end = end < part_begin + size ? end : part_begin + size;
		for (; begin < end; begin += RUN)
			visit(context, param, begin, end - begin < RUN ? end - begin : RUN);
	}
}

struct norm {
	const struct params *params;
	const float *grads;
	double sum[PARTS]; /* of squares */
};

struct norm_part {
	const float *grads;
	double sum;
};

static void add_squares(void *context, const struct param *param, size_t begin, size_t count)
{
	struct norm_part *part = context;
	if (param->kind != PARAM_BUFFER)
		part->sum += kernels()->sum_of_squares(part->grads + begin, count);
}

static void norm_task(void *context, int index, int thread)
{
	(void)thread;
	struct norm *norm = context;
	struct norm_part part = {.grads = norm->grads};
	visit_part(norm->params, index, add_squares, &part);
	norm->sum[index] = part.sum;
}

double optim_grad_norm(struct workers *workers, const struct params *params, const float *grads)
{
	struct norm norm = {.params = params, .grads = grads};
	workers_run(workers, PARTS, norm_task, &norm);
	double sum = 0;
	for (int i = 0; i < PARTS; i++)
		sum += norm.sum[i];
	return sqrt(sum);
}

/* As torch.nn.utils.clip_grad_norm_ has it. */
static double clip_scale(const struct optim_config *config, double norm)
{
	double scale = config->clip_norm > 0 ? config->clip_norm / (norm + 1e-6) : 1;
	return scale < 1 ? scale : 1;
}

static double average_rate(const struct optim *optim)
{
	double warm = (1.0 + (double)optim->step) / (10.0 + (double)optim->step);
	return 1 - (warm < optim->config.ema_decay ? warm : optim->config.ema_decay);
}

/* What all threads read during a step. */
struct step {
	struct optim *optim;
	const struct params *params;
	const float *grads;
	double lr, grad_scale, average_rate;
};

static void update_run(const struct step *step, const struct param *param, size_t begin, size_t count)
{
	struct optim *optim = step->optim;
	const struct optim_config *config = &optim->config;
	const struct optim_span span = {
		.values = step->params->values + begin,
		.first = optim->first + begin,
		.second = optim->second ? optim->second + begin : NULL,
		.grads = step->grads + begin,
		.count = count,
		.grad_scale = step->grad_scale,
		.lr = step->lr * config->lr_scale[param->group],
		.weight_decay = param->kind == PARAM_WEIGHT ? config->weight_decay : 0,
		.step = optim->step,
	};
	rules[config->kind].update(config, &span);
}

static void step_run(void *context, const struct param *param, size_t begin, size_t count)
{
	const struct step *step = context;
	struct optim *optim = step->optim;
	if (param->frozen)
		return; /* the moving average began as a copy */
	float *values = step->params->values + begin;
	if (param->kind == PARAM_BUFFER)
		kernels()->move_towards(values, step->grads + begin, count, (float)optim->config.buffer_momentum);
	else
		update_run(step, param, begin, count);
	if (optim->average)
		kernels()->move_towards(optim->average + begin, values, count, (float)step->average_rate);
}

static void step_task(void *context, int index, int thread)
{
	(void)thread;
	const struct step *step = context;
	visit_part(step->params, index, step_run, context);
}

void optim_step(struct optim *optim, struct workers *workers, struct params *params, const float *grads, double lr,
		double grad_norm)
{
	assert(params->total == optim->total);
	optim->step++;
	struct step step = {
		.optim = optim,
		.params = params,
		.grads = grads,
		.lr = lr,
		.grad_scale = clip_scale(&optim->config, grad_norm),
		.average_rate = average_rate(optim),
	};
	workers_run(workers, PARTS, step_task, &step);
}

const float *optim_best_values(const struct optim *optim, const struct params *params)
{
	return optim->average ? optim->average : params->values;
}
