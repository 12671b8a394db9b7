/* See sampler_parts.h. */
#include "data/sampler_parts.h"

#include <math.h>

#include "data/distance.h"
#include "data/robot.h"

size_t sampler_space_bytes(int w, int h)
{
	size_t pixels = (size_t)w * (size_t)h;
	return distance_workspace(w, h) + pixels * (sizeof(int32_t) + sizeof(uint32_t) + 1);
}

struct sampler_space sampler_space_open(const uint8_t *truth, const uint8_t *others, int w, int h, void *workspace)
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

/* A pixel of the disk around `pixel`, or that pixel where chance finds none. The border of the picture is none of the
 * region's: who measured has counted it as outside, or the click stays. */
static uint32_t jittered(const struct sampler_space *space, struct rng *rng, uint32_t pixel, double jitter)
{
	double reach = jitter * sqrt((double)space->depth[pixel]);
	int x = (int)(pixel % (uint32_t)space->w), y = (int)(pixel / (uint32_t)space->w);
	for (int i = 0; i < 16; i++) {
		int dx = (int)floor((2 * (double)rng_float(rng) - 1) * reach + 0.5);
		int dy = (int)floor((2 * (double)rng_float(rng) - 1) * reach + 0.5);
		int u = x + dx, v = y + dy;
		if (dx * dx + dy * dy <= reach * reach && u >= 0 && v >= 0 && u < space->w && v < space->h &&
		    space->region[v * space->w + u])
			return (uint32_t)(v * space->w + u);
	}
	return pixel;
}

void sampler_draw_near(const struct sampler_space *space, struct rng *rng, bool positive, double jitter,
		       struct click_list *clicks)
{
	if (space->pool_count == 0)
		return;
	uint32_t pixel = space->pool[rng_below(rng, (uint32_t)space->pool_count)];
	sampler_add(space, jitter > 0 ? jittered(space, rng, pixel, jitter) : pixel, positive, clicks);
}
