/* One way to compute some convolutions; the native backend takes the first that suits. The functions are those of
 * struct backend (core/backend.h), `suits` asks the dimensions alone: so the bits of a convolution depend on nothing
 * else. */
#ifndef CORE_CONV2D_ALGORITHM_H
#define CORE_CONV2D_ALGORITHM_H

#include "core/backend.h"

struct conv2d_algorithm {
	const char *name;
	bool (*suits)(const struct conv2d_dims *dims);
	size_t (*prepared_floats)(const struct conv2d_dims *dims);
	void (*prepare)(const struct conv2d_dims *dims, const float *weight, float *prepared);
	size_t (*scratch_floats)(const struct conv2d_dims *dims);
	void (*forward)(const struct conv2d_dims *dims, const float *x, const float *prepared,
			const struct conv2d_epilogue *epilogue, float *y, float *scratch);
	void (*backward)(const struct conv2d_dims *dims, const float *x, const struct conv2d_grad *grad,
			 const float *prepared, float *x_grad, bool add, float *weight_grad, float *scratch);
};

extern const struct conv2d_algorithm conv2d_single;   /* single.c: 3x3 with one output channel */
extern const struct conv2d_algorithm conv2d_winograd; /* winograd.c: 3x3, stride 1, enough channels and pixels */
extern const struct conv2d_algorithm conv2d_product;  /* product.c: all others, as matrix products */

#endif
