/* See sampler.h. Here: what the samplers share, the first tap at the object's centre, and the corrective click. */
#include "data/sampler.h"

#include <assert.h>
#include <string.h>

#include "data/distance.h"
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
	size_t pixels = (size_t)w * (size_t)h;
	return distance_workspace(w, h) + pixels * (sizeof(int32_t) + sizeof(uint32_t) + 1);
}

static struct sampler_space open_space(const uint8_t *truth, const uint8_t *others, int w, int h, void *workspace)
{
	struct sampler_space space = {.truth = truth, .others = others, .w = w, .h = h};
	space.pixels = (size_t)w * (size_t)h;
	space.depth = workspace;
	space.pool = (uint32_t *)(space.depth + space.pixels);
	space.scratch = space.pool + space.pixels;
	space.region = (uint8_t *)space.scratch + distance_workspace(w, h);
	return space;
}

/* --- regions and pools ---------------------------------------------------- */

void sampler_region_object(struct sampler_space *space)
{
	for (size_t i = 0; i < space->pixels; i++)
		space->region[i] = space->truth[i] == TRUTH_OBJECT;
}

void sampler_region_outside(struct sampler_space *space)
{
	for (size_t i = 0; i < space->pixels; i++)
		space->region[i] = space->truth[i] != TRUTH_OBJECT;
}

int32_t sampler_measure(struct sampler_space *space, bool border)
{
	distance_squared(space->region, space->w, space->h, border, space->depth, space->scratch);
	int32_t largest = 0;
	for (size_t i = 0; i < space->pixels; i++)
		largest = space->depth[i] > largest ? space->depth[i] : largest;
	return largest;
}

/* The pool is filled without branches: a pixel that does not belong is overwritten by the next one. */
#define FILL_POOL(space, belongs)                              \
	do {                                                   \
		size_t count_ = 0;                             \
		for (size_t i = 0; i < (space)->pixels; i++) { \
			(space)->pool[count_] = (uint32_t)i;   \
			count_ += (belongs) ? 1 : 0;           \
		}                                              \
		(space)->pool_count = count_;                  \
	} while (0)

void sampler_pool_depth(struct sampler_space *space, uint8_t value, int64_t low, int64_t high)
{
	const int32_t *depth = space->depth;
	const uint8_t *truth = space->truth;
	FILL_POOL(space, (truth[i] == value) & (depth[i] >= low) & (depth[i] <= high));
}

void sampler_pool_background(struct sampler_space *space)
{
	const uint8_t *truth = space->truth;
	FILL_POOL(space, truth[i] == TRUTH_BACKGROUND);
}

void sampler_pool_others(struct sampler_space *space)
{
	const uint8_t *truth = space->truth, *others = space->others;
	space->pool_count = 0;
	if (others)
		FILL_POOL(space, (truth[i] == TRUTH_BACKGROUND) & (others[i] != 0));
}

void sampler_add(const struct sampler_space *space, uint32_t pixel, bool positive, struct click_list *clicks)
{
	if (clicks->count == CLICKS_MAX)
		return;
	int x = (int)(pixel % (uint32_t)space->w), y = (int)(pixel / (uint32_t)space->w);
	clicks->items[clicks->count++] = (struct click){.x = x, .y = y, .positive = positive};
}

void sampler_draw(const struct sampler_space *space, struct rng *rng, bool positive, struct click_list *clicks)
{
	if (space->pool_count > 0)
		sampler_add(space, space->pool[rng_below(rng, (uint32_t)space->pool_count)], positive, clicks);
}

/* --- the samplers --------------------------------------------------------- */

/* FocalClick's first_click_center: a random pixel deeper than max / 1.7; the picture's edge counts as the object's. */
static void click_center(struct sampler_space *space, struct rng *rng, struct click_list *clicks)
{
	sampler_region_object(space);
	int64_t largest = sampler_measure(space, true);
	sampler_pool_depth(space, TRUTH_OBJECT, largest * 100 / 289 + 1, INT32_MAX);
	sampler_draw(space, rng, true, clicks);
}

void sampler_first_clicks(const struct sampler_config *config, struct rng *rng, const uint8_t *truth,
			  const uint8_t *others, int w, int h, struct click_list *clicks, void *workspace)
{
	assert(config->max_positive >= 1 && config->max_negative >= 0);
	assert(config->max_positive + config->max_negative <= CLICKS_MAX);
	clicks->count = 0;
	if (!memchr(truth, TRUTH_OBJECT, (size_t)w * (size_t)h))
		return;
	struct sampler_space space = open_space(truth, others, w, h, workspace);
	/* Drawn even where it is not needed, so that a change of the share moves no other number of the stream. */
	bool center = (double)rng_float(rng) < config->center_probability;
	if (center || config->kind == SAMPLER_CENTER)
		click_center(&space, rng, clicks);
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

void sampler_corrective_click(struct rng *rng, const uint8_t *pred, const uint8_t *truth, int w, int h,
			      struct click_list *clicks, void *workspace)
{
	struct sampler_space space = open_space(truth, NULL, w, h, workspace);
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
	sampler_draw(&space, rng, positive, clicks);
}
