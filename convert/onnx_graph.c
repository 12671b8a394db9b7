/* See onnx_graph.h. */
#include "convert/onnx_graph.h"

#include <stdio.h>

enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_S = 4, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };

void onnx_value_name(const struct infer_network *network, int value, char name[ONNX_NAME_SIZE])
{
	if (value < INFER_FIRST_STEP_VALUE)
		snprintf(name, ONNX_NAME_SIZE, "%s", value ? "clicks" : "image");
	else if (value == INFER_FIRST_STEP_VALUE + network->step_count - 1)
		snprintf(name, ONNX_NAME_SIZE, "logits");
	else
		snprintf(name, ONNX_NAME_SIZE, "v%d", value);
}

/* --- nodes ---------------------------------------------------------------- */

char *onnx_node_input(struct onnx_node *node)
{
	return node->inputs[node->input_count++];
}

size_t onnx_node_open(struct proto *graph, const struct onnx_node *node, const char *output)
{
	size_t start = proto_open(graph, GRAPH_NODE);
	for (int i = 0; i < node->input_count; i++)
		proto_string(graph, NODE_INPUT, node->inputs[i]);
	proto_string(graph, NODE_OUTPUT, output);
	proto_string(graph, NODE_NAME, output);
	proto_string(graph, NODE_TYPE, node->type);
	return start;
}

void onnx_node_put(struct proto *graph, const struct onnx_node *node, const char *output)
{
	proto_close(graph, onnx_node_open(graph, node, output));
}

/* --- attributes ----------------------------------------------------------- */

void onnx_put_int(struct proto *node, const char *name, int value)
{
	size_t start = proto_open(node, NODE_ATTRIBUTE);
	proto_string(node, ATTRIBUTE_NAME, name);
	proto_int(node, ATTRIBUTE_I, value);
	proto_int(node, ATTRIBUTE_TYPE, TYPE_INT);
	proto_close(node, start);
}

void onnx_put_float(struct proto *node, const char *name, float value)
{
	size_t start = proto_open(node, NODE_ATTRIBUTE);
	proto_string(node, ATTRIBUTE_NAME, name);
	proto_float(node, ATTRIBUTE_F, value);
	proto_int(node, ATTRIBUTE_TYPE, TYPE_FLOAT);
	proto_close(node, start);
}

void onnx_put_string(struct proto *node, const char *name, const char *value)
{
	size_t start = proto_open(node, NODE_ATTRIBUTE);
	proto_string(node, ATTRIBUTE_NAME, name);
	proto_string(node, ATTRIBUTE_S, value);
	proto_int(node, ATTRIBUTE_TYPE, TYPE_STRING);
	proto_close(node, start);
}

void onnx_put_ints(struct proto *node, const char *name, const int *values, int count)
{
	size_t start = proto_open(node, NODE_ATTRIBUTE);
	proto_string(node, ATTRIBUTE_NAME, name);
	for (int i = 0; i < count; i++)
		proto_int(node, ATTRIBUTE_INTS, values[i]);
	proto_int(node, ATTRIBUTE_TYPE, TYPE_INTS);
	proto_close(node, start);
}

/* --- constants ------------------------------------------------------------ */

static size_t size_of(enum onnx_type type)
{
	return type == ONNX_UINT8 || type == ONNX_INT8 ? 1 : type == ONNX_INT64 ? 8 : 4;
}

void onnx_constant(struct proto *graph, struct onnx_node *node, const char *name, enum onnx_type type, const void *data,
		   const int *dims, int rank)
{
	size_t count = 1, start = proto_open(graph, GRAPH_INITIALIZER);
	snprintf(onnx_node_input(node), ONNX_NAME_SIZE, "%s", name);
	for (int i = 0; i < rank; i++) {
		proto_int(graph, TENSOR_DIMS, dims[i]);
		count *= (size_t)dims[i];
	}
	proto_int(graph, TENSOR_TYPE, type);
	proto_string(graph, TENSOR_NAME, name);
	proto_numbers(graph, TENSOR_RAW, data, size_of(type), count);
	proto_close(graph, start);
}
