/* The seam between operators and the kernels that do the heavy sums. A backend is a struct of function pointers; the
 * operators call the current one and know no library. "native" (backend_native.c) is our own kernels, with the same
 * bits on every processor; "openblas" (backend_blas.c) is matrix products by OpenBLAS, the independent oracle of the
 * tests.
 *
 * These functions carry all convolutions. A transposed convolution is the same in exchanged roles: its forward is
 * conv2d_backward to the data, its backward to the input is conv2d_forward (core/ops/conv_transpose2d.c).
 *
 * They are pure functions of their arguments, run on the calling thread, and sum in an order fixed by the
 * dimensions. Activations are N,H,W,C in memory, weights O,C,KH,KW (core/tensor.h). */
#ifndef CORE_BACKEND_H
#define CORE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/kernels/epilogue_grad.h"
#include "core/status.h"

/* scale * x (n,c,h,w) * weight (o,c,kernel_h,kernel_w) -> y (n,o,out_h,out_w). */
struct conv2d_dims {
	int n, c, h, w;
	int o, out_h, out_w;
	int kernel_h, kernel_w, stride, padding, dilation;
	int y_pitch; /* floats from one pixel of y and of y_grad to the next; at least o; changes no size and no bit */
	float scale;
};

/* What forward adds to the sums, and does to them. */
struct conv2d_epilogue {
	const float *bias; /* o floats, or NULL */
	const float *from; /* like y, but from_pitch floats from pixel to pixel; may be y; or NULL */
	int from_pitch;
	bool relu; /* at the very end */
};

/* The gradient of the sums of forward, y_pitch floats from pixel to pixel. */
struct conv2d_grad {
	const float *data;
	const struct epilogue_grad *epilogue; /* how `data` is yet to be made of y's gradient, and the bias's gradient
						 summed; NULL: it is there */
};

struct backend {
	const char *name;

	/* Start-up check; called by backend_select. */
	enum status (*check)(void);

	/* Which processor kernel runs, for logs ("SkylakeX", "avx512"). Static string. */
	const char *(*core_name)(void);

	/* Weights in the form that forward and backward want, made once per step. prepared_floats may be asked before
	 * weights exist. */
	size_t (*conv2d_prepared_floats)(const struct conv2d_dims *dims);
	void (*conv2d_prepare)(const struct conv2d_dims *dims, const float *weight, float *prepared);

	/* Scratch of the two functions below: the largest need. */
	size_t (*conv2d_scratch_floats)(const struct conv2d_dims *dims);

	/* y = scale * x * weight, and the epilogue. */
	void (*conv2d_forward)(const struct conv2d_dims *dims, const float *x, const float *prepared,
			       const struct conv2d_epilogue *epilogue, float *y, float *scratch);

	/* What grad sends back through the sums: to x_grad (stored, or added when `add` is set) and to weight_grad
	 * (O,C,KH,KW, added). Either may be NULL; x is read for weight_grad only. grad's epilogue is done once,
	 * whatever is NULL. */
	void (*conv2d_backward)(const struct conv2d_dims *dims, const float *x, const struct conv2d_grad *grad,
				const float *prepared, float *x_grad, bool add, float *weight_grad, float *scratch);
};

/* NULL-terminated. */
extern const struct backend *const backend_list[];

/* Makes the backend of that name the current one after its start-up check; STATUS_CONFIG for an unknown name, and the
 * old one stays. Call before graphs are planned (scratch and prepared sizes are the backend's) and before threads
 * start. */
enum status backend_select(const char *name);

/* The current backend: "native" until another is selected. Borrowed, never NULL. */
const struct backend *backend_current(void);

#endif
