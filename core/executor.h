/* Runs a planned graph on one thread. Each worker has its own executor; the graph and the parameters are shared.
 * After executor_init nothing is allocated. */
#ifndef CORE_EXECUTOR_H
#define CORE_EXECUTOR_H

#include "core/graph.h"

/* Nanoseconds of thread time (CLOCK_THREAD_CPUTIME_ID: what other programs take does not count) that each node has
 * taken so far; node_count numbers each. */
struct executor_profile {
	uint64_t *forward, *backward;
};

struct executor {
	const struct graph *graph;        /* borrowed */
	float *arena;                     /* owned, 64-byte aligned */
	struct executor_profile *profile; /* borrowed, set by the caller; NULL where no times are wanted */
};

enum status executor_init(struct executor *executor, const struct graph *graph);
void executor_release(struct executor *executor);

/* Memory of a node's output (N,H,W,C): write inputs before forward, read kept nodes after it. */
float *executor_data(const struct executor *executor, int node);

/* Bytes of the arena. */
size_t executor_bytes(const struct executor *executor);

/* Which pass this is. */
struct pass {
	const float *values;   /* parameters: params->total floats (the trained ones, or their moving average) */
	const float *prepared; /* graph->prepared_floats floats that graph_prepare made of `values` */
	/* params->total floats, zeroed by the caller before their first use; NULL for a pass without training, or to
	 * leave the parameters' gradients out (a profile's way to time the activations' alone) */
	float *param_grads;
	bool add_grads; /* backward adds to param_grads instead of replacing them: several passes make one gradient */
	bool again;    /* the fixed inputs are those of the pass before: what they alone decide is not computed again */
	bool training; /* dropout on, batch statistics from the batch */
	bool quantize; /* values of nodes with a range are rounded to 8 bits (core/quantize.h) */
	struct rng rng; /* dropout; each node takes its own stream from it */
};

/* Runs all nodes up to `last`. */
void executor_forward(struct executor *executor, const struct pass *pass, int last);

/* After executor_forward of the whole graph in training mode: the gradient of node `loss` (a scalar) times `scale` with
 * respect to every parameter that the loss depends on replaces what is in pass->param_grads (or is added to it). */
void executor_backward(struct executor *executor, const struct pass *pass, int loss, float scale);

#endif
