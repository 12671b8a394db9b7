/* Convolution (as everywhere in the field: correlation).
 *
 *   y[n,o,i,j] = bias[o] + sum over c,ky,kx of weight[o,c,ky,kx] * x[n,c, i*stride - padding + ky*dilation, j*...]
 *
 * where x is 0 outside. The sums are the backend's (core/backend.h); here are the rules and the bias's gradient. */
#include <limits.h>
#include <stdio.h>

#include "core/backend.h"
#include "core/ops/channel_bias.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

/* Output size along one axis; may be below 1. */
static long long out_size(int in, int kernel, const struct conv2d_attr *attr)
{
	long long room = (long long)in + 2LL * attr->padding - (long long)attr->dilation * (kernel - 1) - 1;
	return room < 0 ? 0 : room / attr->stride + 1;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	const struct op *op = &op_conv2d;
	const struct conv2d_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "kernel_h", 1, 1024, a->kernel_h));
	TRY(rule_attr(op, "kernel_w", 1, 1024, a->kernel_w));
	TRY(rule_attr(op, "stride", 1, 1024, a->stride));
	TRY(rule_attr(op, "padding", 0, 1 << 16, a->padding));
	TRY(rule_attr(op, "dilation", 1, 1 << 16, a->dilation));
	struct shape weight = {param[0].n, in[0].c, a->kernel_h, a->kernel_w}, bias = {param[0].n, 1, 1, 1}, unrolled;
	TRY(rule_param(op, 0, weight, param[0]));
	if (param_count > 1)
		TRY(rule_param(op, 1, bias, param[1]));
	TRY(rule_output(op, in[0].n, param[0].n, out_size(in[0].h, a->kernel_h, a), out_size(in[0].w, a->kernel_w, a),
			out));
	/* A row of the unrolled image must be countable too. */
	return rule_output(op, in[0].c, a->kernel_h, a->kernel_w, out->w, &unrolled);
}

static struct conv2d_dims dims(const struct op_call *call)
{
	const struct conv2d_attr *a = call->attr;
	struct shape x = call->in[0].shape, y = call->out.shape;
	return (struct conv2d_dims){
		.n = x.n, .c = x.c, .h = x.h, .w = x.w, .o = y.c, .out_h = y.h, .out_w = y.w,
		.kernel_h = a->kernel_h, .kernel_w = a->kernel_w,
		.stride = a->stride, .padding = a->padding, .dilation = a->dilation,
	};
}

static size_t scratch_floats(const struct op_call *call)
{
	struct conv2d_dims d = dims(call);
	return backend_current()->conv2d_scratch_floats(&d);
}

static void forward(struct op_call *call)
{
	struct conv2d_dims d = dims(call);
	const float *bias = call->param_count > 1 ? call->param[1].data : NULL;
	backend_current()->conv2d_forward(&d, call->in[0].data, call->param[0].data, bias, call->out.data, false,
					  call->scratch);
}

static void backward(struct op_call *call)
{
	const struct backend *backend = backend_current();
	struct conv2d_dims d = dims(call);
	if (call->param_grad[0])
		backend->conv2d_backward_weight(&d, call->in[0].data, call->out_grad, call->param_grad[0],
						call->scratch);
	if (call->param_count > 1 && call->param_grad[1])
		channel_bias_backward(call, 1);
	if (call->in_grad[0])
		backend->conv2d_backward_data(&d, call->out_grad, call->param[0].data, call->in_grad[0],
					      call->in_grad_add[0], call->scratch);
}

static double macs(const struct op_call *call)
{
	struct shape w = call->param[0].shape;
	return (double)shape_count(call->out.shape) * w.c * w.h * w.w;
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct conv2d_attr *a = attr;
	int used = snprintf(text, size, "%dx%d stride %d pad %d", a->kernel_h, a->kernel_w, a->stride, a->padding);
	if (a->dilation != 1 && used >= 0 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used, " dilation %d", a->dilation);
}

const struct op op_conv2d = {
	.name = "conv2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_params = 1,
	.max_params = 2,
	.flags = OP_BACKWARD_READS_INPUT,
	.attr_bytes = sizeof(struct conv2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
	.macs = macs,
	.describe = describe,
};
