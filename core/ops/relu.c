/* Rectifier: y = max(x, 0); y's gradient passes where y > 0 (Nair and Hinton, ICML 2010). A NaN stays a NaN, so that a
 * broken network is noticed at the loss. */
#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return rule_same(&op_relu, in, input_count, param_count, out);
}

static void forward(struct op_call *call)
{
	kernels()->relu(call->out.data, call->in[0].data, shape_count(call->out.shape));
}

static void backward(struct op_call *call)
{
	if (call->in_grad[0])
		kernels()->relu_grad(call->in_grad[0], call->out.data, call->out_grad, shape_count(call->out.shape),
				     call->in_grad_add[0]);
}

const struct op op_relu = {
	.name = "relu",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_BACKWARD_READS_OUTPUT | OP_IN_PLACE,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
