/* Runs a planned graph: the forward walk, and the autograd walk backwards. */
#include "core/executor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/floats.h"
#include "core/kernels.h"
#include "core/quantize.h"

enum status executor_init(struct executor *executor, const struct graph *graph)
{
	*executor = (struct executor){.graph = graph};
	executor->arena = floats_new(graph->arena_floats);
	if (!executor->arena)
		return status_fail(STATUS_NO_MEMORY, "no memory for an arena of %zu bytes",
				   graph->arena_floats * sizeof(float));
	return STATUS_OK;
}

void executor_release(struct executor *executor)
{
	free(executor->arena);
	*executor = (struct executor){0};
}

float *executor_data(const struct executor *executor, int node)
{
	assert(node >= 0 && node < executor->graph->node_count);
	return executor->arena + executor->graph->nodes[node].data_offset;
}

size_t executor_bytes(const struct executor *executor)
{
	return executor->graph->arena_floats * sizeof(float);
}

static void bind_params(struct op_call *call, const struct graph *graph, const struct node *node,
			const struct pass *pass)
{
	call->param_count = node->param_count;
	for (int i = 0; i < node->param_count; i++) {
		const struct param *param = &graph->params->items[node->params[i]];
		/* Operators only read parameters; the tensor struct has no const variant. */
		call->param[i] = (struct tensor){param->shape, (float *)pass->values + param->offset};
		call->param_grad[i] = pass->param_grads && !param->frozen ? pass->param_grads + param->offset : NULL;
	}
}

/* Everything forward needs; backward adds the gradients. */
static struct op_call bind_call(const struct executor *executor, const struct pass *pass, int index)
{
	const struct graph *graph = executor->graph;
	const struct node *node = &graph->nodes[index];
	struct op_call call = {
		.attr = node->attr,
		.input_count = node->input_count,
		.out = {node->shape, executor->arena + node->data_offset},
		.out_pitch = node->out_pitch,
		.prepared = pass->prepared ? pass->prepared + node->prepared_offset : NULL,
		.saved = executor->arena + node->saved_offset,
		.scratch = executor->arena + graph->scratch_offset,
		.training = pass->training,
		.rng = rng_substream(&pass->rng, (uint32_t)index),
	};
	for (int i = 0; i < node->input_count; i++) {
		const struct node *input = &graph->nodes[node->inputs[i]];
		call.in[i] = (struct tensor){input->shape, executor->arena + input->data_offset};
	}
	bind_params(&call, graph, node, pass);
	return call;
}

/* --- 8 bits --------------------------------------------------------------- */

static struct quantize_grid grid_of(const struct graph *graph, const struct node *node, const struct pass *pass)
{
	bool rounds = pass->quantize && node->range >= 0;
	return rounds ? quantize_grid(pass->values + graph->params->items[node->range].offset)
		      : (struct quantize_grid){0};
}

/* A training pass measures what the values would be without rounding them. */
static void quantize_output(const struct executor *executor, const struct pass *pass, const struct node *node)
{
	const struct graph *graph = executor->graph;
	float *data = executor->arena + node->data_offset;
	size_t count = shape_count(node->shape);
	if (node->range >= 0 && !node->range_kept && pass->training && pass->param_grads) {
		float *seen = pass->param_grads + graph->params->items[node->range].offset;
		kernels()->value_range(data, count, &seen[RANGE_LOW], &seen[RANGE_HIGH]);
		seen[RANGE_SEEN] = 1;
	}
	struct quantize_grid grid = grid_of(graph, node, pass);
	if (grid.scale > 0)
		kernels()->fake_quantize(data, count, grid.scale, grid.zero);
}

static void quantize_output_grad(const struct executor *executor, const struct pass *pass, const struct node *node)
{
	struct quantize_grid grid = grid_of(executor->graph, node, pass);
	if (grid.scale > 0 && !node->range_kept)
		kernels()->fake_quantize_grad(executor->arena + node->grad_offset, executor->arena + node->data_offset,
					      shape_count(node->shape), grid.scale, grid.zero);
}

/* --- the walks ------------------------------------------------------------ */

static uint64_t thread_time(const struct executor *executor)
{
	return executor->profile ? (uint64_t)(1e9 * clock_thread_seconds()) : 0;
}

void executor_forward(struct executor *executor, const struct pass *pass, int last)
{
	assert(!pass->again || executor->graph->mode == GRAPH_TRAINING);
	for (int at = 0, i = -1; i != last; at++) {
		i = executor->graph->order[at];
		const struct node *node = &executor->graph->nodes[i];
		if (!node->op || (pass->again && node->fixed))
			continue;
		uint64_t start = thread_time(executor);
		struct op_call call = bind_call(executor, pass, i);
		node->op->forward(&call);
		quantize_output(executor, pass, node);
		if (executor->profile)
			executor->profile->forward[i] += thread_time(executor) - start;
	}
}

/* Just before a node adds to it, so that it is fetched into the cache once. What lies in a buffer's place is no
 * gradient (core/op.h). */
static void clear_param_grads(const struct graph *graph, const struct node *node, const struct op_call *call)
{
	for (int i = 0; i < node->param_count; i++) {
		const struct param *param = &graph->params->items[node->params[i]];
		if (call->param_grad[i] && node->param_first[i] && param->kind != PARAM_BUFFER)
			memset(call->param_grad[i], 0, shape_count(param->shape) * sizeof(float));
	}
}

static void backward_node(struct executor *executor, const struct pass *pass, int index)
{
	const struct graph *graph = executor->graph;
	const struct node *node = &graph->nodes[index];
	uint64_t start = thread_time(executor);
	struct op_call call = bind_call(executor, pass, index);
	call.out_grad = executor->arena + node->grad_offset;
	for (int i = 0; i < node->input_count; i++) {
		const struct node *input = &graph->nodes[node->inputs[i]];
		call.in_grad[i] = input->needs_grad ? executor->arena + input->grad_offset : NULL;
		call.in_grad_add[i] = node->grad_add[i];
	}
	if (!pass->add_grads)
		clear_param_grads(graph, node, &call);
	quantize_output_grad(executor, pass, node);
	node->op->backward(&call);
	if (executor->profile)
		executor->profile->backward[index] += thread_time(executor) - start;
}

void executor_backward(struct executor *executor, const struct pass *pass, int loss, float scale)
{
	const struct graph *graph = executor->graph;
	assert(graph->mode == GRAPH_TRAINING && loss == graph->node_count - 1);
	assert(shape_count(graph->nodes[loss].shape) == 1 && graph->nodes[loss].needs_grad);
	executor->arena[graph->nodes[loss].grad_offset] = scale;
	for (int at = loss; at >= 0; at--) {
		int i = graph->order[at];
		if (graph->nodes[i].op && graph->nodes[i].needs_grad)
			backward_node(executor, pass, i);
	}
}
