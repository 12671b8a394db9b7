/* See profile.h. */
#include "tools/bench/profile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const profile_pass_names[] = {"forward", "backward", "backward_data", "backward_weight", NULL};

static size_t nodes_of(const struct profile *profile)
{
	return (size_t)profile->graph->node_count;
}

enum status profile_init(struct profile *profile, const struct graph *graph, int threads, int steps)
{
	*profile = (struct profile){.graph = graph, .threads = threads, .steps = steps};
	size_t nodes = nodes_of(profile), thread_count = (size_t)threads;
	profile->thread = calloc(thread_count, sizeof *profile->thread);
	profile->memory = calloc(2 * nodes * thread_count, sizeof *profile->memory);
	profile->sorted = calloc((size_t)steps, sizeof *profile->sorted);
	bool complete = profile->thread && profile->memory && profile->sorted;
	for (int pass = 0; pass < PROFILE_WEIGHT; pass++) {
		profile->step_time[pass] = calloc(nodes * (size_t)steps, sizeof *profile->step_time[pass]);
		complete = complete && profile->step_time[pass];
	}
	if (!complete) {
		profile_release(profile);
		return status_fail(STATUS_NO_MEMORY, "no memory for a profile of %zu nodes", nodes);
	}
	for (size_t i = 0; i < thread_count; i++) {
		profile->thread[i].forward = profile->memory + 2 * i * nodes;
		profile->thread[i].backward = profile->thread[i].forward + nodes;
	}
	return STATUS_OK;
}

void profile_release(struct profile *profile)
{
	free(profile->thread);
	free(profile->memory);
	free(profile->sorted);
	for (int pass = 0; pass < PROFILE_PASSES; pass++)
		free(profile->step_time[pass]);
	*profile = (struct profile){0};
}

struct executor_profile *profile_thread(struct profile *profile, int thread)
{
	return &profile->thread[thread];
}

static void take(struct profile *profile, enum profile_pass pass, bool forward)
{
	size_t nodes = nodes_of(profile);
	assert(profile->step_count[pass] < profile->steps);
	double *times = profile->step_time[pass] + (size_t)profile->step_count[pass]++ * nodes;
	for (int t = 0; t < profile->threads; t++) {
		const uint64_t *counted = forward ? profile->thread[t].forward : profile->thread[t].backward;
		for (size_t i = 0; i < nodes; i++)
			times[i] += (double)counted[i];
	}
}

void profile_end_step(struct profile *profile, bool whole)
{
	if (whole)
		take(profile, PROFILE_FORWARD, true);
	take(profile, whole ? PROFILE_BACKWARD : PROFILE_DATA, false);
	memset(profile->memory, 0, 2 * nodes_of(profile) * (size_t)profile->threads * sizeof *profile->memory);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Over the steps, in seconds. */
static double median_time(const struct profile *profile, enum profile_pass pass, size_t node)
{
	double *sorted = profile->sorted;
	int count = profile->step_count[pass];
	if (!count)
		return 0;
	for (int i = 0; i < count; i++)
		sorted[i] = profile->step_time[pass][(size_t)i * nodes_of(profile) + node];
	qsort(sorted, (size_t)count, sizeof *sorted, compare);
	return 1e-9 * (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

/* Multiply-adds of a node's forward pass. */
static double node_macs(const struct graph *graph, const struct node *node)
{
	struct op_call call = {.attr = node->attr,
			       .input_count = node->input_count,
			       .param_count = node->param_count,
			       .out = {node->shape, NULL}};
	if (!node->op->macs)
		return 0;
	for (int i = 0; i < node->input_count; i++)
		call.in[i].shape = graph->nodes[node->inputs[i]].shape;
	for (int i = 0; i < node->param_count; i++)
		call.param[i].shape = graph->params->items[node->params[i]].shape;
	return node->op->macs(&call);
}

/* "conv2d 3x3 stride 1, trunk": what makes a convolution fast or slow. Other operators go by their name. */
static void name_kind(const struct graph *graph, const struct node *node, char *kind, size_t size)
{
	char attr[64] = "";
	if (!node->op->macs || !node->param_count) {
		snprintf(kind, size, "%s", node->op->name);
		return;
	}
	if (node->op->describe)
		node->op->describe(node->attr, attr, sizeof attr);
	char *end = strstr(attr, " pad");
	if (end)
		*end = '\0';
	bool trunk = graph->params->items[node->params[0]].group == PARAM_TRUNK;
	snprintf(kind, size, "%s %.24s, %s", node->op->name, attr, trunk ? "trunk" : "decoder");
}

/* The sums are over the first input; a second one is only added. */
static void fill_flops(const struct graph *graph, const struct node *node, double *flops)
{
	double one = 2 * node_macs(graph, node) / graph->nodes[0].shape.n;
	flops[PROFILE_FORWARD] = one;
	flops[PROFILE_DATA] = node->needs_grad && graph->nodes[node->inputs[0]].needs_grad ? one : 0;
	flops[PROFILE_WEIGHT] = node->needs_grad && node->param_count ? one : 0;
	flops[PROFILE_BACKWARD] = flops[PROFILE_DATA] + flops[PROFILE_WEIGHT];
}

static void fill_row(const struct profile *profile, size_t index, int samples, struct profile_row *row)
{
	const struct graph *graph = profile->graph;
	const struct node *node = &graph->nodes[index];
	snprintf(row->name, sizeof row->name, "%s", node->name);
	if (!node->op)
		return;
	row->nodes = 1;
	name_kind(graph, node, row->kind, sizeof row->kind);
	fill_flops(graph, node, row->flops);
	row->seconds[PROFILE_FORWARD] = median_time(profile, PROFILE_FORWARD, index) / samples;
	row->seconds[PROFILE_BACKWARD] = median_time(profile, PROFILE_BACKWARD, index) / samples;
	if (!node->param_count || !profile->step_count[PROFILE_DATA])
		return;
	double data = median_time(profile, PROFILE_DATA, index) / samples, both = row->seconds[PROFILE_BACKWARD];
	row->seconds[PROFILE_DATA] = data < both ? data : both;
	row->seconds[PROFILE_WEIGHT] = both - row->seconds[PROFILE_DATA];
}

void profile_nodes(const struct profile *profile, int samples, struct profile_row *rows)
{
	for (int i = 0; i < profile->graph->node_count; i++) {
		rows[i] = (struct profile_row){0};
		fill_row(profile, (size_t)i, samples, &rows[i]);
	}
}

static void add_row(struct profile_row *sum, const struct profile_row *row)
{
	sum->nodes += row->nodes;
	for (int pass = 0; pass < PROFILE_PASSES; pass++) {
		sum->flops[pass] += row->flops[pass];
		sum->seconds[pass] += row->seconds[pass];
	}
}

int profile_kinds(const struct profile_row *rows, int count, struct profile_row *kinds)
{
	int found = 0;
	for (int i = 0; i < count; i++) {
		int k = 0;
		if (!rows[i].nodes)
			continue;
		while (k < found && strcmp(kinds[k].kind, rows[i].kind) != 0)
			k++;
		if (k == found) {
			kinds[found] = (struct profile_row){0};
			memcpy(kinds[found].kind, rows[i].kind, sizeof rows[i].kind);
			snprintf(kinds[found].name, sizeof kinds[found].name, "%s", rows[i].kind);
			found++;
		}
		add_row(&kinds[k], &rows[i]);
	}
	return found;
}

struct profile_row profile_total(const struct profile_row *rows, int count)
{
	struct profile_row total = {.name = "together"};
	for (int i = 0; i < count; i++)
		add_row(&total, &rows[i]);
	return total;
}

double profile_speed(const struct profile_row *row, enum profile_pass pass)
{
	return row->flops[pass] > 0 && row->seconds[pass] > 0 ? 1e-9 * row->flops[pass] / row->seconds[pass] : 0;
}
