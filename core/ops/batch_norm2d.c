/* Batch normalisation (Ioffe and Szegedy, ICML 2015). Per channel, over its M = N H W values:
 *
 *   y = weight * (x - mean) / sqrt(var + epsilon) + bias
 *
 * In training mean and (biased) var are the batch's, and the batch's mean and unbiased variance (times M / (M - 1)) are
 * stored where the buffers' gradients lie: the optimiser's owner moves the running ones. Otherwise the running ones are
 * used.
 *
 * Backward in training, with h = (x - mean) / sqrt(var + epsilon), g = dloss/dy:
 *
 *   dweight = sum g h,  dbias = sum g,  dx = weight / sqrt(var + epsilon) * (g - dbias / M - h dweight / M) */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR, PARAMS };

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	const struct op *op = &op_batch_norm2d;
	const struct batch_norm2d_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "epsilon", FLT_MIN, 1, a->epsilon));
	for (int i = 0; i < PARAMS; i++)
		TRY(rule_param(op, i, (struct shape){in[0].c, 1, 1, 1}, param[i]));
	return rule_output(op, in[0].n, in[0].c, in[0].h, in[0].w, out);
}

/* What the channels were normalised with, kept for backward: means, then 1 / sqrt(var + epsilon). */
static size_t saved_bytes(const struct op_call *call)
{
	return 2 * (size_t)call->out.shape.c * sizeof(double);
}

/* Two sums in double and four factors in float per channel. */
static size_t scratch_floats(const struct op_call *call)
{
	return (2 * 2 + 4) * (size_t)call->out.shape.c;
}

/* Values of a channel: samples lie behind each other, so they are just more pixels. */
static size_t pixel_count(const struct op_call *call)
{
	return shape_count(call->out.shape) / (size_t)call->out.shape.c;
}

/* The batch's mean and sum of squared deviations, in two passes: no cancellation. Stores the buffers' new values. */
static void batch_statistics(const struct op_call *call, double *mean, double *squares)
{
	int channels = call->out.shape.c;
	size_t pixels = pixel_count(call);
	kernels()->channel_sums(call->in[0].data, pixels, channels, mean);
	for (int c = 0; c < channels; c++)
		mean[c] /= (double)pixels;
	kernels()->channel_squares(call->in[0].data, mean, pixels, channels, squares);
	for (int c = 0; c < channels; c++) {
		if (call->param_grad[RUNNING_MEAN])
			call->param_grad[RUNNING_MEAN][c] = (float)mean[c];
		if (call->param_grad[RUNNING_VAR])
			call->param_grad[RUNNING_VAR][c] = (float)(squares[c] / (double)(pixels > 1 ? pixels - 1 : 1));
	}
}

static void forward(struct op_call *call)
{
	const struct batch_norm2d_attr *a = call->attr;
	int channels = call->out.shape.c;
	size_t pixels = pixel_count(call);
	double *mean = call->saved, *deviation_inverse = mean + channels, *squares = (double *)call->scratch;
	float *centre = call->scratch + 4 * channels, *factor = centre + channels;
	if (call->training)
		batch_statistics(call, mean, squares);
	for (int c = 0; c < channels; c++) {
		double var = call->training ? squares[c] / (double)pixels : call->param[RUNNING_VAR].data[c];
		if (!call->training)
			mean[c] = call->param[RUNNING_MEAN].data[c];
		deviation_inverse[c] = 1 / sqrt(var + (double)a->epsilon);
		centre[c] = (float)mean[c];
		factor[c] = (float)(call->param[WEIGHT].data[c] * deviation_inverse[c]);
	}
	kernels()->channel_normalise(call->out.data, call->in[0].data, centre, factor, call->param[BIAS].data, pixels,
				     channels);
}

static void backward(struct op_call *call)
{
	int channels = call->out.shape.c;
	size_t pixels = pixel_count(call);
	const double *mean = call->saved, *deviation_inverse = mean + channels;
	double *bias_grad = (double *)call->scratch, *weight_grad = bias_grad + channels;
	float *centre = call->scratch + 4 * channels, *by_grad = centre + channels;
	float *by_value = by_grad + channels, *constant = by_value + channels;
	kernels()->channel_sums(call->out_grad, pixels, channels, bias_grad);
	kernels()->channel_centred_products(call->out_grad, call->in[0].data, mean, pixels, channels, weight_grad);
	for (int c = 0; c < channels; c++) {
		weight_grad[c] *= deviation_inverse[c];
		if (call->param_grad[WEIGHT])
			call->param_grad[WEIGHT][c] += (float)weight_grad[c];
		if (call->param_grad[BIAS])
			call->param_grad[BIAS][c] += (float)bias_grad[c];
		double scale = call->param[WEIGHT].data[c] * deviation_inverse[c];
		double mean_scale = call->training ? -scale / (double)pixels : 0;
		centre[c] = (float)mean[c];
		by_grad[c] = (float)scale;
		by_value[c] = (float)(mean_scale * deviation_inverse[c] * weight_grad[c]);
		constant[c] = (float)(mean_scale * bias_grad[c]);
	}
	if (!call->in_grad[0])
		return;
	struct channel_normalise_grad n = {
		.out_grad = call->out_grad,
		.x = call->in[0].data,
		.mean = centre,
		.by_grad = by_grad,
		.by_value = by_value,
		.constant = constant,
		.x_grad = call->in_grad[0],
	};
	kernels()->channel_normalise_grad(&n, pixels, channels, call->in_grad_add[0]);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct batch_norm2d_attr *a = attr;
	snprintf(text, size, "eps %g", (double)a->epsilon);
}

const struct op op_batch_norm2d = {
	.name = "batch_norm2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_params = PARAMS,
	.max_params = PARAMS,
	.flags = OP_BACKWARD_READS_INPUT | OP_TRAINING_DIFFERS,
	.attr_bytes = sizeof(struct batch_norm2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.scratch_floats = scratch_floats,
	.describe = describe,
};
