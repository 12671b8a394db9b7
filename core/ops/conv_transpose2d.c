/* Transposed convolution: every input pixel paints its kernel into the output (Zeiler et al., "Deconvolutional
 * networks", CVPR 2010).
 *
 *   y[n,o, i*stride - padding + ky, j*stride - padding + kx] += weight[c,o,ky,kx] * x[n,c,i,j],  y starts at bias[o]
 *
 * It is the backward pass of a convolution from y (O channels) to x (C channels) with the same weights: so the kernels
 * are that convolution's, in exchanged roles. */
#include <stdio.h>

#include "core/backend.h"
#include "core/kernels.h"
#include "core/ops/convolution.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static long long out_size(int in, const struct conv_transpose2d_attr *attr)
{
	return (long long)(in - 1) * attr->stride - 2LL * attr->padding + attr->kernel;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	const struct op *op = &op_conv_transpose2d;
	const struct conv_transpose2d_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "kernel", 1, 1024, a->kernel));
	TRY(rule_attr(op, "stride", 1, 1024, a->stride));
	TRY(rule_attr(op, "padding", 0, a->kernel - 1, a->padding));
	struct shape weight = {in[0].c, param[0].c, a->kernel, a->kernel}, unrolled;
	TRY(convolution_params(op, weight, param[0].c, param, param_count));
	TRY(rule_output(op, in[0].n, param[0].c, out_size(in[0].h, a), out_size(in[0].w, a), out));
	return rule_output(op, out->c, a->kernel, a->kernel, in[0].w, &unrolled);
}

/* Of the convolution from our output to our input. */
static struct conv2d_dims mirror_dims(const struct op_call *call)
{
	const struct conv_transpose2d_attr *a = call->attr;
	struct convolution_steps steps = {a->stride, a->padding, 1};
	return convolution_dims(call->out.shape, call->in[0].shape, call->param[0].shape, steps);
}

static size_t scratch_floats(const struct op_call *call)
{
	return convolution_scratch_floats(mirror_dims(call));
}

static size_t prepared_floats(const struct op_call *call)
{
	return convolution_prepared_floats(mirror_dims(call));
}

static void prepare(const struct op_call *call, float *prepared)
{
	convolution_prepare(mirror_dims(call), call, prepared);
}

static void forward(struct op_call *call)
{
	struct conv2d_dims d = mirror_dims(call);
	size_t pixels = (size_t)d.n * (size_t)d.h * (size_t)d.w;
	bool has_bias = call->param_count > 1;
	if (has_bias)
		kernels()->channel_fill(call->out.data, call->param[1].data, pixels, d.c, false);
	struct conv2d_grad grad = {.data = call->in[0].data};
	backend_current()->conv2d_backward(&d, NULL, &grad, call->prepared, call->out.data, has_bias, NULL,
					   call->scratch);
}

static void backward(struct op_call *call)
{
	const struct backend *backend = backend_current();
	struct conv2d_dims d = mirror_dims(call);
	struct epilogue_grad e = {
		.rows = (size_t)d.n * (size_t)d.h,
		.width = d.w,
		.channels = d.c,
		.y_grad = call->out_grad,
		.pitch = d.c,
		.bias_grad = call->param_count > 1 ? call->param_grad[1] : NULL,
	};
	struct conv2d_epilogue epilogue = {
		.from = call->in_grad_add[0] ? call->in_grad[0] : NULL,
		.from_pitch = d.o,
	};
	struct conv2d_grad grad = {.data = call->in[0].data};
	if (e.bias_grad)
		kernels()->epilogue_grad(&e);
	if (call->param_grad[0])
		backend->conv2d_backward(&d, call->out_grad, &grad, call->prepared, NULL, false, call->param_grad[0],
					 call->scratch);
	if (call->in_grad[0])
		backend->conv2d_forward(&d, call->out_grad, call->prepared, &epilogue, call->in_grad[0], call->scratch);
}

static double macs(const struct op_call *call)
{
	return convolution_macs(call->in[0].shape, call->param[0].shape);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct conv_transpose2d_attr *a = attr;
	snprintf(text, size, "%dx%d stride %d pad %d", a->kernel, a->kernel, a->stride, a->padding);
}

const struct op op_conv_transpose2d = {
	.name = "conv_transpose2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_params = 1,
	.max_params = 2,
	.flags = OP_BACKWARD_READS_INPUT,
	.attr_bytes = sizeof(struct conv_transpose2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
	.prepared_floats = prepared_floats,
	.prepare = prepare,
	.macs = macs,
	.describe = describe,
};
