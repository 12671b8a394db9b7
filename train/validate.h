/* Validation during training: the weights are exported into memory and loaded by the inference library, so that what
 * is measured is what will be deployed. */
#ifndef TRAIN_VALIDATE_H
#define TRAIN_VALIDATE_H

#include "convert/export.h"
#include "core/nn/model.h"
#include "train/config/config.h"
#include "train/evaluate/evaluate_labels.h"

/* How weights of a config are exported. `config` is borrowed. */
struct export_options deploy_options(const struct config *config, enum export_weights weights);

/* A model of the inference library from `values`; free with tapcut_model_free. */
enum status deploy_in_memory(const struct model *model, const struct config *config, const float *values,
			     struct tapcut_model **deployed);

/* The interactive protocol on the validation set, as section "eval" of the config says; and of the task "labels" what
 * the classes are like (else labels->classes is 0). STATUS_INTERRUPTED soon after *stop has become non-zero (NULL:
 * never). */
enum status validate(const struct model *model, const struct config *config, const float *values, struct dataset *val,
		     int threads, const volatile sig_atomic_t *stop, struct evaluate_result *result,
		     struct label_counts *labels);

/* The protocol's settings as the config has them. */
struct evaluate_options validate_options(const struct config *config, int threads);

#endif
