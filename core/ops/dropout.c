/* Dropout (Srivastava et al., JMLR 2014), inverted: in training each value is 0 with probability p, else scaled by
 * 1/(1-p); otherwise the identity. Which ones are dropped comes from the node's own random stream, in memory order. */
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct dropout_attr *a = attr;
	TRY(rule_attr(&op_dropout, "probability", 0, 0.999, a->probability));
	return rule_same(&op_dropout, in, input_count, param_count, out);
}

/* One byte per value: 1 if kept. */
static size_t saved_bytes(const struct op_call *call)
{
	return shape_count(call->out.shape);
}

static float kept_scale(const struct op_call *call)
{
	const struct dropout_attr *a = call->attr;
	return 1 / (1 - a->probability);
}

static void forward(struct op_call *call)
{
	const struct dropout_attr *a = call->attr;
	size_t count = shape_count(call->out.shape);
	if (!call->training) {
		run_store(call->out.data, call->in[0].data, count, false);
		return;
	}
	struct rng rng = call->rng;
	uint8_t *kept = call->saved;
	for (size_t i = 0; i < count; i++)
		kept[i] = rng_float(&rng) >= a->probability;
	kernels()->scale_kept(call->out.data, call->in[0].data, kept, kept_scale(call), count, false);
}

static void backward(struct op_call *call)
{
	size_t count = shape_count(call->out.shape);
	if (!call->in_grad[0])
		return;
	if (call->training)
		kernels()->scale_kept(call->in_grad[0], call->out_grad, call->saved, kept_scale(call), count,
				      call->in_grad_add[0]);
	else
		run_store(call->in_grad[0], call->out_grad, count, call->in_grad_add[0]);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct dropout_attr *a = attr;
	snprintf(text, size, "p %g", (double)a->probability);
}

const struct op op_dropout = {
	.name = "dropout",
	.min_inputs = 1,
	.max_inputs = 1,
	.flags = OP_KEEPS_RANGE | OP_TRAINING_DIFFERS,
	.attr_bytes = sizeof(struct dropout_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.describe = describe,
};
