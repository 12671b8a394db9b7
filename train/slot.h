/* One slot of a batch, from samples to gradients: first clicks, corrective rounds in which the network's own
 * mistakes are clicked, then forward and backward. A slot is computed by one thread, and what comes out depends on
 * the parameters and on the numbers of its samples alone: never on the thread, the other slots or the time. */
#ifndef TRAIN_SLOT_H
#define TRAIN_SLOT_H

#include "core/slot_batch.h"
#include "train/config/config.h"
#include "train/objective.h"

enum { SLOT_MAX_SAMPLES = 64 };

/* What one thread needs to compute slots besides an executor: the click robot's memory. */
struct slot_worker {
	const struct config *config;
	const struct model *model; /* planned for training with slot_size samples */
	struct objective objective;
	struct executor *executor; /* borrowed, of the slot that is being computed */
	struct click_list *clicks; /* slot_size lists */
	int *rounds;               /* corrective rounds left, per sample */
	float *planes;             /* 3 x size x size: an image or clicks before they become channels */
	uint8_t *prediction;       /* size x size */
	void *workspace;
};

enum status slot_worker_init(struct slot_worker *worker, const struct config *config, const struct model *model,
			     const struct objective *objective);
void slot_worker_release(struct slot_worker *worker);

struct slot {
	/* in */
	struct sample *samples[SLOT_MAX_SAMPLES];
	uint64_t first;      /* global number of samples[0] */
	uint32_t epoch_size; /* objects per epoch */
	/* out */
	float loss; /* mean over the samples */
	float iou;  /* mean over the samples, of the last forward pass */
	int rounds; /* corrective rounds run, all samples together */
};

/* The gradients go where `call` says. */
void slot_compute(struct slot_worker *worker, const struct slot_call *call, struct slot *slot);

#endif
