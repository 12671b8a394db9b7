/* One training sample: a square crop of a photo with the masks that go with it. */
#ifndef DATA_SAMPLE_H
#define DATA_SAMPLE_H

#include <stdint.h>

#include "core/status.h"

/* What a sample shows where the photo ends, as R, G, B: the mean colour of the network's input, so that it becomes 0
 * there. */
extern const uint8_t augment_fill[3];

/* One training sample of size x size. */
struct sample {
	int size;
	uint8_t *rgb; /* size x size x 3 */
	/* TRUTH_*, or labels (augment_config.labels): the majority of what a pixel covers; outside the photo it is
	 * background */
	uint8_t *truth;
	uint8_t *others; /* 1: another annotated object of the photo (where it overlaps the object too), 0 elsewhere */
	int object;      /* dataset index */
};
enum status sample_alloc(struct sample *sample, int size);
void sample_release(struct sample *sample);

#endif
