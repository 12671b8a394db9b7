/* The optimisers' inner loops: one run of floats, element by element. core/optim_adam.c and core/optim_sgd.c have the
 * formulas and say what the factors are. */
#ifndef CORE_KERNELS_OPTIM_H
#define CORE_KERNELS_OPTIM_H

#include <stddef.h>

struct adam_run {
	float scale;                      /* of clipping: multiplies the gradient */
	float decay;                      /* weight_decay where it is part of the gradient */
	float keep;                       /* 1 - lr * weight_decay where it is not */
	float beta1, rest1, beta2, rest2; /* rest = 1 - beta */
	float lr;                         /* over 1 - beta1^t */
	float correct2;                   /* 1 / sqrt(1 - beta2^t) */
	float epsilon;
	float *values, *first, *second;
	const float *grads;
	size_t count;
};

struct sgd_run {
	float scale, decay, momentum, lr;
	float *values, *velocity;
	const float *grads;
	size_t count;
};

#endif
