/* A part of a map: channels and pixels channel..channel+channels-1, y..y+height-1, x..x+width-1. The gradient of all
 * that lies outside is 0. */
#include <stdio.h>
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

/* The part lies inside 0..size-1; *length is what the attribute says, or the rest. */
static enum status part(const char *begin_name, const char *length_name, int begin, int wanted, int size, int *length)
{
	TRY(rule_attr(&op_slice, begin_name, 0, size - 1, begin));
	TRY(rule_attr(&op_slice, length_name, 0, size - begin, wanted));
	*length = wanted ? wanted : size - begin;
	return STATUS_OK;
}

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct slice_attr *a = attr;
	struct shape s = {.n = in[0].n};
	TRY(rule_counts(&op_slice, input_count, param_count));
	TRY(part("channel", "channels", a->channel, a->channels, in[0].c, &s.c));
	TRY(part("y", "height", a->y, a->height, in[0].h, &s.h));
	TRY(part("x", "width", a->x, a->width, in[0].w, &s.w));
	return rule_output(&op_slice, s.n, s.c, s.h, s.w, out);
}

/* Where pixel (y, x) of the part lies in the whole map. */
static size_t place(const struct op_call *call, int n, int y, int x)
{
	const struct slice_attr *a = call->attr;
	return shape_offset(call->in[0].shape, n, a->channel, a->y + y, a->x + x);
}

static void forward(struct op_call *call)
{
	struct shape s = call->out.shape;
	float *to = call->out.data;
	for (int n = 0; n < s.n; n++)
		for (int y = 0; y < s.h; y++)
			for (int x = 0; x < s.w; x++, to += s.c)
				memcpy(to, call->in[0].data + place(call, n, y, x), (size_t)s.c * sizeof *to);
}

static void backward(struct op_call *call)
{
	struct shape s = call->out.shape;
	const float *from = call->out_grad;
	if (!call->in_grad[0])
		return;
	if (!call->in_grad_add[0])
		memset(call->in_grad[0], 0, shape_count(call->in[0].shape) * sizeof(float));
	for (int n = 0; n < s.n; n++)
		for (int y = 0; y < s.h; y++)
			for (int x = 0; x < s.w; x++, from += s.c)
				run_store(call->in_grad[0] + place(call, n, y, x), from, (size_t)s.c,
					  call->in_grad_add[0]);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct slice_attr *a = attr;
	snprintf(text, size, "%d, %d, %d of (%d, %d, %d)", a->channels, a->height, a->width, a->channel, a->y, a->x);
}

const struct op op_slice = {
	.name = "slice",
	.min_inputs = 1,
	.max_inputs = 1,
	.attr_bytes = sizeof(struct slice_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.describe = describe,
};
