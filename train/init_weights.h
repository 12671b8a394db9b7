/* Weights that a run begins with (init.weights): a checkpoint, a weights file or safetensors. Its first bytes say
 * which it is. */
#ifndef TRAIN_INIT_WEIGHTS_H
#define TRAIN_INIT_WEIGHTS_H

#include <stdint.h>

#include "core/params.h"
#include "train/config/config.h"

struct init_weights {
	const char *kind;   /* "checkpoint", "weights file", "safetensors"; NULL: the run begins with random numbers */
	int loaded;         /* parameters that got their numbers */
	int ignored;        /* tensors of the file that the model has no use for */
	int missing;        /* parameters that stay random; of safetensors, those of the trunk */
	uint8_t digest[32]; /* SHA-256 of the file */
};

/* Fills `params`, those of config->model, from `path`; `key` is the config key that named it, for messages. A network
 * of another structure, or one that expects photos and clicks in other numbers than section "input" says, is refused:
 * nothing would fit. A checkpoint's moving average is taken where it has one, as tapcut export does. */
enum status init_weights_load(const char *path, const char *key, const struct config *config, struct params *params,
			      struct init_weights *report);

#endif
