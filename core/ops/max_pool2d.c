/* Maximum over windows of kernel x kernel pixels.
 *
 * Forward keeps for each output which tap of the window won (one byte, ky * kernel + kx; the first in reading order
 * among equals, as in PyTorch), so that backward is one addition per output. A NaN wins.
 *
 * To run over a row with vectors, each input row is first dealt out into `stride` phases, padded with -inf:
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

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
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
		.h = x.h, .w = x.w, .out_h = y.h, .out_w = y.w,
		.kernel = a->kernel, .stride = a->stride, .padding = a->padding,
		.phase_width = y.w + (a->kernel - 1) / a->stride,
	};
}

static size_t saved_bytes(const struct op_call *call)
{
	return shape_count(call->out.shape);
}

/* The phases of the rows of a window, and the winners of a plane as int32 (a vector of them goes with a vector of
 * floats). */
static size_t scratch_floats(const struct op_call *call)
{
	struct plane p = plane_of(call);
	return (size_t)p.kernel * (size_t)p.stride * (size_t)p.phase_width + (size_t)p.out_h * (size_t)p.out_w;
}

/* One row into its phases. */
static inline void deal(const struct plane *p, int stride, const float *restrict row, float *restrict phases)
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

/* The rows of a window take turns in `kernel` slots: row r (counted from the padding's first) is in slot r % kernel.
 * Deals the rows from *next to the window's last. */
static inline void deal_window(const struct plane *p, int kernel, int stride, const float *x, int oy, int *next,
			       float *slots)
{
	int slot_floats = stride * p->phase_width;
	if (*next < oy * stride)
		*next = oy * stride;
	for (; *next < oy * stride + kernel; ++*next) {
		float *slot = slots + *next % kernel * slot_floats;
		int row = *next - p->padding;
		if (row >= 0 && row < p->h)
			deal(p, stride, x + (size_t)row * (size_t)p->w, slot);
		else
			for (int i = 0; i < slot_floats; i++)
				slot[i] = -INFINITY;
	}
}

/* Before the first tap: -inf, and the first tap inside the input should all of them be -inf. */
static inline int32_t first_tap(const struct plane *p, int kernel, int stride, int oy, int ox)
{
	int above = p->padding - oy * stride, left = p->padding - ox * stride;
	return (above > 0 ? above : 0) * kernel + (left > 0 ? left : 0);
}

/* Tap number `tap` with value v against the best so far. */
static inline void challenge(float v, int32_t tap, float *best, int32_t *winner)
{
	int wins = (v > *best) | (v != v);
	*best = wins ? v : *best;
	*winner = wins ? tap : *winner;
}

/* A row of 3x3 windows of stride 2, SqueezeNet's: all nine taps while the best is in a register. */
static inline void contest_3x3(const struct plane *p, const float *restrict slots, int oy, float *restrict y,
			       int32_t *restrict winners)
{
	int slot_floats = 2 * p->phase_width;
	const float *upper = slots + (2 * oy) % 3 * slot_floats, *middle = slots + (2 * oy + 1) % 3 * slot_floats;
	const float *lower = slots + (2 * oy + 2) % 3 * slot_floats;
	const float *upper_odd = upper + p->phase_width, *middle_odd = middle + p->phase_width;
	const float *lower_odd = lower + p->phase_width;
	for (int i = 0; i < p->out_w; i++) {
		float best = -INFINITY;
		int32_t winner = first_tap(p, 3, 2, oy, i);
		challenge(upper[i], 0, &best, &winner);
		challenge(upper_odd[i], 1, &best, &winner);
		challenge(upper[i + 1], 2, &best, &winner);
		challenge(middle[i], 3, &best, &winner);
		challenge(middle_odd[i], 4, &best, &winner);
		challenge(middle[i + 1], 5, &best, &winner);
		challenge(lower[i], 6, &best, &winner);
		challenge(lower_odd[i], 7, &best, &winner);
		challenge(lower[i + 1], 8, &best, &winner);
		y[i] = best;
		winners[i] = winner;
	}
}

/* A row of windows of any kind: tap after tap. */
static inline void contest(const struct plane *p, const float *restrict slots, int oy, float *restrict y,
			   int32_t *restrict winners)
{
	for (int i = 0; i < p->out_w; i++) {
		y[i] = -INFINITY;
		winners[i] = first_tap(p, p->kernel, p->stride, oy, i);
	}
	for (int ky = 0, tap = 0; ky < p->kernel; ky++) {
		const float *slot = slots + (oy * p->stride + ky) % p->kernel * p->stride * p->phase_width;
		for (int kx = 0, phase = 0, skip = 0; kx < p->kernel; kx++, tap++, phase++) {
			if (phase == p->stride) {
				phase = 0;
				skip++;
			}
			const float *values = slot + phase * p->phase_width + skip;
			for (int i = 0; i < p->out_w; i++)
				challenge(values[i], tap, &y[i], &winners[i]);
		}
	}
}

VECTORISED static void pool(const struct plane *p, const float *x, float *y, uint8_t *saved, float *scratch)
{
	bool usual = p->kernel == 3 && p->stride == 2;
	int32_t *winners = (int32_t *)(scratch + (size_t)p->kernel * (size_t)p->stride * (size_t)p->phase_width);
	for (int oy = 0, next = 0; oy < p->out_h; oy++) {
		int at = oy * p->out_w;
		if (usual) {
			deal_window(p, 3, 2, x, oy, &next, scratch);
			contest_3x3(p, scratch, oy, y + at, winners + at);
		} else {
			deal_window(p, p->kernel, p->stride, x, oy, &next, scratch);
			contest(p, scratch, oy, y + at, winners + at);
		}
	}
	for (int i = 0; i < p->out_h * p->out_w; i++)
		saved[i] = (uint8_t)winners[i];
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
static void unpool(const struct plane *p, const ptrdiff_t *tap_offset, const float *y_grad, const uint8_t *winners,
		   float *x_grad)
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
	snprintf(text, size, "%dx%d stride %d pad %d%s", a->kernel, a->kernel, a->stride, a->padding,
		 a->ceil_mode ? " ceil" : "");
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
