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
	struct shape weight = {in[0].c, param[0].c, a->kernel, a->kernel}, bias = {param[0].c, 1, 1, 1}, unrolled;
	TRY(rule_param(op, 0, weight, param[0]));
	if (param_count > 1)
		TRY(rule_param(op, 1, bias, param[1]));
	TRY(rule_output(op, in[0].n, param[0].c, out_size(in[0].h, a), out_size(in[0].w, a), out));
	return rule_output(op, out->c, a->kernel, a->kernel, in[0].w, &unrolled);
}

/* Of the convolution from our output to our input. */
static struct conv2d_dims mirror_dims(const struct op_call *call)
{
	const struct conv_transpose2d_attr *a = call->attr;
	struct shape x = call->in[0].shape, y = call->out.shape;
	return (struct conv2d_dims){
		.n = x.n,
		.c = y.c,
		.h = y.h,
		.w = y.w,
		.o = x.c,
		.out_h = x.h,
		.out_w = x.w,
		.kernel_h = a->kernel,
		.kernel_w = a->kernel,
		.stride = a->stride,
		.padding = a->padding,
		.dilation = 1,
		.y_pitch = x.c,
		.scale = 1,
	};
}

static size_t scratch_floats(const struct op_call *call)
{
	struct conv2d_dims d = mirror_dims(call);
	return backend_current()->conv2d_scratch_floats(&d);
}

static size_t prepared_floats(const struct op_call *call)
{
	struct conv2d_dims d = mirror_dims(call);
	return backend_current()->conv2d_prepared_floats(&d);
}

static void prepare(const struct op_call *call, float *prepared)
{
	struct conv2d_dims d = mirror_dims(call);
	backend_current()->conv2d_prepare(&d, call->param[0].data, prepared);
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
	struct shape w = call->param[0].shape;
	return (double)shape_count(call->in[0].shape) * w.c * w.h * w.w;
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
