/* The steps of a network as nodes of an ONNX graph. Internal to convert/onnx*.c. */
#ifndef CONVERT_ONNX_NODES_H
#define CONVERT_ONNX_NODES_H

#include "convert/onnx_graph.h"
#include "core/status.h"
#include "infer/network/network.h"

/* Adds a step's nodes and constants to the open GraphProto; qdq: in 8 bits (onnx_qdq.h). Fails where the operator has
 * no form in ONNX. */
enum status onnx_put_step(struct proto *graph, const struct infer_network *network, int step, bool qdq);

#endif
