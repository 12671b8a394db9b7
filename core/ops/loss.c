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
	TRY(rule_input(op, 1, in[0], in[1]));
	return rule_output(op, 1, 1, 1, 1, out);
}

size_t loss_values(const struct op_call *call)
{
	return shape_count(call->in[0].shape) / (size_t)call->in[0].shape.n;
}

size_t loss_slopes_saved_bytes(const struct op_call *call)
{
	return shape_count(call->in[0].shape) * sizeof(float) + (size_t)call->in[0].shape.n * sizeof(double);
}

float *loss_slopes(const struct op_call *call, int sample)
{
	return (float *)call->saved + (size_t)sample * loss_values(call);
}

/* They lie behind the slopes, not aligned for a double. */
static char *factor_of(const struct op_call *call, int sample)
{
	return (char *)((float *)call->saved + shape_count(call->in[0].shape)) + (size_t)sample * sizeof(double);
}

void loss_set_factor(const struct op_call *call, int sample, double factor)
{
	memcpy(factor_of(call, sample), &factor, sizeof factor);
}

void loss_slopes_backward(struct op_call *call)
{
	size_t values = loss_values(call);
	int samples = call->in[0].shape.n;
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < samples; n++) {
		double factor;
		memcpy(&factor, factor_of(call, n), sizeof factor);
		factor *= (double)call->out_grad[0] / samples;
		run_scale(call->in_grad[0] + (size_t)n * values, loss_slopes(call, n), (float)factor, values,
			  call->in_grad_add[0]);
	}
}

/* --- planes: the pixels of one channel lie `channels` floats apart */

/* `count` values of a plane side by side: where they lie when there is one channel, else copied to `block`. */
static const float *plane_block(const float *from, size_t count, size_t channels, float *block)
{
	for (size_t i = 0; i < count && channels > 1; i++)
		block[i] = from[i * channels];
	return channels > 1 ? block : from;
}

static size_t plane_pixels(const struct op_call *call)
{
	return (size_t)call->in[0].shape.h * (size_t)call->in[0].shape.w;
}

/* Where plane 0..N*C-1 of an input or a gradient begins. */
static size_t plane_offset(const struct op_call *call, int plane)
{
	int channels = call->in[0].shape.c;
	return (size_t)(plane / channels) * loss_values(call) + (size_t)(plane % channels);
}

static int plane_count(const struct op_call *call)
{
	return call->in[0].shape.n * call->in[0].shape.c;
}

/* The sums of a plane; *valid: its pixels that take part. */
static struct loss_overlap overlap(const struct op_call *call, int plane, size_t *valid)
{
	struct loss_overlap sum = {0};
	float product[LOSS_BLOCK], predicted[LOSS_BLOCK], wanted[LOSS_BLOCK], logit[LOSS_BLOCK], target[LOSS_BLOCK];
	struct overlap_block block = {.product = product, .predicted = predicted, .wanted = wanted};
	size_t count = plane_pixels(call), channels = (size_t)call->in[0].shape.c, start = plane_offset(call, plane);
	*valid = 0;
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		block.count = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		block.logit = plane_block(call->in[0].data + start + at * channels, block.count, channels, logit);
		block.target = plane_block(call->in[1].data + start + at * channels, block.count, channels, target);
		kernels()->overlap_terms(&block);
		*valid += kernels()->count_valid(block.target, block.count);
		sum.product += kernels()->sum_floats(product, block.count);
		sum.predicted += kernels()->sum_floats(predicted, block.count);
		sum.target += kernels()->sum_floats(wanted, block.count);
	}
	return sum;
}

static void store_block(float *to, const float *from, size_t count, size_t channels, bool add)
{
	if (channels == 1)
		run_store(to, from, count, add);
	for (size_t i = 0; i < count && channels > 1; i++)
		to[i * channels] = add ? to[i * channels] + from[i] : from[i];
}

static void overlap_grad(const struct op_call *call, int plane, double by_product, double by_predicted)
{
	float grad[LOSS_BLOCK], logit[LOSS_BLOCK], target[LOSS_BLOCK];
	size_t count = plane_pixels(call), channels = (size_t)call->in[0].shape.c, start = plane_offset(call, plane);
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK, place = start + at * channels;
		kernels()->overlap_slopes(plane_block(call->in[0].data + place, block, channels, logit),
					  plane_block(call->in[1].data + place, block, channels, target), block,
					  (float)by_product, (float)by_predicted, grad);
		store_block(call->in_grad[0] + place, grad, block, channels, call->in_grad_add[0]);
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
	return (size_t)plane_count(call) * sizeof(struct loss_overlap);
}

void loss_overlap_forward(struct op_call *call, loss_quotient_fn *quotient)
{
	const struct soft_dice_attr *attr = call->attr;
	int planes = plane_count(call);
	double total = 0;
	for (int i = 0; i < planes; i++) {
		size_t valid;
		struct loss_overlap sums = overlap(call, i, &valid);
		struct loss_quotient q = quotient(&sums, (double)attr->smooth);
		total += q.b <= 0 || valid == 0 ? 0 : 1 - q.a / q.b;
		memcpy((char *)call->saved + (size_t)i * sizeof sums, &sums, sizeof sums);
	}
	call->out.data[0] = (float)(total / planes);
}

void loss_overlap_backward(struct op_call *call, loss_quotient_fn *quotient)
{
	const struct soft_dice_attr *attr = call->attr;
	int planes = plane_count(call);
	double scale = (double)call->out_grad[0] / planes;
	for (int i = 0; i < planes && call->in_grad[0]; i++) {
		struct loss_overlap sums;
		memcpy(&sums, (const char *)call->saved + (size_t)i * sizeof sums, sizeof sums);
		struct loss_quotient q = quotient(&sums, (double)attr->smooth);
		double by_b = q.b > 0 ? q.a / q.b / q.b : 0, by_a = q.b > 0 ? -1 / q.b : 0;
		overlap_grad(call, i, scale * (by_a * q.a_by_product + by_b * q.b_by_product),
			     scale * by_b * q.b_by_predicted);
	}
}

void loss_overlap_describe(const void *attr, char *text, size_t size)
{
	const struct soft_dice_attr *a = attr;
	snprintf(text, size, "smooth %g", (double)a->smooth);
}
