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
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/sum.h"
#include "core/vector.h"

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

/* What a channel was normalised with; kept per channel for backward. */
struct channel {
	double mean, deviation_inverse; /* 1 / sqrt(var + epsilon) */
};

static size_t saved_bytes(const struct op_call *call)
{
	return (size_t)call->out.shape.c * sizeof(struct channel);
}

static size_t plane_floats(const struct op_call *call)
{
	return (size_t)call->out.shape.h * (size_t)call->out.shape.w;
}

/* First float of channel c of sample n. */
static size_t plane_start(const struct op_call *call, int n, int c)
{
	return ((size_t)n * (size_t)call->out.shape.c + (size_t)c) * plane_floats(call);
}

/* The batch's mean and sum of squared deviations, in two passes: no cancellation. */
static void batch_statistics(const struct op_call *call, int c, double *mean, double *squares)
{
	int samples = call->out.shape.n;
	size_t plane = plane_floats(call);
	*mean = 0;
	for (int n = 0; n < samples; n++)
		*mean += sum_floats(call->in[0].data + plane_start(call, n, c), plane);
	*mean /= (double)plane * samples;
	*squares = 0;
	for (int n = 0; n < samples; n++)
		*squares += sum_squares(call->in[0].data + plane_start(call, n, c), *mean, plane);
}

static struct channel channel_of(const struct op_call *call, int c)
{
	const struct batch_norm2d_attr *a = call->attr;
	double mean = call->param[RUNNING_MEAN].data[c], var = call->param[RUNNING_VAR].data[c];
	if (call->training) {
		double squares, count = (double)plane_floats(call) * call->out.shape.n;
		batch_statistics(call, c, &mean, &squares);
		var = squares / count;
		if (call->param_grad[RUNNING_MEAN])
			call->param_grad[RUNNING_MEAN][c] = (float)mean;
		if (call->param_grad[RUNNING_VAR])
			call->param_grad[RUNNING_VAR][c] = (float)(squares / (count > 1 ? count - 1 : 1));
	}
	return (struct channel){mean, 1 / sqrt(var + (double)a->epsilon)};
}

VECTORISED static void normalise(float *restrict y, const float *restrict x, float mean, float factor, float bias,
				 size_t count)
{
	for (size_t i = 0; i < count; i++)
		y[i] = (x[i] - mean) * factor + bias;
}

static void forward(struct op_call *call)
{
	for (int c = 0; c < call->out.shape.c; c++) {
		struct channel channel = channel_of(call, c);
		memcpy((char *)call->saved + (size_t)c * sizeof channel, &channel, sizeof channel);
		float factor = (float)(call->param[WEIGHT].data[c] * channel.deviation_inverse);
		for (int n = 0; n < call->out.shape.n; n++) {
			size_t at = plane_start(call, n, c);
			normalise(call->out.data + at, call->in[0].data + at, (float)channel.mean, factor,
				  call->param[BIAS].data[c], plane_floats(call));
		}
	}
}

/* x_grad = by_grad g + by_value (x - mean) + constant, or += of it. */
VECTORISED static void input_grad(float *restrict x_grad, const float *restrict g, const float *restrict x, float mean,
				  float by_grad, float by_value, float constant, size_t count, bool add)
{
	if (add)
		for (size_t i = 0; i < count; i++)
			x_grad[i] += by_grad * g[i] + (by_value * (x[i] - mean) + constant);
	else
		for (size_t i = 0; i < count; i++)
			x_grad[i] = by_grad * g[i] + (by_value * (x[i] - mean) + constant);
}

static void backward_channel(struct op_call *call, int c)
{
	struct channel channel;
	memcpy(&channel, (const char *)call->saved + (size_t)c * sizeof channel, sizeof channel);
	size_t plane = plane_floats(call);
	double bias_grad = 0, weight_grad = 0, count = (double)plane * call->out.shape.n;
	for (int n = 0; n < call->out.shape.n; n++) {
		size_t at = plane_start(call, n, c);
		bias_grad += sum_floats(call->out_grad + at, plane);
		weight_grad += sum_centred_products(call->out_grad + at, call->in[0].data + at, channel.mean, plane);
	}
	weight_grad *= channel.deviation_inverse;
	if (call->param_grad[WEIGHT])
		call->param_grad[WEIGHT][c] += (float)weight_grad;
	if (call->param_grad[BIAS])
		call->param_grad[BIAS][c] += (float)bias_grad;
	if (!call->in_grad[0])
		return;
	double by_grad = call->param[WEIGHT].data[c] * channel.deviation_inverse;
	double by_value = call->training ? -by_grad * channel.deviation_inverse * weight_grad / count : 0;
	double constant = call->training ? -by_grad * bias_grad / count : 0;
	for (int n = 0; n < call->out.shape.n; n++) {
		size_t at = plane_start(call, n, c);
		input_grad(call->in_grad[0] + at, call->out_grad + at, call->in[0].data + at, (float)channel.mean,
			   (float)by_grad, (float)by_value, (float)constant, plane, call->in_grad_add[0]);
	}
}

static void backward(struct op_call *call)
{
	for (int c = 0; c < call->out.shape.c; c++)
		backward_channel(call, c);
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
	.flags = OP_BACKWARD_READS_INPUT,
	.attr_bytes = sizeof(struct batch_norm2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.describe = describe,
};
