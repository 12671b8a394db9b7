/* See loss.h. */
#include "core/ops/loss.h"

#include <stdio.h>
#include <string.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

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

static size_t logit_count(const struct op_call *call)
{
	return (size_t)call->in[0].shape.n * loss_pixels(call);
}

size_t loss_slopes_saved_bytes(const struct op_call *call)
{
	return logit_count(call) * sizeof(float) + (size_t)call->in[0].shape.n * sizeof(double);
}

float *loss_slopes(const struct op_call *call, int sample)
{
	return (float *)call->saved + (size_t)sample * loss_pixels(call);
}

/* They lie behind the slopes, not aligned for a double. */
static char *factor_of(const struct op_call *call, int sample)
{
	return (char *)((float *)call->saved + logit_count(call)) + (size_t)sample * sizeof(double);
}

void loss_set_factor(const struct op_call *call, int sample, double factor)
{
	memcpy(factor_of(call, sample), &factor, sizeof factor);
}

void loss_slopes_backward(struct op_call *call)
{
	size_t pixels = loss_pixels(call);
	int samples = call->in[0].shape.n;
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < samples; n++) {
		double factor;
		memcpy(&factor, factor_of(call, n), sizeof factor);
		factor *= (double)call->out_grad[0] / samples;
		run_scale(call->in_grad[0] + (size_t)n * pixels, loss_slopes(call, n), (float)factor, pixels,
			  call->in_grad_add[0]);
	}
}

static struct loss_overlap overlap(const float *logit, const float *target, size_t count)
{
	struct loss_overlap sum = {0};
	float product[LOSS_BLOCK], predicted[LOSS_BLOCK], wanted[LOSS_BLOCK];
	struct overlap_block block = {.product = product, .predicted = predicted, .wanted = wanted};
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		block.logit = logit + at;
		block.target = target + at;
		block.count = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		kernels()->overlap_terms(&block);
		sum.product += kernels()->sum_floats(product, block.count);
		sum.predicted += kernels()->sum_floats(predicted, block.count);
		sum.target += kernels()->sum_floats(wanted, block.count);
	}
	return sum;
}

static void overlap_grad(const float *logit, const float *target, double by_product, double by_predicted,
			 float *logit_grad, size_t count, bool add)
{
	float grad[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		kernels()->overlap_slopes(logit + at, target + at, block, (float)by_product, (float)by_predicted, grad);
		run_store(logit_grad + at, grad, block, add);
	}
}

enum status loss_overlap_shape(const struct op *op, const void *attr, const struct shape *in, int input_count,
			       int param_count, struct shape *out)
{
	const struct soft_dice_attr *a = attr;
	TRY(rule_attr(op, "smooth", 0, 1e9, a->smooth));
	return loss_shape(op, in, input_count, param_count, out);
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
		bool empty = q.b <= 0 || kernels()->count_valid(target, pixels) == 0;
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
