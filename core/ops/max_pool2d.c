/* Maximum over windows of kernel x kernel pixels.
 *
 * Forward keeps for each output which tap of the window won (one byte, ky * kernel + kx; the first in reading order among equals, as
 * in PyTorch), so that backward is one addition per output. A NaN wins.
 *
 * To run over a row with vectors, an input row is first dealt out into `stride` phases, padded with -inf:
 *
 *     stride 2:  x0 x1 x2 x3 x4 x5   ->   phase 0: x0 x2 x4    phase 1: x1 x3 x5
 *
 * Then tap kx of all windows is a run of neighbours: phase kx % stride from kx / stride on. */
#include <math.h>
#include <stdio.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/vector.h"

enum { MAX_KERNEL = 16 }; /* a tap's number fits a byte */

static long long out_size(int in, const struct max_pool2d_attr *a)
{
	long long room = (long long)in + 2LL * a->padding - a->kernel + (a->ceil_mode ? a->stride - 1 : 0);
	if (room < 0)
		return 0;
	long long out = room / a->stride + 1;
	/* The last window starts inside the input or its left padding. */
	if ((out - 1) * a->stride >= (long long)in + a->padding)
		out--;
	return out;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param, int param_count,
			 struct shape *out)
{
	(void)param;
	const struct op *op = &op_max_pool2d;
	const struct max_pool2d_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "kernel", 1, MAX_KERNEL, a->kernel));
	TRY(rule_attr(op, "stride", 1, 1024, a->stride));
	TRY(rule_attr(op, "padding", 0, a->kernel / 2, a->padding));
	TRY(rule_attr(op, "ceil_mode", 0, 1, a->ceil_mode));
	return rule_output(op, in[0].n, in[0].c, out_size(in[0].h, a), out_size(in[0].w, a), out);
}

/* One plane's pooling. */
struct plane {
	int h, w, out_h, out_w;
	int kernel, stride, padding;
	int phase_width; /* floats of one phase */
};

static struct plane plane_of(const struct op_call *call)
{
	const struct max_pool2d_attr *a = call->attr;
	struct shape x = call->in[0].shape, y = call->out.shape;
	return (struct plane){
		.h = x.h, .w = x.w, .out_h = y.h, .out_w = y.w, .kernel = a->kernel, .stride = a->stride, .padding = a->padding,
		.phase_width = y.w + (a->kernel - 1) / a->stride,
	};
}

static size_t saved_bytes(const struct op_call *call)
{
	return shape_count(call->out.shape);
}

/* The phases of a row, and the winners of a row of windows. */
static size_t scratch_floats(const struct op_call *call)
{
	struct plane p = plane_of(call);
	return (size_t)p.stride * (size_t)p.phase_width + (size_t)p.out_w;
}

static inline void deal(const struct plane *p, const float *restrict row, float *restrict phases, int stride)
{
	for (int phase = 0; phase < stride; phase++, phases += p->phase_width) {
		int shift = phase - p->padding; /* phase[i] is row[i * stride + shift] */
		int first = shift < 0 ? (-shift + stride - 1) / stride : 0;
		int end = shift < p->w ? (p->w - 1 - shift) / stride + 1 : 0;
		end = end < p->phase_width ? end : p->phase_width;
		for (int i = 0; i < first && i < p->phase_width; i++)
			phases[i] = -INFINITY;
		for (int i = first; i < end; i++)
			phases[i] = row[i * stride + shift];
		for (int i = end > first ? end : first; i < p->phase_width; i++)
			phases[i] = -INFINITY;
	}
}

static inline void contest(float *restrict best, int32_t *restrict winner, const float *restrict values, int32_t tap, int count)
{
	for (int i = 0; i < count; i++) {
		int wins = (values[i] > best[i]) | (values[i] != values[i]);
		best[i] = wins ? values[i] : best[i];
		winner[i] = wins ? tap : winner[i];
	}
}

/* Before the first tap: -inf, and the first tap inside the input should all of them be -inf. */
static inline void open_contest(const struct plane *p, int ky, float *best, int32_t *winner)
{
	for (int i = 0; i < p->out_w; i++) {
		int outside = p->padding - i * p->stride;
		best[i] = -INFINITY;
		winner[i] = ky * p->kernel + (outside > 0 ? outside : 0);
	}
}

VECTORISED static void pool(const struct plane *p, const float *x, float *y, uint8_t *winners, float *scratch)
{
	int32_t *winner = (int32_t *)(scratch + (size_t)p->stride * (size_t)p->phase_width);
	for (int oy = 0; oy < p->out_h; oy++, y += p->out_w, winners += p->out_w) {
		int top = oy * p->stride - p->padding, first = top < 0 ? -top : 0;
		open_contest(p, first, y, winner);
		for (int ky = first; ky < p->kernel && top + ky < p->h; ky++) {
			const float *row = x + (size_t)(top + ky) * (size_t)p->w;
			if (p->stride == 2)
				deal(p, row, scratch, 2);
			else
				deal(p, row, scratch, p->stride);
			for (int kx = 0; kx < p->kernel; kx++)
				contest(y, winner, scratch + (kx % p->stride) * p->phase_width + kx / p->stride,
					ky * p->kernel + kx, p->out_w);
		}
		for (int i = 0; i < p->out_w; i++)
			winners[i] = (uint8_t)winner[i];
	}
}

static void forward(struct op_call *call)
{
	struct plane p = plane_of(call);
	int planes = call->out.shape.n * call->out.shape.c;
	size_t in_plane = (size_t)p.h * (size_t)p.w, out_plane = (size_t)p.out_h * (size_t)p.out_w;
	for (int i = 0; i < planes; i++)
		pool(&p, call->in[0].data + (size_t)i * in_plane, call->out.data + (size_t)i * out_plane,
		     (uint8_t *)call->saved + (size_t)i * out_plane, call->scratch);
}

/* tap_offset: from a window's top left pixel to each tap. */
static void unpool(const struct plane *p, const ptrdiff_t *tap_offset, const float *y_grad, const uint8_t *winners, float *x_grad)
{
	for (int oy = 0; oy < p->out_h; oy++) {
		ptrdiff_t corner = (ptrdiff_t)(oy * p->stride - p->padding) * p->w - p->padding;
		for (int ox = 0; ox < p->out_w; ox++, corner += p->stride)
			x_grad[corner + tap_offset[*winners++]] += *y_grad++;
	}
}

static void backward(struct op_call *call)
{
	struct plane p = plane_of(call);
	int planes = call->out.shape.n * call->out.shape.c;
	size_t in_plane = (size_t)p.h * (size_t)p.w, out_plane = (size_t)p.out_h * (size_t)p.out_w;
	float *x_grad = call->in_grad[0];
	if (!x_grad)
		return;
	ptrdiff_t tap_offset[MAX_KERNEL * MAX_KERNEL];
	for (int tap = 0; tap < p.kernel * p.kernel; tap++)
		tap_offset[tap] = (ptrdiff_t)(tap / p.kernel) * p.w + tap % p.kernel;
	for (int i = 0; i < planes; i++, x_grad += in_plane) {
		if (!call->in_grad_add[0])
			for (size_t j = 0; j < in_plane; j++)
				x_grad[j] = 0;
		unpool(&p, tap_offset, call->out_grad + (size_t)i * out_plane,
		       (const uint8_t *)call->saved + (size_t)i * out_plane, x_grad);
	}
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct max_pool2d_attr *a = attr;
	snprintf(text, size, "%dx%d stride %d pad %d%s", a->kernel, a->kernel, a->stride, a->padding, a->ceil_mode ? " ceil" : "");
}

const struct op op_max_pool2d = {
	.name = "max_pool2d",
	.min_inputs = 1,
	.max_inputs = 1,
	.attr_bytes = sizeof(struct max_pool2d_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.scratch_floats = scratch_floats,
	.describe = describe,
};
