/* See slot_batch.h. */
#include "core/slot_batch.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/floats.h"
#include "core/quantize.h"
#include "core/slot_tree.h"

/* One per own slot, and one more where other processes' sums come in. */
static size_t gradient_arrays(const struct slot_batch *batch)
{
	int own = batch->end_slot - batch->first_slot;
	return (size_t)own + (own < batch->slot_count);
}

static enum status init_gradients(struct slot_batch *batch)
{
	size_t arrays = gradient_arrays(batch), total = batch->graph->params->total;
	batch->grads = calloc((size_t)batch->slot_count, sizeof *batch->grads);
	batch->losses = calloc((size_t)batch->slot_count, sizeof *batch->losses);
	batch->grad_memory = floats_new(arrays * total);
	if (!batch->grads || !batch->losses || !batch->grad_memory)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu gradient buffers of %zu parameters", arrays,
				   total);
	memset(batch->grad_memory, 0, arrays * total * sizeof(float));
	for (int i = batch->first_slot; i < batch->end_slot; i++)
		batch->grads[i] = batch->grad_memory + (size_t)(i - batch->first_slot) * total;
	if (batch->end_slot - batch->first_slot < batch->slot_count)
		batch->spare = batch->grad_memory + (arrays - 1) * total;
	return STATUS_OK;
}

static enum status init_executors(struct slot_batch *batch)
{
	int threads = workers_threads(batch->workers);
	batch->prepared = floats_new(batch->graph->prepared_floats);
	batch->executors = calloc((size_t)threads, sizeof *batch->executors);
	if (!batch->prepared || !batch->executors)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu floats of prepared weights",
				   batch->graph->prepared_floats);
	for (; batch->threads < threads; batch->threads++)
		TRY(executor_init(&batch->executors[batch->threads], batch->graph));
	return STATUS_OK;
}

enum status slot_batch_init_part(struct slot_batch *batch, const struct graph *graph, struct workers *workers,
				 int slots, int first, int end, bool quantize)
{
	assert(slots >= 1 && 0 <= first && first < end && end <= slots);
	*batch = (struct slot_batch){
		.graph = graph,
		.workers = workers,
		.slot_count = slots,
		.first_slot = first,
		.end_slot = end,
	};
	enum status status = graph->mode == GRAPH_TRAINING ? init_gradients(batch)
							   : status_fail(STATUS_CONFIG, "a batch of slots: expected a "
											"graph planned for training");
	if (!status)
		status = init_executors(batch);
	if (!status && quantize && !(batch->quantized = floats_new(graph->params->total)))
		status = status_fail(STATUS_NO_MEMORY, "no memory for weights of 8 bits");
	if (status)
		slot_batch_release(batch);
	return status;
}

enum status slot_batch_init(struct slot_batch *batch, const struct graph *graph, struct workers *workers, int slots)
{
	return slot_batch_init_part(batch, graph, workers, slots, 0, slots, false);
}

void slot_batch_release(struct slot_batch *batch)
{
	for (int i = 0; i < batch->threads; i++)
		executor_release(&batch->executors[i]);
	free(batch->executors);
	free(batch->grads);
	free(batch->losses);
	free(batch->grad_memory);
	free(batch->prepared);
	free(batch->quantized);
	*batch = (struct slot_batch){0};
}

size_t slot_batch_bytes(const struct slot_batch *batch)
{
	size_t floats = gradient_arrays(batch) * batch->graph->params->total + batch->graph->prepared_floats;
	size_t bytes = floats * sizeof(float);
	for (int i = 0; i < batch->threads; i++)
		bytes += executor_bytes(&batch->executors[i]);
	return bytes;
}

/* --- the parts of a step -------------------------------------------------- */

/* What the threads of one slot_batch_run share. */
struct run {
	struct slot_batch *batch;
	const float *values; /* those that the slots are computed with: the caller's, or batch->quantized */
	bool quantize;
	void (*compute)(void *context, const struct slot_call *call);
	void *context;
};

/* batch->quantized begins as a copy of the parameters; the weights in it are rounded one by one. */
static void prepare_node(void *context, int index, int thread)
{
	const struct run *run = context;
	struct slot_batch *batch = run->batch;
	(void)thread;
	if (run->quantize)
		quantize_weights(batch->graph, batch->quantized, index, batch->quantized);
	graph_prepare(batch->graph, run->values, index, batch->prepared);
}

static void compute_slot(void *context, int index, int thread)
{
	const struct run *run = context;
	struct slot_batch *batch = run->batch;
	int slot = batch->first_slot + index;
	struct slot_call call = {
		.index = slot,
		.thread = thread,
		.executor = &batch->executors[thread],
		.pass = {.values = run->values, .prepared = batch->prepared, .quantize = run->quantize},
		.grads = batch->skip_param_grads ? NULL : batch->grads[slot],
		.grad_scale = 1.0f / (float)batch->slot_count,
		.loss = &batch->losses[slot],
	};
	run->compute(run->context, &call);
}

void slot_batch_run(struct slot_batch *batch, const float *values, bool quantize,
		    void (*compute)(void *context, const struct slot_call *call), void *context)
{
	struct run run = {.batch = batch,
			  .values = values,
			  .quantize = quantize,
			  .compute = compute,
			  .context = context};
	assert(!quantize || batch->quantized);
	if (quantize) {
		memcpy(batch->quantized, values, batch->graph->params->total * sizeof *values);
		run.values = batch->quantized;
	}
	workers_run(batch->workers, batch->graph->node_count, prepare_node, &run);
	workers_run(batch->workers, batch->end_slot - batch->first_slot, compute_slot, &run);
}

void slot_batch_average_buffers(const struct slot_batch *batch, float *sum)
{
	const struct params *params = batch->graph->params;
	for (int i = 0; i < params->count; i++) {
		const struct param *param = &params->items[i];
		for (size_t k = 0; k < shape_count(param->shape) && param->kind == PARAM_BUFFER; k++)
			sum[param->offset + k] /= (float)batch->slot_count;
	}
}

/* --- training and evaluation ---------------------------------------------- */

struct gradient {
	const struct slot_task *task;
	uint64_t first; /* number of the step's first slot */
};

static void compute_gradient(void *context, const struct slot_call *call)
{
	const struct gradient *gradient = context;
	const struct slot_task *task = gradient->task;
	uint64_t slot = gradient->first + (uint64_t)call->index;
	struct pass pass = call->pass;
	pass.training = true;
	pass.param_grads = call->grads;
	pass.rng = rng_stream(task->seed, 0, slot, RNG_DROPOUT);
	task->fill(task->context, call->executor, slot);
	executor_forward(call->executor, &pass, task->loss);
	*call->loss = *executor_data(call->executor, task->loss);
	executor_backward(call->executor, &pass, task->loss, call->grad_scale);
}

double slot_batch_gradient(struct slot_batch *batch, const float *values, const struct slot_task *task, uint64_t step)
{
	struct gradient gradient = {.task = task, .first = step * (uint64_t)batch->slot_count};
	double loss = 0;
	assert(batch->end_slot - batch->first_slot == batch->slot_count);
	slot_batch_run(batch, values, false, compute_gradient, &gradient);
	slot_tree_sum(batch->workers, batch->grads, batch->slot_count, batch->graph->params->total);
	batch->sum = batch->grads[0];
	slot_batch_average_buffers(batch, batch->sum);
	for (int i = 0; i < batch->slot_count; i++)
		loss += (double)batch->losses[i];
	return loss / batch->slot_count;
}

enum status slot_batch_step(struct slot_batch *batch, struct optim *optim, const struct slot_task *task, double lr,
			    double *loss)
{
	struct params *params = batch->graph->params;
	*loss = slot_batch_gradient(batch, params->values, task, optim->step);
	double norm = optim_grad_norm(batch->workers, params, batch->sum);
	if (!isfinite(*loss) || !isfinite(norm))
		return status_fail(STATUS_LIMIT, "step %llu: the loss is %g, the gradient's norm %g",
				   (unsigned long long)optim->step + 1, *loss, norm);
	optim_step(optim, batch->workers, params, batch->sum, lr, norm);
	return STATUS_OK;
}

struct evaluation {
	struct slot_batch *batch;
	const float *values;
	const struct slot_task *task;
	uint64_t first;
	int node;
	double (*score)(void *context, const struct executor *executor, uint64_t slot);
	double *scores; /* one per slot */
};

static void evaluate_slot(void *context, int index, int thread)
{
	const struct evaluation *e = context;
	struct executor *executor = &e->batch->executors[thread];
	struct pass pass = {.values = e->values, .prepared = e->batch->prepared};
	uint64_t slot = e->first + (uint64_t)index;
	e->task->fill(e->task->context, executor, slot);
	executor_forward(executor, &pass, e->node);
	e->scores[index] = e->score(e->task->context, executor, slot);
}

enum status slot_batch_evaluate(struct slot_batch *batch, const float *values, const struct slot_task *task,
				uint64_t first, int count, int node,
				double (*score)(void *context, const struct executor *executor, uint64_t slot),
				double *mean)
{
	assert(count >= 1);
	struct run run = {.batch = batch, .values = values};
	struct evaluation evaluation = {batch, values, task, first, node, score, calloc((size_t)count, sizeof(double))};
	if (!evaluation.scores)
		return status_fail(STATUS_NO_MEMORY, "no memory for the scores of %d slots", count);
	workers_run(batch->workers, batch->graph->node_count, prepare_node, &run);
	workers_run(batch->workers, count, evaluate_slot, &evaluation);
	double sum = 0;
	for (int i = 0; i < count; i++)
		sum += evaluation.scores[i];
	*mean = sum / count;
	free(evaluation.scores);
	return STATUS_OK;
}
