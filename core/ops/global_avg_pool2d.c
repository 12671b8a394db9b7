/* The mean of each channel's plane (Lin, Chen, Yan: "Network in network", ICLR 2014). */
#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	TRY(rule_counts(&op_global_avg_pool2d, input_count, param_count));
	return rule_output(&op_global_avg_pool2d, in[0].n, in[0].c, 1, 1, out);
}

/* Sums in double, then shares in float: one per channel. */
static size_t scratch_floats(const struct op_call *call)
{
	return 2 * (size_t)call->out.shape.c;
}

static void forward(struct op_call *call)
{
	struct shape x = call->in[0].shape;
	size_t pixels = (size_t)x.h * (size_t)x.w;
	double *sum = (double *)call->scratch;
	for (int n = 0; n < x.n; n++) {
		kernels()->channel_sums(call->in[0].data + shape_offset(x, n, 0, 0, 0), pixels, x.c, sum);
		for (int c = 0; c < x.c; c++)
			call->out.data[n * x.c + c] = (float)(sum[c] / (double)pixels);
	}
}

static void backward(struct op_call *call)
{
	struct shape x = call->in[0].shape;
	size_t pixels = (size_t)x.h * (size_t)x.w;
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < x.n; n++) {
		for (int c = 0; c < x.c; c++)
			call->scratch[c] = (float)(call->out_grad[n * x.c + c] / (double)pixels);
		kernels()->channel_fill(call->in_grad[0] + shape_offset(x, n, 0, 0, 0), call->scratch, pixels, x.c,
					call->in_grad_add[0]);
	}
}

const struct op op_global_avg_pool2d = {
	.name = "global_avg_pool2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
};
