/* Building blocks that add parameters and nodes together. Each returns the node of its output, or -1 once building
 * has failed (the error is sticky in the graph, so model code need not check each line).
 *
 * Parameters are named NAME.weight and NAME.bias, as in PyTorch. */
#ifndef CORE_NN_LAYERS_H
#define CORE_NN_LAYERS_H

#include "core/graph.h"

/* Where layers are added, and how their parameters learn. */
struct nn {
	struct graph *graph;
	enum param_group group;
	bool frozen;                 /* their parameters do not learn */
	bool batch_norm;             /* nn_conv2d_block normalises between convolution and relu */
	const struct op *activation; /* takes the place of each relu; NULL: relu */
};

struct nn_conv2d {
	int channels; /* of the output */
	int kernel;
	int stride; /* 0 means 1 */
	int padding;
	int dilation; /* 0 means 1 */
	bool no_bias;
	bool near_zero;     /* how its weights start: its output decides, or is added to what works without it */
	bool relu;          /* nn.activation at the end */
	double input_scale; /* its input is multiplied by this; 0 means 1 */
};

/* A map that its readers multiply by a scale: nn_conv2d.input_scale. */
struct nn_features {
	int map;
	double scale;
};

int nn_conv2d(struct nn *nn, const char *name, int x, struct nn_conv2d conv);
/* `addend`, a node of the output's shape, is added (before the relu). */
int nn_conv2d_add(struct nn *nn, const char *name, int x, int addend, struct nn_conv2d conv);
/* Adds the parameters of a later nn_conv2d(_add) over `channels` inputs now: checkpoints have parameters in the
 * order in which they were added, which must not change with the order of nodes. */
void nn_conv2d_params(struct nn *nn, const char *name, int channels, struct nn_conv2d conv);
/* conv2d [batch_norm2d] relu: the decoder's usual block. With batch norm, its parameters are NAME.bn.*. */
int nn_conv2d_block(struct nn *nn, const char *name, int x, struct nn_conv2d conv);
int nn_conv_transpose2d(struct nn *nn, const char *name, int x, int channels, int kernel, int stride, int padding);
/* Each pixel's channels times a matrix; behind nn_flatten, a fully connected layer. */
int nn_linear(struct nn *nn, const char *name, int x, int channels);
/* (N,C,H,W) -> (N,C H W,1,1) */
int nn_flatten(struct nn *nn, const char *name, int x);
int nn_layer_norm(struct nn *nn, const char *name, int x);
int nn_relu(struct nn *nn, const char *name, int x);
int nn_tanh(struct nn *nn, const char *name, int x);
int nn_avg_pool2d(struct nn *nn, const char *name, int x, int kernel, int stride);
/* What nn.activation says. */
int nn_activation(struct nn *nn, const char *name, int x);
int nn_max_pool2d(struct nn *nn, const char *name, int x, int kernel, int stride, bool ceil_mode);
int nn_global_avg_pool2d(struct nn *nn, const char *name, int x);
int nn_upsample(struct nn *nn, const char *name, int x, int factor, int mode);
int nn_concat(struct nn *nn, const char *name, int a, int b);
int nn_add(struct nn *nn, const char *name, int a, int b);
int nn_scale(struct nn *nn, const char *name, int x, double factor);
int nn_dropout(struct nn *nn, const char *name, int x, double probability);

/* A loss of prediction and target, kept: it can be read after a pass. `attr`: the operator's; NULL: all 0, or it has
 * none. It must be the graph's last node unless other losses are added to it. */
int nn_loss(struct nn *nn, const struct op *op, const void *attr, int prediction, int target);

/* Channels, and any other part of a node's shape; zeros once building has failed. */
struct shape nn_shape(const struct nn *nn, int node);

#endif
