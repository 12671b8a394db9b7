/* The click sampling of Deep Interactive Object Selection (Xu, Price, Cohen, Yang, Huang, CVPR 2016; the numbers are
 * those of its re-implementations: docs/protocol.md, 6). Positives keep `margin` from the object's edge and `step` from
 * each other. Negatives:
 *
 *   strategy 1: random in the band between `margin` and `band` around the object, `step` apart;
 *   strategy 2: on other objects, `step` apart;
 *   strategy 3: in the band, the first at random, each next one where it is furthest from the clicks before
 *               and from the band's edges, so that they surround the object. */
#include "data/robot.h"
#include "data/sampler.h"
#include "data/sampler_parts.h"

/* Takes all pixels nearer than `step` to the last click out of the pool. */
static void thin_pool(struct sampler_space *space, const struct click_list *clicks, int step)
{
	const struct click *last = &clicks->items[clicks->count - 1];
	int64_t least = step > 1 ? (int64_t)step * step : 1;
	size_t kept = 0;
	for (size_t i = 0; i < space->pool_count; i++) {
		uint32_t pixel = space->pool[i];
		int64_t dx = (int64_t)(pixel % (uint32_t)space->w) - last->x;
		int64_t dy = (int64_t)(pixel / (uint32_t)space->w) - last->y;
		space->pool[kept] = pixel;
		kept += dx * dx + dy * dy >= least;
	}
	space->pool_count = kept;
}

static void draw_apart(struct sampler_space *space, struct rng *rng, int count, int step, bool positive,
		       struct click_list *clicks)
{
	for (int i = 0; i < count && space->pool_count > 0; i++) {
		sampler_draw(space, rng, positive, clicks);
		thin_pool(space, clicks, step);
	}
}

/* Objects too thin for the margin are clicked where they are deepest (more than half of the largest distance). */
static void pool_positive(struct sampler_space *space, int margin)
{
	sampler_region_object(space);
	int64_t largest = sampler_measure(space, false);
	int64_t least = (int64_t)margin * margin;
	if (least > largest)
		least = largest / 4 + 1;
	sampler_pool_depth(space, TRUTH_OBJECT, least > 1 ? least : 1, INT32_MAX);
}

static void pool_band(struct sampler_space *space, const struct sampler_config *config)
{
	sampler_region_outside(space);
	sampler_measure(space, false);
	int64_t least = (int64_t)config->margin * config->margin;
	sampler_pool_depth(space, TRUTH_BACKGROUND, least > 1 ? least : 1, (int64_t)config->band * config->band);
}

/* The squared distance of each pixel of the pool to the pixels outside the pool, in depth. */
static void measure_pool(struct sampler_space *space)
{
	for (size_t i = 0; i < space->pixels; i++)
		space->region[i] = 0;
	for (size_t i = 0; i < space->pool_count; i++)
		space->region[space->pool[i]] = 1;
	sampler_measure(space, false);
}

/* Lowers depth to the squared distance to the last click; returns the deepest pixel of the pool, the first of
 * equals. */
static uint32_t furthest(struct sampler_space *space, const struct click *last)
{
	uint32_t best = space->pool[0];
	int32_t best_depth = -1;
	for (size_t i = 0; i < space->pool_count; i++) {
		uint32_t pixel = space->pool[i];
		int32_t dx = (int32_t)(pixel % (uint32_t)space->w) - last->x;
		int32_t dy = (int32_t)(pixel / (uint32_t)space->w) - last->y;
		int32_t square = dx * dx + dy * dy;
		int32_t depth = space->depth[pixel] < square ? space->depth[pixel] : square;
		space->depth[pixel] = depth;
		if (depth > best_depth) {
			best_depth = depth;
			best = pixel;
		}
	}
	return best;
}

static void draw_surrounding(struct sampler_space *space, struct rng *rng, int count, struct click_list *clicks)
{
	if (count == 0 || space->pool_count == 0)
		return;
	measure_pool(space);
	sampler_draw(space, rng, false, clicks);
	for (int i = 1; i < count; i++) {
		uint32_t pixel = furthest(space, &clicks->items[clicks->count - 1]);
		if (space->depth[pixel] == 0)
			return; /* every pixel of the band is clicked */
		sampler_add(space, pixel, false, clicks);
	}
}

static enum sampler_kind draw_strategy(const struct sampler_config *config, struct rng *rng)
{
	static const enum sampler_kind strategies[] = {SAMPLER_DIOS_RANDOM, SAMPLER_DIOS_OTHERS, SAMPLER_DIOS_SURROUND};
	return config->kind == SAMPLER_DIOS ? strategies[rng_below(rng, 3)] : config->kind;
}

void sampler_dios(const struct sampler_config *config, struct sampler_space *space, struct rng *rng,
		  struct click_list *clicks)
{
	enum sampler_kind strategy = draw_strategy(config, rng);

	pool_positive(space, config->margin);
	draw_apart(space, rng, 1 + (int)rng_below(rng, (uint32_t)config->max_positive), config->step, true, clicks);

	space->pool_count = 0;
	if (strategy == SAMPLER_DIOS_OTHERS)
		sampler_pool_others(space);
	if (space->pool_count == 0) { /* a photo without other objects is clicked around the object instead */
		pool_band(space, config);
		if (strategy == SAMPLER_DIOS_OTHERS)
			strategy = SAMPLER_DIOS_RANDOM;
	}
	if (strategy == SAMPLER_DIOS_SURROUND)
		draw_surrounding(space, rng, config->max_negative, clicks);
	else
		draw_apart(space, rng, (int)rng_below(rng, (uint32_t)config->max_negative + 1), config->step, false,
			   clicks);
}
