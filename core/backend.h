/* The seam between operators and the kernels that do the heavy sums. A backend is a struct of function pointers; the
 * operators call the current one and know no library. "openblas" (backend_blas.c) is the portable one and the oracle of
 * tests; native kernels will be a second file with the same functions and one more line in backend.c.
 *
 * Three kernels carry all convolutions. A transposed convolution is the same three in exchanged roles: its forward is
 * conv2d_backward_data, its backward to the input is conv2d_forward (core/ops/conv_transpose2d.c).
 *
 * Kernels are pure functions of their arguments, run on the calling thread, and sum in an order fixed by the
 * dimensions. */
#ifndef CORE_BACKEND_H
#define CORE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* x (n,c,h,w) * weight (o,c,kernel_h,kernel_w) -> y (n,o,out_h,out_w). */
struct conv2d_dims {
	int n, c, h, w;
	int o, out_h, out_w;
	int kernel_h, kernel_w, stride, padding, dilation;
};

struct backend {
	const char *name;

	/* Start-up check; called by backend_select. */
	enum status (*check)(void);

	/* Which processor kernel runs, for logs ("SkylakeX"). Static string. */
	const char *(*core_name)(void);

	/* Scratch of the three kernels below: the largest need. */
	size_t (*conv2d_scratch_floats)(const struct conv2d_dims *dims);

	/* y = x * weight + bias; bias (o floats) may be NULL. With `add` it is added to y (then bias is NULL). */
	void (*conv2d_forward)(const struct conv2d_dims *dims, const float *x, const float *weight, const float *bias,
			       float *y, bool add, float *scratch);

	/* x_grad = what y_grad sends back through the weights; added to x_grad when `add` is set. */
	void (*conv2d_backward_data)(const struct conv2d_dims *dims, const float *y_grad, const float *weight,
				     float *x_grad, bool add, float *scratch);

	/* weight_grad += x correlated with y_grad. */
	void (*conv2d_backward_weight)(const struct conv2d_dims *dims, const float *x, const float *y_grad,
				       float *weight_grad, float *scratch);
};

/* NULL-terminated. */
extern const struct backend *const backend_list[];

/* Makes the backend of that name the current one after its start-up check; STATUS_CONFIG for an unknown name, and the
 * old one stays. Call before graphs are planned (scratch sizes are the backend's) and before threads start. */
enum status backend_select(const char *name);

/* The current backend: "openblas" until another is selected. Borrowed, never NULL. */
const struct backend *backend_current(void);

#endif
