/* See layers.h. */
#include "core/nn/layers.h"

#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"

struct shape nn_shape(const struct nn *nn, int node)
{
	return node < 0 ? (struct shape){ 0 } : nn->graph->nodes[node].shape;
}

static int add(struct nn *nn, const struct op *op, const char *name, const void *attr, int x)
{
	return nn->graph->status ? -1 : graph_add(nn->graph, op, name, attr, &x, 1, NULL, 0);
}

static int add_two(struct nn *nn, const struct op *op, const char *name, int a, int b)
{
	int inputs[] = { a, b };
	return nn->graph->status ? -1 : graph_add(nn->graph, op, name, NULL, inputs, 2, NULL, 0);
}

/* Parameter "NAME.SUFFIX". */
static int add_param(struct nn *nn, const char *name, const char *suffix, struct shape shape, enum param_kind kind,
		     enum param_init init)
{
	char full[192];
	snprintf(full, sizeof full, "%s.%s", name, suffix);
	return params_add(nn->graph->params, full, shape, nn->group, kind, init);
}

int nn_conv2d(struct nn *nn, const char *name, int x, struct nn_conv2d conv)
{
	if (nn->graph->status)
		return -1;
	struct conv2d_attr attr = {
		.kernel_h = conv.kernel,
		.kernel_w = conv.kernel,
		.stride = conv.stride ? conv.stride : 1,
		.padding = conv.padding,
		.dilation = conv.dilation ? conv.dilation : 1,
	};
	struct shape weight = { conv.channels, nn_shape(nn, x).c, conv.kernel, conv.kernel };
	enum param_init init = conv.logits ? PARAM_INIT_SMALL : PARAM_INIT_HE_NORMAL;
	int params[2] = { add_param(nn, name, "weight", weight, PARAM_WEIGHT, init) };
	if (!conv.no_bias)
		params[1] = add_param(nn, name, "bias", (struct shape){ conv.channels, 1, 1, 1 }, PARAM_BIAS, PARAM_INIT_ZERO);
	return graph_add(nn->graph, &op_conv2d, name, &attr, &x, 1, params, conv.no_bias ? 1 : 2);
}

static int add_batch_norm2d(struct nn *nn, const char *name, int x)
{
	if (nn->graph->status)
		return -1;
	struct shape shape = { nn_shape(nn, x).c, 1, 1, 1 };
	struct batch_norm2d_attr attr = { .epsilon = 1e-5f };
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
	int y = nn_conv2d(nn, name, x, conv);
	if (nn->batch_norm)
		y = add_batch_norm2d(nn, bn, y);
	return nn_relu(nn, name, y);
}

int nn_conv_transpose2d(struct nn *nn, const char *name, int x, int channels, int kernel, int stride, int padding)
{
	if (nn->graph->status)
		return -1;
	struct conv_transpose2d_attr attr = { .kernel = kernel, .stride = stride, .padding = padding };
	struct shape weight = { nn_shape(nn, x).c, channels, kernel, kernel };
	int params[] = {
		add_param(nn, name, "weight", weight, PARAM_WEIGHT, PARAM_INIT_BILINEAR),
		add_param(nn, name, "bias", (struct shape){ channels, 1, 1, 1 }, PARAM_BIAS, PARAM_INIT_ZERO),
	};
	return graph_add(nn->graph, &op_conv_transpose2d, name, &attr, &x, 1, params, 2);
}

int nn_relu(struct nn *nn, const char *name, int x)
{
	return add(nn, &op_relu, name, NULL, x);
}

int nn_max_pool2d(struct nn *nn, const char *name, int x, int kernel, int stride, bool ceil_mode)
{
	struct max_pool2d_attr attr = { .kernel = kernel, .stride = stride, .ceil_mode = ceil_mode };
	return add(nn, &op_max_pool2d, name, &attr, x);
}

int nn_global_avg_pool2d(struct nn *nn, const char *name, int x)
{
	return add(nn, &op_global_avg_pool2d, name, NULL, x);
}

int nn_upsample(struct nn *nn, const char *name, int x, int factor, int mode)
{
	struct upsample_attr attr = { .factor = factor, .mode = mode };
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
	struct scale_attr attr = { .factor = (float)factor };
	return add(nn, &op_scale, name, &attr, x);
}

int nn_dropout(struct nn *nn, const char *name, int x, double probability)
{
	struct dropout_attr attr = { .probability = (float)probability };
	return probability > 0 ? add(nn, &op_dropout, name, &attr, x) : x;
}
