/* A network as an ONNX file (https://onnx.ai, opset 13, IR version 8), which ONNX Runtime and others run.
 *
 * Inputs: image (1,3,H,W) and clicks (1,P,H,W), both prepared as infer/image/preprocess.h says; output: logits
 * (1,1,H,W). How to prepare them stands in the file's metadata under keys that begin with "tapcut.". Weights are
 * float32; or, in 8 bits, those of a network with ranges (infer/FORMAT.md, section 3) as int8 and its values as uint8,
 * in pairs of QuantizeLinear and DequantizeLinear (onnx_qdq.h). */
#ifndef CONVERT_ONNX_H
#define CONVERT_ONNX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "infer/network/network.h"

struct onnx_options {
	int height, width; /* of the inputs, multiples of 16; 0: symbolic, any multiple of 16 */
	bool qdq;          /* in 8 bits */
};

/* *data is returned, caller frees. The same network gives the same bytes. STATUS_FORMAT: the network is none that
 * infer would run; STATUS_CONFIG: it does not take this size, or has no ranges for 8 bits. */
enum status onnx_write(const struct infer_network *network, const struct onnx_options *options, unsigned char **data,
		       size_t *size);

#endif
