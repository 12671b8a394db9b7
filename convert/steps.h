/* A training graph as the steps that infer runs: what the logits do not need is left out, what only training needs
 * vanishes. */
#ifndef CONVERT_STEPS_H
#define CONVERT_STEPS_H

#include "core/graph.h"
#include "infer/network/network.h"

/* The steps and tensors, with the parameter that each tensor came from. */
struct steps {
	/* steps, tensors and their counts, ranges where the graph was trained with them (of the clicks and what only
	 * pools them the caller's: steps_click_range); the rest is for the caller to fill in */
	struct infer_network network;
	char (*names)[64]; /* of each tensor */
};

/* Translates the part of `graph` that leads from the input nodes `image` and `clicks` to `logits`, with `values` as
 * parameters. Fails when an operator has no deployed form or a parameter is not finite; then there is nothing to
 * release. */
enum status steps_translate(struct steps *steps, const struct graph *graph, int image, int clicks, int logits,
			    const float *values);
/* Where there are ranges: that of the clicks, for planes from 0 to click_scale, and of the steps that keep it. */
void steps_click_range(struct steps *steps, float click_scale);
void steps_release(struct steps *steps);

#endif
