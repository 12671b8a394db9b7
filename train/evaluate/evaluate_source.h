/* Where the evaluation's instances come from; private to train/evaluate/evaluate*.c. */
#ifndef TRAIN_EVALUATE_SOURCE_H
#define TRAIN_EVALUATE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "data/image.h"

struct tapcut_model;
struct evaluate_options; /* these two: train/evaluate/evaluate.h */
struct evaluate_result;

struct evaluate_data {
	struct image photo; /* RGB */
	uint8_t *truth;     /* owned; TRUTH_* at the photo's size */
	/* Of a dataset's object; borrowed from it. */
	const char *category, *file_name;
	int object; /* dataset index + 1; 0: of no dataset */
};
void evaluate_data_release(struct evaluate_data *data);

struct evaluate_source {
	/* Reads instance `index` and names it; called on any thread. On failure nothing is kept. */
	enum status (*read)(const void *context, int index, struct evaluate_data *data, char name[96]);
	const void *context;
	int count;
	bool may_skip; /* leave out what cannot be read, and count it */
};

enum status evaluate_run(const struct tapcut_model *model, const struct evaluate_source *source,
			 const struct evaluate_options *options, struct evaluate_result *result);

#endif
