/* See schedule.h. Cosine: Loshchilov & Hutter, "SGDR", ICLR 2017, equation 5 without restarts; poly: Liu et al.,
 * "ParseNet", 2015; wsd (warm-up, stable, decay): Hu et al., "MiniCPM", 2024, with the cool-down 1 - sqrt(x) of
 * Hägele et al., "Scaling laws and compute-optimal training beyond fixed training durations", NeurIPS 2024: a run
 * without a fixed end, from which a cool-down branches off wherever it is wanted. Learning rates multiply every
 * weight, so their last bit must not depend on the machine's libm: core/portable_math.h. */
#include "core/schedule.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "core/portable_math.h"

const char *const schedule_names[] = {"constant", "step", "cosine", "poly", "wsd", NULL};

void schedule_config_init(struct schedule_config *config)
{
	*config = (struct schedule_config){
		.kind = SCHEDULE_COSINE,
		.lr = 1e-3,
		.total_steps = 1,
		.power = 0.9,
		.factor = 0.1,
		.cooldown_fraction = 0.2,
	};
}

/* How much of the way after the warm-up is done, in [0, 1]; 1 would be the step after the last. */
static double progress(const struct schedule_config *config, uint64_t step)
{
	if (step >= config->total_steps)
		return 1;
	if (step <= config->warmup_steps)
		return 0;
	return (double)(step - config->warmup_steps) / (double)(config->total_steps - config->warmup_steps);
}

/* A milestone is a share of all steps, rounded to the nearest one. */
static double step_fraction(const struct schedule_config *config, uint64_t step)
{
	double fraction = 1;
	for (int i = 0; i < config->milestone_count; i++)
		if ((double)step + 0.5 >= config->milestones[i] * (double)config->total_steps)
			fraction *= config->factor;
	return fraction;
}

/* 1 until the cool-down begins, which is never before the end of the warm-up; then 1 - sqrt of its share that is done.
 * IEEE 754 defines the square root to the last bit. */
static double cooldown_curve(const struct schedule_config *config, uint64_t step)
{
	uint64_t total = config->total_steps, steps = config->cooldown_steps;
	if (!steps)
		steps = (uint64_t)floor(config->cooldown_fraction * (double)total + 0.5);
	uint64_t begin = steps < total ? total - steps : 0;
	begin = begin > config->warmup_steps ? begin : config->warmup_steps;
	if (step >= total)
		return 0;
	return step <= begin ? 1 : 1 - sqrt((double)(step - begin) / (double)(total - begin));
}

/* From 1 to final_fraction along a curve that falls from 1 to 0. */
static double towards_final(const struct schedule_config *config, double curve)
{
	return config->final_fraction + (1 - config->final_fraction) * curve;
}

static double fraction_at(const struct schedule_config *config, uint64_t step)
{
	switch (config->kind) {
	case SCHEDULE_CONSTANT: return 1;
	case SCHEDULE_STEP: return step_fraction(config, step);
	case SCHEDULE_COSINE: return towards_final(config, (1 + portable_cos_turns(progress(config, step) / 2)) / 2);
	case SCHEDULE_WSD: return towards_final(config, cooldown_curve(config, step));
	case SCHEDULE_POLY: return towards_final(config, portable_pow(1 - progress(config, step), config->power));
	}
	assert(!"a schedule kind");
	return 1;
}

double schedule_lr(const struct schedule_config *config, uint64_t step)
{
	step = step > config->first_step ? step - config->first_step : 0;
	double lr = config->lr * fraction_at(config, step);
	if (step < config->warmup_steps)
		lr = lr * (double)(step + 1) / (double)config->warmup_steps;
	return lr;
}
