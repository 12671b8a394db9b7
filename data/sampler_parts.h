/* What the samplers share, private to data/sampler*.c: the workspace, lists of candidate pixels, drawing from them. */
#ifndef DATA_SAMPLER_PARTS_H
#define DATA_SAMPLER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/rng.h"
#include "data/click.h"

/* One sample being clicked. The pool is the list of pixels that the next click is drawn from. */
struct sampler_space {
	const uint8_t *truth;  /* TRUTH_* of data/robot.h, w x h */
	const uint8_t *others; /* see sampler_first_clicks; NULL where there are no other objects */
	int w, h;
	size_t pixels;

	int32_t *depth; /* result of the last sampler_measure */
	uint32_t *pool; /* indices of candidate pixels in row-major order */
	size_t pool_count;
	uint8_t *region; /* input of sampler_measure */
	void *scratch;
};

/* Bytes of the workspace for w x h, and the space in it. Pointers are borrowed. */
size_t sampler_space_bytes(int w, int h);
struct sampler_space sampler_space_open(const uint8_t *truth, const uint8_t *others, int w, int h, void *workspace);

/* depth = squared distance of each pixel of `region` to what lies outside of it; returns the largest. */
int32_t sampler_measure(struct sampler_space *space, bool border);

/* pool = pixels of class `value` whose depth is within low..high. */
void sampler_pool_depth(struct sampler_space *space, uint8_t value, int64_t low, int64_t high);

/* pool = all background pixels, or those on other objects. */
void sampler_pool_background(struct sampler_space *space);
void sampler_pool_others(struct sampler_space *space);

/* Adds a click on a random pixel of the pool; nothing when the pool is empty. */
void sampler_draw(const struct sampler_space *space, struct rng *rng, bool positive, struct click_list *clicks);
/* The same, and the click lands up to `jitter` (0..1) of the pixel's depth away from it, uniformly in that disk: within
 * the region that was measured last. */
void sampler_draw_near(const struct sampler_space *space, struct rng *rng, bool positive, double jitter,
		       struct click_list *clicks);
void sampler_add(const struct sampler_space *space, uint32_t pixel, bool positive, struct click_list *clicks);

/* The object as region, or everything else. */
void sampler_region_object(struct sampler_space *space);
void sampler_region_outside(struct sampler_space *space);

struct sampler_config; /* data/sampler.h */
/* The samplers that have a file of their own: they add the first clicks of a sample that has an object pixel. */
void sampler_dios(const struct sampler_config *config, struct sampler_space *space, struct rng *rng,
		  struct click_list *clicks);
void sampler_ritm(const struct sampler_config *config, struct sampler_space *space, struct rng *rng,
		  struct click_list *clicks);

#endif
