/* Graph to steps: one row per operator, one function per row. Four simplifications make the deployed network smaller
 * than the trained one, and none changes what it computes beyond rounding:
 * - a scale that only a conv2d multiplies, or its own input_scale, goes into that convolution's weights;
 * - dropout is the identity outside of training;
 * - batch_norm2d with its running statistics is x * scale + shift per channel; it goes into the weights of a
 * convolution that nobody else reads, else it is a channel_affine step;
 * - a relu that alone reads a conv2d, conv_transpose2d or add becomes that step's flag, so that the kernel's epilogue
 * does it. */
#include "convert/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/value_storage.h"
#include "core/ops/ops.h"
#include "core/quantize.h"
#include "infer/network/ops.h"

struct translation {
	const struct graph *graph;
	const float *values; /* of the parameters */
	struct steps *out;
	int *value;    /* node -> value of infer; -1: not translated */
	int *readers;  /* node -> how many translated nodes read it; the logits have one more */
	int *reader;   /* node -> the first of them */
	bool *open;    /* node -> its step may still be changed by an only reader */
	float *factor; /* node -> its value times this is what it stands for; not 1 only where the only reader is a
			  conv2d */
};

static const struct node *node_at(const struct translation *t, int node)
{
	return &t->graph->nodes[node];
}

static int input_value(const struct translation *t, int node, int i)
{
	return t->value[node_at(t, node)->inputs[i]];
}

/* The step behind a node's first input, if this node alone reads it and the step may still be changed; else NULL. */
static struct infer_step *exclusive_step(const struct translation *t, int node)
{
	int input = node_at(t, node)->inputs[0];
	if (t->readers[input] != 1 || !t->open[input])
		return NULL;
	return &t->out->network.steps[t->value[input] - INFER_FIRST_STEP_VALUE];
}

/* The node gives what its first input gives. */
static enum status alias(struct translation *t, int node, bool open)
{
	t->value[node] = input_value(t, node, 0);
	t->open[node] = open;
	t->factor[node] = t->factor[node_at(t, node)->inputs[0]];
	return STATUS_OK;
}

static struct infer_step *add_step(struct translation *t, int node, int op)
{
	struct infer_network *network = &t->out->network;
	struct infer_step *step = &network->steps[network->step_count];
	*step = (struct infer_step){.op = (uint8_t)op,
				    .input_count = (uint8_t)node_at(t, node)->input_count,
				    .tensor = {-1, -1}};
	for (int i = 0; i < INFER_MAX_INPUTS; i++)
		step->inputs[i] = i < step->input_count ? input_value(t, node, i) : -1;
	t->value[node] = INFER_FIRST_STEP_VALUE + network->step_count++;
	return step;
}

/* A tensor of this shape, zeros, named NODE.what. Its index, or -1. */
static int add_tensor(struct translation *t, const char *name, const char *what, struct shape shape)
{
	struct infer_network *network = &t->out->network;
	struct infer_tensor *tensor = &network->tensors[network->tensor_count];
	size_t bytes = (shape_count(shape) * sizeof(float) + 63) / 64 * 64;
	*tensor = (struct infer_tensor){.dims = {shape.n, shape.c, shape.h, shape.w}, .data = aligned_alloc(64, bytes)};
	if (!tensor->data) {
		status_fail(STATUS_NO_MEMORY, "no memory for tensor %s", name);
		return -1;
	}
	memset(tensor->data, 0, bytes);
	snprintf(t->out->names[network->tensor_count], sizeof *t->out->names, "%s%s", name, what);
	return network->tensor_count++;
}

static const struct param *param_at(const struct translation *t, int node, int i)
{
	return &t->graph->params->items[node_at(t, node)->params[i]];
}

static enum status check_finite(const struct translation *t, int node)
{
	for (int p = 0; p < node_at(t, node)->param_count; p++) {
		const struct param *param = param_at(t, node, p);
		const float *data = t->values + param->offset;
		for (size_t i = 0; i < shape_count(param->shape); i++)
			if (!isfinite(data[i]))
				return status_fail(STATUS_FORMAT,
						   "parameter %s: number %zu is %g, expected a finite one", param->name,
						   i, (double)data[i]);
	}
	return STATUS_OK;
}

/* Copies the node's parameters into the step's tensors. */
static enum status add_params(struct translation *t, int node, struct infer_step *step)
{
	TRY(check_finite(t, node));
	for (int i = 0; i < node_at(t, node)->param_count; i++) {
		const struct param *param = param_at(t, node, i);
		step->tensor[i] = add_tensor(t, param->name, "", param->shape);
		if (step->tensor[i] < 0)
			return STATUS_NO_MEMORY;
		memcpy(t->out->network.tensors[step->tensor[i]].data, t->values + param->offset,
		       shape_count(param->shape) * sizeof(float));
	}
	return STATUS_OK;
}

/* --- one function per operator -------------------------------------------- */

/* An addend is an add step of its own; the runner does it in the convolution's epilogue where that is best. */
static enum status encode_conv2d(struct translation *t, int node)
{
	struct conv2d_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	struct infer_step *step = add_step(t, node, INFER_OP_CONV2D);
	step->input_count = 1;
	step->inputs[1] = -1;
	const int args[] = {attr.kernel_h, attr.kernel_w, attr.stride, attr.padding, attr.dilation};
	memcpy(step->args, args, sizeof args);
	TRY(add_params(t, node, step));
	const struct infer_tensor *weight = &t->out->network.tensors[step->tensor[0]];
	float factor = t->factor[node_at(t, node)->inputs[0]] * (attr.input_scale != 0 ? attr.input_scale : 1);
	for (size_t i = 0; factor != 1 && i < shape_count(param_at(t, node, 0)->shape); i++)
		weight->data[i] *= factor;
	if (node_at(t, node)->input_count > 1) {
		int sum = t->value[node];
		step = add_step(t, node, INFER_OP_ADD);
		step->inputs[0] = input_value(t, node, 1);
		step->inputs[1] = sum;
	}
	step->relu = attr.relu != 0;
	t->open[node] = !attr.relu;
	return STATUS_OK;
}

static enum status encode_conv_transpose2d(struct translation *t, int node)
{
	struct conv_transpose2d_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	struct infer_step *step = add_step(t, node, INFER_OP_CONV_TRANSPOSE2D);
	const int args[] = {attr.kernel, attr.stride, attr.padding};
	memcpy(step->args, args, sizeof args);
	t->open[node] = true;
	return add_params(t, node, step);
}

static enum status encode_max_pool2d(struct translation *t, int node)
{
	struct max_pool2d_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	struct infer_step *step = add_step(t, node, INFER_OP_MAX_POOL2D);
	const int args[] = {attr.kernel, attr.stride, attr.padding, attr.ceil_mode != 0};
	memcpy(step->args, args, sizeof args);
	return STATUS_OK;
}

static enum status encode_upsample(struct translation *t, int node)
{
	struct upsample_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	bool nearest = attr.mode == UPSAMPLE_NEAREST;
	add_step(t, node, nearest ? INFER_OP_UPSAMPLE_NEAREST : INFER_OP_UPSAMPLE_BILINEAR)->args[0] = attr.factor;
	return STATUS_OK;
}

static enum status encode_leaky_relu(struct translation *t, int node)
{
	struct leaky_relu_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	add_step(t, node, INFER_OP_LEAKY_RELU)->farg = attr.slope;
	return STATUS_OK;
}

static enum status encode_scale(struct translation *t, int node)
{
	struct scale_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	const struct node *reader = t->reader[node] >= 0 ? node_at(t, t->reader[node]) : NULL;
	if (t->readers[node] == 1 && reader && reader->op == &op_conv2d && reader->inputs[0] == node) {
		alias(t, node, false);
		t->factor[node] *= attr.factor;
		return STATUS_OK;
	}
	add_step(t, node, INFER_OP_SCALE)->farg = attr.factor;
	return STATUS_OK;
}

static enum status encode_relu(struct translation *t, int node)
{
	struct infer_step *step = exclusive_step(t, node);
	if (step) {
		step->relu = 1;
		return alias(t, node, false);
	}
	add_step(t, node, INFER_OP_RELU);
	return STATUS_OK;
}

static enum status encode_add(struct translation *t, int node)
{
	add_step(t, node, INFER_OP_ADD);
	t->open[node] = true;
	return STATUS_OK;
}

static enum status encode_dropout(struct translation *t, int node)
{
	int input = node_at(t, node)->inputs[0];
	return alias(t, node, t->open[input] && t->readers[input] == 1);
}

/* y = (x - mean) / sqrt(var + epsilon) * weight + bias, as x * scale + shift (Ioffe & Szegedy, ICML 2015, algorithm 2).
 */
static void affine_of(const struct translation *t, int node, int channel, double *scale, double *shift)
{
	struct batch_norm2d_attr attr;
	memcpy(&attr, node_at(t, node)->attr, sizeof attr);
	double p[4];
	for (int i = 0; i < 4; i++)
		p[i] = t->values[param_at(t, node, i)->offset + (size_t)channel];
	*scale = p[0] / sqrt(p[3] + attr.epsilon);
	*shift = p[1] - p[2] * *scale;
}

/* Multiplies the weights of each output channel and moves its bias (making one where there is none). */
static enum status fold(struct translation *t, int node, struct infer_step *step)
{
	struct infer_network *network = &t->out->network;
	const struct infer_tensor *weight = &network->tensors[step->tensor[0]];
	bool transposed = step->op == INFER_OP_CONV_TRANSPOSE2D;
	size_t outer = transposed ? (size_t)weight->dims[0] : 1;
	size_t inner = (size_t)weight->dims[2] * (size_t)weight->dims[3] * (transposed ? 1 : (size_t)weight->dims[1]);
	int channels = weight->dims[transposed];
	if (step->tensor[1] < 0)
		step->tensor[1] = add_tensor(t, node_at(t, node)->name, ".shift", (struct shape){channels, 1, 1, 1});
	if (step->tensor[1] < 0)
		return STATUS_NO_MEMORY;
	float *bias = network->tensors[step->tensor[1]].data;
	for (int c = 0; c < channels; c++) {
		double scale, shift;
		affine_of(t, node, c, &scale, &shift);
		for (size_t o = 0; o < outer; o++) {
			float *w = weight->data + (o * (size_t)channels + (size_t)c) * inner;
			for (size_t i = 0; i < inner; i++)
				w[i] = (float)(w[i] * scale);
		}
		bias[c] = (float)(bias[c] * scale + shift);
	}
	return STATUS_OK;
}

static enum status encode_batch_norm2d(struct translation *t, int node)
{
	TRY(check_finite(t, node));
	struct infer_step *step = exclusive_step(t, node);
	if (step && step->op != INFER_OP_ADD) {
		TRY(fold(t, node, step));
		return alias(t, node, true);
	}
	step = add_step(t, node, INFER_OP_CHANNEL_AFFINE);
	struct shape shape = param_at(t, node, 0)->shape;
	step->tensor[0] = add_tensor(t, node_at(t, node)->name, ".scale", shape);
	step->tensor[1] = step->tensor[0] < 0 ? -1 : add_tensor(t, node_at(t, node)->name, ".shift", shape);
	if (step->tensor[1] < 0)
		return STATUS_NO_MEMORY;
	struct infer_tensor *tensors = t->out->network.tensors;
	for (int c = 0; c < shape.n; c++) {
		double scale, shift;
		affine_of(t, node, c, &scale, &shift);
		tensors[step->tensor[0]].data[c] = (float)scale;
		tensors[step->tensor[1]].data[c] = (float)shift;
	}
	return STATUS_OK;
}

/* Operators that have attributes or parameters, or do not simply become a step; all others: encode_node. */
static const struct {
	const struct op *op;
	enum status (*encode)(struct translation *t, int node);
} encoders[] = {
	{&op_conv2d, encode_conv2d},
	{&op_conv_transpose2d, encode_conv_transpose2d},
	{&op_relu, encode_relu},
	{&op_leaky_relu, encode_leaky_relu},
	{&op_max_pool2d, encode_max_pool2d},
	{&op_upsample, encode_upsample},
	{&op_add, encode_add},
	{&op_scale, encode_scale},
	{&op_batch_norm2d, encode_batch_norm2d},
	{&op_dropout, encode_dropout},
};

/* The deployed operator of that name; 0: none. */
static int deployed(const char *name)
{
	int op = infer_op_last();
	while (op > 0 && strcmp(infer_op_name(op), name) != 0)
		op--;
	return op;
}

/* An operator that is not in the list and has nothing but inputs becomes the step of the same name. What has no such
 * step (losses) has no deployed form. */
static enum status encode_node(struct translation *t, int node)
{
	const struct node *n = node_at(t, node);
	if (!n->op)
		return status_fail(STATUS_CONFIG, "export: input %s is neither the image nor the clicks", n->name);
	for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++)
		if (encoders[i].op == n->op)
			return encoders[i].encode(t, node);
	if (!n->op->attr_bytes && !n->op->max_params && deployed(n->op->name)) {
		add_step(t, node, deployed(n->op->name));
		return STATUS_OK;
	}
	return status_fail(STATUS_CONFIG, "export: %s: operator %s has no deployed form", n->name, n->op->name);
}

/* --- the walk ------------------------------------------------------------- */

/* From the logits back to the inputs: who is read, by how many, and by whom. */
static void count_readers(struct translation *t, int logits)
{
	t->readers[logits] = 1;
	t->reader[logits] = -1; /* whoever runs the network */
	for (int node = logits; node >= 0; node--)
		for (int i = 0; t->readers[node] && i < node_at(t, node)->input_count; i++) {
			int input = node_at(t, node)->inputs[i];
			t->readers[input]++;
			t->reader[input] = node;
		}
}

/* The ranges of a network that was trained for 8 bits (core/quantize.h), if it has seen any values. The caller adds
 * that of the clicks. */
static enum status add_ranges(struct translation *t, int logits)
{
	struct infer_network *network = &t->out->network;
	bool trained = false;
	network->ranges = calloc((size_t)(INFER_FIRST_STEP_VALUE + network->step_count), sizeof *network->ranges);
	if (!network->ranges)
		return status_fail(STATUS_NO_MEMORY, "no memory for the ranges of %d steps", network->step_count);
	for (int node = 0; node <= logits; node++) {
		if (!t->readers[node] || t->value[node] < INFER_FIRST_STEP_VALUE)
			continue;
		struct quantize_grid grid = quantize_node_grid(t->graph, t->values, node);
		network->ranges[t->value[node]] = (struct infer_range){grid.scale, (int)grid.zero};
		trained |= grid.scale > 0;
	}
	if (!trained) {
		free(network->ranges);
		network->ranges = NULL;
	}
	return STATUS_OK;
}

static enum status walk(struct translation *t, int image, int clicks, int logits)
{
	count_readers(t, logits);
	for (int node = 0; node <= logits; node++) {
		t->value[node] = node == image ? 0 : node == clicks ? 1 : -1;
		t->factor[node] = 1;
	}
	for (int node = 0; node <= logits; node++)
		if (t->readers[node] && t->value[node] < 0)
			TRY(encode_node(t, node));
	if (t->value[logits] != INFER_FIRST_STEP_VALUE + t->out->network.step_count - 1)
		return status_fail(STATUS_CONFIG, "export: the logits are not the last step");
	return add_ranges(t, logits);
}

/* A node becomes at most two steps with at most two tensors. */
static enum status steps_reserve(struct steps *steps, size_t nodes)
{
	*steps = (struct steps){0};
	steps->network.steps = calloc(2 * nodes, sizeof *steps->network.steps);
	steps->network.tensors = calloc(2 * nodes, sizeof *steps->network.tensors);
	steps->names = calloc(2 * nodes, sizeof *steps->names);
	if (!steps->network.steps || !steps->network.tensors || !steps->names) {
		steps_release(steps);
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu steps", nodes);
	}
	return STATUS_OK;
}

static enum status translation_init(struct translation *t, size_t nodes)
{
	t->value = calloc(nodes, sizeof *t->value);
	t->readers = calloc(nodes, sizeof *t->readers);
	t->reader = calloc(nodes, sizeof *t->reader);
	t->open = calloc(nodes, sizeof *t->open);
	t->factor = calloc(nodes, sizeof *t->factor);
	if (!t->value || !t->readers || !t->reader || !t->open || !t->factor)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu nodes", nodes);
	return STATUS_OK;
}

static void translation_release(struct translation *t)
{
	free(t->value);
	free(t->readers);
	free(t->reader);
	free(t->open);
	free(t->factor);
}

enum status steps_translate(struct steps *steps, const struct graph *graph, int image, int clicks, int logits,
			    const float *values)
{
	size_t nodes = (size_t)logits + 1;
	TRY(steps_reserve(steps, nodes));
	struct translation t = {.graph = graph, .values = values, .out = steps};
	enum status status = translation_init(&t, nodes);
	if (status == STATUS_OK)
		status = walk(&t, image, clicks, logits);
	translation_release(&t);
	if (status != STATUS_OK)
		steps_release(steps);
	return status;
}

void steps_click_range(struct steps *steps, float click_scale)
{
	if (steps->network.ranges)
		value_ranges_of_clicks(&steps->network, click_scale, steps->network.ranges);
}

void steps_release(struct steps *steps)
{
	infer_network_release(&steps->network);
	free(steps->names);
	*steps = (struct steps){0};
}
