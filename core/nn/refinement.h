/* Refinement modules of SharpMask (Pinheiro, Lin, Collobert, Dollar, "Learning to refine object segments", ECCV
 * 2016, section 3): a coarse mask encoding M is merged with trunk features F of the same place and doubled in
 * resolution.
 *
 * `clicks`, planes of the features' resolution or .map = -1 for none, go into the sum by a 1x1 convolution: where
 * the features know nothing of the clicks, a correction still finds its place. */
#ifndef CORE_NN_REFINEMENT_H
#define CORE_NN_REFINEMENT_H

#include "core/nn/layers.h"

/* As published (facebookresearch/deepmask, SharpMask.lua): both at the same resolution; two 3x3 on the mask path (k
 * -> k -> k/2), three 3x3 on the skip path (-> 64, or 32 for the last module, -> k -> k/2), sum, relu, nearest x2.
 * Zero padding instead of the original's reflection. Output k/2 channels at twice the resolution. */
int nn_refinement_published(struct nn *nn, const char *name, int mask, struct nn_features features,
			    struct nn_features clicks, bool last);

/* Light: skip path 1x1 then 3x3, mask path 3x3 at the low resolution then bilinear x2, sum, relu. `features` has
 * twice the resolution of `mask`; output `width` channels at the resolution of `features`. */
int nn_refinement_light(struct nn *nn, const char *name, int mask, struct nn_features features,
			struct nn_features clicks, int width);

#endif
