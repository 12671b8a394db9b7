/* See fire.h. */
#include "core/nn/fire.h"

#include <stdio.h>

#include "core/ops/ops.h"

static int conv_relu(struct nn *nn, const char *name, const char *part, int x, struct nn_conv2d conv)
{
	char full[128];
	snprintf(full, sizeof full, "%s.%s", name, part);
	conv.relu = true;
	return nn_conv2d(nn, full, x, conv);
}

int nn_fire(struct nn *nn, const char *name, int x, int squeeze, int expand)
{
	int s = conv_relu(nn, name, "squeeze", x, (struct nn_conv2d){.channels = squeeze, .kernel = 1});
	int e1 = conv_relu(nn, name, "expand1x1", s, (struct nn_conv2d){.channels = expand, .kernel = 1});
	int e3 = conv_relu(nn, name, "expand3x3", s, (struct nn_conv2d){.channels = expand, .kernel = 3, .padding = 1});
	return nn_concat(nn, name, e1, e3);
}
