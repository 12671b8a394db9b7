/* Validation during training: the weights are exported into memory and loaded by the inference library, so that what
 * is measured is what will be deployed. */
#ifndef TRAIN_VALIDATE_H
#define TRAIN_VALIDATE_H

#include "core/nn/model.h"
#include "train/config/config.h"
#include "train/evaluate/evaluate.h"

/* A model of the inference library from `values`; free with tapcut_model_free. */
enum status deploy_in_memory(const struct model *model, const struct config *config, const float *values,
			     struct tapcut_model **deployed);

/* The interactive protocol on the validation set, as section "eval" of the config says. STATUS_INTERRUPTED soon after
 * *stop has become non-zero (NULL: never). */
enum status validate(const struct model *model, const struct config *config, const float *values,
		     const struct dataset *val, int threads, const volatile sig_atomic_t *stop,
		     struct evaluate_result *result);

/* The protocol's settings as the config has them. */
struct evaluate_options validate_options(const struct config *config, int threads);

#endif
