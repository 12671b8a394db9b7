/* What is minimised: the losses that the config weighs, summed, on top of a model's logits. */
#ifndef TRAIN_OBJECTIVE_H
#define TRAIN_OBJECTIVE_H

#include "core/nn/model.h"
#include "train/config/config.h"

struct objective {
	int target; /* graph input (N,1,H,W): 1 object, 0 background, or a label; TARGET_IGNORE */
	int band;   /* the same, but TARGET_IGNORE except near the mask's boundary; -1: no loss wants it */
	int loss;   /* the graph's last node: a scalar, kept */
};

/* Adds the losses to a built, not yet planned model. At least one weight must be positive. `config` is borrowed for as
 * long as the model lives. The task "labels" has one loss, the softmax's cross-entropy. */
enum status objective_add(struct objective *objective, struct model *model, const struct config *config);

#endif
