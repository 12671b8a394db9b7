/* A batch of samples with clicks: core/slot_batch.h with slots of loaded photos (train/slot.h), computed by any number
 * of ranks and threads. */
#ifndef TRAIN_BATCH_H
#define TRAIN_BATCH_H

#include "core/slot_batch.h"
#include "data/loader.h"
#include "train/ranks.h"
#include "train/slot.h"

struct slot_figures;

struct batch {
	const struct config *config;
	struct slot_batch core;           /* executors, gradients, prepared parameters */
	struct slot_worker *slot_workers; /* one per thread */
	struct slot *slots;
	float *sum;                   /* gradient of the whole batch; set by batch_compute */
	struct slot_figures *figures; /* one per slot */
	const struct ranks *ranks;    /* borrowed */
	int threads;                  /* slot_workers that are ready */
};

/* What a step reports. */
struct batch_result {
	double loss, iou; /* means over the samples */
	int rounds;       /* corrective rounds run */
};

enum status batch_init(struct batch *batch, const struct config *config, const struct model *model,
		       const struct objective *objective, struct workers *workers, const struct ranks *ranks,
		       uint32_t epoch_size);
void batch_release(struct batch *batch);

/* Takes this rank's samples of one step from the loader. `first`: global number of the step's first. On failure (a
 * photo that cannot be read) what was taken is given back. */
enum status batch_load(struct batch *batch, struct loader *loader, uint64_t first);
void batch_give_back(struct batch *batch, struct loader *loader);

/* Gradient of the mean loss over the batch, in batch->sum. Called by all ranks; all get the same. `quantize`: as in
 * 8 bits; only where the config has quantize.enabled. */
void batch_compute(struct batch *batch, const float *values, bool quantize, struct batch_result *result);

/* Bytes of arenas, gradient buffers and prepared parameters. */
size_t batch_bytes(const struct batch *batch);

#endif
