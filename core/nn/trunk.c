/* See trunk.h. */
#include "core/nn/trunk.h"

#include "core/nn/squeezenet.h"
#include "core/nn/vgg.h"

struct nn_conv2d nn_trunk_stem_conv(const struct nn_trunk *trunk)
{
	return trunk->kind == TRUNK_VGG16 ? nn_vgg16_stem_conv(trunk->width) : nn_squeezenet_stem_conv(trunk->kind);
}

int nn_trunk_stem(struct nn *nn, const struct nn_trunk *trunk, int image, bool relu)
{
	struct nn_conv2d conv = nn_trunk_stem_conv(trunk);
	conv.relu = relu;
	return nn_conv2d(nn, "features.0", image, conv);
}

struct trunk_maps nn_trunk_maps(struct nn *nn, const struct nn_trunk *trunk, int stem, struct nn_trunk_entry entry)
{
	return trunk->kind == TRUNK_VGG16 ? nn_vgg16(nn, trunk, stem)
					  : nn_squeezenet(nn, trunk->kind, stem, entry, trunk->freeze);
}
