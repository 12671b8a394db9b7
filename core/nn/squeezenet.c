/* See squeezenet.h. The two versions are tables in torchvision's numbering. */
#include "core/nn/squeezenet.h"

#include <stdio.h>

#include "core/nn/click_pyramid.h"
#include "core/nn/fire.h"
#include "core/ops/ops.h"

/* One entry of torchvision's `features`: a fire module, or a pooling where squeeze is 0. */
struct feature {
	int index, squeeze, expand;
};

static const struct feature v1_0[] = {
	{2, 0, 0},    {3, 16, 64},  {4, 16, 64},   {5, 32, 128}, {6, 0, 0},     {7, 32, 128},
	{8, 48, 192}, {9, 48, 192}, {10, 64, 256}, {11, 0, 0},   {12, 64, 256}, {0, 0, 0},
};

static const struct feature v1_1[] = {
	{2, 0, 0}, {3, 16, 64},  {4, 16, 64},   {5, 0, 0},     {6, 32, 128},  {7, 32, 128},
	{8, 0, 0}, {9, 48, 192}, {10, 48, 192}, {11, 64, 256}, {12, 64, 256}, {0, 0, 0},
};

struct nn_conv2d nn_squeezenet_stem_conv(enum trunk_kind kind)
{
	if (kind == TRUNK_SQUEEZENET1_0)
		return (struct nn_conv2d){.channels = 96, .kernel = 7, .stride = 2, .padding = 3};
	return (struct nn_conv2d){.channels = 64, .kernel = 3, .stride = 2, .padding = 1};
}

struct trunk_maps nn_squeezenet(struct nn *nn, enum trunk_kind kind, int stem, struct nn_trunk_entry entry,
				enum trunk_freeze freeze)
{
	int maps[4] = {0}, level = 0;
	int x = stem;
	for (const struct feature *f = kind == TRUNK_SQUEEZENET1_0 ? v1_0 : v1_1; f->index; f++) {
		char name[32];
		snprintf(name, sizeof name, "features.%d", f->index);
		nn->frozen = (int)freeze > level;
		if (f->squeeze) {
			x = nn_fire(nn, name, x, f->squeeze, f->expand);
		} else {
			maps[level++] = x;
			x = nn_max_pool2d(nn, name, x, 3, 2, true);
			if (entry.planes >= 0 && entry.level == level)
				x = nn_trunk_entry(nn, entry.planes, x);
		}
	}
	nn->frozen = false;
	return (struct trunk_maps){.half = maps[0],
				   .quarter = maps[1],
				   .eighth = maps[2],
				   .sixteenth = x,
				   .pool3 = -1,
				   .pool4 = -1,
				   .pool5 = -1};
}
