/* See onnx_qdq.h. The image's channels have a mean each, and its numbers span more than 255 steps (-123 to 151), so
 * that no one zero point would do. Its bytes are made the photo's again: padding is the mean colour's, which stands
 * for 0, and the bias takes the mean off, as infer does it. */
#include "convert/onnx_qdq.h"

#include <stdio.h>
#include <stdlib.h>

#include "convert/onnx_nodes.h"
#include "infer/kernels/conv2d_u8_weights.h"
#include "infer/run/packed.h"

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

/* --- values --------------------------------------------------------------- */

static bool is_bytes(const struct infer_network *network, int value)
{
	return infer_value_kind(network, value) == INFER_VALUE_U8;
}

/* "v7.u8" and so on. */
static void name_part(const struct infer_network *network, int value, const char *part, char name[ONNX_NAME_SIZE])
{
	char whole[ONNX_NAME_SIZE];
	onnx_value_name(network, value, whole);
	snprintf(name, ONNX_NAME_SIZE, "%.20s.%s", whole, part);
}

static void add_name(struct onnx_node *node, const char *name)
{
	snprintf(onnx_node_input(node), ONNX_NAME_SIZE, "%s", name);
}

void onnx_qdq_value(struct proto *graph, const struct infer_network *network, int value)
{
	struct onnx_node node = {.type = "QuantizeLinear"};
	char name[ONNX_NAME_SIZE];
	if (!is_bytes(network, value))
		return;
	uint8_t zero = (uint8_t)network->ranges[value].zero;
	onnx_value_name(network, value, name);
	add_name(&node, name);
	name_part(network, value, "scale", name);
	onnx_constant(graph, &node, name, ONNX_FLOAT, &network->ranges[value].scale, NULL, 0);
	name_part(network, value, "zero", name);
	onnx_constant(graph, &node, name, ONNX_UINT8, &zero, NULL, 0);
	name_part(network, value, "u8", name);
	onnx_node_put(graph, &node, name);
}

bool onnx_qdq_is_relu(const struct infer_network *network, int value)
{
	return is_bytes(network, value) && network->ranges[value].zero == 0;
}

/* --- the image ------------------------------------------------------------ */

static bool is_image(const struct infer_network *network, int step, int k)
{
	return infer_value_kind(network, network->steps[step].inputs[k]) == INFER_VALUE_IMAGE;
}

bool onnx_qdq_pads(const struct infer_network *network, int step)
{
	return is_image(network, step, 0) && network->steps[step].args[3] > 0;
}

/* One more node of the step between the image and its bytes; `name` is what it reads and what it makes. */
struct chain {
	struct proto *graph;
	int step;
	char name[ONNX_NAME_SIZE];
};

static void chain_put(struct chain *c, const char *type, const char *what, enum onnx_type element, const void *data,
		      const int *dims, int rank)
{
	struct onnx_node node = {.type = type};
	char name[ONNX_NAME_SIZE];
	add_name(&node, c->name);
	snprintf(name, sizeof name, "step%d.%.12s", c->step, what);
	onnx_constant(c->graph, &node, name, element, data, dims, rank);
	snprintf(c->name, sizeof c->name, "step%d.by_%.12s", c->step, what);
	onnx_node_put(c->graph, &node, c->name);
}

/* The photo's bytes as floats 0..255, the mean colour where it is padded. */
static void put_bytes_of_image(struct chain *c, const struct infer_preprocess *p, int padding)
{
	const int channels[] = {1, 3, 1, 1};
	const int64_t pads[8] = {0, 0, padding, padding, 0, 0, padding, padding};
	float inverse[3];
	bool scaled = false;
	for (int i = 0; i < 3; i++) {
		inverse[i] = 1 / p->scale[i];
		scaled |= inverse[i] != 1;
	}
	if (padding)
		chain_put(c, "Pad", "pads", ONNX_INT64, pads, (int[]){8}, 1);
	if (scaled)
		chain_put(c, "Mul", "inverse", ONNX_FLOAT, inverse, channels, 4);
	chain_put(c, "Add", "mean", ONNX_FLOAT, p->mean, channels, 4);
}

/* A step of these bytes is 1; what it stands for is in the weights' scales. */
static void put_image(struct proto *graph, const struct infer_network *network, int step, char name[ONNX_NAME_SIZE])
{
	struct chain c = {.graph = graph, .step = step};
	struct onnx_node node = {.type = "QuantizeLinear"};
	const float one = 1;
	const uint8_t zero = 0;
	char scale[ONNX_NAME_SIZE], none[ONNX_NAME_SIZE], bytes[ONNX_NAME_SIZE];
	onnx_value_name(network, network->steps[step].inputs[0], c.name);
	put_bytes_of_image(&c, &network->preprocess, network->steps[step].args[3]);
	snprintf(scale, sizeof scale, "step%d.image_scale", step);
	snprintf(none, sizeof none, "step%d.image_zero", step);
	snprintf(bytes, sizeof bytes, "step%d.image_u8", step);
	snprintf(name, ONNX_NAME_SIZE, "step%d.in0", step);
	add_name(&node, c.name);
	onnx_constant(graph, &node, scale, ONNX_FLOAT, &one, NULL, 0);
	onnx_constant(graph, &node, none, ONNX_UINT8, &zero, NULL, 0);
	onnx_node_put(graph, &node, bytes);
	node.type = "DequantizeLinear";
	snprintf(node.inputs[0], ONNX_NAME_SIZE, "%s", bytes);
	onnx_node_put(graph, &node, name);
}

/* --- inputs of steps ------------------------------------------------------ */

void onnx_qdq_input(struct proto *graph, const struct infer_network *network, int step, int k, char *name)
{
	static const char *const parts[] = {"u8", "scale", "zero"};
	struct onnx_node node = {.type = "DequantizeLinear"};
	int value = network->steps[step].inputs[k];
	if (is_image(network, step, k)) {
		put_image(graph, network, step, name);
		return;
	}
	if (!is_bytes(network, value)) {
		onnx_value_name(network, value, name);
		return;
	}
	for (int i = 0; i < 3; i++)
		name_part(network, value, parts[i], onnx_node_input(&node));
	snprintf(name, ONNX_NAME_SIZE, "step%d.in%d", step, k);
	onnx_node_put(graph, &node, name);
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

/* DequantizeLinear along axis 0 of constants stepN.WHAT_*, which becomes the node's next input, stepN.WHAT. */
static void add_dequantized(struct proto *graph, int step, struct onnx_node *node, const char *what,
			    struct onnx_node *constants)
{
	char *name = onnx_node_input(node);
	snprintf(name, ONNX_NAME_SIZE, "step%d.%.16s", step, what);
	size_t start = onnx_node_open(graph, constants, name);
	onnx_put_int(graph, "axis", 0);
	proto_close(graph, start);
}

static void add_constant(struct proto *graph, int step, struct onnx_node *node, const char *what, enum onnx_type type,
			 const void *data, const int *dims, int rank)
{
	char name[ONNX_NAME_SIZE];
	snprintf(name, sizeof name, "step%d.%.16s", step, what);
	onnx_constant(graph, node, name, type, data, dims, rank);
}

static void put_constants(struct proto *graph, int step, const int *dims, const struct integers *n,
			  struct onnx_node *node)
{
	struct onnx_node weight = {.type = "DequantizeLinear"}, bias = weight;
	add_constant(graph, step, &weight, "weight_i8", ONNX_INT8, n->weight, dims, 4);
	add_constant(graph, step, &weight, "weight_scale", ONNX_FLOAT, n->scale, dims, 1);
	add_constant(graph, step, &weight, "weight_zero", ONNX_INT8, n->zeros, dims, 1);
	add_dequantized(graph, step, node, "weight", &weight);
	add_constant(graph, step, &bias, "bias_i32", ONNX_INT32, n->bias, dims, 1);
	add_constant(graph, step, &bias, "bias_scale", ONNX_FLOAT, n->unit, dims, 1);
	add_dequantized(graph, step, node, "bias", &bias);
}

void onnx_qdq_conv_constants(struct proto *graph, const struct infer_network *network, int step, struct onnx_node *node)
{
	const struct infer_step *s = &network->steps[step];
	const struct infer_tensor *t = &network->tensors[s->tensor[0]];
	const void *packed = infer_network_packed(network, INFER_ARITHMETIC_U8)->step[step];
	struct infer_conv2d_u8_weights w = infer_conv2d_u8_weights_at(t, (void *)(uintptr_t)packed);
	struct infer_range in = is_image(network, step, 0) ? (struct infer_range){1, 0} : network->ranges[s->inputs[0]];
	struct integers n;
	if (integers_init(&n, w.outputs, (size_t)w.outputs * (size_t)w.inputs * (size_t)w.taps)) {
		fill_integers(&n, t, &w, in);
		put_constants(graph, step, t->dims, &n, node);
	} else {
		graph->failed = true;
	}
	integers_release(&n);
}
