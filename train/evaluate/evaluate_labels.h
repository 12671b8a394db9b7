/* How well a model labels the photos of a dataset, against the labels of its objects. */
#ifndef TRAIN_EVALUATE_LABELS_H
#define TRAIN_EVALUATE_LABELS_H

#include "train/evaluate/evaluate.h"
#include "train/evaluate/label_metrics.h"

/* The classes of a model that labels scenes; 0 for one that selects what is clicked. */
int evaluate_label_classes(const struct tapcut_model *model);

/* Labels the dataset's photos (options->limit: the first so many; 0: all) and counts. The objects get the labels of the
 * model's classes; STATUS_CONFIG where none of them is in the dataset, or the model has no classes. The counts do not
 * depend on options->threads. */
enum status evaluate_labels(const struct tapcut_model *model, struct dataset *dataset,
			    const struct evaluate_options *options, struct label_counts *counts);

/* A table: each class, its share of the pixels and its IoU; then both means. */
void evaluate_labels_print(const struct tapcut_model *model, const struct label_counts *counts, FILE *out);
void evaluate_labels_print_json(const struct tapcut_model *model, const struct label_counts *counts, FILE *out);

#endif
