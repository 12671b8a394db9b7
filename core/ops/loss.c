/* See loss.h. */
#include "core/ops/loss.h"

#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"
#include "core/ops/sum.h"
#include "core/ops/vmath.h"
#include "core/vector.h"

enum status loss_shape(const struct op *op, const struct shape *in, int input_count, int param_count, struct shape *out)
{
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_input(op, 0, (struct shape){in[0].n, 1, in[0].h, in[0].w}, in[0]));
	TRY(rule_input(op, 1, in[0], in[1]));
	return rule_output(op, 1, 1, 1, 1, out);
}

size_t loss_pixels(const struct op_call *call)
{
	return (size_t)call->in[0].shape.h * (size_t)call->in[0].shape.w;
}

double loss_valid(const float *target, size_t count)
{
	size_t valid = 0;
	for (size_t i = 0; i < count; i++)
		valid += target[i] >= 0;
	return (double)valid;
}

VECTORISED static void overlap_terms(const float *restrict logit, const float *restrict target, size_t count,
				     double *restrict product, double *restrict predicted, double *restrict wanted)
{
	for (size_t i = 0; i < count; i++) {
		double valid = target[i] >= 0 ? 1 : 0;
		double p = vmath_sigmoid(logit[i]).value * valid, t = target[i] * valid;
		product[i] = p * t;
		predicted[i] = p;
		wanted[i] = t;
	}
}

static struct loss_overlap overlap(const float *logit, const float *target, size_t count)
{
	struct loss_overlap sum = {0};
	double product[LOSS_BLOCK], predicted[LOSS_BLOCK], wanted[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		overlap_terms(logit + at, target + at, block, product, predicted, wanted);
		sum.product += sum_doubles(product, block);
		sum.predicted += sum_doubles(predicted, block);
		sum.target += sum_doubles(wanted, block);
	}
	return sum;
}

/* grad = (by_product t + by_predicted) p (1 - p); 0 at ignored pixels. */
VECTORISED static void overlap_grads(const float *restrict logit, const float *restrict target, double by_product,
				     double by_predicted, float *restrict grad, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct vmath_sigmoid p = vmath_sigmoid(logit[i]);
		double value = (by_product * target[i] + by_predicted) * p.value * p.rest;
		grad[i] = target[i] >= 0 ? (float)value : 0;
	}
}

static void overlap_grad(const float *logit, const float *target, double by_product, double by_predicted,
			 float *logit_grad, size_t count, bool add)
{
	float grad[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		overlap_grads(logit + at, target + at, by_product, by_predicted, grad, block);
		run_store(logit_grad + at, grad, block, add);
	}
}

size_t loss_overlap_saved_bytes(const struct op_call *call)
{
	return (size_t)call->in[0].shape.n * sizeof(struct loss_overlap);
}

void loss_overlap_forward(struct op_call *call, loss_quotient_fn *quotient)
{
	const struct soft_dice_attr *attr = call->attr;
	size_t pixels = loss_pixels(call);
	int samples = call->in[0].shape.n;
	double total = 0;
	for (int n = 0; n < samples; n++) {
		const float *target = call->in[1].data + (size_t)n * pixels;
		struct loss_overlap sums = overlap(call->in[0].data + (size_t)n * pixels, target, pixels);
		struct loss_quotient q = quotient(&sums, (double)attr->smooth);
		bool empty = q.b <= 0 || loss_valid(target, pixels) <= 0;
		total += empty ? 0 : 1 - q.a / q.b;
		memcpy((char *)call->saved + (size_t)n * sizeof sums, &sums, sizeof sums);
	}
	call->out.data[0] = (float)(total / samples);
}

void loss_overlap_backward(struct op_call *call, loss_quotient_fn *quotient)
{
	const struct soft_dice_attr *attr = call->attr;
	size_t pixels = loss_pixels(call);
	int samples = call->in[0].shape.n;
	double scale = (double)call->out_grad[0] / samples;
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < samples; n++) {
		size_t at = (size_t)n * pixels;
		struct loss_overlap sums;
		memcpy(&sums, (const char *)call->saved + (size_t)n * sizeof sums, sizeof sums);
		struct loss_quotient q = quotient(&sums, (double)attr->smooth);
		double by_b = q.b > 0 ? q.a / q.b / q.b : 0, by_a = q.b > 0 ? -1 / q.b : 0;
		overlap_grad(call->in[0].data + at, call->in[1].data + at,
			     scale * (by_a * q.a_by_product + by_b * q.b_by_product), scale * by_b * q.b_by_predicted,
			     call->in_grad[0] + at, pixels, call->in_grad_add[0]);
	}
}

void loss_overlap_describe(const void *attr, char *text, size_t size)
{
	const struct soft_dice_attr *a = attr;
	snprintf(text, size, "smooth %g", (double)a->smooth);
}
