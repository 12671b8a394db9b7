/* Photos and clicks for choosing the ranges of 8-bit arithmetic (convert/calibrate.h): what training sees, first
 * clicks and corrective rounds, run on the inference library in float. */
#ifndef TRAIN_CALIBRATE_H
#define TRAIN_CALIBRATE_H

#include "convert/calibrate.h"
#include "data/dataset.h"

struct calibrate_options {
	int samples; /* objects, chosen by the seed; each with 0 to 3 corrective rounds */
	int size;    /* of the square crops, a multiple of 16 */
	uint64_t seed;
	void (*progress)(int done, int count, void *context); /* NULL where nobody is to be told */
	void *context;
};

/* Ranges for `network`, which has none: INFER_FIRST_STEP_VALUE + step_count of them. A photo that cannot be read is
 * left out. */
enum status calibrate_ranges(const struct infer_network *network, const struct dataset *dataset,
			     const struct calibrate_options *options, struct infer_range *ranges);

/* What `network`, which has ranges, loses by them on further samples: a loss for each value, *losses is returned,
 * caller frees. */
enum status calibrate_losses(const struct infer_network *network, const struct dataset *dataset,
			     const struct calibrate_options *options, struct calibration_loss **losses);

#endif
