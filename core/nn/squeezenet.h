/* SqueezeNet v1.0 and v1.1 without the classifier, with torchvision's parameter names (features.0.weight,
 * features.3.squeeze.weight ...), so that ImageNet weights load by look-up. v1.1: github.com/forresti/SqueezeNet. */
#ifndef CORE_NN_SQUEEZENET_H
#define CORE_NN_SQUEEZENET_H

#include "core/nn/layers.h"

enum trunk_kind { TRUNK_SQUEEZENET1_0, TRUNK_SQUEEZENET1_1 };

/* How much of a pretrained trunk keeps its values: nothing, or every layer down to that resolution. Early layers see
 * edges and colours, which are the same in every task (Yosinski et al., NeurIPS 2014), and are the costly ones. */
enum trunk_freeze { FREEZE_NONE, FREEZE_HALF, FREEZE_QUARTER, FREEZE_EIGHTH, FREEZE_ALL };

/* What a decoder takes from the trunk: the last map of each resolution. */
struct trunk_maps {
	int half;      /* 1/2: after the first convolution: 64 channels (v1.0: 96) */
	int quarter;   /* 1/4: 128 (v1.0: 256) */
	int eighth;    /* 1/8: 256 (v1.0: 512) */
	int sixteenth; /* 1/16: 512 */
};

/* The first convolution; without its relu where a second one, of other planes, is added to it. The original networks
 * do not pad it; we pad by half a kernel so that an input of 512 gives maps of 256, 128, 64 and 32. */
int nn_squeezenet_stem(struct nn *nn, enum trunk_kind kind, int image, bool relu);
/* Channels, kernel of that convolution, for a second one beside it. */
struct nn_conv2d nn_squeezenet_stem_conv(enum trunk_kind kind);
/* Planes of another kind that come in later: a 1x1 convolution of them, "clicks.entry", is added to the map behind
 * the pooling to their resolution, and a relu keeps the sum like any other map. */
struct nn_trunk_entry {
	int planes; /* node; -1: none */
	int level;  /* 1 (1/4), 2 (1/8), 3 (1/16) */
};

int nn_trunk_entry(struct nn *nn, int planes, int map);

/* The rest, from the stem's output (after its relu) on. nn->frozen is false afterwards. */
struct trunk_maps nn_squeezenet(struct nn *nn, enum trunk_kind kind, int stem, struct nn_trunk_entry entry,
				enum trunk_freeze freeze);

#endif
