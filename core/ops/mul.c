/* out = in[0] * in[1]; in[1] has in[0]'s shape, or (N,C,1,1): one factor per plane, or (N,1,H,W): one plane for all
 * channels. */
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"
#include "core/ops/sum.h"

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

/* Where in[1]'s values for one plane of in[0] lie, and whether it is a single one. */
struct factor {
	size_t index;
	bool single;
};

static struct factor factor_of(const struct op_call *call, int n, int c)
{
	struct shape a = call->in[0].shape, b = call->in[1].shape;
	size_t plane = (size_t)a.h * (size_t)a.w, number = (size_t)n * (size_t)a.c + (size_t)c;
	if (shape_equal(a, b))
		return (struct factor){number * plane, false};
	if (b.h == 1 && b.w == 1 && b.c == a.c)
		return (struct factor){number, true};
	return (struct factor){(size_t)n * plane, false};
}

static void forward(struct op_call *call)
{
	struct shape s = call->out.shape;
	size_t plane = (size_t)s.h * (size_t)s.w, at = 0;
	for (int n = 0; n < s.n; n++)
		for (int c = 0; c < s.c; c++, at += plane) {
			struct factor f = factor_of(call, n, c);
			const float *a = call->in[0].data + at, *b = call->in[1].data + f.index;
			if (f.single)
				run_scale(call->out.data + at, a, *b, plane, false);
			else
				run_multiply(call->out.data + at, a, b, plane, false);
		}
}

static void backward_first(struct op_call *call)
{
	struct shape s = call->out.shape;
	size_t plane = (size_t)s.h * (size_t)s.w, at = 0;
	for (int n = 0; n < s.n; n++)
		for (int c = 0; c < s.c; c++, at += plane) {
			struct factor f = factor_of(call, n, c);
			const float *b = call->in[1].data + f.index;
			if (f.single)
				run_scale(call->in_grad[0] + at, call->out_grad + at, *b, plane, call->in_grad_add[0]);
			else
				run_multiply(call->in_grad[0] + at, call->out_grad + at, b, plane,
					     call->in_grad_add[0]);
		}
}

/* Where channels share a plane, the first channel stores and the others add. */
static void backward_second(struct op_call *call)
{
	struct shape s = call->out.shape;
	size_t plane = (size_t)s.h * (size_t)s.w, at = 0;
	bool shared = call->in[1].shape.c != s.c;
	for (int n = 0; n < s.n; n++)
		for (int c = 0; c < s.c; c++, at += plane) {
			struct factor f = factor_of(call, n, c);
			float *grad = call->in_grad[1] + f.index;
			const float *a = call->in[0].data + at, *out_grad = call->out_grad + at;
			bool add = call->in_grad_add[1] || (shared && c > 0);
			if (f.single)
				*grad = (add ? *grad : 0) + (float)sum_products(a, out_grad, plane);
			else
				run_multiply(grad, a, out_grad, plane, add);
		}
}

/* One input after the other: they may be the same node, and then the second adds to what the first stored. */
static void backward(struct op_call *call)
{
	if (call->in_grad[0])
		backward_first(call);
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
};
