/* See vgg.h. */
#include "core/nn/vgg.h"

#include <stdio.h>

enum { BLOCKS = 5, CLASSIFIER = 4096 };

/* Convolutions of a block, and their channels; a pooling follows each block. */
static const struct {
	int convolutions, channels;
} blocks[BLOCKS] = {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}};

static int scaled(int channels, double width)
{
	int narrow = (int)(channels * width + 0.5);
	return narrow > 0 ? narrow : 1;
}

static struct nn_conv2d convolution(int channels, double width)
{
	return (struct nn_conv2d){.channels = scaled(channels, width), .kernel = 3, .padding = 1, .relu = true};
}

struct nn_conv2d nn_vgg16_stem_conv(double width)
{
	return convolution(blocks[0].channels, width);
}

struct trunk_maps nn_vgg16(struct nn *nn, const struct nn_trunk *trunk, int stem)
{
	int last[BLOCKS], pooled[BLOCKS], x = stem, index = 2; /* of torchvision's `features`; 1 is the stem's relu */
	char name[32];
	for (int b = 0; b < BLOCKS; b++) {
		nn->frozen = (int)trunk->freeze > (b > 0 ? b - 1 : 0);
		for (int i = b == 0; i < blocks[b].convolutions; i++, index += 2) {
			snprintf(name, sizeof name, "features.%d", index);
			x = nn_conv2d(nn, name, x, convolution(blocks[b].channels, trunk->width));
		}
		last[b] = x;
		snprintf(name, sizeof name, "features.%d", index++);
		x = pooled[b] = nn_max_pool2d(nn, name, x, 2, 2, false);
	}
	nn->frozen = false;
	return (struct trunk_maps){.half = last[1],
				   .quarter = last[2],
				   .eighth = last[3],
				   .sixteenth = last[4],
				   .pool3 = pooled[2],
				   .pool4 = pooled[3],
				   .pool5 = pooled[4]};
}

int nn_vgg16_classifier(struct nn *nn, const struct nn_trunk *trunk, int pool5, double dropout)
{
	int channels = scaled(CLASSIFIER, trunk->width);
	nn->frozen = trunk->freeze == FREEZE_ALL;
	int x = nn_conv2d(nn, "classifier.0", pool5,
			  (struct nn_conv2d){.channels = channels, .kernel = 7, .padding = 3, .relu = true});
	x = nn_dropout(nn, "classifier.2", x, dropout);
	x = nn_conv2d(nn, "classifier.3", x, (struct nn_conv2d){.channels = channels, .kernel = 1, .relu = true});
	x = nn_dropout(nn, "classifier.5", x, dropout);
	nn->frozen = false;
	return x;
}
