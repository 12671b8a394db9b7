/* What a GraphProto is made of: nodes, their attributes, constants. Field numbers are those of onnx.proto3
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). Internal to convert/onnx*.c. */
#ifndef CONVERT_ONNX_GRAPH_H
#define CONVERT_ONNX_GRAPH_H

#include "convert/onnx_proto.h"
#include "infer/network/network.h"

enum { ONNX_NAME_SIZE = 32, ONNX_MAX_INPUTS = INFER_MAX_INPUTS };

/* TensorProto.DataType */
enum onnx_type { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT8 = 3, ONNX_INT32 = 6, ONNX_INT64 = 7 };

/* "image", "clicks", "v2" and so on, "logits". */
void onnx_value_name(const struct infer_network *network, int value, char name[ONNX_NAME_SIZE]);

/* A node before it is written. An empty name is an input that is left out. */
struct onnx_node {
	const char *type;
	char inputs[ONNX_MAX_INPUTS][ONNX_NAME_SIZE];
	int input_count;
};

/* Room for the name of the node's next input. */
char *onnx_node_input(struct onnx_node *node);

/* Begins the node in the open GraphProto; attributes may follow, then proto_close with what this returns. The node's
 * name is its output's: each value is made once. */
size_t onnx_node_open(struct proto *graph, const struct onnx_node *node, const char *output);
/* The same, of a node without attributes, with its end. */
void onnx_node_put(struct proto *graph, const struct onnx_node *node, const char *output);

void onnx_put_int(struct proto *node, const char *name, int value);
void onnx_put_float(struct proto *node, const char *name, float value);
void onnx_put_string(struct proto *node, const char *name, const char *value);
void onnx_put_ints(struct proto *node, const char *name, const int *values, int count);

/* An initialiser of this name and shape, which becomes the node's next input. data: the numbers as C has them; rank 0:
 * one number. */
void onnx_constant(struct proto *graph, struct onnx_node *node, const char *name, enum onnx_type type, const void *data,
		   const int *dims, int rank);

#endif
