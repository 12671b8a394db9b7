/* Simulated clicks for training.
 *
 * First clicks: positives inside the object with a margin and spacing; negatives by one of the strategies of Deep
 * Interactive Object Selection (Xu et al., CVPR 2016) or RITM's sampler (Sofiiuk et al., ICIP 2022; docs/protocol.md,
 * 6). Corrective rounds: clicks where the network is wrong. */
#ifndef DATA_SAMPLER_H
#define DATA_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "core/rng.h"
#include "data/click.h"

enum sampler_kind {
	SAMPLER_DIOS,          /* one of the three negative strategies, drawn for each sample */
	SAMPLER_DIOS_RANDOM,   /* strategy 1: random around the object */
	SAMPLER_DIOS_OTHERS,   /* strategy 2: on other objects */
	SAMPLER_DIOS_SURROUND, /* strategy 3: surrounding the object */
	SAMPLER_RITM,
	SAMPLER_CENTER, /* one positive click near the object's centre, no negative: what a first tap looks like */
};
extern const char *const sampler_names[]; /* "dios", "dios_random", ..., NULL-terminated; index = enum value */

struct sampler_config {
	enum sampler_kind kind;
	double center_probability; /* share of samples that start with SAMPLER_CENTER whatever `kind` says */
	/* At least 1 and 0, together at most CLICKS_MAX, rounds included. RITM: 24 and 24; DIOS: 5 and 10. */
	int max_positive, max_negative;
	/* clicks near a centre, of the object or of an error, land up to this share of their depth away from it */
	double jitter;
	double gamma; /* RITM: P(n clicks) ~ gamma^n; 0 < gamma <= 1 */
	int margin;   /* DIOS: positives keep this distance from the boundary, in pixels */
	int step;     /* DIOS: clicks of one kind keep this distance from each other */
	int band;     /* DIOS: negatives lie within this distance of the object (and no nearer than `margin`) */
};

void sampler_config_init(struct sampler_config *config); /* RITM as published */

/* Workspace for w x h, for both calls below. */
size_t sampler_workspace(int w, int h);

/* Replaces the list. `truth`: TRUTH_* of data/robot.h, w x h; `others`: non-zero where another annotated object is
 * (NULL where there is none). The list always holds at least one positive click when the object has a pixel. Positive
 * clicks lie on object pixels, negative ones on background pixels, none on ignored ones. */
void sampler_first_clicks(const struct sampler_config *config, struct rng *rng, const uint8_t *truth,
			  const uint8_t *others, int w, int h, struct click_list *clicks, void *workspace);

/* Adds one corrective click: a random pixel deep (distance > half of the maximum) inside the larger error of `pred`
 * (RITM get_next_points), of the sign that mends it; config->jitter moves it within the error. Adds nothing when
 * there is no error, or when the list is full. */
void sampler_corrective_click(const struct sampler_config *config, struct rng *rng, const uint8_t *pred,
			      const uint8_t *truth, int w, int h, struct click_list *clicks, void *workspace);

#endif
