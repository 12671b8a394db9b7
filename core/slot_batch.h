/* A batch computed by any number of threads, with the same bytes for every number of them (the rule: core/README.md).
 *
 * A batch is cut into slots, always the same ones. A slot is one run of the graph (its inputs' N samples), computed by
 * one thread from beginning to end into a gradient buffer of its own; the buffers are added along the fixed tree of
 * core/slot_tree.h. Threads decide who computes a slot, never what comes out.
 *
 * Who trains writes a function that fills a slot's inputs, and then calls slot_batch_step again and again:
 * core/examples/digits.c. Who has more to do in a slot than filling it (train/slot.c lets the network see its own
 * mistakes first), or has slots on several machines, uses slot_batch_run. */
#ifndef CORE_SLOT_BATCH_H
#define CORE_SLOT_BATCH_H

#include "core/executor.h"
#include "core/optim.h"
#include "core/workers.h"

struct slot_batch {
	const struct graph *graph; /* borrowed */
	struct workers *workers;   /* borrowed */
	int slot_count;
	int first_slot, end_slot;   /* those that this process computes: 0 and slot_count unless it is one of several */
	struct executor *executors; /* one per thread */
	int threads;                /* how many of them */
	float **grads;              /* params->total floats per own slot, NULL for others */
	float *losses;              /* one per slot */
	float *sum;                 /* the batch's gradient, params->total floats: set by slot_batch_gradient */
	float *spare;               /* room for another process's sum; NULL unless this is one of several */
	float *prepared,
		*quantized; /* what operators made of the parameters; the parameters rounded to 8 bits, or NULL */
	float *grad_memory;
	bool skip_param_grads; /* leave the parameters' gradients out: a profile's way to time the activations' alone */
};

/* `graph` is planned for training. `slots`: how many make a batch, at least 1. STATUS_NO_MEMORY if they do not fit. */
enum status slot_batch_init(struct slot_batch *batch, const struct graph *graph, struct workers *workers, int slots);

/* The same for one of several processes, which computes slots first..end-1. `quantize`: with room for rounded
 * parameters, so that slot_batch_run may round them. */
enum status slot_batch_init_part(struct slot_batch *batch, const struct graph *graph, struct workers *workers,
				 int slots, int first, int end, bool quantize);
void slot_batch_release(struct slot_batch *batch);

/* Bytes of arenas, gradient buffers and prepared parameters. */
size_t slot_batch_bytes(const struct slot_batch *batch);

/* --- training and evaluation of a task that fills inputs */

struct slot_task {
	/* Writes the graph's inputs, executor_data(executor, node) in the order N,H,W,C, for a slot. It is called on
	 * any thread, for several slots at a time, and must write the same for the same slot whenever it is called:
	 * random numbers come from rng_stream, whose sample number is the slot's (times N, plus which of its samples).
	 * Slot k of step s has number s * slot_count + k. */
	void (*fill)(void *context, const struct executor *executor, uint64_t slot);
	void *context;
	int loss;      /* the graph's last node: a scalar */
	uint64_t seed; /* of dropout */
};

/* The gradient of the mean loss over the batch of this step with respect to every parameter, in batch->sum. Returns the
 * loss. Both depend on the task, the step, the values (params->total floats) and the number of slots alone. */
double slot_batch_gradient(struct slot_batch *batch, const float *values, const struct slot_task *task, uint64_t step);

/* One training step at learning rate `lr`: that gradient for step number optim->step, clipped and applied to the
 * graph's parameters. *loss: the batch's before the step. STATUS_LIMIT where the loss or the gradient is not finite:
 * the parameters are then as they were before. */
enum status slot_batch_step(struct slot_batch *batch, struct optim *optim, const struct slot_task *task, double lr,
			    double *loss);

/* Runs slots first..first+count-1 forward to `node` without training (dropout off, running statistics) and asks score()
 * about each, which may read kept nodes up to that one; it is called on any thread, for several slots at a time.
 * *mean: the scores' mean, added in the order of the slots. */
enum status slot_batch_evaluate(struct slot_batch *batch, const float *values, const struct slot_task *task,
				uint64_t first, int count, int node,
				double (*score)(void *context, const struct executor *executor, uint64_t slot),
				double *mean);

/* --- the parts of a step, for those who need them one by one */

/* One slot to compute. */
struct slot_call {
	int index, thread; /* of the slot in the batch; of the thread that computes it */
	struct executor *executor;
	struct pass pass; /* values and prepared parameters; a pass without training */
	float *grads;     /* what pass.param_grads must be for executor_backward; NULL: leave them out */
	float grad_scale; /* what executor_backward must scale by, so that the sum over slots is the mean's gradient */
	float *loss;      /* to be stored: the slot's loss */
};

/* Prepares the parameters (rounded to 8 bits before, if `quantize`, for which there must be room), then calls compute()
 * for each of this process's slots, which fills batch->grads[slot] by a forward and a backward pass in training mode.
 * The sums are the caller's. */
void slot_batch_run(struct slot_batch *batch, const float *values, bool quantize,
		    void (*compute)(void *context, const struct slot_call *call), void *context);

/* sum[] of a PARAM_BUFFER, which holds the sum of the slots' statistics, becomes their mean, as optim_step wants it. */
void slot_batch_average_buffers(const struct slot_batch *batch, float *sum);

#endif
