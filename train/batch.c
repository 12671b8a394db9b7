/* See batch.h. */
#include "train/batch.h"

#include <stdlib.h>
#include <string.h>

/* What the other ranks learn about a slot beside its gradient. */
struct slot_figures {
	float loss, iou;
	int32_t rounds;
};

enum status batch_init(struct batch *batch, const struct config *config, const struct model *model,
		       const struct objective *objective, struct workers *workers, const struct ranks *ranks,
		       uint32_t epoch_size)
{
	int slots = config->train.batch_size / config->train.slot_size, threads = workers_threads(workers);
	*batch = (struct batch){.config = config, .ranks = ranks};
	batch->slots = calloc((size_t)slots, sizeof *batch->slots);
	batch->figures = calloc((size_t)slots, sizeof *batch->figures);
	batch->slot_workers = calloc((size_t)threads, sizeof *batch->slot_workers);
	enum status status = STATUS_OK;
	if (!batch->slots || !batch->figures || !batch->slot_workers)
		status = status_fail(STATUS_NO_MEMORY, "no memory for a batch of %d slots", slots);
	if (!status)
		status = slot_batch_init_part(&batch->core, &model->graph, workers, slots,
					      ranks_first_slot(ranks, ranks->rank, slots),
					      ranks_first_slot(ranks, ranks->rank + 1, slots), config->model.quantize);
	for (int i = 0; i < slots && !status; i++)
		batch->slots[i].epoch_size = epoch_size;
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
	free(batch->figures);
	slot_batch_release(&batch->core);
	*batch = (struct batch){0};
}

void batch_give_back(struct batch *batch, struct loader *loader)
{
	for (int i = batch->core.first_slot; i < batch->core.end_slot; i++)
		for (int k = 0; k < batch->config->train.slot_size; k++) {
			if (batch->slots[i].samples[k])
				loader_give_back(loader, batch->slots[i].samples[k]);
			batch->slots[i].samples[k] = NULL;
		}
}

enum status batch_load(struct batch *batch, struct loader *loader, uint64_t first)
{
	for (int i = batch->core.first_slot; i < batch->core.end_slot; i++) {
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

static void compute_slot(void *context, const struct slot_call *call)
{
	struct batch *batch = context;
	slot_compute(&batch->slot_workers[call->thread], call, &batch->slots[call->index]);
}

/* In the order of the slots, whoever computed them. */
static void add_figures(struct batch *batch, struct batch_result *result)
{
	struct slot_figures *figures = batch->figures;
	for (int i = batch->core.first_slot; i < batch->core.end_slot; i++)
		figures[i] = (struct slot_figures){batch->slots[i].loss, batch->slots[i].iou, batch->slots[i].rounds};
	ranks_share(batch->ranks, figures, batch->core.slot_count, sizeof *figures);
	*result = (struct batch_result){0};
	for (int i = 0; i < batch->core.slot_count; i++) {
		result->loss += figures[i].loss;
		result->iou += figures[i].iou;
		result->rounds += figures[i].rounds;
	}
	result->loss /= batch->core.slot_count;
	result->iou /= batch->core.slot_count;
}

void batch_compute(struct batch *batch, const float *values, bool quantize, struct batch_result *result)
{
	struct slot_batch *core = &batch->core;
	slot_batch_run(core, values, quantize, compute_slot, batch);
	batch->sum = ranks_sum(batch->ranks, core->workers, core->grads, core->slot_count, core->spare,
			       core->graph->params->total);
	slot_batch_average_buffers(core, batch->sum);
	add_figures(batch, result);
}

size_t batch_bytes(const struct batch *batch)
{
	return slot_batch_bytes(&batch->core);
}
