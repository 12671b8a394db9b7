/* Layer normalisation (Ba, Kiros, Hinton: "Layer normalization", arXiv 1607.06450), of each pixel over its C channels:
 *
 *   y[c] = weight[c] h[c] + bias[c],   h[c] = (x[c] - mean) / sqrt(var + epsilon)
 *
 * with the mean and the (biased) variance of the pixel's own channels, in training and after it. Backward, with
 * g = dloss/dy and sums over the pixel's channels:
 *
 *   dx[c] = (g[c] weight[c] - sum(g weight) / C - h[c] sum(g weight h) / C) / sqrt(var + epsilon)
 *
 * and, summed over all pixels, dweight[c] = sum g[c] h[c], dbias[c] = sum g[c]. */
#include <float.h>
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

enum { WEIGHT, BIAS, PARAMS };

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	const struct op *op = &op_layer_norm;
	const struct layer_norm_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "epsilon", FLT_MIN, 1, a->epsilon));
	for (int i = 0; i < PARAMS; i++)
		TRY(rule_param(op, i, (struct shape){in[0].c, 1, 1, 1}, param[i]));
	return rule_output(op, in[0].n, in[0].c, in[0].h, in[0].w, out);
}

static size_t pixel_count(const struct op_call *call)
{
	return shape_count(call->out.shape) / (size_t)call->out.shape.c;
}

/* Means, then 1 / sqrt(var + epsilon), of each pixel. */
static size_t saved_bytes(const struct op_call *call)
{
	return 2 * pixel_count(call) * sizeof(float);
}

/* Two sums in double per channel, and two rows of the kernel. */
static size_t scratch_floats(const struct op_call *call)
{
	return (2 * 2 + 2) * (size_t)call->out.shape.c;
}

static void forward(struct op_call *call)
{
	const struct layer_norm_attr *a = call->attr;
	size_t pixels = pixel_count(call);
	struct layer_norm n = {
		.pixels = pixels,
		.channels = call->out.shape.c,
		.epsilon = (double)a->epsilon,
		.x = call->in[0].data,
		.weight = call->param[WEIGHT].data,
		.bias = call->param[BIAS].data,
		.y = call->out.data,
		.mean = call->saved,
		.deviation_inverse = (float *)call->saved + pixels,
	};
	kernels()->layer_norm(&n);
}

static void add_sums(float *grad, const double *sum, int channels)
{
	for (int c = 0; c < channels && grad; c++)
		grad[c] += (float)sum[c];
}

static void backward(struct op_call *call)
{
	size_t pixels = pixel_count(call);
	int channels = call->out.shape.c;
	double *weight_grad = (double *)call->scratch, *bias_grad = weight_grad + channels;
	struct layer_norm_grad n = {
		.pixels = pixels,
		.channels = channels,
		.x = call->in[0].data,
		.weight = call->param[WEIGHT].data,
		.mean = call->saved,
		.deviation_inverse = (const float *)call->saved + pixels,
		.y_grad = call->out_grad,
		.x_grad = call->in_grad[0],
		.weight_grad = weight_grad,
		.bias_grad = bias_grad,
		.scratch = call->scratch + 4 * channels,
	};
	kernels()->layer_norm_grad(&n, call->in_grad_add[0]);
	add_sums(call->param_grad[WEIGHT], weight_grad, channels);
	add_sums(call->param_grad[BIAS], bias_grad, channels);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct layer_norm_attr *a = attr;
	snprintf(text, size, "eps %g", (double)a->epsilon);
}

const struct op op_layer_norm = {
	.name = "layer_norm",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_params = PARAMS,
	.max_params = PARAMS,
	.flags = OP_BACKWARD_READS_INPUT,
	.attr_bytes = sizeof(struct layer_norm_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.scratch_floats = scratch_floats,
	.describe = describe,
};
