/* A linear layer on each pixel's channels:
 *
 *   y[n,o,i,j] = bias[o] + sum over c of weight[o,c] * x[n,c,i,j]
 *
 * which is a convolution with a kernel of one pixel, so that conv2d computes it. All pixels of all samples are passed
 * to it as one line: its matrix product then has as many rows as there are pixels. */
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static const struct conv2d_attr one_pixel = {.kernel_h = 1, .kernel_w = 1, .stride = 1, .dilation = 1};

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr;
	const struct op *op = &op_linear;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_param(op, 0, (struct shape){param[0].n, in[0].c, 1, 1}, param[0]));
	if (param_count > 1)
		TRY(rule_param(op, 1, (struct shape){param[0].n, 1, 1, 1}, param[1]));
	return rule_output(op, in[0].n, param[0].n, in[0].h, in[0].w, out);
}

static struct shape one_line(struct shape s)
{
	return (struct shape){1, s.c, 1, s.n * s.h * s.w};
}

static struct op_call as_conv2d(const struct op_call *call)
{
	struct op_call conv = *call;
	conv.attr = &one_pixel;
	conv.in[0].shape = one_line(call->in[0].shape);
	conv.out.shape = one_line(call->out.shape);
	return conv;
}

static void forward(struct op_call *call)
{
	struct op_call conv = as_conv2d(call);
	op_conv2d.forward(&conv);
}

static void backward(struct op_call *call)
{
	struct op_call conv = as_conv2d(call);
	op_conv2d.backward(&conv);
}

static size_t scratch_floats(const struct op_call *call)
{
	struct op_call conv = as_conv2d(call);
	return op_conv2d.scratch_floats(&conv);
}

static size_t prepared_floats(const struct op_call *call)
{
	struct op_call conv = as_conv2d(call);
	return op_conv2d.prepared_floats(&conv);
}

static void prepare(const struct op_call *call, float *prepared)
{
	struct op_call conv = as_conv2d(call);
	op_conv2d.prepare(&conv, prepared);
}

static double macs(const struct op_call *call)
{
	return (double)shape_count(call->out.shape) * call->in[0].shape.c;
}

const struct op op_linear = {
	.name = "linear",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_params = 1,
	.max_params = 2,
	.flags = OP_BACKWARD_READS_INPUT0 | OP_PITCHED_OUTPUT,
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
	.prepared_floats = prepared_floats,
	.prepare = prepare,
	.macs = macs,
};
