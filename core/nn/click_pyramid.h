/* The click planes at every resolution, for clicks that enter behind the first convolution: 3x3 convolutions of
 * stride 2, each with its relu, from full size down. Unlike a pooled mask, the channels can say where in its square
 * an outline runs. */
#ifndef CORE_NN_CLICK_PYRAMID_H
#define CORE_NN_CLICK_PYRAMID_H

#include "core/nn/layers.h"

enum { CLICK_PYRAMID_LEVELS = 4 }; /* 1/2, 1/4, 1/8, 1/16 */

/* Parameters clicks.half, clicks.quarter, clicks.eighth, clicks.sixteenth. Fills in the nodes of the first `levels`. */
void nn_click_pyramid(struct nn *nn, int clicks, int levels, int *maps);

/* Planes of one of its levels enter a trunk's map of that resolution: a 1x1 convolution of them, "clicks.entry", is
 * added, and a relu keeps the sum like any other map. */
int nn_trunk_entry(struct nn *nn, int planes, int map);

#endif
