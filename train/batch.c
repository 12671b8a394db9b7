/* See batch.h. */
#include "train/batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/floats.h"
#include "core/quantize.h"

/* What the other ranks learn about a slot beside its gradient. */
struct slot_figures {
	float loss, iou;
	int32_t rounds;
};

/* One per own slot, and one more where other ranks' sums come in. */
static int gradient_arrays(const struct batch *batch)
{
	return batch->end_slot - batch->first_slot + (batch->ranks->count > 1);
}

static enum status init_slots(struct batch *batch, size_t total, uint32_t epoch_size)
{
	int arrays = gradient_arrays(batch);
	batch->grad_memory = floats_new((size_t)arrays * total);
	if (!batch->grad_memory)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d gradient buffers of %zu parameters", arrays,
				   total);
	memset(batch->grad_memory, 0, (size_t)arrays * total * sizeof(float));
	if (batch->ranks->count > 1)
		batch->spare = batch->grad_memory + (size_t)(arrays - 1) * total;
	for (int i = batch->first_slot; i < batch->end_slot; i++) {
		batch->grads[i] = batch->grad_memory + (size_t)(i - batch->first_slot) * total;
		batch->slots[i].grads = batch->grads[i];
		batch->slots[i].epoch_size = epoch_size;
		batch->slots[i].grad_scale = 1.0f / (float)batch->slot_count;
	}
	return STATUS_OK;
}

static enum status init_prepared(struct batch *batch)
{
	size_t count = batch->graph->prepared_floats;
	batch->prepared = floats_new(count);
	return batch->prepared ? STATUS_OK
			       : status_fail(STATUS_NO_MEMORY, "no memory for %zu floats of prepared weights", count);
}

enum status batch_init(struct batch *batch, const struct config *config, const struct model *model,
		       const struct objective *objective, struct workers *workers, const struct ranks *ranks,
		       uint32_t epoch_size)
{
	int slot_count = config->train.batch_size / config->train.slot_size;
	*batch = (struct batch){
		.config = config,
		.workers = workers,
		.graph = &model->graph,
		.ranks = ranks,
		.slot_count = slot_count,
		.first_slot = ranks_first_slot(ranks, ranks->rank, slot_count),
		.end_slot = ranks_first_slot(ranks, ranks->rank + 1, slot_count),
	};
	int threads = workers_threads(workers);
	batch->slots = calloc((size_t)batch->slot_count, sizeof *batch->slots);
	batch->grads = calloc((size_t)batch->slot_count, sizeof *batch->grads);
	batch->figures = calloc((size_t)batch->slot_count, sizeof *batch->figures);
	batch->slot_workers = calloc((size_t)threads, sizeof *batch->slot_workers);
	enum status status = STATUS_OK;
	if (!batch->slots || !batch->grads || !batch->figures || !batch->slot_workers)
		status = status_fail(STATUS_NO_MEMORY, "no memory for a batch of %d slots", batch->slot_count);
	if (!status)
		status = init_slots(batch, model->graph.params->total, epoch_size);
	if (!status)
		status = init_prepared(batch);
	if (!status && config->model.quantize) {
		batch->quantized = floats_new(model->graph.params->total);
		status =
			batch->quantized ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for weights of 8 bits");
	}
	for (int i = 0; i < threads && !status; i++, batch->threads++)
		status = slot_worker_init(&batch->slot_workers[i], config, model, objective);
	if (status)
		batch_release(batch);
	return status;
}

void batch_release(struct batch *batch)
{
	for (int i = 0; i < batch->threads; i++)
		slot_worker_release(&batch->slot_workers[i]);
	free(batch->slot_workers);
	free(batch->slots);
	free(batch->grads);
	free(batch->figures);
	free(batch->grad_memory);
	free(batch->prepared);
	free(batch->quantized);
	*batch = (struct batch){0};
}

void batch_give_back(struct batch *batch, struct loader *loader)
{
	for (int i = batch->first_slot; i < batch->end_slot; i++)
		for (int k = 0; k < batch->config->train.slot_size; k++) {
			if (batch->slots[i].samples[k])
				loader_give_back(loader, batch->slots[i].samples[k]);
			batch->slots[i].samples[k] = NULL;
		}
}

enum status batch_load(struct batch *batch, struct loader *loader, uint64_t first)
{
	for (int i = batch->first_slot; i < batch->end_slot; i++) {
		batch->slots[i].first = first + (uint64_t)i * (uint64_t)batch->config->train.slot_size;
		for (int k = 0; k < batch->config->train.slot_size; k++) {
			batch->slots[i].samples[k] = loader_next(loader);
			if (!batch->slots[i].samples[k]) {
				batch_give_back(batch, loader);
				return STATUS_FORMAT; /* loader_next left the message */
			}
		}
	}
	return STATUS_OK;
}

/* batch->values are batch->quantized while the weights are rounded one by one. */
static void prepare_node(void *context, int index, int thread)
{
	struct batch *batch = context;
	(void)thread;
	if (batch->values == batch->quantized)
		quantize_weights(batch->graph, batch->quantized, index, batch->quantized);
	graph_prepare(batch->graph, batch->values, index, batch->prepared);
}

static void compute_slot(void *context, int index, int thread)
{
	struct batch *batch = context;
	struct slot *slot = &batch->slots[batch->first_slot + index];
	slot_compute(&batch->slot_workers[thread], batch->values, batch->prepared, slot);
}

/* The buffers' share of the sum is a statistic of each slot, not a gradient: the optimiser wants its mean. */
static void average_buffers(const struct batch *batch, const struct params *params)
{
	for (int i = 0; i < params->count; i++) {
		const struct param *param = &params->items[i];
		if (param->kind != PARAM_BUFFER)
			continue;
		float *statistic = batch->sum + param->offset;
		for (size_t k = 0; k < shape_count(param->shape); k++)
			statistic[k] /= (float)batch->slot_count;
	}
}

/* In the order of the slots, whoever computed them. */
static void add_figures(struct batch *batch, struct batch_result *result)
{
	struct slot_figures *figures = batch->figures;
	for (int i = batch->first_slot; i < batch->end_slot; i++)
		figures[i] = (struct slot_figures){batch->slots[i].loss, batch->slots[i].iou, batch->slots[i].rounds};
	ranks_share(batch->ranks, figures, batch->slot_count, sizeof *figures);
	*result = (struct batch_result){0};
	for (int i = 0; i < batch->slot_count; i++) {
		result->loss += figures[i].loss;
		result->iou += figures[i].iou;
		result->rounds += figures[i].rounds;
	}
	result->loss /= batch->slot_count;
	result->iou /= batch->slot_count;
}

void batch_compute(struct batch *batch, const float *values, bool quantize, struct batch_result *result)
{
	batch->values = values;
	if (quantize) {
		memcpy(batch->quantized, values, batch->graph->params->total * sizeof *values);
		batch->values = batch->quantized;
	}
	for (int i = batch->first_slot; i < batch->end_slot; i++)
		batch->slots[i].quantize = quantize;
	workers_run(batch->workers, batch->graph->node_count, prepare_node, batch);
	workers_run(batch->workers, batch->end_slot - batch->first_slot, compute_slot, batch);
	const struct params *params = batch->graph->params;
	batch->sum =
		ranks_sum(batch->ranks, batch->workers, batch->grads, batch->slot_count, batch->spare, params->total);
	average_buffers(batch, params);
	add_figures(batch, result);
}

size_t batch_bytes(const struct batch *batch)
{
	size_t grads = (size_t)gradient_arrays(batch) * batch->graph->params->total;
	size_t bytes = (grads + batch->graph->prepared_floats) * sizeof(float);
	for (int i = 0; i < batch->threads; i++)
		bytes += executor_bytes(&batch->slot_workers[i].executor);
	return bytes;
}
