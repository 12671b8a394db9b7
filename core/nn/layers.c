/* See layers.h. */
#include "core/nn/layers.h"

#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"

struct shape nn_shape(const struct nn *nn, int node)
{
	return node < 0 ? (struct shape){0} : nn->graph->nodes[node].shape;
}

static int add(struct nn *nn, const struct op *op, const char *name, const void *attr, int x)
{
	return nn->graph->status ? -1 : graph_add(nn->graph, op, name, attr, &x, 1, NULL, 0);
}

static int add_two(struct nn *nn, const struct op *op, const char *name, int a, int b)
{
	int inputs[] = {a, b};
	return nn->graph->status ? -1 : graph_add(nn->graph, op, name, NULL, inputs, 2, NULL, 0);
}

/* Parameter "NAME.SUFFIX". */
static int add_param(struct nn *nn, const char *name, const char *suffix, struct shape shape, enum param_kind kind,
		     enum param_init init)
{
	char full[192];
	snprintf(full, sizeof full, "%s.%s", name, suffix);
	int index = params_add(nn->graph->params, full, shape, nn->group, kind, init);
	if (index >= 0)
		nn->graph->params->items[index].frozen = nn->frozen;
	return index;
}

/* The parameters of a convolution over `channels` inputs; returns how many. */
static int add_conv2d_params(struct nn *nn, const char *name, int channels, struct nn_conv2d conv, int *params)
{
	struct shape weight = {conv.channels, channels, conv.kernel, conv.kernel};
	enum param_init init = conv.near_zero ? PARAM_INIT_SMALL : PARAM_INIT_HE_NORMAL;
	params[0] = add_param(nn, name, "weight", weight, PARAM_WEIGHT, init);
	if (conv.no_bias)
		return 1;
	params[1] = add_param(nn, name, "bias", (struct shape){conv.channels, 1, 1, 1}, PARAM_BIAS, PARAM_INIT_ZERO);
	return 2;
}

void nn_conv2d_params(struct nn *nn, const char *name, int channels, struct nn_conv2d conv)
{
	int params[2];
	if (!nn->graph->status)
		add_conv2d_params(nn, name, channels, conv, params); /* a failure comes again with the node */
}

static int add_conv2d(struct nn *nn, const char *name, const int *inputs, int input_count, struct nn_conv2d conv)
{
	if (nn->graph->status)
		return -1;
	struct conv2d_attr attr = {
		.kernel_h = conv.kernel,
		.kernel_w = conv.kernel,
		.stride = conv.stride ? conv.stride : 1,
		.padding = conv.padding,
		.dilation = conv.dilation ? conv.dilation : 1,
		.relu = conv.relu && !nn->activation,
		.input_scale = (float)conv.input_scale,
	};
	int params[2];
	int param_count = add_conv2d_params(nn, name, nn_shape(nn, inputs[0]).c, conv, params);
	int y = graph_add(nn->graph, &op_conv2d, name, &attr, inputs, input_count, params, param_count);
	return conv.relu && nn->activation ? nn_activation(nn, name, y) : y;
}

int nn_conv2d(struct nn *nn, const char *name, int x, struct nn_conv2d conv)
{
	return add_conv2d(nn, name, &x, 1, conv);
}

int nn_conv2d_add(struct nn *nn, const char *name, int x, int addend, struct nn_conv2d conv)
{
	int inputs[] = {x, addend};
	return add_conv2d(nn, name, inputs, 2, conv);
}

static int add_batch_norm2d(struct nn *nn, const char *name, int x)
{
	if (nn->graph->status)
		return -1;
	struct shape shape = {nn_shape(nn, x).c, 1, 1, 1};
	struct batch_norm2d_attr attr = {.epsilon = 1e-5f};
	int params[] = {
		add_param(nn, name, "weight", shape, PARAM_BIAS, PARAM_INIT_ONE),
		add_param(nn, name, "bias", shape, PARAM_BIAS, PARAM_INIT_ZERO),
		add_param(nn, name, "running_mean", shape, PARAM_BUFFER, PARAM_INIT_ZERO),
		add_param(nn, name, "running_var", shape, PARAM_BUFFER, PARAM_INIT_ONE),
	};
	return graph_add(nn->graph, &op_batch_norm2d, name, &attr, &x, 1, params, 4);
}

int nn_conv2d_block(struct nn *nn, const char *name, int x, struct nn_conv2d conv)
{
	char bn[128];
	snprintf(bn, sizeof bn, "%s.bn", name);
	conv.relu = !nn->batch_norm;
	int y = nn_conv2d(nn, name, x, conv);
	return nn->batch_norm ? nn_activation(nn, name, add_batch_norm2d(nn, bn, y)) : y;
}

int nn_conv_transpose2d(struct nn *nn, const char *name, int x, int channels, int kernel, int stride, int padding)
{
	if (nn->graph->status)
		return -1;
	struct conv_transpose2d_attr attr = {.kernel = kernel, .stride = stride, .padding = padding};
	struct shape weight = {nn_shape(nn, x).c, channels, kernel, kernel};
	int params[] = {
		add_param(nn, name, "weight", weight, PARAM_WEIGHT, PARAM_INIT_BILINEAR),
		add_param(nn, name, "bias", (struct shape){channels, 1, 1, 1}, PARAM_BIAS, PARAM_INIT_ZERO),
	};
	return graph_add(nn->graph, &op_conv_transpose2d, name, &attr, &x, 1, params, 2);
}

int nn_linear(struct nn *nn, const char *name, int x, int channels)
{
	if (nn->graph->status)
		return -1;
	struct shape weight = {channels, nn_shape(nn, x).c, 1, 1};
	int params[] = {
		add_param(nn, name, "weight", weight, PARAM_WEIGHT, PARAM_INIT_HE_NORMAL),
		add_param(nn, name, "bias", (struct shape){channels, 1, 1, 1}, PARAM_BIAS, PARAM_INIT_ZERO),
	};
	return graph_add(nn->graph, &op_linear, name, NULL, &x, 1, params, 2);
}

int nn_flatten(struct nn *nn, const char *name, int x)
{
	struct reshape_attr attr = {.c = -1, .h = 1, .w = 1};
	return add(nn, &op_reshape, name, &attr, x);
}

int nn_layer_norm(struct nn *nn, const char *name, int x)
{
	if (nn->graph->status)
		return -1;
	struct shape shape = {nn_shape(nn, x).c, 1, 1, 1};
	struct layer_norm_attr attr = {.epsilon = 1e-5f};
	int params[] = {
		add_param(nn, name, "weight", shape, PARAM_BIAS, PARAM_INIT_ONE),
		add_param(nn, name, "bias", shape, PARAM_BIAS, PARAM_INIT_ZERO),
	};
	return graph_add(nn->graph, &op_layer_norm, name, &attr, &x, 1, params, 2);
}

int nn_tanh(struct nn *nn, const char *name, int x)
{
	return add(nn, &op_tanh, name, NULL, x);
}

int nn_avg_pool2d(struct nn *nn, const char *name, int x, int kernel, int stride)
{
	struct avg_pool2d_attr attr = {.kernel = kernel, .stride = stride};
	return add(nn, &op_avg_pool2d, name, &attr, x);
}

int nn_loss(struct nn *nn, const struct op *op, const void *attr, int prediction, int target)
{
	int inputs[] = {prediction, target};
	int loss = nn->graph->status ? -1 : graph_add(nn->graph, op, op->name, attr, inputs, 2, NULL, 0);
	graph_keep(nn->graph, loss);
	return loss;
}

int nn_relu(struct nn *nn, const char *name, int x)
{
	return add(nn, &op_relu, name, NULL, x);
}

int nn_activation(struct nn *nn, const char *name, int x)
{
	return add(nn, nn->activation ? nn->activation : &op_relu, name, NULL, x);
}

int nn_max_pool2d(struct nn *nn, const char *name, int x, int kernel, int stride, bool ceil_mode)
{
	struct max_pool2d_attr attr = {.kernel = kernel, .stride = stride, .ceil_mode = ceil_mode};
	return add(nn, &op_max_pool2d, name, &attr, x);
}

int nn_global_avg_pool2d(struct nn *nn, const char *name, int x)
{
	return add(nn, &op_global_avg_pool2d, name, NULL, x);
}

int nn_upsample(struct nn *nn, const char *name, int x, int factor, int mode)
{
	struct upsample_attr attr = {.factor = factor, .mode = mode};
	return add(nn, &op_upsample, name, &attr, x);
}

int nn_concat(struct nn *nn, const char *name, int a, int b)
{
	return add_two(nn, &op_concat, name, a, b);
}

int nn_add(struct nn *nn, const char *name, int a, int b)
{
	return add_two(nn, &op_add, name, a, b);
}

int nn_scale(struct nn *nn, const char *name, int x, double factor)
{
	struct scale_attr attr = {.factor = (float)factor};
	return add(nn, &op_scale, name, &attr, x);
}

int nn_dropout(struct nn *nn, const char *name, int x, double probability)
{
	struct dropout_attr attr = {.probability = (float)probability};
	return probability > 0 ? add(nn, &op_dropout, name, &attr, x) : x;
}
