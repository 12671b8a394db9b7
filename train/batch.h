/* A batch: a fixed number of slots computed by any number of threads, their gradients added along a fixed tree. */
#ifndef TRAIN_BATCH_H
#define TRAIN_BATCH_H

#include "core/workers.h"
#include "data/loader.h"
#include "train/slot.h"

struct batch {
	const struct config *config;
	struct workers *workers;        /* borrowed */
	const float *values;            /* parameters of this step; set by batch_compute */
	const struct graph *graph;
	float *prepared;                /* what the operators made of them; read by all slots */
	struct slot_worker *slot_workers; /* one per thread */
	struct slot *slots;
	float **grads;                  /* one array per slot; grads[0] holds the sum after batch_compute */
	float *grad_memory;
	int slot_count;
	int threads;
};

/* What a step reports. */
struct batch_result {
	double loss, iou; /* means over the samples */
	int rounds;       /* corrective rounds run */
};

enum status batch_init(struct batch *batch, const struct config *config, const struct model *model,
		       const struct objective *objective, struct workers *workers, uint32_t epoch_size);
void batch_release(struct batch *batch);

/* Takes the samples of one step from the loader. `first`: global number of the first. On failure (a photo that cannot be read) what was
 * taken is given back. */
enum status batch_load(struct batch *batch, struct loader *loader, uint64_t first);
void batch_give_back(struct batch *batch, struct loader *loader);

/* Gradient of the mean loss over the batch, in batch->grads[0]. */
void batch_compute(struct batch *batch, const float *values, struct batch_result *result);

/* Bytes of arenas, gradient buffers and prepared parameters. */
size_t batch_bytes(const struct batch *batch);

#endif
