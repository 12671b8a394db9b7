/* See onnx_qdq.h. The image's channels have a mean each, and its numbers span more than 255 steps (-123 to 151), so
 * that no one zero point would do. Its bytes are made the photo's again: padding is the mean colour's, which stands
 * for 0, and the bias takes the mean off, as infer does it. */
#include "convert/onnx_qdq.h"

#include <stdio.h>
#include <stdlib.h>

#include "infer/kernels/conv2d_u8_weights.h"
#include "infer/run/packed.h"

/* Terms of a sum are in fractions of the sum's step (infer/FORMAT.md, section 3). */
#define SUM_STEP ((float)(1 << INFER_U8_FRACTION))

enum status onnx_qdq_prepare(const struct infer_network *network)
{
	char message[TAPCUT_MESSAGE_SIZE];
	if (!network->ranges)
		return status_fail(STATUS_CONFIG, "the network has no value ranges, which 8 bits take: tapcut quantize "
						  "finds some, or train with quantize.enabled");
	if (infer_network_pack(network, INFER_ARITHMETIC_U8, message) != TAPCUT_OK)
		return status_fail(STATUS_NO_MEMORY, "%s", message);
	return STATUS_OK;
}

/* --- nodes ---------------------------------------------------------------- */

/* Nodes in a row, each of which reads what the one before makes. */
struct chain {
	struct proto *graph;
	char prefix[ONNX_NAME_SIZE]; /* of the names of nodes and constants */
	char name[ONNX_NAME_SIZE];   /* what the next node reads */
};

static struct chain chain_from(struct proto *graph, const struct infer_network *network, int value)
{
	struct chain c = {.graph = graph};
	onnx_value_name(network, value, c.prefix);
	onnx_value_name(network, value, c.name);
	return c;
}

/* PREFIX.WHAT */
static void name_in(const struct chain *c, const char *what, char name[ONNX_NAME_SIZE])
{
	snprintf(name, ONNX_NAME_SIZE, "%.16s.%.14s", c->prefix, what);
}

static void add_constant(const struct chain *c, struct onnx_node *node, const char *what, enum onnx_type type,
			 const void *data, const int *dims, int rank)
{
	char name[ONNX_NAME_SIZE];
	name_in(c, what, name);
	onnx_constant(c->graph, node, name, type, data, dims, rank);
}

static struct onnx_node node_behind(const struct chain *c, const char *type)
{
	struct onnx_node node = {.type = type};
	snprintf(onnx_node_input(&node), ONNX_NAME_SIZE, "%s", c->name);
	return node;
}

/* A node of one input that makes PREFIX.OUTPUT. */
static void put_unary(struct chain *c, const char *type, const char *output)
{
	struct onnx_node node = node_behind(c, type);
	name_in(c, output, c->name);
	onnx_node_put(c->graph, &node, c->name);
}

/* Adds or multiplies by one number, or by one for each channel (channels > 0): the constant PREFIX.WHAT. */
static void put_binary(struct chain *c, const char *type, const char *what, const float *numbers, int channels,
		       const char *output)
{
	struct onnx_node node = node_behind(c, type);
	add_constant(c, &node, what, ONNX_FLOAT, numbers, (int[]){1, channels, 1, 1}, channels ? 4 : 0);
	name_in(c, output, c->name);
	onnx_node_put(c->graph, &node, c->name);
}

/* QuantizeLinear or DequantizeLinear of one scale. */
static void put_linear(struct chain *c, const char *type, struct infer_range range, const char *output)
{
	struct onnx_node node = node_behind(c, type);
	uint8_t zero = (uint8_t)range.zero;
	add_constant(c, &node, "scale", ONNX_FLOAT, &range.scale, NULL, 0);
	add_constant(c, &node, "zero", ONNX_UINT8, &zero, NULL, 0);
	name_in(c, output, c->name);
	onnx_node_put(c->graph, &node, c->name);
}

/* --- values to bytes ------------------------------------------------------ */

static bool is_bytes(const struct infer_network *network, int value)
{
	return infer_value_kind(network, value) == INFER_VALUE_U8;
}

static bool is_fused(const struct infer_network *network, int value)
{
	return infer_value_kind(network, value) == INFER_VALUE_FUSED;
}

static bool is_made_by(const struct infer_network *network, int value, int op)
{
	return value >= INFER_FIRST_STEP_VALUE && network->steps[value - INFER_FIRST_STEP_VALUE].op == op;
}

static struct infer_conv2d_u8_weights weights_of(const struct infer_network *network, int step)
{
	const void *packed = infer_network_packed(network, INFER_ARITHMETIC_U8)->step[step];
	return infer_conv2d_u8_weights_at(&network->tensors[network->steps[step].tensor[0]], (void *)(uintptr_t)packed);
}

/* Whether a runtime's operator that adds bytes would take in their zero points, and round by it. */
static bool adds_around_zero(const struct infer_network *network, const struct infer_step *step)
{
	int shifted = 0;
	for (int k = 0; k < 2; k++) {
		if (!is_bytes(network, step->inputs[k]))
			return false;
		shifted += network->ranges[step->inputs[k]].zero;
	}
	return shifted > 0;
}

/* A sum's terms are whole, and half a unit more decides nothing but ties. Where no byte is below zero, a scale that is
 * less by 2^-21 of it does the same, for sums up to 255 x 4096, and leaves the pattern that runtimes know. */
static void put_sum(struct chain *c, const struct infer_network *network, int value)
{
	const float half = 0.5f;
	struct infer_range range = {SUM_STEP, network->ranges[value].zero};
	if (range.zero || adds_around_zero(network, &network->steps[value - INFER_FIRST_STEP_VALUE]))
		put_binary(c, "Add", "half", &half, 0, "up");
	else
		range.scale *= 1 - 0x1p-21f;
	put_linear(c, "QuantizeLinear", range, "u8");
}

/* From 0..click scale to 0..255, rounded half up. */
static void put_clicks(struct chain *c, float click_scale)
{
	const float factor = 255 / click_scale, half = 0.5f;
	put_binary(c, "Mul", "factor", &factor, 0, "scaled");
	put_binary(c, "Add", "half", &half, 0, "up");
	put_unary(c, "Floor", "whole");
	put_linear(c, "QuantizeLinear", (struct infer_range){1, 0}, "u8");
}

/* The step that reads a value that one step reads. */
static int reader_of(const struct infer_network *network, int value)
{
	for (int i = 0; i < network->step_count; i++)
		for (int k = 0; k < network->steps[i].input_count; k++)
			if (network->steps[i].inputs[k] == value)
				return i;
	return -1;
}

/* A conv2d's sums, which are whole, as terms of a sum. */
static void put_terms(struct chain *c, const struct infer_network *network, int value)
{
	struct infer_conv2d_u8_weights w = weights_of(network, value - INFER_FIRST_STEP_VALUE);
	float out = network->ranges[INFER_FIRST_STEP_VALUE + reader_of(network, value)].scale;
	float multiplier[INFER_MAX_CHANNELS];
	for (int o = 0; o < w.outputs; o++)
		multiplier[o] = infer_u8_multiplier(w.unit[o] * SUM_STEP, out);
	put_binary(c, "Mul", "multiplier", multiplier, w.outputs, "scaled");
	put_unary(c, "Round", "terms");
}

void onnx_qdq_value(struct proto *graph, const struct infer_network *network, int value)
{
	struct chain c = chain_from(graph, network, value);
	if (is_fused(network, value))
		put_terms(&c, network, value);
	if (!is_bytes(network, value))
		return;
	if (value < INFER_FIRST_STEP_VALUE)
		put_clicks(&c, network->preprocess.click_scale);
	else if (is_made_by(network, value, INFER_OP_ADD))
		put_sum(&c, network, value);
	else if (is_made_by(network, value, INFER_OP_UPSAMPLE_BILINEAR))
		put_linear(&c, "QuantizeLinear", (struct infer_range){1, 0}, "u8");
	else
		put_linear(&c, "QuantizeLinear", network->ranges[value], "u8");
}

bool onnx_qdq_is_relu(const struct infer_network *network, int value)
{
	return is_bytes(network, value) && network->ranges[value].zero == 0;
}

/* --- bytes to values ------------------------------------------------------ */

static bool is_image(const struct infer_network *network, int step)
{
	return infer_value_kind(network, network->steps[step].inputs[0]) == INFER_VALUE_IMAGE;
}

bool onnx_qdq_pads(const struct infer_network *network, int step)
{
	return is_image(network, step) && network->steps[step].args[3] > 0;
}

static void put_padding(struct chain *c, int padding)
{
	const int64_t pads[8] = {0, 0, padding, padding, 0, 0, padding, padding};
	struct onnx_node node = node_behind(c, "Pad");
	add_constant(c, &node, "pads", ONNX_INT64, pads, (int[]){8}, 1);
	name_in(c, "padded", c->name);
	onnx_node_put(c->graph, &node, c->name);
}

/* The photo's bytes, and the mean colour's where it is padded. */
static void put_image(struct chain *c, const struct infer_preprocess *p, int padding)
{
	float inverse[3];
	bool scaled = false;
	for (int i = 0; i < 3; i++) {
		inverse[i] = 1 / p->scale[i];
		scaled |= inverse[i] != 1;
	}
	if (padding)
		put_padding(c, padding);
	if (scaled)
		put_binary(c, "Mul", "inverse", inverse, 3, "unscaled");
	put_binary(c, "Add", "mean", p->mean, 3, "bytes");
	put_linear(c, "QuantizeLinear", (struct infer_range){1, 0}, "u8");
}

/* What the bytes of input k stand for between two roundings: mostly real numbers, whose rounding is infer's. Where
 * infer sums up whole numbers and rounds half up, they stand for these, and floats have room for all of them. */
static struct infer_range range_between(const struct infer_network *network, int step, int k)
{
	const struct infer_step *s = &network->steps[step];
	int value = INFER_FIRST_STEP_VALUE + step;
	struct infer_range range = network->ranges[s->inputs[k]];
	if (s->op == INFER_OP_ADD)
		range.scale = (float)infer_u8_term(range.scale, network->ranges[value].scale);
	if (s->op == INFER_OP_CONV2D && is_fused(network, value))
		range.scale = 1;
	if (s->op == INFER_OP_UPSAMPLE_BILINEAR && is_bytes(network, value))
		range = (struct infer_range){1 + 0x1p-20f, 0}; /* the bytes, and a little more, so that ties go up */
	if (s->op == INFER_OP_CONV2D && is_image(network, step))
		range = (struct infer_range){1, 0}; /* what a step stands for is in the weights' scales */
	return range;
}

void onnx_qdq_input(struct proto *graph, const struct infer_network *network, int step, int k, char *name)
{
	int value = network->steps[step].inputs[k];
	struct chain c = chain_from(graph, network, value);
	if (is_image(network, step)) {
		snprintf(c.prefix, sizeof c.prefix, "step%d.image", step);
		put_image(&c, &network->preprocess, network->steps[step].args[3]);
	} else if (is_bytes(network, value)) {
		name_in(&c, "u8", c.name);
	} else {
		if (is_fused(network, value))
			name_in(&c, "terms", c.name);
		snprintf(name, ONNX_NAME_SIZE, "%s", c.name);
		return;
	}
	snprintf(c.prefix, sizeof c.prefix, "step%d.in%d", step, k);
	put_linear(&c, "DequantizeLinear", range_between(network, step, k), "real");
	snprintf(name, ONNX_NAME_SIZE, "%s", c.name);
}

/* --- weights -------------------------------------------------------------- */

/* What infer computes with, in ONNX's order. One allocation each; owned. */
struct integers {
	int8_t *weight; /* (O,I,KH,KW) */
	int8_t *zeros;  /* (O), all 0 */
	int32_t *bias;  /* (O), the input's zero point not in it */
	float *scale;   /* (O), of the weight */
	float *unit;    /* (O), of the bias: input scale x scale */
};

static bool integers_init(struct integers *n, int outputs, size_t count)
{
	size_t o = (size_t)outputs;
	*n = (struct integers){malloc(count), calloc(o, 1), malloc(o * sizeof *n->bias), malloc(o * sizeof *n->scale),
			       malloc(o * sizeof *n->unit)};
	return n->weight && n->zeros && n->bias && n->scale && n->unit;
}

static void integers_release(struct integers *n)
{
	free(n->weight);
	free(n->zeros);
	free(n->bias);
	free(n->scale);
	free(n->unit);
}

/* The file's scale where it is what the unit was made with: its product with the input's is the same bit by bit. */
static float weight_scale(const struct infer_tensor *t, int output, float unit, float input_scale)
{
	if (t->integers && t->axis == 0 && t->scales[output] * input_scale == unit)
		return t->scales[output];
	return unit / input_scale;
}

static void fill_integers(struct integers *n, const struct infer_tensor *t, const struct infer_conv2d_u8_weights *w,
			  struct infer_range in)
{
	size_t at = 0;
	for (int o = 0; o < w->outputs; o++) {
		int32_t sum = 0;
		for (int i = 0; i < w->inputs; i++)
			for (int tap = 0; tap < w->taps; tap++) {
				int8_t integer = w->integers[infer_conv2d_u8_place(w, o, i, tap)];
				n->weight[at++] = integer;
				sum += integer;
			}
		n->bias[o] = w->bias[o] + in.zero * sum;
		n->scale[o] = weight_scale(t, o, w->unit[o], in.scale);
		n->unit[o] = in.scale * n->scale[o];
	}
}

/* DequantizeLinear along axis 0 of constants, which becomes the node's next input. */
static void add_dequantized(const struct chain *c, struct onnx_node *node, const char *what,
			    const struct onnx_node *constants)
{
	char *name = onnx_node_input(node);
	name_in(c, what, name);
	size_t start = onnx_node_open(c->graph, constants, name);
	onnx_put_int(c->graph, "axis", 0);
	proto_close(c->graph, start);
}

static void put_integers(const struct chain *c, const int *dims, const struct integers *n, struct onnx_node *node)
{
	struct onnx_node weight = {.type = "DequantizeLinear"}, bias = weight;
	add_constant(c, &weight, "weight_i8", ONNX_INT8, n->weight, dims, 4);
	add_constant(c, &weight, "weight_scale", ONNX_FLOAT, n->scale, dims, 1);
	add_constant(c, &weight, "weight_zero", ONNX_INT8, n->zeros, dims, 1);
	add_dequantized(c, node, "weight", &weight);
	add_constant(c, &bias, "bias_i32", ONNX_INT32, n->bias, dims, 1);
	add_constant(c, &bias, "bias_scale", ONNX_FLOAT, n->unit, dims, 1);
	add_dequantized(c, node, "bias", &bias);
}

void onnx_qdq_conv_constants(struct proto *graph, const struct infer_network *network, int step, struct onnx_node *node)
{
	const struct infer_tensor *t = &network->tensors[network->steps[step].tensor[0]];
	struct infer_conv2d_u8_weights w = weights_of(network, step);
	struct chain c = {.graph = graph};
	struct integers n;
	snprintf(c.prefix, sizeof c.prefix, "step%d", step);
	if (integers_init(&n, w.outputs, (size_t)w.outputs * (size_t)w.inputs * (size_t)w.taps)) {
		fill_integers(&n, t, &w, range_between(network, step, 0));
		for (int o = 0; is_fused(network, INFER_FIRST_STEP_VALUE + step) && o < w.outputs; o++)
			n.scale[o] = n.unit[o] = 1; /* put_terms has them */
		put_integers(&c, t->dims, &n, node);
	} else {
		graph->failed = true;
	}
	integers_release(&n);
}
