/* Steps to nodes: one row per operator says which ONNX operator it is, which attributes it has and which constants it
 * takes (https://github.com/onnx/onnx/blob/main/docs/Operators.md). */
#include "convert/onnx_nodes.h"

#include <stdio.h>
#include <string.h>

#include "convert/onnx_qdq.h"
#include "infer/network/ops.h"

/* What a row's functions work on. */
struct context {
	struct proto *graph;
	const struct infer_network *network;
	const struct infer_step *step;
	int index;
	bool qdq;
	char inputs[INFER_MAX_INPUTS][ONNX_NAME_SIZE]; /* of the step, as its nodes read them */
};

/* --- attributes ----------------------------------------------------------- */

/* `before`: padding above and left; `after`: below and right. */
static void put_window(struct proto *node, int kernel_h, int kernel_w, int stride, int before, int after)
{
	onnx_put_ints(node, "kernel_shape", (int[]){kernel_h, kernel_w}, 2);
	onnx_put_ints(node, "strides", (int[]){stride, stride}, 2);
	onnx_put_ints(node, "pads", (int[]){before, before, after, after}, 4);
}

static void conv2d_attributes(struct proto *node, const struct infer_step *step)
{
	put_window(node, step->args[0], step->args[1], step->args[2], step->args[3], step->args[3]);
	onnx_put_ints(node, "dilations", (int[]){step->args[4], step->args[4]}, 2);
}

static void conv_transpose2d_attributes(struct proto *node, const struct infer_step *step)
{
	put_window(node, step->args[0], step->args[0], step->args[1], step->args[2], step->args[2]);
}

/* ONNX's ceil_mode keeps a last window that begins outside of the input, ours drops it. There is one only where the
 * kernel is smaller than stride + padding, and then our size is (H + padding - 1) / stride + 1 rounded down: that of
 * padding by kernel - 1 below. */
static void max_pool2d_attributes(struct proto *node, const struct infer_step *step)
{
	int kernel = step->args[0], stride = step->args[1], padding = step->args[2];
	bool ceil_mode = step->args[3], drops = ceil_mode && kernel < stride + padding;
	put_window(node, kernel, kernel, stride, padding, drops ? kernel - 1 : padding);
	onnx_put_int(node, "ceil_mode", ceil_mode && !drops);
}

static void leaky_relu_attributes(struct proto *node, const struct infer_step *step)
{
	onnx_put_float(node, "alpha", step->farg);
}

/* Its default alpha is 0.2. */
static void hard_swish_attributes(struct proto *node, const struct infer_step *step)
{
	(void)step;
	onnx_put_float(node, "alpha", 1.0f / 6);
	onnx_put_float(node, "beta", 0.5f);
}

static void concat_attributes(struct proto *node, const struct infer_step *step)
{
	(void)step;
	onnx_put_int(node, "axis", 1);
}

/* With a whole factor, floor of asymmetric coordinates takes pixel i / factor. */
static void nearest_attributes(struct proto *node, const struct infer_step *step)
{
	(void)step;
	onnx_put_string(node, "mode", "nearest");
	onnx_put_string(node, "coordinate_transformation_mode", "asymmetric");
	onnx_put_string(node, "nearest_mode", "floor");
}

static void bilinear_attributes(struct proto *node, const struct infer_step *step)
{
	(void)step;
	onnx_put_string(node, "mode", "linear");
	onnx_put_string(node, "coordinate_transformation_mode", "half_pixel");
}

/* --- constants ------------------------------------------------------------ */

/* An initialiser stepN.WHAT, which becomes the node's next input. */
static void add_constant(const struct context *c, struct onnx_node *node, const char *what, const float *data,
			 const int *dims, int rank)
{
	char name[ONNX_NAME_SIZE];
	snprintf(name, sizeof name, "step%d.%.16s", c->index, what);
	onnx_constant(c->graph, node, name, ONNX_FLOAT, data, dims, rank);
}

static const struct infer_tensor *tensor_of(const struct context *c, int which)
{
	int index = c->step->tensor[which];
	return index < 0 ? NULL : &c->network->tensors[index];
}

static void conv_constants(const struct context *c, struct onnx_node *node)
{
	const struct infer_tensor *weight = tensor_of(c, 0), *bias = tensor_of(c, 1);
	if (c->qdq) {
		onnx_qdq_conv_constants(c->graph, c->network, c->index, node);
		return;
	}
	add_constant(c, node, "weight", weight->data, weight->dims, 4);
	if (bias)
		add_constant(c, node, "bias", bias->data, bias->dims, 1);
}

/* Resize has a region of interest before its scales; without one the name is empty. */
static void resize_constants(const struct context *c, struct onnx_node *node)
{
	float factor = (float)c->step->args[0];
	onnx_node_input(node)[0] = '\0';
	add_constant(c, node, "scales", (float[]){1, 1, factor, factor}, (int[]){4}, 1);
}

static void scale_constants(const struct context *c, struct onnx_node *node)
{
	add_constant(c, node, "factor", &c->step->farg, NULL, 0);
}

/* (C) as (1,C,1,1), so that it stands for channels. */
static void add_channels(const struct context *c, struct onnx_node *node, const char *what, int which)
{
	const struct infer_tensor *tensor = tensor_of(c, which);
	add_constant(c, node, what, tensor->data, (int[]){1, tensor->dims[0], 1, 1}, 4);
}

static void add_input(const struct context *c, struct onnx_node *node, int which)
{
	snprintf(onnx_node_input(node), ONNX_NAME_SIZE, "%s", c->inputs[which]);
}

/* The value again: its square. */
static void same_constants(const struct context *c, struct onnx_node *node)
{
	add_input(c, node, 0);
}

static void affine_constants(const struct context *c, struct onnx_node *node)
{
	add_channels(c, node, "scale", 0);
}

/* --- one row per operator ------------------------------------------------- */

/* What a node takes besides the value of the node before it. */
enum operand { OPERAND_NONE, OPERAND_INPUT /* the step's */, OPERAND_NUMBER, OPERAND_SHIFT };

/* The nodes behind the first one, for operators that ONNX makes of several. */
struct link {
	const char *type; /* NULL: the end */
	enum operand operand;
	float number;
};
enum { MAX_LINKS = 8 };

/* One line per operator. */
/* clang-format off */
static const struct row {
	const char *op; /* infer's name */
	const char *type;
	void (*attributes)(struct proto *node, const struct infer_step *step); /* NULL: none */
	void (*constants)(const struct context *c, struct onnx_node *node);         /* NULL: none */
	struct link links[MAX_LINKS + 1];
} rows[] = {
	{.op = "conv2d", .type = "Conv", .attributes = conv2d_attributes, .constants = conv_constants},
	{.op = "conv_transpose2d",
	 .type = "ConvTranspose",
	 .attributes = conv_transpose2d_attributes,
	 .constants = conv_constants},
	{.op = "relu", .type = "Relu"},
	{.op = "leaky_relu", .type = "LeakyRelu", .attributes = leaky_relu_attributes},
	{.op = "sigmoid", .type = "Sigmoid"},
	{.op = "max_pool2d", .type = "MaxPool", .attributes = max_pool2d_attributes},
	{.op = "global_avg_pool2d", .type = "GlobalAveragePool"},
	{.op = "upsample_nearest", .type = "Resize", .attributes = nearest_attributes, .constants = resize_constants},
	{.op = "upsample_bilinear", .type = "Resize", .attributes = bilinear_attributes, .constants = resize_constants},
	{.op = "concat", .type = "Concat", .attributes = concat_attributes},
	{.op = "add", .type = "Add"},
	{.op = "mul", .type = "Mul"},
	{.op = "scale", .type = "Mul", .constants = scale_constants},
	/* The formula of ONNX's own Gelu with approximate "tanh", which came with opset 20. */
	{.op = "gelu", .type = "Mul", .constants = same_constants,
	 .links = {{"Mul", OPERAND_INPUT, 0}, {"Mul", OPERAND_NUMBER, 0.044715f}, {"Add", OPERAND_INPUT, 0},
		   {"Mul", OPERAND_NUMBER, 0.797884561f}, {"Tanh", OPERAND_NONE, 0}, {"Add", OPERAND_NUMBER, 1},
		   {"Mul", OPERAND_INPUT, 0}, {"Mul", OPERAND_NUMBER, 0.5f}}},
	/* ONNX's own HardSwish came with opset 14. */
	{.op = "hard_swish", .type = "HardSigmoid", .attributes = hard_swish_attributes, .links = {{"Mul", OPERAND_INPUT, 0}}},
	{.op = "channel_affine", .type = "Mul", .constants = affine_constants, .links = {{"Add", OPERAND_SHIFT, 0}}},
};
/* clang-format on */

static const struct row *row_of(const struct infer_step *step)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].op, infer_op_name(step->op)) == 0)
			return &rows[i];
	return NULL;
}

/* The value that node number `node` of the step gives: the step's own if it is the last of them. */
static void name_node(const struct context *c, int node, bool last, char name[ONNX_NAME_SIZE])
{
	if (last)
		onnx_value_name(c->network, INFER_FIRST_STEP_VALUE + c->index, name);
	else if (node == 0)
		snprintf(name, ONNX_NAME_SIZE, "step%d.first", c->index);
	else
		snprintf(name, ONNX_NAME_SIZE, "step%d.node%d", c->index, node);
}

static void put_link(const struct context *c, const struct link *link, int number, const char *before, bool last)
{
	struct onnx_node node = {.type = link->type, .input_count = 1};
	char output[ONNX_NAME_SIZE], what[ONNX_NAME_SIZE];
	snprintf(node.inputs[0], ONNX_NAME_SIZE, "%s", before);
	snprintf(what, sizeof what, "number%d", number);
	if (link->operand == OPERAND_INPUT)
		add_input(c, &node, 0);
	else if (link->operand == OPERAND_NUMBER)
		add_constant(c, &node, what, &link->number, NULL, 0);
	else if (link->operand == OPERAND_SHIFT)
		add_channels(c, &node, "shift", 1);
	name_node(c, number, last, output);
	onnx_node_put(c->graph, &node, output);
}

/* The row's node, with the step's inputs. */
static void put_first(const struct context *c, const struct row *row, const char *output)
{
	struct onnx_node node = {.type = row->type};
	while (node.input_count < c->step->input_count)
		add_input(c, &node, node.input_count);
	if (row->constants)
		row->constants(c, &node);
	size_t start = onnx_node_open(c->graph, &node, output);
	if (row->attributes)
		row->attributes(c->graph, c->step);
	proto_close(c->graph, start);
}

/* All nodes of the step; relu: also the one behind them. */
static void put_nodes(const struct context *c, const struct row *row, int relu)
{
	static const struct link behind = {"Relu", OPERAND_NONE, 0};
	char name[ONNX_NAME_SIZE];
	int links = 0;
	while (row->links[links].type)
		links++;
	name_node(c, 0, links + relu == 0, name);
	put_first(c, row, name);
	for (int i = 0; i < links + relu; i++) {
		bool last = i == links + relu - 1;
		put_link(c, i < links ? &row->links[i] : &behind, i + 1, name, last);
		name_node(c, i + 1, last, name);
	}
}

enum status onnx_put_step(struct proto *graph, const struct infer_network *network, int index, bool qdq)
{
	struct infer_step step = network->steps[index];
	struct context c = {.graph = graph, .network = network, .step = &step, .index = index, .qdq = qdq};
	const struct row *row = row_of(&step);
	int value = INFER_FIRST_STEP_VALUE + index;
	if (!row)
		return status_fail(STATUS_CONFIG, "step %d: %s has no form in ONNX", index, infer_op_name(step.op));
	for (int k = 0; k < step.input_count; k++)
		if (qdq)
			onnx_qdq_input(graph, network, index, k, c.inputs[k]);
		else
			onnx_value_name(network, step.inputs[k], c.inputs[k]);
	if (qdq && onnx_qdq_pads(network, index))
		step.args[3] = 0;
	put_nodes(&c, row, step.relu && !(qdq && onnx_qdq_is_relu(network, value)));
	if (qdq)
		onnx_qdq_value(graph, network, value);
	return STATUS_OK;
}
