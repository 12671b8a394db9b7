/* Normalisation of each pixel over its channels (core/ops/layer_norm.c has the formulas). All maps are `pixels` times
 * `channels`, channels last. */
#ifndef CORE_KERNELS_LAYER_NORM_H
#define CORE_KERNELS_LAYER_NORM_H

#include <stddef.h>

struct layer_norm {
	size_t pixels;
	int channels;
	double epsilon;
	const float *x, *weight, *bias;
	float *y;
	float *mean, *deviation_inverse; /* written, one per pixel: backward reads them */
};

struct layer_norm_grad {
	size_t pixels;
	int channels;
	const float *x, *weight, *mean, *deviation_inverse, *y_grad;
	float *x_grad;                   /* NULL where it is not wanted */
	double *weight_grad, *bias_grad; /* one per channel, stored */
	float *scratch;                  /* 2 * channels */
};

#endif
