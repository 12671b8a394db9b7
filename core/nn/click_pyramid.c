/* See click_pyramid.h. */
#include "core/nn/click_pyramid.h"

static const struct {
	const char *name;
	int channels; /* few: at 1/2 of the side a channel costs as much as sixteen at 1/8 */
} pyramid[CLICK_PYRAMID_LEVELS] = {
	{"clicks.half", 16},
	{"clicks.quarter", 16},
	{"clicks.eighth", 32},
	{"clicks.sixteenth", 32},
};

void nn_click_pyramid(struct nn *nn, int clicks, int levels, int *maps)
{
	int x = clicks;
	for (int i = 0; i < levels; i++) {
		struct nn_conv2d conv = {.channels = pyramid[i].channels,
					 .kernel = 3,
					 .stride = 2,
					 .padding = 1,
					 .relu = true};
		maps[i] = x = nn_conv2d(nn, pyramid[i].name, x, conv);
	}
}

int nn_trunk_entry(struct nn *nn, int planes, int map)
{
	struct nn trunk = *nn;
	nn->group = PARAM_DECODER; /* not pretrained: it learns at the full rate */
	nn->frozen = false;
	struct nn_conv2d conv = {.channels = nn_shape(nn, map).c,
				 .kernel = 1,
				 .no_bias = true,
				 .near_zero = true,
				 .relu = true};
	int sum = nn_conv2d_add(nn, "clicks.entry", planes, map, conv);
	nn->group = trunk.group;
	nn->frozen = trunk.frozen;
	return sum;
}
