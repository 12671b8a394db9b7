/* See label_metrics.h. */
#include "train/evaluate/label_metrics.h"

void label_counts_init(struct label_counts *counts, int classes)
{
	*counts = (struct label_counts){.classes = classes};
}

void label_counts_add(struct label_counts *counts, const uint8_t *found, const uint8_t *truth, size_t pixels)
{
	for (size_t i = 0; i < pixels; i++) {
		if (truth[i] >= counts->classes || found[i] >= counts->classes)
			continue;
		counts->pixels++;
		counts->truth[truth[i]]++;
		counts->found[found[i]]++;
		if (truth[i] == found[i])
			counts->both[truth[i]]++;
	}
}

void label_counts_merge(struct label_counts *counts, const struct label_counts *more)
{
	counts->pixels += more->pixels;
	for (int c = 0; c < counts->classes; c++) {
		counts->truth[c] += more->truth[c];
		counts->found[c] += more->found[c];
		counts->both[c] += more->both[c];
	}
}

double label_counts_accuracy(const struct label_counts *counts)
{
	uint64_t right = 0;
	for (int c = 0; c < counts->classes; c++)
		right += counts->both[c];
	return counts->pixels ? (double)right / (double)counts->pixels : 0;
}

double label_counts_iou(const struct label_counts *counts, int label)
{
	uint64_t either = counts->truth[label] + counts->found[label] - counts->both[label];
	return either ? (double)counts->both[label] / (double)either : -1;
}

double label_counts_miou(const struct label_counts *counts)
{
	double sum = 0;
	int present = 0;
	for (int c = 0; c < counts->classes; c++)
		if (counts->truth[c]) {
			sum += label_counts_iou(counts, c);
			present++;
		}
	return present ? sum / present : 0;
}

void labels_of_logits(const float *logits, int classes, size_t pixels, uint8_t *labels)
{
	for (size_t i = 0; i < pixels; i++, logits += classes) {
		int best = 0;
		for (int c = 1; c < classes; c++)
			if (logits[c] > logits[best])
				best = c;
		labels[i] = (uint8_t)best;
	}
}
