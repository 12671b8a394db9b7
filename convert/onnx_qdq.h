/* A network's 8-bit arithmetic (infer/FORMAT.md, section 3) as an ONNX graph of pairs of QuantizeLinear and
 * DequantizeLinear, which runtimes turn into operators on bytes (https://onnxruntime.ai/docs/performance/
 * model-optimizations/quantization.html). Internal to convert/onnx*.c.
 *
 * A value with a range is uint8 with that scale and zero point: behind the step that makes v7 stands a QuantizeLinear
 * that makes v7.u8, in front of each step that reads it a DequantizeLinear. The weights of a conv2d are the integers
 * that infer computes with, int8 with a scale per output channel; its bias is int32 in units of input scale x weight
 * scale. What infer never rounds to bytes (sums for an add, the logits) stays float between its nodes, so that nothing
 * is rounded that infer does not round. */
#ifndef CONVERT_ONNX_QDQ_H
#define CONVERT_ONNX_QDQ_H

#include "convert/onnx_graph.h"
#include "core/status.h"

/* Before all else; fails for a network without ranges. */
enum status onnx_qdq_prepare(const struct infer_network *network);

/* Behind a value's maker, in the open GraphProto: rounds it to bytes, if it has a range. */
void onnx_qdq_value(struct proto *graph, const struct infer_network *network, int value);

/* Whether a relu in front of this rounding changes nothing: bytes end at 0 anyway. */
bool onnx_qdq_is_relu(const struct infer_network *network, int value);

/* Input k of a step, as its nodes shall read it; name gets what that is called. The image comes with the step's
 * padding, if onnx_qdq_pads says so. */
void onnx_qdq_input(struct proto *graph, const struct infer_network *network, int step, int k, char *name);
bool onnx_qdq_pads(const struct infer_network *network, int step);

/* Weight and bias of a conv2d, which become the node's next inputs. */
void onnx_qdq_conv_constants(struct proto *graph, const struct infer_network *network, int step,
			     struct onnx_node *node);

#endif
