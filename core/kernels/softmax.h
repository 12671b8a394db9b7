/* Softmax cross-entropy of a run of pixels (core/ops/softmax_cross_entropy.c has the formula). */
#ifndef CORE_KERNELS_SOFTMAX_H
#define CORE_KERNELS_SOFTMAX_H

#include <stddef.h>

struct softmax_block {
	size_t pixels;
	int classes;
	const float *logit;        /* pixels x classes */
	const float *label;        /* pixels: 0..classes-1, or below 0: the pixel takes no part */
	float ignore_label;        /* another label whose pixels take no part; 0 means that there is none */
	const float *class_weight; /* a weight per class; NULL where all are 1 */
	/* Written. A label that is no class makes the pixel's term and slopes NaN. */
	float *term;   /* pixels: weight * -log(softmax of the label); 0 where the pixel takes no part */
	float *weight; /* pixels: that of the label; 0 where the pixel takes no part */
	float *slope;  /* pixels x classes: the term's derivatives by the logits */
};

#endif
