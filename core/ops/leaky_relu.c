/* Leaky rectifier: y = x where x > 0, else slope * x (Maas, Hannun, Ng, ICML 2013). The slope is positive, so that the
 * sign of y tells which side it was and the input may be overwritten. */
#include <float.h>
#include <stdio.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/vector.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct leaky_relu_attr *a = attr;
	TRY(rule_attr(&op_leaky_relu, "slope", FLT_MIN, 1e6, a->slope));
	return rule_same(&op_leaky_relu, in, input_count, param_count, out);
}

VECTORISED static void bend(float *y, const float *x, float slope, size_t count)
{
#pragma GCC ivdep
	for (size_t i = 0; i < count; i++)
		y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

VECTORISED static void bend_grad(float *x_grad, const float *y, const float *y_grad, float slope, size_t count)
{
#pragma GCC ivdep
	for (size_t i = 0; i < count; i++)
		x_grad[i] = y[i] > 0 ? y_grad[i] : slope * y_grad[i];
}

VECTORISED static void bend_grad_add(float *restrict x_grad, const float *restrict y, const float *restrict y_grad,
				     float slope, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x_grad[i] += y[i] > 0 ? y_grad[i] : slope * y_grad[i];
}

static void forward(struct op_call *call)
{
	const struct leaky_relu_attr *a = call->attr;
	bend(call->out.data, call->in[0].data, a->slope, shape_count(call->out.shape));
}

static void backward(struct op_call *call)
{
	const struct leaky_relu_attr *a = call->attr;
	size_t count = shape_count(call->out.shape);
	if (!call->in_grad[0])
		return;
	if (call->in_grad_add[0])
		bend_grad_add(call->in_grad[0], call->out.data, call->out_grad, a->slope, count);
	else
		bend_grad(call->in_grad[0], call->out.data, call->out_grad, a->slope, count);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct leaky_relu_attr *a = attr;
	snprintf(text, size, "slope %g", (double)a->slope);
}

const struct op op_leaky_relu = {
	.name = "leaky_relu",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_BACKWARD_READS_OUTPUT | OP_IN_PLACE,
	.attr_bytes = sizeof(struct leaky_relu_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.describe = describe,
};
