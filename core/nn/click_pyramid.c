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
