/* The fire module of SqueezeNet (Iandola et al., arXiv 1602.07360, section 3.2): squeeze1x1, then expand1x1 beside
 * expand3x3. */
#ifndef CORE_NN_FIRE_H
#define CORE_NN_FIRE_H

#include "core/nn/layers.h"

/* Parameters NAME.squeeze, NAME.expand1x1, NAME.expand3x3; output 2 * expand channels. */
int nn_fire(struct nn *nn, const char *name, int x, int squeeze, int expand);

#endif
