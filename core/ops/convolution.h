/* What the two convolutions share (conv2d.c, conv_transpose2d.c). Both are one convolution from a larger map (N,C,H,W)
 * to a smaller one (N,O,H',W') with a weight (O,C,KH,KW): conv2d goes from the larger to the smaller,
 * conv_transpose2d is its backward pass. */
#ifndef CORE_OPS_CONVOLUTION_H
#define CORE_OPS_CONVOLUTION_H

#include "core/backend.h"
#include "core/op.h"

struct convolution_steps {
	int stride, padding, dilation;
};

/* y_pitch is that of a map without gaps, scale is 1. */
struct conv2d_dims convolution_dims(struct shape larger, struct shape smaller, struct shape weight,
				    struct convolution_steps steps);

/* The weight has this shape; the bias, if there is one, has a value per channel of the output. */
enum status convolution_params(const struct op *op, struct shape weight, int out_channels, const struct shape *param,
			       int param_count);

/* Multiply-adds: a kernel's for each value of the smaller map. */
double convolution_macs(struct shape smaller, struct shape weight);

/* The bodies of the operators' functions of the same names. */
size_t convolution_scratch_floats(struct conv2d_dims dims);
size_t convolution_prepared_floats(struct conv2d_dims dims);
void convolution_prepare(struct conv2d_dims dims, const struct op_call *call, float *prepared);

#endif
