/* The same values under another shape: value number i of a sample, counted in the order C,H,W, stays number i. Memory
 * is H,W,C (core/tensor.h), so values move unless both maps are of one pixel. */
#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

/* The attribute's size, or what is left for the one that is -1. */
static long long size_of(int wanted, long long values, long long a, long long b)
{
	return wanted == -1 && a > 0 && b > 0 ? values / (a * b) : wanted;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_reshape;
	const struct reshape_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	long long values = (long long)in[0].c * in[0].h * in[0].w;
	TRY(rule_attr(op, "c", -1, (double)values, a->c));
	TRY(rule_attr(op, "h", -1, (double)values, a->h));
	TRY(rule_attr(op, "w", -1, (double)values, a->w));
	TRY(rule_output(op, in[0].n, size_of(a->c, values, a->h, a->w), size_of(a->h, values, a->c, a->w),
			size_of(a->w, values, a->c, a->h), out));
	if ((long long)out->c * out->h * out->w == values)
		return STATUS_OK;
	return status_fail(STATUS_CONFIG,
			   "reshape: expected a shape of %lld values per sample, found (%d, %d, %d) for input "
			   "(" SHAPE_FORMAT ")",
			   values, a->c, a->h, a->w, SHAPE_ARGS(in[0]));
}

/* to, of shape b, gets from's values, of shape a. */
static void move(float *to, struct shape b, const float *from, struct shape a, bool add)
{
	size_t plane_a = (size_t)a.h * (size_t)a.w, plane_b = (size_t)b.h * (size_t)b.w;
	size_t values = plane_a * (size_t)a.c;
	if (shape_equal(a, b) || (plane_a == 1 && plane_b == 1)) {
		run_store(to, from, (size_t)a.n * values, add);
		return;
	}
	for (int n = 0; n < a.n; n++, to += values, from += values)
		for (size_t i = 0; i < values; i++) {
			float *place = &to[i % plane_b * (size_t)b.c + i / plane_b];
			float value = from[i % plane_a * (size_t)a.c + i / plane_a];
			*place = add ? *place + value : value;
		}
}

static void forward(struct op_call *call)
{
	move(call->out.data, call->out.shape, call->in[0].data, call->in[0].shape, false);
}

static void backward(struct op_call *call)
{
	if (call->in_grad[0])
		move(call->in_grad[0], call->in[0].shape, call->out_grad, call->out.shape, call->in_grad_add[0]);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct reshape_attr *a = attr;
	snprintf(text, size, "to %d, %d, %d", a->c, a->h, a->w);
}

const struct op op_reshape = {
	.name = "reshape",
	.min_inputs = 1,
	.max_inputs = 1,
	.attr_bytes = sizeof(struct reshape_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.describe = describe,
};
