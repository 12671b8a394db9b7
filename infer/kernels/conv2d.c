/* Convolution of float maps, most of those 3x3 by winograd.c, all others here. Weights are packed as [block of 16
 * outputs][kernel row][kernel column][input][16]; product.h multiplies pixels with them. A band of input rows is
 * copied with its padding, so that every tap is a constant distance away; without padding the rows are used where
 * they are. Bands are cut so that they stay in the second-level cache while all blocks of outputs go over them. */
#include "kernels.h"

#include <stdbool.h>
#include <string.h>

#include "product.h"
#include "winograd.h"

enum { BAND_BYTES = 256 * 1024 };

static size_t blocks_of(int outputs)
{
	return ((size_t)outputs + INFER_BLOCK - 1) / INFER_BLOCK;
}

/* --- weights -------------------------------------------------------------- */

/* One output alone is summed along the channels: its weights are [kernel row][kernel column][inputs filled up to
 * 16]. */
static bool is_single(const struct infer_tensor *weight)
{
	return weight->dims[0] == 1;
}

bool infer_conv2d_f32_is_plain(const struct infer_step *conv2d, const struct infer_tensor *weight)
{
	return !is_single(weight) && !infer_winograd_suits(conv2d, weight);
}

static size_t block_floats(const struct infer_tensor *weight)
{
	if (is_single(weight))
		return blocks_of(weight->dims[1]) * INFER_BLOCK * (size_t)weight->dims[2] * (size_t)weight->dims[3];
	return (size_t)weight->dims[1] * (size_t)weight->dims[2] * (size_t)weight->dims[3] * INFER_BLOCK;
}

/* First the biases, filled up with zeros, then the weights. */
size_t infer_conv2d_f32_packed(const struct infer_call *call)
{
	if (infer_winograd_suits(call->step, call->tensor[0]))
		return infer_winograd_packed(call);
	size_t blocks = blocks_of(call->tensor[0]->dims[0]);
	return blocks * (INFER_BLOCK + block_floats(call->tensor[0])) * sizeof(float);
}

void infer_conv2d_f32_pack(const struct infer_call *call, void *packed)
{
	if (infer_winograd_suits(call->step, call->tensor[0])) {
		infer_winograd_pack(call, packed);
		return;
	}
	const struct infer_tensor *weight = call->tensor[0], *bias = call->tensor[1];
	size_t blocks = blocks_of(weight->dims[0]), inputs = (size_t)weight->dims[1];
	size_t taps = (size_t)weight->dims[2] * (size_t)weight->dims[3];
	float *out = packed;
	memset(out, 0, infer_conv2d_f32_packed(call));
	if (bias)
		memcpy(out, bias->data, (size_t)weight->dims[0] * sizeof *out);
	out += blocks * INFER_BLOCK;
	for (size_t o = 0; o < (size_t)weight->dims[0]; o++) {
		float *column = out + o / INFER_BLOCK * block_floats(weight) + o % INFER_BLOCK;
		size_t tap = is_single(weight) ? blocks_of(weight->dims[1]) * INFER_BLOCK : inputs * INFER_BLOCK;
		size_t input = is_single(weight) ? 1 : INFER_BLOCK;
		for (size_t i = 0; i < inputs; i++)
			for (size_t t = 0; t < taps; t++)
				column[t * tap + i * input] =
					weight->data[(o * inputs + i) * taps + t] * call->in_scale;
	}
}

/* --- bands ---------------------------------------------------------------- */

/* One convolution of the one or two that a call adds up: how its input lies in memory, where numbers count floats. */
struct source {
	const struct infer_call *call;
	int copied;        /* into scratch, with padding */
	size_t pitch, row; /* from pixel to pixel and from row to row of the input or its copy */
	int width;         /* pixels of a copied row */
	int reach;         /* input rows of an output row */
	size_t scratch;    /* bytes: offsets of the taps, then the copy */
	size_t offsets;    /* bytes of these */
};

static struct source source_of(const struct infer_call *call)
{
	const int *args = call->step->args;
	const struct infer_map *in = &call->in[0];
	struct source s = {.call = call,
			   .copied = args[3] > 0,
			   .pitch = in->pitch,
			   .width = in->w,
			   .reach = (args[0] - 1) * args[4] + 1};
	if (s.copied) {
		s.pitch = (size_t)in->c;
		s.width = in->w + 2 * args[3];
	}
	s.row = (size_t)s.width * s.pitch;
	s.offsets = infer_round_up((size_t)args[0] * (size_t)args[1] * sizeof(ptrdiff_t), 64);
	return s;
}

static int band_input_rows(const struct source *s, int rows)
{
	return (rows - 1) * s->call->step->args[2] + s->reach;
}

struct plan {
	struct source source[2];
	int count;
	int rows; /* output rows of a band */
};

static size_t band_bytes(const struct plan *p, int rows)
{
	size_t bytes = 0;
	for (int i = 0; i < p->count; i++)
		bytes += (size_t)band_input_rows(&p->source[i], rows) * p->source[i].row * sizeof(float);
	return bytes;
}

static struct plan plan_of(const struct infer_call *call)
{
	struct plan p = {.count = call->plus ? 2 : 1, .rows = 1};
	p.source[0] = source_of(call);
	if (call->plus)
		p.source[1] = source_of(call->plus);
	while (p.rows < call->out.h && band_bytes(&p, p.rows + 1) <= BAND_BYTES)
		p.rows++;
	for (int i = 0; i < p.count; i++) {
		struct source *s = &p.source[i];
		size_t copy = s->copied ? (size_t)band_input_rows(s, p.rows) * s->row * sizeof(float) : 0;
		s->scratch = s->offsets + infer_round_up(copy, 64);
	}
	return p;
}

int infer_conv2d_f32_row_step(const struct infer_call *call)
{
	return infer_winograd_suits(call->step, call->tensor[0]) ? infer_winograd_row_step(call) : 1;
}

size_t infer_conv2d_f32_scratch(const struct infer_call *call)
{
	if (infer_winograd_suits(call->step, call->tensor[0]))
		return infer_winograd_scratch(call);
	struct plan p = plan_of(call);
	return p.source[0].scratch + (p.count > 1 ? p.source[1].scratch : 0);
}

/* Input rows `first`.. of a band, with zeros around. */
static void copy_rows(const struct source *s, int first, int rows, float *out)
{
	const struct infer_map *in = &s->call->in[0];
	size_t edge = (size_t)s->call->step->args[3] * s->pitch, bytes = s->pitch * sizeof *out;
	for (int y = first; y < first + rows; y++, out += s->row) {
		if (y < 0 || y >= in->h) {
			memset(out, 0, s->row * sizeof *out);
			continue;
		}
		const float *row = infer_row(in, y);
		memset(out, 0, edge * sizeof *out);
		memset(out + s->row - edge, 0, edge * sizeof *out);
		if (in->pitch == s->pitch)
			memcpy(out + edge, row, (size_t)in->w * bytes);
		else
			for (int x = 0; x < in->w; x++)
				memcpy(out + edge + (size_t)x * s->pitch, row + (size_t)x * in->pitch, bytes);
	}
}

/* Kernel columns side by side in memory are one run. */
static struct infer_operand operand_of(const struct source *s, unsigned char *scratch)
{
	const struct infer_call *call = s->call;
	const int *args = call->step->args;
	ptrdiff_t *offset = (ptrdiff_t *)(void *)scratch;
	size_t inputs = (size_t)call->in[0].c, blocks = blocks_of(call->tensor[0]->dims[0]);
	int single = is_single(call->tensor[0]), joined = s->pitch == inputs && args[4] == 1 && !single,
	    columns = joined ? 1 : args[1];
	for (int ky = 0; ky < args[0]; ky++)
		for (int kx = 0; kx < columns; kx++)
			offset[ky * columns + kx] =
				(ptrdiff_t)((size_t)(ky * args[4]) * s->row + (size_t)(kx * args[4]) * s->pitch);
	return (struct infer_operand){
		.pitch = (size_t)args[2] * s->pitch,
		.offset = offset,
		.taps = args[0] * columns,
		.run = (int)inputs * (joined ? args[1] : 1),
		.block_stride = block_floats(call->tensor[0]) / (single ? (size_t)(args[0] * args[1]) : 1),
		.bias = call->packed,
		.weight = (const float *)call->packed + blocks * INFER_BLOCK,
	};
}

/* Where the first row of the band starts, in the input or, made here, in the copy. */
static const float *band_input(const struct source *s, int first, int rows, unsigned char *scratch)
{
	const int *args = s->call->step->args;
	int top = first * args[2] - args[3];
	float *copy = (float *)(void *)(scratch + s->offsets);
	if (!s->copied)
		return infer_row(&s->call->in[0], top);
	copy_rows(s, top, band_input_rows(s, rows), copy);
	return copy;
}

/* Rows first..first+rows-1 of all outputs, in[] pointing to the bands. Rows of a 1x1 without stride are one long
 * row. */
static void run_band(const struct infer_call *call, const struct plan *plan, const struct infer_product *all, int first,
		     int rows, const float *const *in)
{
	const struct infer_product_kernels *kernels = infer_product_kernels_of(call->isa);
	int single = is_single(call->tensor[0]), stride = call->step->args[2], width = call->out.w,
	    one = plan->count == 1 && plan->source[0].row == (size_t)width * plan->source[0].pitch && stride == 1 &&
		  plan->source[0].reach == 1;
	for (int o = 0, outputs; o < call->out.c; o += outputs) {
		struct infer_product p = *all;
		outputs = infer_product_outputs(call->out.c - o, kernels->blocks);
		p.pixels = one ? rows * width : width;
		p.outputs = outputs;
		for (int i = 0; i < plan->count; i++) {
			p.operand[i].weight += (size_t)(o / INFER_BLOCK) * p.operand[i].block_stride;
			p.operand[i].bias += o;
		}
		for (int y = 0; y < (one ? 1 : rows); y++) {
			for (int i = 0; i < plan->count; i++)
				p.operand[i].in =
					in[i] + (size_t)(y * plan->source[i].call->step->args[2]) * plan->source[i].row;
			p.out = infer_row(&call->out, first + y) + o;
			p.addend = call->addend.data ? infer_row(&call->addend, first + y) + o : NULL;
			if (single)
				kernels->dot(&p);
			else
				kernels->run(&p);
		}
	}
}

void infer_conv2d_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	if (infer_winograd_suits(call->step, call->tensor[0])) {
		infer_winograd(call, first, end, scratch);
		return;
	}
	struct plan plan = plan_of(call);
	unsigned char *memory[2] = {scratch, (unsigned char *)scratch + plan.source[0].scratch};
	struct infer_product all = {.operand_count = plan.count,
				    .out_pitch = call->out.pitch,
				    .addend_pitch = call->addend.pitch,
				    .relu = call->relu};
	for (int i = 0; i < plan.count; i++)
		all.operand[i] = operand_of(&plan.source[i], memory[i]);
	for (int y = first; y < end; y += plan.rows) {
		int rows = end - y < plan.rows ? end - y : plan.rows;
		const float *in[2] = {0};
		for (int i = 0; i < plan.count; i++)
			in[i] = band_input(&plan.source[i], y, rows, memory[i]);
		run_band(call, &plan, &all, y, rows, in);
	}
}
