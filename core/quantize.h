/* Quantisation-aware training: the network learns as it will run in 8 bits (Jacob et al., "Quantization and training
 * of neural networks for efficient integer-arithmetic-only inference", CVPR 2018, section 3).
 *
 * Weights of convolutions: per output channel, w = scale * integer in -63..63, scale = max|w| / 63. Values: real =
 * scale (q - zero), q in 0..255, one scale and zero per map. Both are rounded in the forward pass; gradients go
 * straight through (Bengio et al., arXiv 1308.3432), but for values that the range cuts off.
 *
 * Which values become bytes is what infer's 8-bit arithmetic does (infer/FORMAT.md): the output of every step but
 * - what keeps its input's range: max_pool2d, and upsample (bilinear is rounded again, to its input's grid);
 * - sums that the one addition behind them takes as they are: a convolution without relu that is only an addend;
 * - what only a concat reads: it has the concat's range;
 * - the logits: from the last convolution on they are float.
 *
 * A range is a parameter of kind PARAM_BUFFER, NODE.OPERATOR.range: moving averages of a slot's least and largest
 * value and of 1, so that their quotients are true averages from the first step on, in the moving average of all
 * parameters too. It is in every checkpoint. */
#ifndef CORE_QUANTIZE_H
#define CORE_QUANTIZE_H

#include "core/graph.h"

enum { QUANTIZE_MAX_WEIGHT = 63, QUANTIZE_MAX_VALUE = 255 };
enum { RANGE_LOW, RANGE_HIGH, RANGE_SEEN, RANGE_FLOATS };

struct quantize_grid {
	float scale; /* 0 while no value has been seen */
	float zero;  /* 0..255, whole; 0 where no value is negative */
};

/* Gives the nodes up to `logits` their ranges and adds those to the graph's parameters. Call it when the network is
 * built, before losses are added. What has no 8-bit training (batch_norm2d, conv_transpose2d) sets graph->status. */
void graph_quantize(struct graph *graph, int logits);

/* range: RANGE_FLOATS numbers, a parameter's values. */
struct quantize_grid quantize_grid(const float *range);

/* The grid of a node's value, with the parameters' values: the node's own range, or that of the concat or of the
 * input that it shares. scale is 0 where the value is never bytes. */
struct quantize_grid quantize_node_grid(const struct graph *graph, const float *values, int node);

/* values[] of the node's weights if it is a convolution, rounded as above, to the same place in `to`. */
void quantize_weights(const struct graph *graph, const float *values, int node, float *to);

#endif
