/* VGG-16 (Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
 * configuration D) with torchvision's parameter names (features.0.weight ...), and its classifier as convolutions
 * (Long, Shelhamer & Darrell, "Fully convolutional networks for semantic segmentation", CVPR 2015). */
#ifndef CORE_NN_VGG_H
#define CORE_NN_VGG_H

#include "core/nn/trunk_maps.h"

struct nn_conv2d nn_vgg16_stem_conv(double width);
/* From the first convolution's output on, to the fifth pooling. */
struct trunk_maps nn_vgg16(struct nn *nn, const struct nn_trunk *trunk, int stem);

/* The fully connected layers of 4096 channels, of 7x7 and 1x1 places of the fifth pooling, each followed by dropout:
 * "classifier.0" and "classifier.3", whose weights are torchvision's in another shape. */
int nn_vgg16_classifier(struct nn *nn, const struct nn_trunk *trunk, int pool5, double dropout);

#endif
