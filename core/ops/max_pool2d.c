/* Maximum over windows of kernel x kernel pixels.
 *
 * Forward keeps for each output which tap of the window won (one byte, ky * kernel + kx; the first in reading order
 * among equals, as in PyTorch). Backward asks each input pixel's windows whether it has won. A NaN wins. */
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

enum { MAX_KERNEL = 16 }; /* a tap's number fits a byte */

static long long out_size(int in, const struct max_pool2d_attr *a)
{
	long long room = (long long)in + 2LL * a->padding - a->kernel + (a->ceil_mode ? a->stride - 1 : 0);
	if (room < 0)
		return 0;
	long long out = room / a->stride + 1;
	/* The last window starts inside the input or its left padding. */
	if ((out - 1) * a->stride >= (long long)in + a->padding)
		out--;
	return out;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_max_pool2d;
	const struct max_pool2d_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "kernel", 1, MAX_KERNEL, a->kernel));
	TRY(rule_attr(op, "stride", 1, 1024, a->stride));
	TRY(rule_attr(op, "padding", 0, a->kernel / 2, a->padding));
	TRY(rule_attr(op, "ceil_mode", 0, 1, a->ceil_mode));
	return rule_output(op, in[0].n, in[0].c, out_size(in[0].h, a), out_size(in[0].w, a), out);
}

static struct max_pool2d sample_of(const struct op_call *call)
{
	const struct max_pool2d_attr *a = call->attr;
	struct shape x = call->in[0].shape, y = call->out.shape;
	return (struct max_pool2d){
		.h = x.h,
		.w = x.w,
		.out_h = y.h,
		.out_w = y.w,
		.channels = x.c,
		.kernel = a->kernel,
		.stride = a->stride,
		.padding = a->padding,
	};
}

static size_t saved_bytes(const struct op_call *call)
{
	return shape_count(call->out.shape);
}

static size_t scratch_floats(const struct op_call *call)
{
	return max_pool2d_line_floats(call->in[0].shape.w, call->in[0].shape.c);
}

static void forward(struct op_call *call)
{
	struct max_pool2d p = sample_of(call);
	for (int n = 0; n < call->out.shape.n; n++) {
		size_t at = shape_offset(call->out.shape, n, 0, 0, 0);
		kernels()->max_pool2d(&p, call->in[0].data + shape_offset(call->in[0].shape, n, 0, 0, 0),
				      call->out.data + at, (uint8_t *)call->saved + at, call->scratch);
	}
}

static void backward(struct op_call *call)
{
	struct max_pool2d p = sample_of(call);
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < call->out.shape.n; n++) {
		size_t at = shape_offset(call->out.shape, n, 0, 0, 0);
		kernels()->max_pool2d_grad(&p, call->out_grad + at, (const uint8_t *)call->saved + at,
					   call->in_grad[0] + shape_offset(call->in[0].shape, n, 0, 0, 0),
					   call->in_grad_add[0]);
	}
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct max_pool2d_attr *a = attr;
	snprintf(text, size, "%dx%d stride %d pad %d%s", a->kernel, a->kernel, a->stride, a->padding,
		 a->ceil_mode ? " ceil" : "");
}

const struct op op_max_pool2d = {
	.name = "max_pool2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_KEEPS_RANGE,
	.attr_bytes = sizeof(struct max_pool2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.scratch_floats = scratch_floats,
	.describe = describe,
};
