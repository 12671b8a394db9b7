/* out = in * factor, a constant. */
#include <float.h>
#include <stdio.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct scale_attr *a = attr;
	TRY(rule_attr(&op_scale, "factor", -FLT_MAX, FLT_MAX, a->factor));
	return rule_same(&op_scale, in, input_count, param_count, out);
}

static void forward(struct op_call *call)
{
	const struct scale_attr *a = call->attr;
	run_scale(call->out.data, call->in[0].data, a->factor, shape_count(call->out.shape), false);
}

static void backward(struct op_call *call)
{
	const struct scale_attr *a = call->attr;
	if (call->in_grad[0])
		run_scale(call->in_grad[0], call->out_grad, a->factor, shape_count(call->out.shape),
			  call->in_grad_add[0]);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct scale_attr *a = attr;
	snprintf(text, size, "by %g", (double)a->factor);
}

const struct op op_scale = {
	.name = "scale",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_IN_PLACE,
	.attr_bytes = sizeof(struct scale_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.describe = describe,
};
