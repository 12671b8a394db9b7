/* Logistic function: y = 1 / (1 + e^-x), dy/dx = y (1 - y). */
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/vmath.h"
#include "core/vector.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return rule_same(&op_sigmoid, in, input_count, param_count, out);
}

VECTORISED static void squash(float *restrict y, const float *restrict x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		y[i] = (float)vmath_sigmoid(x[i]).value;
}

VECTORISED static void squash_grad(float *restrict x_grad, const float *restrict y, const float *restrict y_grad,
				   size_t count)
{
	for (size_t i = 0; i < count; i++)
		x_grad[i] = y_grad[i] * y[i] * (1 - y[i]);
}

VECTORISED static void squash_grad_add(float *restrict x_grad, const float *restrict y, const float *restrict y_grad,
				       size_t count)
{
	for (size_t i = 0; i < count; i++)
		x_grad[i] += y_grad[i] * y[i] * (1 - y[i]);
}

static void forward(struct op_call *call)
{
	squash(call->out.data, call->in[0].data, shape_count(call->out.shape));
}

static void backward(struct op_call *call)
{
	size_t count = shape_count(call->out.shape);
	if (!call->in_grad[0])
		return;
	if (call->in_grad_add[0])
		squash_grad_add(call->in_grad[0], call->out.data, call->out_grad, count);
	else
		squash_grad(call->in_grad[0], call->out.data, call->out_grad, count);
}

const struct op op_sigmoid = {
	.name = "sigmoid",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_BACKWARD_READS_OUTPUT,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
