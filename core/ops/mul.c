/* out = in[0] * in[1]; in[1] has in[0]'s shape, or (N,C,1,1): one factor per plane, or (N,1,H,W): one plane for all
 * channels. */
#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	TRY(rule_counts(&op_mul, input_count, param_count));
	if (!shape_equal(in[1], (struct shape){in[0].n, in[0].c, 1, 1}) &&
	    !shape_equal(in[1], (struct shape){in[0].n, 1, in[0].h, in[0].w}))
		TRY(rule_input(&op_mul, 1, in[0], in[1]));
	return rule_output(&op_mul, in[0].n, in[0].c, in[0].h, in[0].w, out);
}

/* What in[1] has for a pixel of in[0]: a factor of its own per channel, the factors of its sample, or one factor. */
enum form { FORM_FULL, FORM_CHANNELS, FORM_PLANE };

static enum form form_of(const struct op_call *call)
{
	struct shape a = call->in[0].shape, b = call->in[1].shape;
	if (shape_equal(a, b))
		return FORM_FULL;
	return b.c == a.c && b.h == 1 && b.w == 1 ? FORM_CHANNELS : FORM_PLANE;
}

/* Sums per channel in double. */
static size_t scratch_floats(const struct op_call *call)
{
	return form_of(call) == FORM_CHANNELS ? 2 * (size_t)call->out.shape.c : 0;
}

/* to = x * in[1] or to += x * in[1], x of the output's shape. */
static void multiply(const struct op_call *call, const float *x, float *to, bool add)
{
	struct shape s = call->out.shape;
	const float *b = call->in[1].data;
	size_t pixels = (size_t)s.h * (size_t)s.w;
	if (form_of(call) == FORM_FULL) {
		run_multiply(to, x, b, shape_count(s), add);
		return;
	}
	if (form_of(call) == FORM_CHANNELS) {
		for (int n = 0; n < s.n; n++) {
			size_t at = shape_offset(s, n, 0, 0, 0);
			kernels()->channel_scale(to + at, x + at, b + n * s.c, pixels, s.c, add);
		}
		return;
	}
	for (size_t p = 0; p < pixels * (size_t)s.n; p++, to += s.c, x += s.c)
		for (int c = 0; c < s.c; c++)
			to[c] = (add ? to[c] : 0) + x[c] * b[p];
}

static void forward(struct op_call *call)
{
	multiply(call, call->in[0].data, call->out.data, false);
}

/* The second input's gradient: the product of x and out_grad, summed over what shares a factor. */
static void backward_second(struct op_call *call)
{
	struct shape s = call->out.shape;
	const float *x = call->in[0].data, *out_grad = call->out_grad;
	float *grad = call->in_grad[1];
	size_t pixels = (size_t)s.h * (size_t)s.w;
	bool add = call->in_grad_add[1];
	if (form_of(call) == FORM_FULL) {
		run_multiply(grad, x, out_grad, shape_count(s), add);
		return;
	}
	if (form_of(call) == FORM_CHANNELS) {
		double *sum = (double *)call->scratch;
		for (int n = 0; n < s.n; n++, grad += s.c) {
			size_t at = shape_offset(s, n, 0, 0, 0);
			kernels()->channel_products(x + at, out_grad + at, pixels, s.c, sum);
			for (int c = 0; c < s.c; c++)
				grad[c] = (add ? grad[c] : 0) + (float)sum[c];
		}
		return;
	}
	for (size_t p = 0; p < pixels * (size_t)s.n; p++, x += s.c, out_grad += s.c) {
		double sum = 0;
		for (int c = 0; c < s.c; c++)
			sum += (double)x[c] * (double)out_grad[c];
		grad[p] = (add ? grad[p] : 0) + (float)sum;
	}
}

/* One input after the other: they may be the same node, and then the second adds to what the first stored. */
static void backward(struct op_call *call)
{
	if (call->in_grad[0])
		multiply(call, call->out_grad, call->in_grad[0], call->in_grad_add[0]);
	if (call->in_grad[1])
		backward_second(call);
}

const struct op op_mul = {
	.name = "mul",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_BACKWARD_READS_INPUT,
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
};
