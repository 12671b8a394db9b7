/* Enlarges by a whole factor f.
 *
 * nearest: each pixel becomes an f x f block.
 *
 * bilinear, half-pixel centres (align_corners=False): output o lies at input position (o + 1/2) / f - 1/2, clamped to
 * the first and last pixel. With o = f x + phase, the left neighbour is x + offset[phase] and the weights depend on the
 * phase alone, so nothing is divided per pixel:
 *
 *     f = 2:   out[2x] = 1/4 in[x-1] + 3/4 in[x]     out[2x+1] = 3/4 in[x] + 1/4 in[x+1]
 *
 * Clamping is the same as repeating the edge pixel: rows are blended into a line that has one pixel more on both
 * sides. */
#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/vector.h"

enum { MAX_FACTOR = 64 };

static const char *const mode_names[] = {[UPSAMPLE_NEAREST] = "nearest", [UPSAMPLE_BILINEAR] = "bilinear"};

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_upsample;
	const struct upsample_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "factor", 1, MAX_FACTOR, a->factor));
	TRY(rule_attr(op, "mode", UPSAMPLE_NEAREST, UPSAMPLE_BILINEAR, a->mode));
	return rule_output(op, in[0].n, in[0].c, (long long)in[0].h * a->factor, (long long)in[0].w * a->factor, out);
}

/* Per phase: left (or upper) neighbour and its weight; the right one's is 1 - left. */
struct phases {
	int factor;
	int offset[MAX_FACTOR];
	float left[MAX_FACTOR], right[MAX_FACTOR];
};

static void phases_init(struct phases *p, int factor)
{
	p->factor = factor;
	for (int phase = 0; phase < factor; phase++) {
		double at = (phase + 0.5) / factor - 0.5; /* -1/2 .. 1/2 */
		p->offset[phase] = at < 0 ? -1 : 0;
		p->right[phase] = (float)(at - p->offset[phase]);
		p->left[phase] = (float)(1 - (at - p->offset[phase]));
	}
}

/* One line of an input row with an edge pixel on both sides; in backward the output gradient's sums. */
static size_t scratch_floats(const struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	return a->mode == UPSAMPLE_BILINEAR ? (size_t)call->in[0].shape.w + 2 : 0;
}

static int clamp(int value, int high)
{
	return value < 0 ? 0 : value > high ? high : value;
}

/* --- bilinear ----------------------------------------------------------------------------------------------------- */

VECTORISED static void blend_rows(const float *restrict upper, const float *restrict lower, float upper_weight,
				  float lower_weight, int width, float *restrict line)
{
	for (int x = 0; x < width; x++)
		line[x] = upper_weight * upper[x] + lower_weight * lower[x];
}

/* line[-1] and line[width] are the edge pixels. */
VECTORISED static void widen_by_2(const float *restrict line, int width, float *restrict out)
{
	for (int x = 0; x < width; x++) {
		out[2 * x] = 0.25f * line[x - 1] + 0.75f * line[x];
		out[2 * x + 1] = 0.75f * line[x] + 0.25f * line[x + 1];
	}
}

static void widen(const struct phases *p, const float *line, int width, float *out)
{
	if (p->factor == 2) {
		widen_by_2(line, width, out);
		return;
	}
	for (int x = 0; x < width; x++)
		for (int phase = 0; phase < p->factor; phase++) {
			const float *at = line + x + p->offset[phase];
			*out++ = p->left[phase] * at[0] + p->right[phase] * at[1];
		}
}

static void enlarge(const struct phases *p, const float *in, int height, int width, float *out, float *scratch)
{
	float *line = scratch + 1;
	for (int y = 0; y < height * p->factor; y++, out += width * p->factor) {
		int phase = y % p->factor, upper = y / p->factor + p->offset[phase];
		const float *a = in + (size_t)clamp(upper, height - 1) * (size_t)width;
		const float *b = in + (size_t)clamp(upper + 1, height - 1) * (size_t)width;
		blend_rows(a, b, p->left[phase], p->right[phase], width, line);
		line[-1] = line[0];
		line[width] = line[width - 1];
		widen(p, line, width, out);
	}
}

/* The transpose of widen: line = what a row of the output's gradient sends to each pixel. */
VECTORISED static void narrow_by_2(const float *restrict out, int width, float *restrict line)
{
	for (int x = 1; x < width - 1; x++)
		line[x] = (0.25f * out[2 * x - 1] + 0.75f * out[2 * x]) +
			  (0.75f * out[2 * x + 1] + 0.25f * out[2 * x + 2]);
	float before = out[0], after = out[2 * width - 1];
	line[0] = (0.25f * before + 0.75f * out[0]) + (0.75f * out[1] + 0.25f * (width > 1 ? out[2] : after));
	if (width > 1)
		line[width - 1] = (0.25f * out[2 * width - 3] + 0.75f * out[2 * width - 2]) +
				  (0.75f * after + 0.25f * after);
}

static void narrow(const struct phases *p, const float *out, int width, float *line)
{
	if (p->factor == 2) {
		narrow_by_2(out, width, line);
		return;
	}
	memset(line - 1, 0, ((size_t)width + 2) * sizeof *line);
	for (int x = 0; x < width; x++)
		for (int phase = 0; phase < p->factor; phase++) {
			float *at = line + x + p->offset[phase];
			at[0] += p->left[phase] * *out;
			at[1] += p->right[phase] * *out++;
		}
	line[0] += line[-1];
	line[width - 1] += line[width];
}

VECTORISED static void add_scaled(float *restrict to, const float *restrict line, float weight, int width)
{
	for (int x = 0; x < width; x++)
		to[x] += weight * line[x];
}

/* Adds to in_grad. */
static void shrink(const struct phases *p, const float *out_grad, int height, int width, float *in_grad, float *scratch)
{
	float *line = scratch + 1;
	for (int y = 0; y < height * p->factor; y++, out_grad += width * p->factor) {
		int phase = y % p->factor, upper = y / p->factor + p->offset[phase];
		narrow(p, out_grad, width, line);
		add_scaled(in_grad + (size_t)clamp(upper, height - 1) * (size_t)width, line, p->left[phase], width);
		add_scaled(in_grad + (size_t)clamp(upper + 1, height - 1) * (size_t)width, line, p->right[phase],
			   width);
	}
}

/* --- nearest ------------------------------------------------------------------------------------------------------ */

VECTORISED static void repeat_2(const float *restrict in, int width, float *restrict out)
{
	for (int x = 0; x < width; x++)
		out[2 * x] = out[2 * x + 1] = in[x];
}

static void repeat(const float *in, int height, int width, int factor, float *out)
{
	size_t out_width = (size_t)width * (size_t)factor;
	for (int y = 0; y < height; y++, in += width, out += out_width * (size_t)factor) {
		if (factor == 2)
			repeat_2(in, width, out);
		else
			for (int x = 0; x < width; x++)
				for (int i = 0; i < factor; i++)
					out[x * factor + i] = in[x];
		for (int i = 1; i < factor; i++)
			memcpy(out + (size_t)i * out_width, out, out_width * sizeof *out);
	}
}

VECTORISED static void gather_2(const float *restrict upper, const float *restrict lower, int width,
				float *restrict in_grad)
{
	for (int x = 0; x < width; x++)
		in_grad[x] += (upper[2 * x] + upper[2 * x + 1]) + (lower[2 * x] + lower[2 * x + 1]);
}

/* Adds to in_grad. */
static void gather_blocks(const float *out_grad, int height, int width, int factor, float *in_grad)
{
	int out_width = width * factor;
	for (int y = 0; y < height; y++, in_grad += width, out_grad += (size_t)out_width * (size_t)factor) {
		if (factor == 2) {
			gather_2(out_grad, out_grad + out_width, width, in_grad);
			continue;
		}
		for (int i = 0; i < factor; i++)
			for (int x = 0; x < out_width; x++)
				in_grad[x / factor] += out_grad[(size_t)i * (size_t)out_width + (size_t)x];
	}
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void forward(struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	struct shape x = call->in[0].shape;
	size_t plane = (size_t)x.h * (size_t)x.w, grown = plane * (size_t)a->factor * (size_t)a->factor;
	struct phases phases;
	phases_init(&phases, a->factor);
	for (int i = 0; i < x.n * x.c; i++) {
		const float *in = call->in[0].data + (size_t)i * plane;
		float *out = call->out.data + (size_t)i * grown;
		if (a->mode == UPSAMPLE_BILINEAR)
			enlarge(&phases, in, x.h, x.w, out, call->scratch);
		else
			repeat(in, x.h, x.w, a->factor, out);
	}
}

static void backward(struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	struct shape x = call->in[0].shape;
	size_t plane = (size_t)x.h * (size_t)x.w, grown = plane * (size_t)a->factor * (size_t)a->factor;
	struct phases phases;
	phases_init(&phases, a->factor);
	if (!call->in_grad[0])
		return;
	for (int i = 0; i < x.n * x.c; i++) {
		const float *out_grad = call->out_grad + (size_t)i * grown;
		float *in_grad = call->in_grad[0] + (size_t)i * plane;
		if (!call->in_grad_add[0])
			memset(in_grad, 0, plane * sizeof *in_grad);
		if (a->mode == UPSAMPLE_BILINEAR)
			shrink(&phases, out_grad, x.h, x.w, in_grad, call->scratch);
		else
			gather_blocks(out_grad, x.h, x.w, a->factor, in_grad);
	}
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct upsample_attr *a = attr;
	snprintf(text, size, "%s x%d", mode_names[a->mode], a->factor);
}

const struct op op_upsample = {
	.name = "upsample",
	.min_inputs = 1,
	.max_inputs = 1,
	.attr_bytes = sizeof(struct upsample_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
	.describe = describe,
};
