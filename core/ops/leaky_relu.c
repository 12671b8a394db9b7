/* Leaky rectifier: y = x where x > 0, else slope * x (Maas, Hannun, Ng, ICML 2013). The slope is positive, so that the
 * sign of y tells which side it was and the input may be overwritten. */
#include <float.h>
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct leaky_relu_attr *a = attr;
	TRY(rule_attr(&op_leaky_relu, "slope", FLT_MIN, 1e6, a->slope));
	return rule_same(&op_leaky_relu, in, input_count, param_count, out);
}

static void forward(struct op_call *call)
{
	const struct leaky_relu_attr *a = call->attr;
	kernels()->leaky_relu(call->out.data, call->in[0].data, a->slope, shape_count(call->out.shape));
}

static void backward(struct op_call *call)
{
	const struct leaky_relu_attr *a = call->attr;
	if (call->in_grad[0])
		kernels()->leaky_relu_grad(call->in_grad[0], call->out.data, call->out_grad, a->slope,
					   shape_count(call->out.shape), call->in_grad_add[0]);
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
