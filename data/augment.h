/* Augmentation: image, mask and clicks move together, because one resampling rectangle is applied to all and clicks
 * are drawn afterwards. (Nearest-pixel resizing of masks, as common libraries do it, shifts them by up to a pixel
 * against the photo.) */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include <stdbool.h>

#include "core/rng.h"
#include "data/dataset.h"
#include "data/sample.h"

struct augment_config {
	double flip_probability;
	double scale_min, scale_max; /* of the scale at which the photo's long side fits the crop; log-uniform */
	/* share of samples whose scale is chosen so that the object's box fits 0.3..0.9 of the crop */
	double object_scale_probability;
	/* share of samples whose crop may hang over the photo's edge although it need not */
	double overhang_probability;
	double brightness, contrast, colour; /* +- shares of the full range; contrast +- share; channel shift */
	double colour_probability;           /* of brightness and contrast together, and again of the channel shift */
	/* Each of the following is drawn from a stream of its own: switching it on changes nothing else. */
	double rotation_probability, rotation; /* turned by up to so many degrees either way, at most 45 */
	double gamma_probability, gamma;       /* brightness to a power between e^-gamma and e^gamma */
	double grey_probability;
	double blur_probability, blur;   /* Gaussian of up to this deviation, in pixels of the crop */
	double noise_probability, noise; /* deviation of up to this share of full range */
	double jpeg_probability;         /* as if it had been stored as JPEG of jpeg_quality .. 95 */
	int jpeg_quality;
	double paste_probability; /* the object is cut out and put onto the photo of another one */
	/* A sample's truth is not its object, but the label of whatever is there (dataset_label); where objects cover
	 * each other, that of the smaller one. */
	bool labels;
};
void augment_config_init(struct augment_config *config);

/* Decodes the photo of `object`, crops around a random pixel of it, resamples, flips, shifts colours. The same (config,
 * object, rng) gives the same bytes. The crop always holds part of the object. */
enum status augment_sample(const struct augment_config *config, const struct dataset *dataset, int object,
			   struct rng rng, struct sample *sample);

#endif
