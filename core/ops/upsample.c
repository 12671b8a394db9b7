/* Enlarges by a whole factor f.
 *
 * nearest: each pixel becomes an f x f block.
 *
 * bilinear, half-pixel centres (align_corners=False): output o lies at input position (o + 1/2) / f - 1/2, clamped to
 * the first and last pixel. With o = f x + phase, the left neighbour is x + offset[phase] and the weights depend on the
 * phase alone, so nothing is divided per pixel:
 *
 *     f = 2:   out[2x] = 1/4 in[x-1] + 3/4 in[x]     out[2x+1] = 3/4 in[x] + 1/4 in[x+1] */
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static const char *const mode_names[] = {[UPSAMPLE_NEAREST] = "nearest", [UPSAMPLE_BILINEAR] = "bilinear"};

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_upsample;
	const struct upsample_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_attr(op, "factor", 1, UPSAMPLE_MAX_FACTOR, a->factor));
	TRY(rule_attr(op, "mode", UPSAMPLE_NEAREST, UPSAMPLE_BILINEAR, a->mode));
	return rule_output(op, in[0].n, in[0].c, (long long)in[0].h * a->factor, (long long)in[0].w * a->factor, out);
}

static struct upsample sample_of(const struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	struct shape x = call->in[0].shape;
	struct upsample u = {.h = x.h, .w = x.w, .channels = x.c, .factor = a->factor};
	for (int phase = 0; phase < a->factor; phase++) {
		double at = (phase + 0.5) / a->factor - 0.5; /* -1/2 .. 1/2 */
		u.offset[phase] = at < 0 ? -1 : 0;
		u.right[phase] = (float)(at - u.offset[phase]);
		u.left[phase] = (float)(1 - (at - u.offset[phase]));
	}
	return u;
}

static size_t scratch_floats(const struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	struct shape x = call->in[0].shape;
	return a->mode == UPSAMPLE_BILINEAR ? upsample_line_floats(a->factor, x.w, x.c) : 0;
}

static void forward(struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	struct upsample u = sample_of(call);
	for (int n = 0; n < call->out.shape.n; n++) {
		const float *in = call->in[0].data + shape_offset(call->in[0].shape, n, 0, 0, 0);
		float *out = call->out.data + shape_offset(call->out.shape, n, 0, 0, 0);
		if (a->mode == UPSAMPLE_BILINEAR)
			kernels()->upsample_bilinear(&u, in, out, call->scratch);
		else
			kernels()->upsample_nearest(&u, in, out);
	}
}

static void backward(struct op_call *call)
{
	const struct upsample_attr *a = call->attr;
	struct upsample u = sample_of(call);
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < call->out.shape.n; n++) {
		const float *out_grad = call->out_grad + shape_offset(call->out.shape, n, 0, 0, 0);
		float *in_grad = call->in_grad[0] + shape_offset(call->in[0].shape, n, 0, 0, 0);
		if (a->mode == UPSAMPLE_BILINEAR)
			kernels()->upsample_bilinear_grad(&u, out_grad, in_grad, call->scratch, call->in_grad_add[0]);
		else
			kernels()->upsample_nearest_grad(&u, out_grad, in_grad, call->in_grad_add[0]);
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
	.flags = OP_KEEPS_RANGE,
	.attr_bytes = sizeof(struct upsample_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.scratch_floats = scratch_floats,
	.describe = describe,
};
