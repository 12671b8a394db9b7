/* The network: a list of nodes, inputs before those who read them, built once per input shape and shared by all
 * threads.
 *
 * Life: graph_init -> graph_input / graph_add (core/nn does this) -> graph_plan -> executors run it ->
 * graph_release. Building errors are sticky: after the first failure every graph_add returns -1 and graph_plan
 * returns the status, so that model code need not check each line. */
#ifndef CORE_GRAPH_H
#define CORE_GRAPH_H

#include "core/op.h"
#include "core/params.h"

struct node {
	const struct op *op; /* NULL: an input of the graph */
	char name[64];       /* of the input, or of the module ("features.3.squeeze") */
	unsigned char attr[OP_MAX_ATTR_BYTES];
	int inputs[OP_MAX_INPUTS];
	int input_count;
	int params[OP_MAX_PARAMS]; /* indices into graph->params->items */
	int param_count;
	struct shape shape; /* of the output */
	/* parameter: the output is rounded to 8 bits of that range (core/quantize.h); -1: it is not */
	int range;
	bool range_kept; /* the range is the input's: nothing to measure, and nothing is cut off */
	bool fixed;      /* an input that graph_fix named, or (set by graph_plan) computed from such inputs alone */
	bool early;      /* runs as soon as its inputs are there, before nodes added earlier (graph_run_early) */

	/* Set by graph_plan. Offsets are floats into the arena. */
	bool keep; /* output stays readable after the forward pass */
	bool needs_grad;
	size_t data_offset;
	size_t grad_offset; /* only if needs_grad and the plan is for training */
	size_t saved_offset;
	size_t prepared_offset; /* floats into the prepared parameters (graph_prepare) */
	int out_pitch;          /* floats from one pixel of the output to the next: shape.c, or that of a concat */
	bool grad_add[OP_MAX_INPUTS];    /* backward adds to that input's gradient (else it is the first writer) */
	bool param_first[OP_MAX_PARAMS]; /* no node's backward has added to that parameter's gradient before */
};

enum graph_mode {
	GRAPH_INFERENCE, /* forward only; an activation's memory is reused after its last reader */
	GRAPH_TRAINING,  /* forward and backward */
};

struct graph {
	struct params *params; /* borrowed */
	struct node *nodes;
	int node_count;
	enum status status; /* sticky building error */

	/* Set by graph_plan. */
	enum graph_mode mode;
	int *order;          /* nodes in the order in which they run forward; backward is the reverse */
	size_t arena_floats; /* activations, gradients, saved data and scratch of one executor */
	size_t scratch_offset;
	size_t prepared_floats; /* parameters as operators want them, shared by all executors */
	double forward_macs;
};

void graph_init(struct graph *graph, struct params *params);
void graph_release(struct graph *graph);

/* An input of the network; its executor memory is filled by the caller. The node, or -1. */
int graph_input(struct graph *graph, const char *name, struct shape shape);

/* A node. `attr` is copied (op->attr_bytes; NULL: all 0, or the op has none). The node, or -1. */
int graph_add(struct graph *graph, const struct op *op, const char *name, const void *attr, const int *inputs,
	      int input_count, const int *params, int param_count);

/* Keep this node's output readable after forward (logits, loss). Call before graph_plan. */
void graph_keep(struct graph *graph, int node);

/* This input stays as it is over several passes of one executor (the photo, while clicks are added). What is computed
 * from such inputs alone is kept for the passes that follow, if the plan is for training: pass.again. Call before
 * graph_plan. */
void graph_fix(struct graph *graph, int input);

/* Run this node right behind the last of its inputs, whatever was added in between. For a small map made of a large
 * one: the large one then need not wait for its last reader, nor its gradient for its first. Call before graph_plan. */
void graph_run_early(struct graph *graph, int node);

/* Lays out the arena. Needs no parameters' values. */
enum status graph_plan(struct graph *graph, enum graph_mode mode);

/* Once per step, after the parameters (`values`) changed: node's part of the prepared parameters. Nodes are
 * independent of each other, so that threads may share them. `prepared`: graph->prepared_floats floats, 64-byte
 * aligned. */
void graph_prepare(const struct graph *graph, const float *values, int node, float *prepared);

#endif
