/* Every operator of a deployed network as the plainest loops that say what it means, and a network run with them,
 * each value in its own memory: what kernels, fusion and planner are compared with. conv2d is the chain of fused
 * multiply-adds that product.h promises. Values here are planes (C,H,W), unlike the runner's. */
#ifndef TESTS_INFER_NAIVE_NETWORK_H
#define TESTS_INFER_NAIVE_NETWORK_H

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/kernels/kernels.h"
#include "infer/network/ops.h"

struct naive_value {
	struct infer_shape shape;
	float *data;
};

static inline float naive_at(const struct naive_value *v, int c, int y, int x)
{
	if (y < 0 || x < 0 || y >= v->shape.h || x >= v->shape.w)
		return 0;
	return v->data[((size_t)c * (size_t)v->shape.h + (size_t)y) * (size_t)v->shape.w + (size_t)x];
}

static inline float naive_conv2d(const struct infer_step *s, const struct infer_network *n,
				 const struct naive_value *in, int c, int y, int x)
{
	const struct infer_tensor *w = &n->tensors[s->tensor[0]];
	const float *weight = w->data + (size_t)c * (size_t)w->dims[1] * (size_t)w->dims[2] * (size_t)w->dims[3];
	float sum = s->tensor[1] < 0 ? 0 : n->tensors[s->tensor[1]].data[c];
	for (int ky = 0; ky < w->dims[2]; ky++)
		for (int kx = 0; kx < w->dims[3]; kx++)
			for (int i = 0; i < w->dims[1]; i++)
				sum = fmaf(naive_at(in, i, y * s->args[2] - s->args[3] + ky * s->args[4],
						    x * s->args[2] - s->args[3] + kx * s->args[4]),
					   weight[(i * w->dims[2] + ky) * w->dims[3] + kx], sum);
	return sum;
}

static inline float naive_conv_transpose2d(const struct infer_step *s, const struct infer_network *n,
					   const struct naive_value *in, int c, int y, int x)
{
	const struct infer_tensor *w = &n->tensors[s->tensor[0]];
	int kernel = s->args[0], stride = s->args[1], padding = s->args[2];
	float sum = s->tensor[1] < 0 ? 0 : n->tensors[s->tensor[1]].data[c];
	for (int i = 0; i < w->dims[0]; i++)
		for (int iy = 0; iy < in->shape.h; iy++)
			for (int ix = 0; ix < in->shape.w; ix++) {
				int ky = y + padding - iy * stride, kx = x + padding - ix * stride;
				if (ky >= 0 && kx >= 0 && ky < kernel && kx < kernel)
					sum += naive_at(in, i, iy, ix) *
					       w->data[((i * w->dims[1] + c) * kernel + ky) * kernel + kx];
			}
	return sum;
}

static inline float naive_max_pool2d(const struct infer_step *s, const struct naive_value *in, int c, int y, int x)
{
	float best = -FLT_MAX;
	for (int ky = 0; ky < s->args[0]; ky++)
		for (int kx = 0; kx < s->args[0]; kx++) {
			int iy = y * s->args[1] - s->args[2] + ky, ix = x * s->args[1] - s->args[2] + kx;
			if (iy >= 0 && ix >= 0 && iy < in->shape.h && ix < in->shape.w)
				best = fmaxf(best, naive_at(in, c, iy, ix));
		}
	return best;
}

static inline float naive_mean(const struct naive_value *in, int c)
{
	double sum = 0;
	for (int y = 0; y < in->shape.h; y++)
		for (int x = 0; x < in->shape.w; x++)
			sum += naive_at(in, c, y, x);
	return (float)(sum / in->shape.h / in->shape.w);
}

static inline float naive_bilinear(const struct naive_value *in, int factor, int c, int y, int x)
{
	double fy = fmax((y + 0.5) / factor - 0.5, 0), fx = fmax((x + 0.5) / factor - 0.5, 0);
	int y0 = (int)fy, x0 = (int)fx;
	int y1 = y0 + 1 < in->shape.h ? y0 + 1 : y0, x1 = x0 + 1 < in->shape.w ? x0 + 1 : x0;
	fy -= y0;
	fx -= x0;
	return (float)((naive_at(in, c, y0, x0) * (1 - fx) + naive_at(in, c, y0, x1) * fx) * (1 - fy) +
		       (naive_at(in, c, y1, x0) * (1 - fx) + naive_at(in, c, y1, x1) * fx) * fy);
}

static inline float naive_concat(const struct infer_step *s, const struct naive_value *values, int c, int y, int x)
{
	int k = 0;
	for (; c >= values[s->inputs[k]].shape.c; k++)
		c -= values[s->inputs[k]].shape.c;
	return naive_at(&values[s->inputs[k]], c, y, x);
}

/* The second input of add and mul at (c, y, x), broadcast. */
static inline float naive_second(const struct naive_value *v, int c, int y, int x)
{
	return naive_at(v, v->shape.c == 1 ? 0 : c, v->shape.h == 1 ? 0 : y, v->shape.w == 1 ? 0 : x);
}

/* Operators that nobody but their row names. */
static inline float naive_pointwise(const char *name, double x)
{
	if (strcmp(name, "gelu") == 0)
		return (float)(x * (1 + tanh(sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x))) / 2);
	if (strcmp(name, "hard_swish") == 0)
		return (float)(x * fmin(fmax(x + 3, 0), 6) / 6);
	return NAN;
}

/* The number of such an operator. */
static inline int naive_op(const char *name)
{
	int op = infer_op_last();
	while (op > 0 && strcmp(infer_op_name(op), name) != 0)
		op--;
	return op;
}

static inline float naive_element(const struct infer_step *s, const struct infer_network *n,
				  const struct naive_value *values, int c, int y, int x)
{
	const struct naive_value *in = &values[s->inputs[0]];
	if (s->op >= INFER_NAMED_OPS)
		return naive_pointwise(infer_op_name(s->op), naive_at(in, c, y, x));
	switch (s->op) {
	case INFER_OP_CONV2D: return naive_conv2d(s, n, in, c, y, x);
	case INFER_OP_CONV_TRANSPOSE2D: return naive_conv_transpose2d(s, n, in, c, y, x);
	case INFER_OP_RELU: return fmaxf(naive_at(in, c, y, x), 0);
	case INFER_OP_LEAKY_RELU:
		return naive_at(in, c, y, x) > 0 ? naive_at(in, c, y, x) : naive_at(in, c, y, x) * s->farg;
	case INFER_OP_SIGMOID: return (float)(1 / (1 + exp(-(double)naive_at(in, c, y, x))));
	case INFER_OP_MAX_POOL2D: return naive_max_pool2d(s, in, c, y, x);
	case INFER_OP_GLOBAL_AVG_POOL2D: return naive_mean(in, c);
	case INFER_OP_UPSAMPLE_NEAREST: return naive_at(in, c, y / s->args[0], x / s->args[0]);
	case INFER_OP_UPSAMPLE_BILINEAR: return naive_bilinear(in, s->args[0], c, y, x);
	case INFER_OP_CONCAT: return naive_concat(s, values, c, y, x);
	case INFER_OP_ADD: return naive_at(in, c, y, x) + naive_second(&values[s->inputs[1]], c, y, x);
	case INFER_OP_MUL: return naive_at(in, c, y, x) * naive_second(&values[s->inputs[1]], c, y, x);
	case INFER_OP_SCALE: return naive_at(in, c, y, x) * s->farg;
	case INFER_OP_CHANNEL_AFFINE:
		return naive_at(in, c, y, x) * n->tensors[s->tensor[0]].data[c] + n->tensors[s->tensor[1]].data[c];
	}
	return NAN;
}

static inline void naive_step(const struct infer_step *s, const struct infer_network *n,
			      const struct naive_value *values, struct naive_value *out)
{
	float *p = out->data;
	for (int c = 0; c < out->shape.c; c++)
		for (int y = 0; y < out->shape.h; y++)
			for (int x = 0; x < out->shape.w; x++) {
				float v = naive_element(s, n, values, c, y, x);
				*p++ = s->relu ? fmaxf(v, 0) : v;
			}
}

/* Planes to a float map of the same shape, and back. */
static inline void naive_to_map(const float *planes, const struct infer_map *map)
{
	for (int c = 0; c < map->c; c++)
		for (int y = 0; y < map->h; y++)
			for (int x = 0; x < map->w; x++)
				((float *)
					 map->data)[((size_t)y * (size_t)map->w + (size_t)x) * map->pitch + (size_t)c] =
					*planes++;
}

static inline void naive_from_map(const struct infer_map *map, float *planes)
{
	for (int c = 0; c < map->c; c++)
		for (int y = 0; y < map->h; y++)
			for (int x = 0; x < map->w; x++)
				*planes++ = ((const float *)
						     map->data)[((size_t)y * (size_t)map->w + (size_t)x) * map->pitch +
								(size_t)c];
}

/* The logits of a whole network; caller frees. Values 0 and 1 are `image` and `clicks`. */
static inline float *naive_run(const struct infer_network *n, int h, int w, float *image, float *clicks)
{
	struct infer_shape shapes[INFER_MAX_STEPS];
	struct naive_value values[INFER_FIRST_STEP_VALUE + INFER_MAX_STEPS] = {
		{{3, h, w}, image},
		{{infer_click_planes(&n->preprocess), h, w}, clicks},
	};
	if (infer_network_shapes(n, h, w, shapes, NULL))
		return NULL;
	for (int i = 0; i < n->step_count; i++) {
		struct naive_value *out = &values[INFER_FIRST_STEP_VALUE + i];
		out->shape = shapes[i];
		out->data = malloc((size_t)shapes[i].c * (size_t)shapes[i].h * (size_t)shapes[i].w * sizeof(float));
		naive_step(&n->steps[i], n, values, out);
	}
	for (int i = 0; i < n->step_count - 1; i++)
		free(values[INFER_FIRST_STEP_VALUE + i].data);
	return values[INFER_FIRST_STEP_VALUE + n->step_count - 1].data;
}

#endif
