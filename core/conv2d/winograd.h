/* 3x3 convolutions of stride 1 with a quarter of the multiplications: Winograd's F(4x4, 3x3)
 * (core/kernels/winograd.h has the formulas). For the native backend, whose functions these mirror (core/backend.h);
 * the order of additions depends on the dimensions alone. The results differ from a direct convolution by rounding:
 * about 1e-6 of the largest output. */
#ifndef CORE_CONV2D_WINOGRAD_H
#define CORE_CONV2D_WINOGRAD_H

#include "core/backend.h"

/* Whether the functions below can do this convolution and are faster than a direct one: 3x3, stride 1, padding equal to
 * the dilation, enough channels. Everything else here may be called only where it is true. */
bool winograd_suits(const struct conv2d_dims *dims);

/* Whether the functions below can do it at all. */
bool winograd_can(const struct conv2d_dims *dims);

size_t winograd_prepared_floats(const struct conv2d_dims *dims);
void winograd_prepare(const struct conv2d_dims *dims, const float *weight, float *prepared);

/* Of forward and backward: the larger need. */
size_t winograd_scratch_floats(const struct conv2d_dims *dims);

void winograd_forward(const struct conv2d_dims *dims, const float *x, const float *prepared,
		      const struct conv2d_epilogue *epilogue, float *y, float *scratch);

/* x_grad is stored, or added to with `add`; weight_grad (O,C,3,3) is added to; either may be NULL. */
void winograd_backward(const struct conv2d_dims *dims, const float *x, const struct conv2d_grad *grad,
		       const float *prepared, float *x_grad, bool add, float *weight_grad, float *scratch);

#endif
