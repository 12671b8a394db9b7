/* Rectifier: y = max(x, 0); y's gradient passes where y > 0 (Nair and Hinton, ICML 2010). A NaN stays a NaN, so that a
 * broken network is noticed at the loss. */
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/vector.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return rule_same(&op_relu, in, input_count, param_count, out);
}

/* y may be x: ivdep tells the compiler that no element depends on another one. */
VECTORISED static void rectify(float *y, const float *x, size_t count)
{
#pragma GCC ivdep
	for (size_t i = 0; i < count; i++)
		y[i] = 0 > x[i] ? 0 : x[i];
}

VECTORISED static void mask(float *x_grad, const float *y, const float *y_grad, size_t count)
{
#pragma GCC ivdep
	for (size_t i = 0; i < count; i++)
		x_grad[i] = y[i] > 0 ? y_grad[i] : 0;
}

VECTORISED static void mask_add(float *restrict x_grad, const float *restrict y, const float *restrict y_grad,
				size_t count)
{
	for (size_t i = 0; i < count; i++)
		x_grad[i] += y[i] > 0 ? y_grad[i] : 0;
}

static void forward(struct op_call *call)
{
	rectify(call->out.data, call->in[0].data, shape_count(call->out.shape));
}

static void backward(struct op_call *call)
{
	size_t count = shape_count(call->out.shape);
	if (!call->in_grad[0])
		return;
	if (call->in_grad_add[0])
		mask_add(call->in_grad[0], call->out.data, call->out_grad, count);
	else
		mask(call->in_grad[0], call->out.data, call->out_grad, count);
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
