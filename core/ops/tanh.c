/* Hyperbolic tangent: y = (e^x - e^-x) / (e^x + e^-x), dy/dx = (1 - y) (1 + y). */
#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return rule_same(&op_tanh, in, input_count, param_count, out);
}

static void forward(struct op_call *call)
{
	kernels()->tanh_floats(call->out.data, call->in[0].data, shape_count(call->out.shape));
}

static void backward(struct op_call *call)
{
	if (call->in_grad[0])
		kernels()->tanh_grad(call->in_grad[0], call->out.data, call->out_grad, shape_count(call->out.shape),
				     call->in_grad_add[0]);
}

const struct op op_tanh = {
	.name = "tanh",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_BACKWARD_READS_OUTPUT,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
