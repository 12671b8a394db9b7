/* Convolution (as everywhere in the field: correlation).
 *
 *   y[n,o,i,j] = relu?(bias[o] + addend[n,o,i,j] + scale * sum over c,ky,kx of
 *		weight[o,c,ky,kx] * x[n,c, i*stride - padding + ky*dilation, j*...])
 *
 * where x is 0 outside. The sums are the backend's (core/backend.h); here are the rules and the way back to them:
 * g = y's gradient where y > 0 is the addend's gradient, its sums over the pixels are the bias's, and the backend takes
 * it from there. */
#include <limits.h>
#include <stdio.h>

#include "core/backend.h"
#include "core/kernels.h"
#include "core/ops/convolution.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

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
	struct shape weight = {param[0].n, in[0].c, a->kernel_h, a->kernel_w}, unrolled;
	TRY(convolution_params(op, weight, param[0].n, param, param_count));
	TRY(rule_output(op, in[0].n, param[0].n, out_size(in[0].h, a->kernel_h, a), out_size(in[0].w, a->kernel_w, a),
			out));
	if (input_count > 1)
		TRY(rule_input(op, 1, *out, in[1]));
	/* A row of the unrolled image must be countable too. */
	return rule_output(op, in[0].c, a->kernel_h, a->kernel_w, out->w, &unrolled);
}

static struct conv2d_dims dims(const struct op_call *call)
{
	const struct conv2d_attr *a = call->attr;
	struct convolution_steps steps = {a->stride, a->padding, a->dilation};
	struct conv2d_dims d = convolution_dims(call->in[0].shape, call->out.shape, call->param[0].shape, steps);
	d.y_pitch = call->out_pitch;
	d.scale = a->input_scale != 0 ? a->input_scale : 1;
	return d;
}

static size_t scratch_floats(const struct op_call *call)
{
	return convolution_scratch_floats(dims(call));
}

static size_t prepared_floats(const struct op_call *call)
{
	return convolution_prepared_floats(dims(call));
}

static void prepare(const struct op_call *call, float *prepared)
{
	convolution_prepare(dims(call), call, prepared);
}

static void forward(struct op_call *call)
{
	const struct conv2d_attr *a = call->attr;
	struct conv2d_dims d = dims(call);
	struct conv2d_epilogue epilogue = {
		.bias = call->param_count > 1 ? call->param[1].data : NULL,
		.from = call->input_count > 1 ? call->in[1].data : NULL,
		.from_pitch = call->out.shape.c,
		.relu = a->relu,
	};
	backend_current()->conv2d_forward(&d, call->in[0].data, call->prepared, &epilogue, call->out.data,
					  call->scratch);
}

/* How the gradient of the sums is made: where the addend wants it stored, there; else over out_grad, if it differs from
 * that. The bias's gradient falls out of the same pass. Sets d->y_pitch to the result's. */
static struct epilogue_grad epilogue_grad(const struct op_call *call, struct conv2d_dims *d)
{
	const struct conv2d_attr *a = call->attr;
	bool to_addend = call->in_grad[1] && !call->in_grad_add[1] && call->in_grad[1] != call->out_grad;
	struct epilogue_grad e = {
		.width = d->out_w,
		.channels = d->o,
		.y = a->relu ? call->out.data : NULL,
		.y_grad = call->out_grad,
		.pitch = d->y_pitch,
		.bias_grad = call->param_count > 1 ? call->param_grad[1] : NULL,
	};
	if (to_addend) {
		e.g = call->in_grad[1];
		d->y_pitch = d->o;
	} else if (a->relu) {
		e.g = call->out_grad;
	}
	e.g_pitch = d->y_pitch;
	return e;
}

static void add_to_addend(const struct op_call *call, const float *g, const struct conv2d_dims *d)
{
	size_t pixels = (size_t)d->n * (size_t)d->out_h * (size_t)d->out_w, channels = (size_t)d->o;
	for (size_t i = 0; i < pixels; i++)
		run_store(call->in_grad[1] + i * channels, g + i * (size_t)d->y_pitch, channels, true);
}

static void backward(struct op_call *call)
{
	struct conv2d_dims d = dims(call);
	struct epilogue_grad e = epilogue_grad(call, &d);
	struct conv2d_grad grad = {
		.data = e.g ? e.g : call->out_grad,
		.epilogue = e.g || e.bias_grad ? &e : NULL,
	};
	backend_current()->conv2d_backward(&d, call->in[0].data, &grad, call->prepared, call->in_grad[0],
					   call->in_grad_add[0], call->param_grad[0], call->scratch);
	if (call->in_grad[1] && call->in_grad_add[1])
		add_to_addend(call, grad.data, &d);
}

static double macs(const struct op_call *call)
{
	return convolution_macs(call->out.shape, call->param[0].shape);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct conv2d_attr *a = attr;
	int used = snprintf(text, size, "%dx%d stride %d pad %d", a->kernel_h, a->kernel_w, a->stride, a->padding);
	if (a->dilation != 1 && used >= 0 && (size_t)used < size)
		used += snprintf(text + used, size - (size_t)used, " dilation %d", a->dilation);
	if (a->relu && used >= 0 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used, " relu");
}

static unsigned flags_of(const void *attr)
{
	const struct conv2d_attr *a = attr;
	return OP_BACKWARD_READS_INPUT0 | OP_IN_PLACE_1 | OP_PITCHED_OUTPUT | (a->relu ? OP_BACKWARD_READS_OUTPUT : 0);
}

const struct op op_conv2d = {
	.name = "conv2d",
	.min_inputs = 1,
	.max_inputs = 2,
	.min_params = 1,
	.max_params = 2,
	.flags_of = flags_of,
	.attr_bytes = sizeof(struct conv2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
	.prepared_floats = prepared_floats,
	.prepare = prepare,
	.macs = macs,
	.describe = describe,
};
