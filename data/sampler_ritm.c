/* RITM's MultiPointSampler (Sofiiuk, Petrov, Konushin: "Reviving Iterative Training with Mask Guidance for Interactive
 * Segmentation", ICIP 2022; docs/protocol.md, 6): numbers of clicks from a truncated geometric distribution, positives
 * on the eroded object, negatives on a mixture of all background, other objects and a border around the object.
 *
 * Erosion and dilation by n rounds of a 3x3 square are replaced by the Euclidean distance n: a disk instead of a
 * square, at one distance transform whatever n is. The picture's edge is no edge of the object here, as in RITM. */
#include <math.h>

#include "data/robot.h"
#include "data/sampler.h"
#include "data/sampler_parts.h"

enum { ERODE = 3, ERODED_LEAST = 10 };

static const double ERODE_PROBABILITY = 0.9;
static const double EXPAND_RATIO = 0.1;
enum { NEGATIVE_BACKGROUND, NEGATIVE_OTHER, NEGATIVE_BORDER, NEGATIVE_KINDS };
static const double NEGATIVE_SHARES[NEGATIVE_KINDS] = {0.1, 0.4, 0.5};

/* n in 0..most with P(n) ~ gamma^n. */
static int draw_geometric(struct rng *rng, double gamma, int most)
{
	double sum = 0, weight = 1;
	for (int n = 0; n <= most; n++, weight *= gamma)
		sum += weight;
	double rest = (double)rng_float(rng) * sum;
	weight = 1;
	for (int n = 0; n < most; n++, weight *= gamma) {
		rest -= weight;
		if (rest < 0)
			return n;
	}
	return most;
}

static int draw_negative_kind(struct rng *rng)
{
	double rest = (double)rng_float(rng);
	int kind = 0;
	while (kind < NEGATIVE_KINDS - 1 && rest >= NEGATIVE_SHARES[kind])
		rest -= NEGATIVE_SHARES[kind++];
	return kind;
}

static void pool_positive(struct sampler_space *space, struct rng *rng)
{
	sampler_region_object(space);
	sampler_measure(space, false);
	bool erode = (double)rng_float(rng) < ERODE_PROBABILITY;
	if (erode)
		sampler_pool_depth(space, TRUTH_OBJECT, ERODE * ERODE + 1, INT32_MAX);
	if (!erode || space->pool_count <= ERODED_LEAST)
		sampler_pool_depth(space, TRUTH_OBJECT, 1, INT32_MAX);
}

/* Background within EXPAND_RATIO * sqrt(area) of the object. */
static void pool_border(struct sampler_space *space)
{
	size_t area = 0;
	for (size_t i = 0; i < space->pixels; i++)
		area += space->truth[i] == TRUTH_OBJECT;
	int64_t reach = (int64_t)ceil(EXPAND_RATIO * sqrt((double)area));
	sampler_region_outside(space);
	sampler_measure(space, false);
	sampler_pool_depth(space, TRUTH_BACKGROUND, 1, reach * reach);
}

static void pool_negative(struct sampler_space *space, int kind)
{
	if (kind == NEGATIVE_BORDER) {
		pool_border(space);
		return;
	}
	space->pool_count = 0;
	if (kind == NEGATIVE_OTHER)
		sampler_pool_others(space);
	/* RITM: where there is no other object, all background takes its place. */
	if (space->pool_count == 0)
		sampler_pool_background(space);
}

void sampler_ritm(const struct sampler_config *config, struct sampler_space *space, struct rng *rng,
		  struct click_list *clicks)
{
	int positives = 1 + draw_geometric(rng, config->gamma, config->max_positive - 1);
	int negatives = draw_geometric(rng, config->gamma, config->max_negative);

	pool_positive(space, rng);
	for (int i = 0; i < positives; i++)
		sampler_draw(space, rng, true, clicks);

	/* Kinds first, then all clicks of a kind: each pool is made once. */
	int counts[NEGATIVE_KINDS] = {0};
	for (int i = 0; i < negatives; i++)
		counts[draw_negative_kind(rng)]++;
	for (int kind = 0; kind < NEGATIVE_KINDS; kind++) {
		if (counts[kind] == 0)
			continue;
		pool_negative(space, kind);
		for (int i = 0; i < counts[kind]; i++)
			sampler_draw(space, rng, false, clicks);
	}
}
