/* Convolution without BLAS: a band of input rows is laid out so that every tap is a constant offset, then the inner loops of
 * conv2d_band.inc run over it.
 *
 * Layout of a band for stride s. Input row i and column j (padding included) belong to phase (i % s, j % s); a phase is a
 * plane of its own, so that neighbouring outputs read neighbouring floats:
 *
 *	channel 0: [phase 0,0: rows x row_stride] [phase 0,1] ... | channel 1: ... | slack
 *
 * Tap (ky, kx) with dilation d reads phase (ky d % s, kx d % s) at row offset ky d / s, column offset kx d / s. Bands are cut
 * so that they stay in the second-level cache while all output channels go over them. */
#include "kernels.h"

#include <string.h>

#include "conv2d_band.h"

enum { BAND_FLOATS = 64 * 1024, LINE_FLOATS = 16, WAY_FLOATS = 1024 };

struct geometry {
	int kernel_h, kernel_w, stride, padding, dilation;
	int phases_y, phases_x; /* phases in use: min(s, how far taps reach) */
	int reach_y, reach_x;   /* packed rows/columns beyond the band's own */
	int row_stride;
	int band_rows;          /* output rows of a band */
};

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static size_t packed_rows(const struct geometry *g)
{
	return (size_t)(g->band_rows + g->reach_y);
}

/* Not a multiple of 4096 bytes, else all channels would compete for one place of the cache. */
static size_t channel_stride(const struct geometry *g)
{
	size_t floats = packed_rows(g) * (size_t)g->row_stride * (size_t)(g->phases_y * g->phases_x);
	floats = (floats + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
	return floats % WAY_FLOATS ? floats : floats + LINE_FLOATS;
}

static struct geometry geometry(const struct infer_planar_call *call)
{
	const int *args = call->step->args;
	struct geometry g = {
		.kernel_h = args[0], .kernel_w = args[1], .stride = args[2], .padding = args[3], .dilation = args[4],
	};
	int far_y = (g.kernel_h - 1) * g.dilation, far_x = (g.kernel_w - 1) * g.dilation;
	g.phases_y = min_int(g.stride, far_y + 1);
	g.phases_x = min_int(g.stride, far_x + 1);
	g.reach_y = far_y / g.stride;
	g.reach_x = far_x / g.stride;
	g.row_stride = call->out_shape.w + g.reach_x;

	size_t row = (size_t)call->in_shape[0].c * (size_t)(g.phases_y * g.phases_x) * (size_t)g.row_stride;
	size_t rows = BAND_FLOATS / row > (size_t)g.reach_y ? BAND_FLOATS / row - (size_t)g.reach_y : 1;
	int height = call->out_shape.h;
	int bands = rows < (size_t)height ? (int)(((size_t)height + rows - 1) / rows) : 1;
	g.band_rows = (height + bands - 1) / bands;
	return g;
}

static size_t offset_floats(const struct geometry *g)
{
	size_t taps = (size_t)g->kernel_h * (size_t)g->kernel_w;
	return (taps * sizeof(int) / sizeof(float) + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
}

static void tap_offsets(const struct geometry *g, int *offset)
{
	int plane = (int)packed_rows(g) * g->row_stride;
	for (int ky = 0; ky < g->kernel_h; ky++)
		for (int kx = 0; kx < g->kernel_w; kx++) {
			int y = ky * g->dilation, x = kx * g->dilation;
			int phase = y % g->stride * g->phases_x + x % g->stride;
			*offset++ = phase * plane + y / g->stride * g->row_stride + x / g->stride;
		}
}

/* One row of one phase: out[i] = in[i * stride + start], 0 outside 0..width. */
static void pack_row(const float *in, int width, int start, int stride, float scale, float *out, int count)
{
	int i = 0;
	for (; i < count && start < 0; i++, start += stride)
		out[i] = 0;
	int inside = start < width ? (width - 1 - start) / stride + 1 : 0;
	int end = min_int(count, i + inside);
	in += start - (ptrdiff_t)i * stride;
	if (stride == 1 && scale == 1.0f)
		memcpy(out + i, in + i, (size_t)(end - i) * sizeof *out);
	else if (stride == 1)
		for (int j = i; j < end; j++)
			out[j] = in[j] * scale;
	else if (stride == 2)
		for (int j = i; j < end; j++)
			out[j] = in[2 * (ptrdiff_t)j] * scale;
	else
		for (int j = i; j < end; j++)
			out[j] = in[(ptrdiff_t)j * stride] * scale;
	memset(out + end, 0, (size_t)(count - end) * sizeof *out);
}

static void pack_channel(const struct infer_planar_call *call, const struct geometry *g, int channel, int first_row, float *out)
{
	struct infer_shape in = call->in_shape[0];
	const float *plane = call->in[0] + (size_t)channel * (size_t)in.h * (size_t)in.w;
	int rows = (int)packed_rows(g);
	if (g->stride == 1 && g->row_stride == in.w && !g->padding) { /* 1x1: the band is one piece of memory */
		int count = min_int(rows, in.h - first_row) * in.w;
		pack_row(plane + (size_t)first_row * (size_t)in.w, count, 0, 1, call->in_scale, out, count);
		return;
	}
	for (int py = 0; py < g->phases_y; py++)
		for (int px = 0; px < g->phases_x; px++)
			for (int r = 0; r < rows; r++, out += g->row_stride) {
				int y = (first_row + r) * g->stride + py - g->padding;
				if (y >= 0 && y < in.h)
					pack_row(plane + (size_t)y * (size_t)in.w, in.w, px - g->padding, g->stride, call->in_scale,
						 out, g->row_stride);
				else
					memset(out, 0, (size_t)g->row_stride * sizeof *out);
			}
}

/* One convolution of the one or two that a call adds up: where its band lies in the scratch memory. */
struct operand {
	const struct infer_planar_call *call;
	struct geometry g;
	size_t floats; /* of scratch */
	float *packed;
};

/* Both operands get the same rows of the same length, so that position q is the same output for both. */
static int set_up(const struct infer_planar_call *call, struct operand *operands)
{
	int count = call->plus ? 2 : 1;
	for (int i = 0; i < count; i++) {
		operands[i].call = i ? call->plus : call;
		operands[i].g = geometry(operands[i].call);
	}
	if (call->plus) {
		struct geometry *a = &operands[0].g, *b = &operands[1].g;
		a->row_stride = b->row_stride = a->row_stride > b->row_stride ? a->row_stride : b->row_stride;
		a->band_rows = b->band_rows = min_int(a->band_rows, b->band_rows);
	}
	for (int i = 0; i < count; i++) {
		const struct geometry *g = &operands[i].g;
		operands[i].floats = offset_floats(g) + (size_t)operands[i].call->in_shape[0].c * channel_stride(g) + INFER_CONV2D_SLACK;
	}
	return count;
}

size_t infer_conv2d_scratch(const struct infer_planar_call *call)
{
	struct operand operands[2];
	size_t floats = 0;
	for (int i = set_up(call, operands); i > 0; i--)
		floats += operands[i - 1].floats;
	return floats;
}

/* Offsets and packed rows in `scratch`. */
static struct infer_conv2d_operand place(struct operand *o, float *scratch)
{
	int *offset = (int *)(void *)scratch;
	const struct infer_tensor *const *tensor = o->call->tensor;
	o->packed = scratch + offset_floats(&o->g);
	tap_offsets(&o->g, offset);
	struct infer_conv2d_operand placed = {
		.packed = o->packed, .channel_stride = channel_stride(&o->g), .channels = o->call->in_shape[0].c,
		.taps = o->g.kernel_h * o->g.kernel_w, .offset = offset, .weight = tensor[0]->data,
		.bias = tensor[1] ? tensor[1]->data : NULL,
	};
	memset(o->packed + (size_t)placed.channels * placed.channel_stride, 0, INFER_CONV2D_SLACK * sizeof(float));
	return placed;
}

static void run_band(const struct infer_conv2d_band *band, enum infer_isa isa)
{
	if (isa == INFER_ISA_AVX512)
		infer_conv2d_band_avx512(band);
	else if (isa == INFER_ISA_AVX2)
		infer_conv2d_band_avx2(band);
	else
		infer_conv2d_band_generic(band);
}

void infer_conv2d(const struct infer_planar_call *call)
{
	struct infer_shape out = call->out_shape;
	struct operand operands[2];
	struct infer_conv2d_band band = { .outputs = out.c, .width = out.w, .out_stride = (size_t)out.h * (size_t)out.w,
					  .relu = call->relu };
	float *scratch = call->scratch;
	band.operand_count = set_up(call, operands);
	for (int i = 0; i < band.operand_count; scratch += operands[i].floats, i++)
		band.operand[i] = place(&operands[i], scratch);
	band.row_stride = operands[0].g.row_stride;
	int band_rows = operands[0].g.band_rows;
	for (int y = 0; y < out.h; y += band_rows) {
		for (int i = 0; i < band.operand_count; i++)
			for (int c = 0; c < band.operand[i].channels; c++)
				pack_channel(operands[i].call, &operands[i].g, c, y,
					     operands[i].packed + (size_t)c * band.operand[i].channel_stride);
		band.rows = min_int(band_rows, out.h - y);
		band.out = call->out + (size_t)y * (size_t)out.w;
		band.addend = call->addend ? call->addend + (size_t)y * (size_t)out.w : NULL;
		run_band(&band, call->isa);
	}
}
