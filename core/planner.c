/* Lays out one executor's arena: which float lives where and when.
 *
 * Time runs over one step: node i computes at time i, its backward at 2n - 1 - i (n nodes). A buffer lives from its first writer to
 * its last reader:
 *
 *	time      0 1 2 ... n-1 | n ...        2n-1
 *	          forward       | backward, last node first
 *	data i      [-----------------]             until its last forward reader, or the last backward that reads it
 *	grad i                       [---]          from the backward of its last consumer to its own
 *	saved i     [--------------------]
 *
 * Buffers whose lives overlap must not overlap in memory. They are placed largest first, each at the lowest offset that is free
 * during its life (greedy by size: Pisarchyk & Lee, "Efficient memory management for deep neural net inference", 2020).
 * An in-place operator shares its input's buffer: both are one group. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/graph.h"

enum { ALIGN_FLOATS = 16 }; /* 64 bytes: a cache line, a 512-bit vector */

struct buffer {
	size_t floats, offset;
	int first, last; /* life, both ends included */
	int alias;       /* index of the buffer whose memory this one shares, or -1 */
};

struct layout {
	struct graph *graph;
	int n;
	struct buffer *buffers; /* data, grad, saved of each node: 3 per node */
	int *consumers;         /* number of readers of each node */
};

enum { DATA, GRAD, SAVED, BUFFERS_PER_NODE };

static struct buffer *buffer_of(struct layout *layout, int node, int kind)
{
	return &layout->buffers[node * BUFFERS_PER_NODE + kind];
}

static size_t align_floats(size_t floats)
{
	return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static int backward_time(const struct layout *layout, int node)
{
	return 2 * layout->n - 1 - node;
}

static void extend(struct buffer *buffer, int time)
{
	if (time < buffer->first)
		buffer->first = time;
	if (time > buffer->last)
		buffer->last = time;
}

/* The shapes of a call, without memory: what saved_bytes, scratch_floats and macs look at. */
static struct op_call shape_call(const struct graph *graph, const struct node *node)
{
	struct op_call call = { .attr = node->attr, .input_count = node->input_count, .param_count = node->param_count };
	for (int i = 0; i < node->input_count; i++)
		call.in[i].shape = graph->nodes[node->inputs[i]].shape;
	for (int i = 0; i < node->param_count; i++)
		call.param[i].shape = graph->params->items[node->params[i]].shape;
	call.out.shape = node->shape;
	return call;
}

/* A node has a gradient when parameters feed it and the loss (the last node) depends on it. */
static void mark_gradients(struct graph *graph)
{
	for (int i = 0; i < graph->node_count; i++) {
		struct node *node = &graph->nodes[i];
		node->needs_grad = node->param_count > 0;
		for (int k = 0; k < node->input_count; k++)
			node->needs_grad |= graph->nodes[node->inputs[k]].needs_grad;
	}
	bool *reached = calloc((size_t)graph->node_count, sizeof *reached);
	if (!reached) {
		graph->status = status_fail(STATUS_NO_MEMORY, "no memory for the plan");
		return;
	}
	reached[graph->node_count - 1] = graph->mode == GRAPH_TRAINING;
	for (int i = graph->node_count - 1; i >= 0; i--) {
		struct node *node = &graph->nodes[i];
		node->needs_grad &= reached[i];
		for (int k = 0; k < node->input_count && reached[i]; k++)
			reached[node->inputs[k]] = true;
	}
	free(reached);
}

/* Which inputs' gradients a node's backward adds to, because a later node has stored there before. The target of a loss has
 * no gradient, so an input node never counts. */
static void mark_grad_adds(struct graph *graph)
{
	for (int i = 0; i < graph->node_count; i++)
		for (int k = 0; k < graph->nodes[i].input_count; k++)
			graph->nodes[i].grad_add[k] = false;
	for (int source = 0; source < graph->node_count; source++) {
		bool written = false;
		for (int i = graph->node_count - 1; i > source; i--)
			for (int k = 0; k < graph->nodes[i].input_count && graph->nodes[i].needs_grad; k++)
				if (graph->nodes[i].inputs[k] == source) {
					graph->nodes[i].grad_add[k] = written;
					written = true;
				}
	}
}

/* May this node write over its input? Only if nobody else reads it, forward or backward. */
static bool runs_in_place(const struct layout *layout, const struct node *node)
{
	if (!node->op || !(node->op->flags & OP_IN_PLACE))
		return false;
	const struct node *input = &layout->graph->nodes[node->inputs[0]];
	return input->op && !input->keep && layout->consumers[node->inputs[0]] == 1 &&
	       !(input->needs_grad && (input->op->flags & OP_BACKWARD_READS_OUTPUT));
}

static void set_data_life(struct layout *layout, int i)
{
	struct node *node = &layout->graph->nodes[i];
	struct buffer *data = buffer_of(layout, i, DATA);
	data->floats = align_floats(shape_count(node->shape));
	extend(data, i);
	if (!node->op || node->keep) { /* inputs stay: several forward passes may run on them */
		extend(data, 0);
		extend(data, 2 * layout->n);
	}
	if (!node->op)
		return;
	unsigned flags = node->op->flags;
	if (node->needs_grad && (flags & OP_BACKWARD_READS_OUTPUT))
		extend(data, backward_time(layout, i));
	for (int k = 0; k < node->input_count; k++) {
		struct buffer *input = buffer_of(layout, node->inputs[k], DATA);
		extend(input, i);
		if (node->needs_grad && (flags & OP_BACKWARD_READS_INPUT))
			extend(input, backward_time(layout, i));
	}
}

static void set_grad_life(struct layout *layout, int i)
{
	struct node *node = &layout->graph->nodes[i];
	if (!node->needs_grad)
		return;
	struct buffer *grad = buffer_of(layout, i, GRAD);
	grad->floats = align_floats(shape_count(node->shape));
	extend(grad, backward_time(layout, i));
	for (int k = 0; k < node->input_count; k++)
		if (layout->graph->nodes[node->inputs[k]].needs_grad)
			extend(buffer_of(layout, node->inputs[k], GRAD), backward_time(layout, i));
}

static void set_saved_life(struct layout *layout, int i)
{
	const struct node *node = &layout->graph->nodes[i];
	if (!node->op || !node->op->saved_bytes)
		return;
	struct op_call call = shape_call(layout->graph, node);
	struct buffer *saved = buffer_of(layout, i, SAVED);
	saved->floats = align_floats((node->op->saved_bytes(&call) + sizeof(float) - 1) / sizeof(float));
	extend(saved, i);
	if (node->needs_grad)
		extend(saved, backward_time(layout, i));
}

/* Joins the buffers of an in-place node with its input's: the earlier node owns the memory for both lives. */
static void join(struct layout *layout, int node, int input, int kind)
{
	struct buffer *buffer = buffer_of(layout, node, kind), *owner = buffer_of(layout, input, kind);
	if (!buffer->floats || !owner->floats)
		return;
	while (owner->alias >= 0)
		owner = &layout->buffers[owner->alias];
	extend(owner, buffer->first);
	extend(owner, buffer->last);
	buffer->alias = (int)(owner - layout->buffers);
}

static void set_lives(struct layout *layout)
{
	for (int i = 0; i < layout->n * BUFFERS_PER_NODE; i++)
		layout->buffers[i] = (struct buffer){ .first = 2 * layout->n, .last = -1, .alias = -1 };
	for (int i = 0; i < layout->n; i++)
		for (int k = 0; k < layout->graph->nodes[i].input_count; k++)
			layout->consumers[layout->graph->nodes[i].inputs[k]]++;
	for (int i = 0; i < layout->n; i++) {
		set_data_life(layout, i);
		set_grad_life(layout, i);
		set_saved_life(layout, i);
	}
	for (int i = 0; i < layout->n; i++)
		if (runs_in_place(layout, &layout->graph->nodes[i])) {
			join(layout, i, layout->graph->nodes[i].inputs[0], DATA);
			join(layout, i, layout->graph->nodes[i].inputs[0], GRAD);
		}
}

static int larger_first(const void *a, const void *b)
{
	const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
	if (x->floats != y->floats)
		return x->floats < y->floats ? 1 : -1;
	return x < y ? -1 : 1; /* qsort is not stable; the address order makes the layout reproducible */
}

/* Lowest offset where `buffer` fits among those placed[0..count) that live at the same time; placed is sorted by offset. */
static size_t lowest_fit(const struct buffer *buffer, struct buffer *const *placed, int count)
{
	size_t offset = 0;
	for (int i = 0; i < count; i++) {
		const struct buffer *other = placed[i];
		if (other->last < buffer->first || other->first > buffer->last)
			continue;
		if (offset + buffer->floats <= other->offset)
			break;
		if (other->offset + other->floats > offset)
			offset = other->offset + other->floats;
	}
	return offset;
}

/* Places every buffer that owns memory; returns the floats used in all. */
static size_t place(struct buffer **order, int count, struct buffer **placed)
{
	size_t total = 0;
	qsort(order, (size_t)count, sizeof *order, larger_first);
	for (int i = 0; i < count; i++) {
		struct buffer *buffer = order[i];
		buffer->offset = lowest_fit(buffer, placed, i);
		int at = i;
		for (; at > 0 && placed[at - 1]->offset > buffer->offset; at--)
			placed[at] = placed[at - 1];
		placed[at] = buffer;
		if (buffer->offset + buffer->floats > total)
			total = buffer->offset + buffer->floats;
	}
	return total;
}

static enum status place_all(struct layout *layout)
{
	int all = layout->n * BUFFERS_PER_NODE, count = 0;
	struct buffer **order = malloc(2 * (size_t)all * sizeof *order);
	if (!order)
		return status_fail(STATUS_NO_MEMORY, "no memory for the plan");
	for (int i = 0; i < all; i++)
		if (layout->buffers[i].floats && layout->buffers[i].alias < 0)
			order[count++] = &layout->buffers[i];
	layout->graph->scratch_offset = place(order, count, order + all);
	free(order);
	for (int i = 0; i < all; i++)
		if (layout->buffers[i].alias >= 0)
			layout->buffers[i].offset = layout->buffers[layout->buffers[i].alias].offset;
	return STATUS_OK;
}

static void store_plan(struct layout *layout)
{
	struct graph *graph = layout->graph;
	size_t scratch = 0;
	graph->forward_macs = 0;
	for (int i = 0; i < layout->n; i++) {
		struct node *node = &graph->nodes[i];
		node->data_offset = buffer_of(layout, i, DATA)->offset;
		node->grad_offset = buffer_of(layout, i, GRAD)->offset;
		node->saved_offset = buffer_of(layout, i, SAVED)->offset;
		if (!node->op)
			continue;
		struct op_call call = shape_call(graph, node);
		size_t need = node->op->scratch_floats ? node->op->scratch_floats(&call) : 0;
		scratch = need > scratch ? need : scratch;
		graph->forward_macs += node->op->macs ? node->op->macs(&call) : 0;
	}
	graph->arena_floats = graph->scratch_offset + align_floats(scratch);
}

enum status graph_plan(struct graph *graph, enum graph_mode mode)
{
	if (graph->status)
		return graph->status;
	assert(graph->node_count > 0);
	graph->mode = mode;
	mark_gradients(graph);
	if (graph->status)
		return graph->status;
	mark_grad_adds(graph);
	size_t n = (size_t)graph->node_count;
	struct layout layout = {
		.graph = graph,
		.n = graph->node_count,
		.buffers = calloc(n * BUFFERS_PER_NODE, sizeof *layout.buffers),
		.consumers = calloc(n, sizeof *layout.consumers),
	};
	enum status status = STATUS_OK;
	if (layout.buffers && layout.consumers) {
		set_lives(&layout);
		status = place_all(&layout);
		if (!status)
			store_plan(&layout);
	} else {
		status = status_fail(STATUS_NO_MEMORY, "no memory for the plan of %zu nodes", n);
	}
	free(layout.buffers);
	free(layout.consumers);
	return status;
}
