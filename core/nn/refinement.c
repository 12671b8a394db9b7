/* See refinement.h. */
#include "core/nn/refinement.h"

#include <stdio.h>

#include "core/ops/ops.h"

/* "NAME.PART" in a caller's buffer. */
static const char *join(char *buffer, const char *name, const char *part)
{
	snprintf(buffer, 128, "%s.%s", name, part);
	return buffer;
}

static struct nn_conv2d conv3x3(int channels)
{
	return (struct nn_conv2d){ .channels = channels, .kernel = 3, .padding = 1 };
}

int nn_refinement_published(struct nn *nn, const char *name, int mask, int features, bool last)
{
	char part[128];
	int k = nn_shape(nn, mask).c;
	int half = k > 1 ? k / 2 : 1;
	int s = nn_conv2d_block(nn, join(part, name, "skip1"), features, conv3x3(last ? 32 : 64));
	s = nn_conv2d_block(nn, join(part, name, "skip2"), s, conv3x3(k));
	s = nn_conv2d(nn, join(part, name, "skip3"), s, conv3x3(half));
	int m = nn_conv2d_block(nn, join(part, name, "mask1"), mask, conv3x3(k));
	m = nn_conv2d(nn, join(part, name, "mask2"), m, conv3x3(half));
	int sum = nn_relu(nn, name, nn_add(nn, name, m, s));
	return nn_upsample(nn, name, sum, 2, UPSAMPLE_NEAREST);
}

int nn_refinement_light(struct nn *nn, const char *name, int mask, int features, int width)
{
	char part[128];
	int s = nn_conv2d_block(nn, join(part, name, "skip1"), features, (struct nn_conv2d){ .channels = width, .kernel = 1 });
	s = nn_conv2d(nn, join(part, name, "skip2"), s, conv3x3(width));
	int m = nn_conv2d(nn, join(part, name, "mask"), mask, conv3x3(width));
	m = nn_upsample(nn, join(part, name, "mask"), m, 2, UPSAMPLE_BILINEAR);
	return nn_relu(nn, name, nn_add(nn, name, m, s));
}
