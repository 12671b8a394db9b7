/* What a config trains and validates on: the files of data.train as one set, and how often each object is drawn. */
#ifndef TRAIN_TRAINING_SET_H
#define TRAIN_TRAINING_SET_H

#include "data/dataset.h"
#include "data/draw.h"
#include "train/config/config.h"

/* Opens all files of data.train with the filters of section data, each on its own (data.max_objects is per file).
 * *draw is NULL where no weight differs from 1: then every object comes once per epoch. digest: of photos' ids, masks
 * and, where objects are drawn by weight, their weights. A set without objects, a category or a source that none of
 * the files has, or weights that are all 0 are STATUS_CONFIG. On failure nothing needs releasing. */
enum status training_set_open(struct dataset *set, struct draw **draw, const struct config *config, uint8_t digest[32]);

/* Opens data.val, which must not be empty. */
enum status validation_set_open(struct dataset *set, const struct config *config);

#endif
