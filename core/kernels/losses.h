/* The losses' inner loops: terms of one block of pixels, to be added in double (core/ops/loss.c), and slopes. Targets
 * are in [0,1]; below 0 the pixel is ignored: its terms and slopes are 0. Sigmoids see logits of at most 42 in size:
 * e^-42 is less than the formulas can tell from 0, and nothing becomes subnormal, which processors compute slowly. */
#ifndef CORE_KERNELS_LOSSES_H
#define CORE_KERNELS_LOSSES_H

#include <stdbool.h>
#include <stddef.h>

/* Normalized focal loss (core/ops/normalized_focal_loss.c has the formulas). */
struct focal_block {
	float alpha, gamma, epsilon;
	const float *logit, *target;
	size_t count;
	/* Written: beta, -weight beta L, and the derivative by the logit up to the factor mult / N of the sample. */
	float *beta, *term, *slope;
};

/* Overlap of sigmoid(logit) = p with the target t. */
struct overlap_block {
	const float *logit, *target;
	size_t count;
	float *product, *predicted, *wanted; /* written: pt, p, t */
};

#endif
