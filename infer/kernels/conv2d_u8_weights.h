/* How the weights of a convolution of bytes lie in packed memory. For conv2d_u8.c, which packs and reads them, and for
 * convert, which writes the very integers that are computed with into other files. */
#ifndef INFER_KERNELS_CONV2D_U8_WEIGHTS_H
#define INFER_KERNELS_CONV2D_U8_WEIGHTS_H

#include "conv2d_u8_band.h"

struct infer_conv2d_u8_weights {
	int outputs, inputs, taps, blocks, groups;
	size_t block_bytes;
	int8_t *integers; /* [block][tap][group][16][4] */
	int32_t *bias, *sum128;
	float *unit; /* what 1 in a sum stands for */
};

/* The parts of packed memory; NULL gives their sizes alone. */
static inline struct infer_conv2d_u8_weights infer_conv2d_u8_weights_at(const struct infer_tensor *weight, void *packed)
{
	const int *dims = weight->dims;
	struct infer_conv2d_u8_weights w = {.outputs = dims[0], .inputs = dims[1], .taps = dims[2] * dims[3]};
	w.blocks = (w.outputs + INFER_U8_BLOCK - 1) / INFER_U8_BLOCK;
	w.groups = (w.inputs + INFER_U8_GROUP - 1) / INFER_U8_GROUP;
	w.block_bytes = (size_t)w.taps * (size_t)w.groups * INFER_U8_GROUP * INFER_U8_BLOCK;
	if (packed) {
		w.integers = packed;
		w.bias = (int32_t *)(void *)(w.integers + (size_t)w.blocks * w.block_bytes);
		w.sum128 = w.bias + w.blocks * INFER_U8_BLOCK;
		w.unit = (float *)(void *)(w.sum128 + w.blocks * INFER_U8_BLOCK);
	}
	return w;
}

/* Where among the integers that of an output, an input channel and a tap is. */
static inline size_t infer_conv2d_u8_place(const struct infer_conv2d_u8_weights *w, int output, int input, int tap)
{
	size_t group = (size_t)tap * (size_t)w->groups + (size_t)(input / INFER_U8_GROUP);
	return (size_t)(output / INFER_U8_BLOCK) * w->block_bytes +
	       (group * INFER_U8_BLOCK + (size_t)(output % INFER_U8_BLOCK)) * INFER_U8_GROUP +
	       (size_t)(input % INFER_U8_GROUP);
}

#endif
