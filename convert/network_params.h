/* A deployed network back into a model that trains: the way from a weights file to parameters.
 *
 * A weights file has no names (infer/FORMAT.md), but the model that wrote it translates into the same list of steps
 * again (steps.h), and each tensor of that list knows its parameter. What the translation multiplied into a tensor
 * (a scale that only a convolution read) is divided out. Numbers stored in fewer bits are what they stand for. */
#ifndef CONVERT_NETWORK_PARAMS_H
#define CONVERT_NETWORK_PARAMS_H

#include "core/nn/model.h"
#include "infer/network/network.h"

/* `params`: those of `model`, allocated; a model without ranges (model_config.quantize off), built for inputs of any
 * size. Fills all of them. STATUS_CONFIG with the first difference where the stored network is not one of this model,
 * or where the model's way into a weights file cannot be undone (batch normalisation is folded); then `params` is
 * undefined. */
enum status network_params_import(const struct infer_network *stored, const struct model *model, struct params *params);

#endif
