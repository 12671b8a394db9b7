/* How well a scene is labelled: pixel accuracy and intersection over union by class, as in Long, Shelhamer & Darrell,
 * "Fully convolutional networks for semantic segmentation", CVPR 2015, section 5. Counts of many photos add up, so that
 * every pixel weighs the same. */
#ifndef TRAIN_LABEL_METRICS_H
#define TRAIN_LABEL_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum { LABEL_CLASSES = 81 };

struct label_counts {
	int classes;
	uint64_t pixels;
	uint64_t truth[LABEL_CLASSES], found[LABEL_CLASSES], both[LABEL_CLASSES]; /* pixels of each class */
};

void label_counts_init(struct label_counts *counts, int classes);
/* Adds `pixels` of one photo; truths that are no class take no part. */
void label_counts_add(struct label_counts *counts, const uint8_t *found, const uint8_t *truth, size_t pixels);
void label_counts_merge(struct label_counts *counts, const struct label_counts *more);

/* Share of the pixels whose class is right. 0 where there are none. */
double label_counts_accuracy(const struct label_counts *counts);
/* both / (truth + found - both); -1 for a class that is neither there nor found. */
double label_counts_iou(const struct label_counts *counts, int label);
/* Its mean over the classes that are there. */
double label_counts_miou(const struct label_counts *counts);

/* The class of the largest logit of each pixel, the first of equal ones. logits: pixels x classes. */
void labels_of_logits(const float *logits, int classes, size_t pixels, uint8_t *labels);

#endif
