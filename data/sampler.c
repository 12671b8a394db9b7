/* See sampler.h. Here: the choice of the sampler, the first tap at the object's centre, and the corrective click. */
#include "data/sampler.h"

#include <assert.h>
#include <string.h>

#include "data/robot.h"
#include "data/sampler_parts.h"

const char *const sampler_names[] = {"dios", "dios_random", "dios_others", "dios_surround", "ritm", "center", NULL};

void sampler_config_init(struct sampler_config *config)
{
	*config = (struct sampler_config){
		.kind = SAMPLER_RITM,
		.center_probability = 0.0,
		.max_positive = 24,
		.max_negative = 24,
		.gamma = 0.8,
		.margin = 5,
		.step = 10,
		.band = 40,
	};
}

size_t sampler_workspace(int w, int h)
{
	return sampler_space_bytes(w, h);
}

/* --- the samplers --------------------------------------------------------- */

/* FocalClick's first_click_center: a random pixel deeper than max / 1.7; the picture's edge counts as the object's. */
static void click_center(const struct sampler_config *config, struct sampler_space *space, struct rng *rng,
			 struct click_list *clicks)
{
	sampler_region_object(space);
	int64_t largest = sampler_measure(space, true);
	sampler_pool_depth(space, TRUTH_OBJECT, largest * 100 / 289 + 1, INT32_MAX);
	sampler_draw_near(space, rng, true, config->jitter, clicks);
}

void sampler_first_clicks(const struct sampler_config *config, struct rng *rng, const uint8_t *truth,
			  const uint8_t *others, int w, int h, struct click_list *clicks, void *workspace)
{
	assert(config->max_positive >= 1 && config->max_negative >= 0);
	assert(config->max_positive + config->max_negative <= CLICKS_MAX);
	clicks->count = 0;
	if (!memchr(truth, TRUTH_OBJECT, (size_t)w * (size_t)h))
		return;
	struct sampler_space space = sampler_space_open(truth, others, w, h, workspace);
	/* Drawn even where it is not needed, so that a change of the share moves no other number of the stream. */
	bool center = (double)rng_float(rng) < config->center_probability;
	if (center || config->kind == SAMPLER_CENTER)
		click_center(config, &space, rng, clicks);
	else if (config->kind == SAMPLER_RITM)
		sampler_ritm(config, &space, rng, clicks);
	else
		sampler_dios(config, &space, rng, clicks);
	assert(clicks->count > 0 && clicks->items[0].positive);
}

/* --- corrective rounds ---------------------------------------------------- */

static void region_missed(struct sampler_space *space, const uint8_t *pred)
{
	for (size_t i = 0; i < space->pixels; i++)
		space->region[i] = space->truth[i] == TRUTH_OBJECT && !pred[i];
}

static void region_wrong(struct sampler_space *space, const uint8_t *pred)
{
	for (size_t i = 0; i < space->pixels; i++)
		space->region[i] = space->truth[i] == TRUTH_BACKGROUND && pred[i];
}

void sampler_corrective_click(const struct sampler_config *config, struct rng *rng, const uint8_t *pred,
			      const uint8_t *truth, int w, int h, struct click_list *clicks, void *workspace)
{
	struct sampler_space space = sampler_space_open(truth, NULL, w, h, workspace);
	region_wrong(&space, pred);
	int64_t wrong = sampler_measure(&space, true);
	region_missed(&space, pred);
	int64_t largest = sampler_measure(&space, true);
	bool positive = largest > wrong;
	if (!positive) { /* the other error is measured again: rarer than the memory to keep both */
		region_wrong(&space, pred);
		largest = sampler_measure(&space, true);
	}
	if (largest == 0)
		return;
	/* distance > max / 2, squared; depth is 0 outside the error. */
	sampler_pool_depth(&space, positive ? TRUTH_OBJECT : TRUTH_BACKGROUND, largest / 4 + 1, INT32_MAX);
	sampler_draw_near(&space, rng, positive, config->jitter, clicks);
}
