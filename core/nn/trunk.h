/* The trunk of a model: a network made for classifying pictures, without its classifier, whose maps a decoder reads.
 * Each kind has a file of its own (squeezenet.h, vgg.h); this is what a model sees of them. */
#ifndef CORE_NN_TRUNK_H
#define CORE_NN_TRUNK_H

#include "core/nn/trunk_maps.h"

/* Channels, kernel of the first convolution, for a second one of other planes that is added to it. */
struct nn_conv2d nn_trunk_stem_conv(const struct nn_trunk *trunk);
/* The first convolution; without its relu where a second one, of other planes, is added to it. */
int nn_trunk_stem(struct nn *nn, const struct nn_trunk *trunk, int image, bool relu);
/* The rest, from the stem's output (after its relu) on. nn->frozen is false afterwards. */
struct trunk_maps nn_trunk_maps(struct nn *nn, const struct nn_trunk *trunk, int stem, struct nn_trunk_entry entry);

#endif
