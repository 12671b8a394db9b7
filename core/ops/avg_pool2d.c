/* Mean over windows of kernel x kernel pixels (LeCun et al.: "Gradient-based learning applied to document recognition",
 * Proc. IEEE 1998). A mean's gradient goes in equal shares to the pixels that it was taken of. */
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static long long out_size(int in, const struct avg_pool2d_attr *a)
{
	long long room = (long long)in + 2LL * a->padding - a->kernel;
	return room < 0 ? 0 : room / a->stride + 1;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_avg_pool2d;
	const struct avg_pool2d_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "kernel", 1, 1024, a->kernel));
	TRY(rule_attr(op, "stride", 1, 1024, a->stride));
	TRY(rule_attr(op, "padding", 0, a->kernel / 2, a->padding)); /* so that no window lies outside */
	TRY(rule_attr(op, "count_padding", 0, 1, a->count_padding));
	return rule_output(op, in[0].n, in[0].c, out_size(in[0].h, a), out_size(in[0].w, a), out);
}

static struct avg_pool2d sample_of(const struct op_call *call)
{
	const struct avg_pool2d_attr *a = call->attr;
	struct shape x = call->in[0].shape, y = call->out.shape;
	return (struct avg_pool2d){
		.h = x.h,
		.w = x.w,
		.out_h = y.h,
		.out_w = y.w,
		.channels = x.c,
		.kernel = a->kernel,
		.stride = a->stride,
		.padding = a->padding,
		.count_padding = a->count_padding,
	};
}

static void forward(struct op_call *call)
{
	struct avg_pool2d p = sample_of(call);
	for (int n = 0; n < call->out.shape.n; n++)
		kernels()->avg_pool2d(&p, call->in[0].data + shape_offset(call->in[0].shape, n, 0, 0, 0),
				      call->out.data + shape_offset(call->out.shape, n, 0, 0, 0));
}

static void backward(struct op_call *call)
{
	struct avg_pool2d p = sample_of(call);
	for (int n = 0; n < call->out.shape.n && call->in_grad[0]; n++)
		kernels()->avg_pool2d_grad(&p, call->out_grad + shape_offset(call->out.shape, n, 0, 0, 0),
					   call->in_grad[0] + shape_offset(call->in[0].shape, n, 0, 0, 0),
					   call->in_grad_add[0]);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct avg_pool2d_attr *a = attr;
	snprintf(text, size, "%dx%d stride %d pad %d%s", a->kernel, a->kernel, a->stride, a->padding,
		 a->padding && a->count_padding ? " counted" : "");
}

const struct op op_avg_pool2d = {
	.name = "avg_pool2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.attr_bytes = sizeof(struct avg_pool2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.describe = describe,
};
