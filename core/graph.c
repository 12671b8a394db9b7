/* Building, checking and printing a graph. Memory layout is core/planner.c. */
#include "core/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void graph_init(struct graph *graph, struct params *params)
{
	*graph = (struct graph){.params = params};
}

void graph_release(struct graph *graph)
{
	free(graph->nodes);
	free(graph->order);
	graph_init(graph, NULL);
}

/* Room for one more node, zeroed and named, or NULL with the graph's status set. */
static struct node *append_node(struct graph *graph, const char *name)
{
	if (graph->status)
		return NULL;
	if ((graph->node_count & (graph->node_count - 1)) == 0) {
		size_t capacity = graph->node_count ? (size_t)graph->node_count * 2 : 1;
		struct node *nodes = realloc(graph->nodes, capacity * sizeof *nodes);
		if (!nodes) {
			graph->status = status_fail(STATUS_NO_MEMORY, "no memory for a graph of %zu nodes", capacity);
			return NULL;
		}
		graph->nodes = nodes;
	}
	struct node *node = &graph->nodes[graph->node_count];
	memset(node, 0, sizeof *node);
	node->range = -1;
	strncpy(node->name, name, sizeof node->name - 1);
	return node;
}

int graph_input(struct graph *graph, const char *name, struct shape shape)
{
	struct node *node = append_node(graph, name);
	if (!node)
		return -1;
	node->shape = shape;
	return graph->node_count++;
}

static bool counts_fit(const struct op *op, int input_count, int param_count)
{
	return input_count >= op->min_inputs && input_count <= op->max_inputs && param_count >= op->min_params &&
	       param_count <= op->max_params;
}

/* Fills inputs, parameters, attributes and the output's shape. */
static enum status define_node(const struct graph *graph, struct node *node, const struct op *op, const void *attr,
			       const int *inputs, int input_count, const int *params, int param_count)
{
	if (!counts_fit(op, input_count, param_count))
		return status_fail(STATUS_CONFIG, "%s takes %d..%d inputs and %d..%d parameters, found %d and %d",
				   op->name, op->min_inputs, op->max_inputs, op->min_params, op->max_params,
				   input_count, param_count);
	assert(op->attr_bytes <= OP_MAX_ATTR_BYTES);
	node->op = op;
	node->input_count = input_count;
	node->param_count = param_count;
	if (attr) /* else they are all 0 */
		memcpy(node->attr, attr, op->attr_bytes);
	struct shape in[OP_MAX_INPUTS], param[OP_MAX_PARAMS];
	for (int i = 0; i < input_count; i++) {
		assert(inputs[i] >= 0 && inputs[i] < graph->node_count);
		node->inputs[i] = inputs[i];
		in[i] = graph->nodes[inputs[i]].shape;
	}
	for (int i = 0; i < param_count; i++) {
		node->params[i] = params[i];
		param[i] = graph->params->items[params[i]].shape;
	}
	return op->shape(node->attr, in, input_count, param, param_count, &node->shape);
}

int graph_add(struct graph *graph, const struct op *op, const char *name, const void *attr, const int *inputs,
	      int input_count, const int *params, int param_count)
{
	for (int i = 0; i < param_count; i++)
		if (params[i] < 0 && !graph->status)
			graph->status = status_wrap(STATUS_CONFIG, "%s", name); /* params_add left the message */
	struct node *node = append_node(graph, name);
	if (!node)
		return -1;
	graph->status = define_node(graph, node, op, attr, inputs, input_count, params, param_count);
	if (graph->status) {
		status_wrap(graph->status, "%s", name);
		return -1;
	}
	return graph->node_count++;
}

void graph_keep(struct graph *graph, int node)
{
	if (node >= 0)
		graph->nodes[node].keep = true;
}

void graph_fix(struct graph *graph, int input)
{
	if (input >= 0) {
		assert(!graph->nodes[input].op);
		graph->nodes[input].fixed = true;
	}
}

void graph_run_early(struct graph *graph, int node)
{
	if (node >= 0)
		graph->nodes[node].early = true;
}
