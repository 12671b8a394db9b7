/* The mean of each channel's plane (Lin, Chen, Yan: "Network in network", ICLR 2014). */
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/sum.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	TRY(rule_counts(&op_global_avg_pool2d, input_count, param_count));
	return rule_output(&op_global_avg_pool2d, in[0].n, in[0].c, 1, 1, out);
}

static void forward(struct op_call *call)
{
	size_t planes = shape_count(call->out.shape), plane = shape_count(call->in[0].shape) / planes;
	for (size_t i = 0; i < planes; i++)
		call->out.data[i] = (float)(sum_floats(call->in[0].data + i * plane, plane) / (double)plane);
}

static void backward(struct op_call *call)
{
	size_t planes = shape_count(call->out.shape), plane = shape_count(call->in[0].shape) / planes;
	float *x_grad = call->in_grad[0];
	if (!x_grad)
		return;
	for (size_t i = 0; i < planes; i++, x_grad += plane) {
		float share = (float)(call->out_grad[i] / (double)plane);
		if (call->in_grad_add[0])
			for (size_t j = 0; j < plane; j++)
				x_grad[j] += share;
		else
			for (size_t j = 0; j < plane; j++)
				x_grad[j] = share;
	}
}

const struct op op_global_avg_pool2d = {
	.name = "global_avg_pool2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
