/* Networks made in memory for tests: steps are appended one by one, weights come from the project's generator.
 * Values are numbered as in infer/network/network.h; each function returns the value it makes. */
#ifndef TESTS_INFER_BUILD_NETWORK_H
#define TESTS_INFER_BUILD_NETWORK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/network/network.h"

struct builder {
	struct infer_network network;
	int channels[INFER_FIRST_STEP_VALUE + INFER_MAX_STEPS]; /* of each value */
	uint32_t state;
};

/* Numbers in -1..1 (a 32-bit xorshift, Marsaglia 2003). */
static inline float builder_number(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return (float)(*state >> 8) / (float)(1 << 23) - 1.0f;
}

static inline void builder_init(struct builder *b, uint32_t seed)
{
	memset(b, 0, sizeof *b);
	b->state = seed * 2654435761u + 1;
	b->network.steps = calloc(INFER_MAX_STEPS, sizeof *b->network.steps);
	b->network.tensors = calloc(INFER_MAX_TENSORS, sizeof *b->network.tensors);
	b->network.preprocess = (struct infer_preprocess){
		.mean = {124, 116, 104},
		.scale = {1 / 64.0f, 1 / 64.0f, 1 / 64.0f},
		.encoding = INFER_CLICK_DISK,
		.radius = 3,
		.truncate = 32,
		.click_scale = 1,
		.previous_mask = 1,
	};
	b->network.default_size = 64;
	snprintf(b->network.architecture, sizeof b->network.architecture, "test");
	b->channels[0] = 3;
	b->channels[1] = 3;
}

static inline void builder_release(struct builder *b)
{
	infer_network_release(&b->network);
}

static inline int builder_tensor(struct builder *b, int d0, int d1, int d2, int d3, float range)
{
	struct infer_tensor *t = &b->network.tensors[b->network.tensor_count];
	size_t count = (size_t)d0 * (size_t)d1 * (size_t)d2 * (size_t)d3;
	*t = (struct infer_tensor){.dims = {d0, d1, d2, d3}, .data = malloc(count * sizeof(float))};
	for (size_t i = 0; i < count; i++)
		t->data[i] = builder_number(&b->state) * range;
	b->network.parameters += count;
	return b->network.tensor_count++;
}

static inline int builder_step(struct builder *b, struct infer_step step, int channels)
{
	int value = INFER_FIRST_STEP_VALUE + b->network.step_count;
	b->network.steps[b->network.step_count++] = step;
	b->channels[value] = channels;
	return value;
}

static inline int build_conv2d(struct builder *b, int x, int outputs, int kernel, int stride, int padding, int dilation,
			       int relu)
{
	int inputs = b->channels[x];
	struct infer_step step = {.op = INFER_OP_CONV2D,
				  .relu = (uint8_t)relu,
				  .input_count = 1,
				  .inputs = {x},
				  .args = {kernel, kernel, stride, padding, dilation}};
	step.tensor[0] =
		builder_tensor(b, outputs, inputs, kernel, kernel, sqrtf(6.0f / (float)(inputs * kernel * kernel)));
	step.tensor[1] = builder_tensor(b, outputs, 1, 1, 1, 0.1f);
	return builder_step(b, step, outputs);
}

static inline int build_conv_transpose2d(struct builder *b, int x, int outputs, int kernel, int stride, int padding)
{
	struct infer_step step = {.op = INFER_OP_CONV_TRANSPOSE2D,
				  .input_count = 1,
				  .inputs = {x},
				  .args = {kernel, stride, padding}};
	step.tensor[0] = builder_tensor(b, b->channels[x], outputs, kernel, kernel, 0.5f);
	step.tensor[1] = builder_tensor(b, outputs, 1, 1, 1, 0.1f);
	return builder_step(b, step, outputs);
}

/* An operator with one input, without tensors. */
static inline int build_unary(struct builder *b, int op, int x, int arg0, int arg1, int arg2, int arg3, float farg)
{
	struct infer_step step = {.op = (uint8_t)op,
				  .input_count = 1,
				  .inputs = {x},
				  .args = {arg0, arg1, arg2, arg3},
				  .farg = farg,
				  .tensor = {-1, -1}};
	return builder_step(b, step, b->channels[x]);
}

static inline int build_scale(struct builder *b, int x, float factor)
{
	return build_unary(b, INFER_OP_SCALE, x, 0, 0, 0, 0, factor);
}

static inline int build_max_pool2d(struct builder *b, int x, int kernel, int stride, int padding, int ceil_mode)
{
	return build_unary(b, INFER_OP_MAX_POOL2D, x, kernel, stride, padding, ceil_mode, 0);
}

static inline int build_upsample(struct builder *b, int x, int factor)
{
	return build_unary(b, INFER_OP_UPSAMPLE_BILINEAR, x, factor, 0, 0, 0, 0);
}

static inline int build_channel_affine(struct builder *b, int x)
{
	struct infer_step step = {.op = INFER_OP_CHANNEL_AFFINE, .input_count = 1, .inputs = {x}};
	step.tensor[0] = builder_tensor(b, b->channels[x], 1, 1, 1, 1);
	step.tensor[1] = builder_tensor(b, b->channels[x], 1, 1, 1, 1);
	return builder_step(b, step, b->channels[x]);
}

/* add, mul or concat of two. */
static inline int build_binary(struct builder *b, int op, int x, int y, int relu)
{
	struct infer_step step = {.op = (uint8_t)op,
				  .relu = (uint8_t)relu,
				  .input_count = 2,
				  .inputs = {x, y},
				  .tensor = {-1, -1}};
	return builder_step(b, step, b->channels[x] + (op == INFER_OP_CONCAT ? b->channels[y] : 0));
}

/* --- networks ------------------------------------------------------------- */

static inline int build_fire(struct builder *b, int x, int squeeze, int expand)
{
	int s = build_conv2d(b, x, squeeze, 1, 1, 0, 1, 1);
	int e1 = build_conv2d(b, s, expand, 1, 1, 0, 1, 1);
	int e3 = build_conv2d(b, s, expand, 3, 1, 1, 1, 1);
	return build_binary(b, INFER_OP_CONCAT, e1, e3, 0);
}

static inline int build_refinement(struct builder *b, int mask, int features, int width)
{
	int s = build_conv2d(b, build_scale(b, features, 1 / 32.0f), width, 1, 1, 0, 1, 1);
	s = build_conv2d(b, s, width, 3, 1, 1, 1, 0);
	int m = build_upsample(b, build_conv2d(b, mask, width, 3, 1, 1, 1, 0), 2);
	return build_binary(b, INFER_OP_ADD, m, s, 1);
}

/* The default model's shape (core/nn/model.c) with random weights: what speed and memory are measured on. */
static inline void build_default(struct builder *b)
{
	int half = build_binary(b, INFER_OP_ADD, build_conv2d(b, 0, 64, 3, 2, 1, 1, 0),
				build_conv2d(b, 1, 64, 3, 2, 1, 1, 0), 1);
	int quarter = build_fire(b, build_fire(b, build_max_pool2d(b, half, 3, 2, 0, 1), 16, 64), 16, 64);
	int eighth = build_fire(b, build_fire(b, build_max_pool2d(b, quarter, 3, 2, 0, 1), 32, 128), 32, 128);
	int x = build_fire(b, build_max_pool2d(b, eighth, 3, 2, 0, 1), 48, 192);
	x = build_scale(b, build_fire(b, build_fire(b, build_fire(b, x, 48, 192), 64, 256), 64, 256), 1 / 32.0f);
	x = build_binary(b, INFER_OP_CONCAT, x, build_scale(b, build_max_pool2d(b, 1, 16, 16, 0, 0), 1 / 32.0f), 0);
	x = build_conv2d(b, x, 96, 1, 1, 0, 1, 1);
	x = build_binary(b, INFER_OP_ADD, x, build_conv2d(b, x, 96, 3, 1, 2, 2, 1), 0);
	x = build_binary(b, INFER_OP_ADD, x, build_conv2d(b, x, 96, 3, 1, 4, 4, 1), 0);
	int average = build_conv2d(b, build_unary(b, INFER_OP_GLOBAL_AVG_POOL2D, x, 0, 0, 0, 0, 0), 96, 1, 1, 0, 1, 1);
	x = build_conv2d(b, build_binary(b, INFER_OP_ADD, x, average, 0), 64, 3, 1, 1, 1, 1);
	x = build_refinement(b, x, eighth, 48);
	x = build_refinement(b, x, quarter, 32);
	x = build_refinement(b, x, half, 16);
	x = build_conv2d(b, build_conv2d(b, x, 16, 3, 1, 1, 1, 1), 1, 3, 1, 1, 1, 0);
	build_upsample(b, x, 2);
}

#endif
