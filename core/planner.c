/* Lays out one executor's arena: which float lives where and when.
 *
 * Time runs over one step: the i-th of n nodes computes at time i, its backward at 2n - 1 - i. A buffer lives from
 * its first writer to its last reader:
 *
 *	time      0 1 2 ... n-1 | n ...        2n-1
 *	          forward       | backward, last node first
 *	data i      [-----------------]             until its last forward reader, or the last backward that reads it
 *	grad i                       [---]          from the backward of its last consumer to its own
 *	saved i     [--------------------]
 *
 * What is computed from fixed inputs alone (graph_fix) lives through the whole step where anybody reads it in a later
 * pass.
 *
 * Buffers whose lives overlap must not overlap in memory. They are placed largest first, each at the lowest offset
 * that is free during its life (greedy by size: Pisarchyk & Lee, "Efficient memory management for deep neural net
 * inference", 2020). An in-place operator shares its input's buffer, and what is read by a concat alone lies inside
 * the concat's: they are one group. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/graph.h"

enum { ALIGN_FLOATS = 16 }; /* 64 bytes: a cache line, a 512-bit vector */

struct buffer {
	size_t floats, offset;
	int first, last; /* life, both ends included */
	int alias;       /* index of the buffer whose memory this one shares, or -1 */
	size_t shift;    /* where in it this one begins */
};

struct layout {
	struct graph *graph;
	int n;
	struct buffer *buffers; /* data, grad, saved of each node: 3 per node */
	int *time;              /* when each node runs */
	int *consumers;         /* number of readers of each node */
	int *host;              /* the concat in whose output this node's output lies, or -1 */
};

enum { DATA, GRAD, SAVED, BUFFERS_PER_NODE };

static struct buffer *buffer_of(struct layout *layout, int node, int kind)
{
	return &layout->buffers[node * BUFFERS_PER_NODE + kind];
}

static size_t align_floats(size_t floats)
{
	return round_up_size(floats, ALIGN_FLOATS);
}

static int backward_time(const struct layout *layout, int node)
{
	return 2 * layout->n - 1 - layout->time[node];
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
	struct op_call call = {.attr = node->attr, .input_count = node->input_count, .param_count = node->param_count};
	for (int i = 0; i < node->input_count; i++)
		call.in[i].shape = graph->nodes[node->inputs[i]].shape;
	for (int i = 0; i < node->param_count; i++)
		call.param[i].shape = graph->params->items[node->params[i]].shape;
	call.out.shape = node->shape;
	call.out_pitch = node->out_pitch;
	return call;
}

static bool inputs_ran(const struct graph *graph, int node, const bool *ran)
{
	for (int k = 0; k < graph->nodes[node].input_count; k++)
		if (!ran[graph->nodes[node].inputs[k]])
			return false;
	return true;
}

/* As the nodes were added, but each early one as soon as it can run. */
static void set_order(struct graph *graph, bool *ran)
{
	int count = 0;
	for (int i = 0; i < graph->node_count; i++) {
		if (!ran[i])
			graph->order[count++] = i;
		ran[i] = true;
		for (int k = i + 1; k < graph->node_count; k++)
			if (graph->nodes[k].early && !ran[k] && inputs_ran(graph, k, ran)) {
				graph->order[count++] = k;
				ran[k] = true;
			}
	}
}

static enum status find_order(struct graph *graph)
{
	size_t n = (size_t)graph->node_count;
	bool *ran = calloc(n, sizeof *ran);
	free(graph->order);
	graph->order = malloc(n * sizeof *graph->order);
	if (ran && graph->order)
		set_order(graph, ran);
	free(ran);
	return ran && graph->order ? STATUS_OK
				   : status_fail(STATUS_NO_MEMORY, "no memory for the order of %zu nodes", n);
}

static unsigned flags_of(const struct node *node)
{
	return node->op ? op_flags(node->op, node->attr) : 0;
}

/* What is computed from fixed inputs alone, the same in every pass. */
static void mark_fixed(struct graph *graph)
{
	for (int i = 0; i < graph->node_count; i++) {
		struct node *node = &graph->nodes[i];
		if (!node->op)
			continue;
		node->fixed = !(flags_of(node) & OP_TRAINING_DIFFERS);
		for (int k = 0; k < node->input_count; k++)
			node->fixed &= graph->nodes[node->inputs[k]].fixed;
	}
}

static bool learns(const struct graph *graph, const struct node *node)
{
	for (int i = 0; i < node->param_count; i++)
		if (!graph->params->items[node->params[i]].frozen)
			return true;
	return false;
}

/* A node has a gradient when parameters that learn feed it and the loss (the last node) depends on it. */
static void mark_gradients(struct graph *graph)
{
	for (int i = 0; i < graph->node_count; i++) {
		struct node *node = &graph->nodes[i];
		node->needs_grad = learns(graph, node);
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

/* Which inputs' gradients a node's backward adds to, because a later node has stored there before. The target of a
 * loss has no gradient, so an input node never counts. */
static void mark_grad_adds(struct graph *graph)
{
	for (int i = 0; i < graph->node_count; i++)
		for (int k = 0; k < graph->nodes[i].input_count; k++)
			graph->nodes[i].grad_add[k] = false;
	for (int source = 0; source < graph->node_count; source++) {
		bool written = false;
		for (int at = graph->node_count - 1; at >= 0; at--) {
			struct node *node = &graph->nodes[graph->order[at]];
			for (int k = 0; k < node->input_count && node->needs_grad; k++)
				if (node->inputs[k] == source) {
					node->grad_add[k] = written;
					written = true;
				}
		}
	}
}

/* Which node's backward is the first to add to a parameter's gradient, in the order in which backward runs. */
static void mark_param_firsts(struct graph *graph)
{
	for (int at = graph->node_count - 1; at >= 0; at--) {
		struct node *node = &graph->nodes[graph->order[at]];
		for (int k = 0; k < node->param_count; k++) {
			bool seen = !node->needs_grad;
			for (int later = graph->node_count - 1; later > at && !seen; later--) {
				const struct node *other = &graph->nodes[graph->order[later]];
				for (int i = 0; i < other->param_count && other->needs_grad; i++)
					seen |= other->params[i] == node->params[k];
			}
			node->param_first[k] = !seen;
		}
	}
}

/* An input of a concat lies in the concat's output if it is read by nobody else and its operator can write there. */
static void find_hosts(struct layout *layout)
{
	struct node *nodes = layout->graph->nodes;
	for (int i = 0; i < layout->n; i++) {
		layout->host[i] = -1;
		nodes[i].out_pitch = nodes[i].shape.c;
		for (int k = 0; (flags_of(&nodes[i]) & OP_CONCAT) && k < nodes[i].input_count; k++) {
			int input = nodes[i].inputs[k];
			if (layout->consumers[input] > 1 || nodes[input].keep ||
			    !(flags_of(&nodes[input]) & OP_PITCHED_OUTPUT))
				continue;
			layout->host[input] = i;
			nodes[input].out_pitch = nodes[i].shape.c;
		}
	}
}

/* Whether a node's own way back reads its output: the operator does, or the gradient of what rounds it to 8 bits. */
static bool reads_output(const struct node *node)
{
	return node->needs_grad &&
	       ((flags_of(node) & OP_BACKWARD_READS_OUTPUT) || (node->range >= 0 && !node->range_kept));
}

/* Does the backward of whoever writes this node's output read it? */
static bool read_by_writers(const struct layout *layout, int i)
{
	const struct node *node = &layout->graph->nodes[i];
	bool read = reads_output(node);
	for (int k = 0; k < node->input_count; k++)
		if (layout->host[node->inputs[k]] == i)
			read |= read_by_writers(layout, node->inputs[k]);
	return read;
}

/* The input that this node may write over, or -1: one that nobody else reads, forward or backward. */
static int in_place_input(const struct layout *layout, int i)
{
	const struct node *node = &layout->graph->nodes[i];
	unsigned flags = flags_of(node);
	int k = flags & OP_IN_PLACE ? 0 : flags & OP_IN_PLACE_1 ? 1 : OP_MAX_INPUTS;
	if (k >= node->input_count || layout->host[i] >= 0)
		return -1;
	int input = node->inputs[k];
	const struct node *from = &layout->graph->nodes[input];
	bool free = from->op && !from->keep && (!from->fixed || layout->graph->nodes[i].fixed) &&
		    layout->consumers[input] == 1 && !read_by_writers(layout, input);
	return free ? input : -1;
}

/* Not to be overwritten by any pass. */
static void hold(const struct layout *layout, struct buffer *buffer)
{
	extend(buffer, 0);
	extend(buffer, 2 * layout->n);
}

/* Node i reads that input on its way back, or is computed again in a pass in which the input is not. */
static bool read_again(const struct layout *layout, int i, int input)
{
	const struct node *node = &layout->graph->nodes[i];
	bool back = node->needs_grad && op_backward_reads(flags_of(node), input);
	return layout->graph->mode == GRAPH_TRAINING && layout->graph->nodes[node->inputs[input]].fixed &&
	       (back || !node->fixed);
}

static void set_data_life(struct layout *layout, int i)
{
	struct node *node = &layout->graph->nodes[i];
	struct buffer *data = buffer_of(layout, i, DATA);
	data->floats = align_floats(shape_count(node->shape));
	extend(data, layout->time[i]);
	if (!node->op || node->keep) /* inputs stay: several forward passes may run on them */
		hold(layout, data);
	if (!node->op)
		return;
	unsigned flags = flags_of(node);
	if (reads_output(node)) {
		extend(data, backward_time(layout, i));
		if (node->fixed)
			hold(layout, data);
	}
	for (int k = 0; k < node->input_count; k++) {
		struct buffer *input = buffer_of(layout, node->inputs[k], DATA);
		extend(input, layout->time[i]);
		if (node->needs_grad && op_backward_reads(flags, k))
			extend(input, backward_time(layout, i));
		if (read_again(layout, i, k))
			hold(layout, input);
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
	extend(saved, layout->time[i]);
	if (node->needs_grad) {
		extend(saved, backward_time(layout, i));
		if (node->fixed)
			hold(layout, saved);
	}
}

/* Makes the buffer of `node` a part of that of `owner`, which has the memory for both lives. */
static void join(struct layout *layout, int node, int owner, size_t shift, int kind)
{
	struct buffer *buffer = buffer_of(layout, node, kind), *whole = buffer_of(layout, owner, kind);
	if (!buffer->floats || !whole->floats)
		return;
	while (whole->alias >= 0)
		whole = &layout->buffers[whole->alias];
	extend(whole, buffer->first);
	extend(whole, buffer->last);
	buffer->alias = (int)(whole - layout->buffers);
	buffer->shift = shift;
}

static void join_data_and_grad(struct layout *layout, int node, int owner, size_t shift)
{
	join(layout, node, owner, shift, DATA);
	join(layout, node, owner, shift, GRAD);
}

static void join_inputs_of_concat(struct layout *layout, int i)
{
	const struct node *nodes = layout->graph->nodes;
	size_t channel = 0;
	for (int k = 0; k < nodes[i].input_count; k++) {
		int input = nodes[i].inputs[k];
		if (layout->host[input] == i)
			join_data_and_grad(layout, input, i, channel);
		channel += (size_t)nodes[input].shape.c;
	}
}

static void set_lives(struct layout *layout)
{
	for (int i = 0; i < layout->n * BUFFERS_PER_NODE; i++)
		layout->buffers[i] = (struct buffer){.first = 2 * layout->n, .last = -1, .alias = -1};
	for (int i = 0; i < layout->n; i++)
		for (int k = 0; k < layout->graph->nodes[i].input_count; k++)
			layout->consumers[layout->graph->nodes[i].inputs[k]]++;
	for (int i = 0; i < layout->n; i++)
		layout->time[layout->graph->order[i]] = i;
	find_hosts(layout);
	for (int i = 0; i < layout->n; i++) {
		set_data_life(layout, i);
		set_grad_life(layout, i);
		set_saved_life(layout, i);
	}
	for (int i = 0; i < layout->n; i++) {
		int input = in_place_input(layout, i);
		join_inputs_of_concat(layout, i);
		if (input >= 0)
			join_data_and_grad(layout, i, input, 0);
	}
}

static int larger_first(const void *a, const void *b)
{
	const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
	if (x->floats != y->floats)
		return x->floats < y->floats ? 1 : -1;
	return x < y ? -1 : 1; /* qsort is not stable; the address order makes the layout reproducible */
}

/* Lowest offset where `buffer` fits among those placed[0..count) that live at the same time; placed is sorted by
 * offset. */
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
			layout->buffers[i].offset =
				layout->buffers[layout->buffers[i].alias].offset + layout->buffers[i].shift;
	return STATUS_OK;
}

static void store_plan(struct layout *layout)
{
	struct graph *graph = layout->graph;
	size_t scratch = 0;
	graph->forward_macs = 0;
	graph->prepared_floats = 0;
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
		node->prepared_offset = graph->prepared_floats;
		graph->prepared_floats +=
			node->op->prepared_floats ? align_floats(node->op->prepared_floats(&call)) : 0;
	}
	graph->arena_floats = graph->scratch_offset + align_floats(scratch);
}

enum status graph_plan(struct graph *graph, enum graph_mode mode)
{
	if (graph->status)
		return graph->status;
	assert(graph->node_count > 0);
	graph->mode = mode;
	mark_fixed(graph);
	mark_gradients(graph);
	if (!graph->status)
		graph->status = find_order(graph);
	if (graph->status)
		return graph->status;
	mark_grad_adds(graph);
	mark_param_firsts(graph);
	size_t n = (size_t)graph->node_count;
	struct layout layout = {
		.graph = graph,
		.n = graph->node_count,
		.buffers = calloc(n * BUFFERS_PER_NODE, sizeof *layout.buffers),
		.time = calloc(n, sizeof *layout.time),
		.consumers = calloc(n, sizeof *layout.consumers),
		.host = calloc(n, sizeof *layout.host),
	};
	enum status status = STATUS_OK;
	if (layout.buffers && layout.time && layout.consumers && layout.host) {
		set_lives(&layout);
		status = place_all(&layout);
		if (!status)
			store_plan(&layout);
	} else {
		status = status_fail(STATUS_NO_MEMORY, "no memory for the plan of %zu nodes", n);
	}
	free(layout.buffers);
	free(layout.time);
	free(layout.consumers);
	free(layout.host);
	return status;
}

void graph_prepare(const struct graph *graph, const float *values, int index, float *prepared)
{
	const struct node *node = &graph->nodes[index];
	if (!node->op || !node->op->prepare)
		return;
	struct op_call call = shape_call(graph, node);
	for (int i = 0; i < node->param_count; i++)
		/* Operators only read parameters; the tensor struct has no const variant. */
		call.param[i].data = (float *)values + graph->params->items[node->params[i]].offset;
	node->op->prepare(&call, prepared + node->prepared_offset);
}
