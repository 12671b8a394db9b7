/* See quantize.h. */
#include "core/quantize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"

/* --- which values are bytes ----------------------------------------------- */

/* The node that reads `node`, if only one does, once; else -1. The logits are also read from outside of the graph. */
static int only_reader(const struct graph *graph, int node, int logits)
{
	int reader = -1, count = node == logits;
	for (int i = node + 1; i <= logits; i++)
		for (int k = 0; k < graph->nodes[i].input_count; k++)
			if (graph->nodes[i].inputs[k] == node) {
				reader = i;
				count++;
			}
	return count == 1 ? reader : -1;
}

static bool has_relu(const struct node *node)
{
	struct conv2d_attr attr;
	memcpy(&attr, node->attr, sizeof attr);
	return attr.relu;
}

static bool keeps_range(const struct node *node)
{
	return op_flags(node->op, node->attr) & OP_KEEPS_RANGE;
}

/* Sums of a convolution that the addition behind them takes before they are rounded. */
static bool is_fused(const struct graph *graph, int index, int logits)
{
	const struct node *node = &graph->nodes[index];
	int reader = only_reader(graph, index, logits);
	if (node->op != &op_conv2d || node->input_count > 1 || has_relu(node) || reader < 0)
		return false;
	const struct node *sum = &graph->nodes[reader];
	bool adds = sum->op == &op_add || (sum->op == &op_conv2d && sum->inputs[0] != index);
	return adds && shape_equal(sum->shape, node->shape);
}

static bool feeds_concat_only(const struct graph *graph, int index, int logits)
{
	int reader = only_reader(graph, index, logits);
	return reader >= 0 && graph->nodes[reader].op == &op_concat;
}

/* The last convolution: what is behind it keeps its input's range, which then is none. */
static int float_from(const struct graph *graph, int logits)
{
	while (graph->nodes[logits].op == &op_upsample)
		logits = graph->nodes[logits].inputs[0];
	return logits;
}

static void add_range(struct graph *graph, struct node *node)
{
	char name[128];
	snprintf(name, sizeof name, "%s.%s.range", node->name, node->op->name);
	struct shape shape = {RANGE_FLOATS, 1, 1, 1};
	node->range = params_add(graph->params, name, shape, PARAM_DECODER, PARAM_BUFFER, PARAM_INIT_ZERO);
	if (node->range < 0)
		graph->status = status_wrap(STATUS_CONFIG, "%s", node->name);
}

static bool is_bilinear(const struct node *node)
{
	struct upsample_attr attr;
	if (node->op != &op_upsample)
		return false;
	memcpy(&attr, node->attr, sizeof attr);
	return attr.mode == UPSAMPLE_BILINEAR;
}

static void set_range(struct graph *graph, int index, int logits)
{
	struct node *node = &graph->nodes[index];
	if (is_bilinear(node)) {
		node->range = graph->nodes[node->inputs[0]].range;
		node->range_kept = true;
	} else if (!keeps_range(node) && !is_fused(graph, index, logits) && !feeds_concat_only(graph, index, logits)) {
		add_range(graph, node);
	}
}

void graph_quantize(struct graph *graph, int logits)
{
	if (graph->status)
		return;
	int last = float_from(graph, logits);
	for (int i = 0; i <= logits && !graph->status; i++) {
		struct node *node = &graph->nodes[i];
		if (node->op == &op_batch_norm2d || node->op == &op_conv_transpose2d)
			graph->status = status_fail(STATUS_CONFIG, "%s: no training for 8 bits with %s", node->name,
						    node->op->name);
		else if (i < last && node->op)
			set_range(graph, i, logits);
	}
}

/* --- grids ---------------------------------------------------------------- */

struct quantize_grid quantize_grid(const float *range)
{
	float low = range[RANGE_LOW] / range[RANGE_SEEN], high = range[RANGE_HIGH] / range[RANGE_SEEN];
	float scale = (high - low) / QUANTIZE_MAX_VALUE;
	if (!(scale >= 0x1p-60f) || !(scale <= 0x1p60f)) /* nothing seen, or all of it was 0 */
		return (struct quantize_grid){0};
	return (struct quantize_grid){scale, rintf(-low / scale)};
}

struct quantize_grid quantize_node_grid(const struct graph *graph, const float *values, int index)
{
	const struct node *node = &graph->nodes[index];
	while (node->op && node->range < 0 && keeps_range(node))
		node = &graph->nodes[node->inputs[0]];
	index = (int)(node - graph->nodes);
	while (node->op && node->range < 0) {
		int reader = only_reader(graph, index, graph->node_count - 1);
		if (reader < 0 || graph->nodes[reader].op != &op_concat)
			break;
		node = &graph->nodes[index = reader];
	}
	if (!node->op || node->range < 0)
		return (struct quantize_grid){0};
	return quantize_grid(values + graph->params->items[node->range].offset);
}

/* --- weights -------------------------------------------------------------- */

static void quantize_channel(const float *weights, size_t count, float *to)
{
	float most = 0;
	for (size_t i = 0; i < count; i++)
		most = fabsf(weights[i]) > most ? fabsf(weights[i]) : most;
	float scale = most / QUANTIZE_MAX_WEIGHT;
	for (size_t i = 0; i < count; i++)
		to[i] = scale > 0 ? rintf(weights[i] / scale) * scale : weights[i];
}

void quantize_weights(const struct graph *graph, const float *values, int index, float *to)
{
	const struct node *node = &graph->nodes[index];
	if (node->op != &op_conv2d)
		return;
	const struct param *weight = &graph->params->items[node->params[0]];
	size_t count = (size_t)weight->shape.c * (size_t)weight->shape.h * (size_t)weight->shape.w;
	for (int o = 0; o < weight->shape.n; o++) {
		size_t at = weight->offset + (size_t)o * count;
		quantize_channel(values + at, count, to + at);
	}
}
