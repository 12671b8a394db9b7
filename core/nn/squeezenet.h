/* SqueezeNet v1.0 and v1.1 without the classifier, with torchvision's parameter names (features.0.weight,
 * features.3.squeeze.weight ...), so that ImageNet weights load by look-up. v1.1: github.com/forresti/SqueezeNet. */
#ifndef CORE_NN_SQUEEZENET_H
#define CORE_NN_SQUEEZENET_H

#include "core/nn/trunk_maps.h"

/* The first convolution. The original networks do not pad it; we pad by half a kernel so that an input of 512 gives
 * maps of 256, 128, 64 and 32. */
struct nn_conv2d nn_squeezenet_stem_conv(enum trunk_kind kind);
/* The rest, from the stem's output (after its relu) on. nn->frozen is false afterwards. */
struct trunk_maps nn_squeezenet(struct nn *nn, enum trunk_kind kind, int stem, struct nn_trunk_entry entry,
				enum trunk_freeze freeze);

#endif
