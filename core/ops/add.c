/* out = in[0] + in[1]; in[1] has in[0]'s shape, or (N,C,1,1) and is then added to each pixel. The sum may
 * replace in[0], and its gradient is in[0]'s. */
#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	TRY(rule_counts(&op_add, input_count, param_count));
	if (!shape_equal(in[1], (struct shape){in[0].n, in[0].c, 1, 1}))
		TRY(rule_input(&op_add, 1, in[0], in[1]));
	return rule_output(&op_add, in[0].n, in[0].c, in[0].h, in[0].w, out);
}

static bool is_broadcast(const struct op_call *call)
{
	return !shape_equal(call->in[0].shape, call->in[1].shape);
}

/* Sums per channel in double. */
static size_t scratch_floats(const struct op_call *call)
{
	return is_broadcast(call) ? 2 * (size_t)call->out.shape.c : 0;
}

static void forward(struct op_call *call)
{
	struct shape s = call->out.shape;
	const float *a = call->in[0].data, *b = call->in[1].data;
	if (!is_broadcast(call)) {
		kernels()->add_floats(call->out.data, a, b, shape_count(s));
		return;
	}
	for (int n = 0; n < s.n; n++) {
		size_t at = shape_offset(s, n, 0, 0, 0);
		kernels()->channel_add(call->out.data + at, a + at, b + n * s.c, (size_t)s.h * (size_t)s.w, s.c);
	}
}

static void backward_broadcast(struct op_call *call)
{
	struct shape s = call->out.shape;
	double *sum = (double *)call->scratch;
	for (int n = 0; n < s.n; n++) {
		float *grad = call->in_grad[1] + n * s.c;
		kernels()->channel_sums(call->out_grad + shape_offset(s, n, 0, 0, 0), (size_t)s.h * (size_t)s.w, s.c,
					sum);
		for (int c = 0; c < s.c; c++)
			grad[c] = (call->in_grad_add[1] ? grad[c] : 0) + (float)sum[c];
	}
}

/* One input after the other: they may be the same node, and then the second adds to what the first stored. */
static void backward(struct op_call *call)
{
	size_t count = shape_count(call->out.shape);
	if (call->in_grad[0])
		run_store(call->in_grad[0], call->out_grad, count, call->in_grad_add[0]);
	if (!call->in_grad[1])
		return;
	if (is_broadcast(call))
		backward_broadcast(call);
	else
		run_store(call->in_grad[1], call->out_grad, count, call->in_grad_add[1]);
}

const struct op op_add = {
	.name = "add",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_IN_PLACE,
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
};
