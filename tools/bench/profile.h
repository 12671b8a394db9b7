/* Where the time of training steps goes: per node of the graph and per kind of operator, forward and backward apart.
 *
 *	profile_init(&profile, &graph, threads, steps);
 *	for each step: executors of all threads get profile_thread(&profile, i); run; profile_end_step(&profile, ...)
 *	profile_nodes(&profile, samples, rows); profile_kinds(rows, count, kinds);
 *
 * A convolution's backward is timed twice: in whole steps, and in steps that leave the parameters' gradients out
 * (struct slot); the difference is what the weights' gradients take. All times are thread time, medians over the
 * steps. */
#ifndef TRAIN_PROFILE_H
#define TRAIN_PROFILE_H

#include "core/executor.h"

enum profile_pass {
	PROFILE_FORWARD,
	PROFILE_BACKWARD, /* both of the next two */
	PROFILE_DATA,     /* backward to the inputs */
	PROFILE_WEIGHT,   /* backward to the parameters, bias and all */
	PROFILE_PASSES
};
extern const char *const profile_pass_names[]; /* "forward", ... */

/* A node, or all nodes of one kind; for one sample. */
struct profile_row {
	char name[128]; /* the node's name, or that of the kind: "conv2d 3x3 stride 1, trunk" */
	char kind[64];
	int nodes;
	double flops[PROFILE_PASSES];   /* of direct convolution, two per multiply-add; 0: not counted */
	double seconds[PROFILE_PASSES]; /* data and weight are 0 where a node has no parameters */
};

struct profile {
	const struct graph *graph; /* borrowed */
	int threads, steps;
	struct executor_profile *thread; /* one per thread */
	uint64_t *memory;
	/* Nanoseconds of each node in each step: [step][node]. */
	double *step_time[PROFILE_PASSES];
	int step_count[PROFILE_PASSES];
	double *sorted; /* room for a number per step */
};

/* Room for `steps` steps of each sort. */
enum status profile_init(struct profile *profile, const struct graph *graph, int threads, int steps);
void profile_release(struct profile *profile);

/* Where the executor of that thread counts. */
struct executor_profile *profile_thread(struct profile *profile, int thread);

/* Takes over what the threads have counted since the last call. `whole`: a step with all gradients (forward and
 * backward are kept); else one without the parameters' (only that backward is). */
void profile_end_step(struct profile *profile, bool whole);

/* Fills graph->node_count rows, those of graph inputs with `nodes` 0. `samples`: of a step. */
void profile_nodes(const struct profile *profile, int samples, struct profile_row *rows);

/* Adds up rows of the same kind, in order of first appearance; `kinds` has room for `count` rows. Returns how many
 * there are. */
int profile_kinds(const struct profile_row *rows, int count, struct profile_row *kinds);

/* All rows in one. */
struct profile_row profile_total(const struct profile_row *rows, int count);

/* GFLOP/s; 0 where nothing was counted or timed. */
double profile_speed(const struct profile_row *row, enum profile_pass pass);

#endif
