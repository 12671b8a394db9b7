/* Augmentation: image, mask and clicks move together, because one resampling rectangle is applied to all and clicks are drawn
 * afterwards. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "core/rng.h"
#include "data/dataset.h"

struct augment_config {
	double flip_probability;
	double scale_min, scale_max; /* of the scale at which the photo's long side fits the crop; log-uniform */
	double object_scale_probability; /* share of samples whose scale is chosen so that the object's box fits 0.3..0.9 of the crop */
	double brightness, contrast, colour; /* +- shares of the full range; contrast +- share; channel shift */
	double colour_probability;
};
void augment_config_init(struct augment_config *config);

/* One training sample of size x size. */
struct sample {
	int size;
	uint8_t *rgb;    /* size x size x 3 */
	uint8_t *truth;  /* TRUTH_*; pixels outside the photo are background, resampled at nearest-or-majority */
	uint8_t *others; /* non-zero: other annotated objects of the photo */
	int object;      /* dataset index */
};
enum status sample_alloc(struct sample *sample, int size);
void sample_release(struct sample *sample);

/* Decodes the photo of `object`, crops around a random pixel of it, resamples, flips, shifts colours. The same (config,
 * object, rng) gives the same bytes. The crop always holds part of the object. */
enum status augment_sample(const struct augment_config *config, const struct dataset *dataset, int object, struct rng rng,
			   struct sample *sample);

/* Without augmentation: the whole photo fitted into the square, for reports. */
enum status augment_plain(const struct dataset *dataset, int object, struct sample *sample);

#endif
