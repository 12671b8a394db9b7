/* What kinds of trunk there are, and what a decoder takes from one: for the files of the kinds (squeezenet.h, vgg.h)
 * and for trunk.h. */
#ifndef CORE_NN_TRUNK_MAPS_H
#define CORE_NN_TRUNK_MAPS_H

#include "core/nn/layers.h"

enum trunk_kind { TRUNK_SQUEEZENET1_0, TRUNK_SQUEEZENET1_1, TRUNK_VGG16 };

/* How much of a pretrained trunk keeps its values: nothing, or every layer down to that resolution. Early layers see
 * edges and colours, which are the same in every task (Yosinski et al., NeurIPS 2014), and are the costly ones. */
enum trunk_freeze { FREEZE_NONE, FREEZE_HALF, FREEZE_QUARTER, FREEZE_EIGHTH, FREEZE_ALL };

/* What a decoder takes from the trunk: the last map of each resolution (channels: SqueezeNet v1.1, v1.0, VGG-16). */
struct trunk_maps {
	int half;      /* 1/2: 64, 96, 128 */
	int quarter;   /* 1/4: 128, 256, 256 */
	int eighth;    /* 1/8: 256, 512, 512 */
	int sixteenth; /* 1/16: 512, 512, 512 */
	/* VGG-16: behind its third, fourth and fifth pooling (1/8, 1/16 and 1/32: 256, 512, 512); else -1. */
	int pool3, pool4, pool5;
};

/* Planes of another kind that come in later: a 1x1 convolution of them, "clicks.entry", is added to the map behind
 * the pooling to their resolution, and a relu keeps the sum like any other map. */
struct nn_trunk_entry {
	int planes; /* node; -1: none */
	int level;  /* 1 (1/4), 2 (1/8), 3 (1/16) */
};

struct nn_trunk {
	enum trunk_kind kind;
	double width; /* VGG-16: its channels times this, at least 1 each */
	enum trunk_freeze freeze;
};

#endif
