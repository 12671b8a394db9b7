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
	return (struct nn_conv2d){.channels = channels, .kernel = 3, .padding = 1};
}

static int add_clicks(struct nn *nn, const char *name, struct nn_features clicks, int sum)
{
	char part[128];
	struct nn_conv2d conv = {.channels = nn_shape(nn, sum).c,
				 .kernel = 1,
				 .no_bias = true,
				 .near_zero = true,
				 .input_scale = clicks.scale};
	return clicks.map < 0 ? sum : nn_conv2d_add(nn, join(part, name, "clicks"), clicks.map, sum, conv);
}

int nn_refinement_published(struct nn *nn, const char *name, int mask, struct nn_features features,
			    struct nn_features clicks, bool last)
{
	char part[128];
	int k = nn_shape(nn, mask).c;
	int half = k > 1 ? k / 2 : 1;
	struct nn_conv2d skip1 = conv3x3(last ? 32 : 64), skip3 = conv3x3(half);
	skip1.input_scale = features.scale;
	skip3.relu = true;
	int s = nn_conv2d_block(nn, join(part, name, "skip1"), features.map, skip1);
	graph_run_early(nn->graph, s);
	s = nn_conv2d_block(nn, join(part, name, "skip2"), s, conv3x3(k));
	nn_conv2d_params(nn, join(part, name, "skip3"), k, skip3);
	int m = nn_conv2d_block(nn, join(part, name, "mask1"), mask, conv3x3(k));
	m = nn_conv2d(nn, join(part, name, "mask2"), m, conv3x3(half));
	m = add_clicks(nn, name, clicks, m);
	int sum = nn_conv2d_add(nn, join(part, name, "skip3"), s, m, skip3);
	return nn_upsample(nn, name, sum, 2, UPSAMPLE_NEAREST);
}

int nn_refinement_light(struct nn *nn, const char *name, int mask, struct nn_features features,
			struct nn_features clicks, int width)
{
	char part[128];
	struct nn_conv2d skip1 = {.channels = width, .kernel = 1, .input_scale = features.scale},
			 skip2 = conv3x3(width);
	skip2.relu = true;
	int s = nn_conv2d_block(nn, join(part, name, "skip1"), features.map, skip1);
	graph_run_early(nn->graph, s);
	nn_conv2d_params(nn, join(part, name, "skip2"), width, skip2);
	int m = nn_conv2d(nn, join(part, name, "mask"), mask, conv3x3(width));
	m = nn_upsample(nn, join(part, name, "mask"), m, 2, UPSAMPLE_BILINEAR);
	m = add_clicks(nn, name, clicks, m);
	return nn_conv2d_add(nn, join(part, name, "skip2"), s, m, skip2);
}
