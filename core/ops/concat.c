/* Puts the channels of 1 to 4 inputs side by side. An input that its operator has already written to its place
 * inside the output (core/op.h, OP_CONCAT) is left there; so is its gradient. */
#include <string.h>

#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	TRY(rule_counts(&op_concat, input_count, param_count));
	long long channels = 0;
	for (int i = 0; i < input_count; i++) {
		TRY(rule_input(&op_concat, i, (struct shape){in[0].n, in[i].c, in[0].h, in[0].w}, in[i]));
		channels += in[i].c;
	}
	return rule_output(&op_concat, in[0].n, channels, in[0].h, in[0].w, out);
}

static size_t pixel_count(struct shape s)
{
	return (size_t)s.n * (size_t)s.h * (size_t)s.w;
}

static void forward(struct op_call *call)
{
	size_t pixels = pixel_count(call->out.shape), pitch = (size_t)call->out.shape.c;
	float *to = call->out.data;
	for (int i = 0; i < call->input_count; i++) {
		size_t channels = (size_t)call->in[i].shape.c;
		const float *from = call->in[i].data;
		for (size_t p = 0; p < pixels && from != to; p++)
			memcpy(to + p * pitch, from + p * channels, channels * sizeof *to);
		to += channels;
	}
}

static void add_channels(float *to, const float *from, size_t pixels, size_t channels, size_t pitch)
{
	for (size_t p = 0; p < pixels; p++)
		for (size_t c = 0; c < channels; c++)
			to[p * channels + c] += from[p * pitch + c];
}

static void backward(struct op_call *call)
{
	size_t pixels = pixel_count(call->out.shape), pitch = (size_t)call->out.shape.c;
	const float *from = call->out_grad;
	for (int i = 0; i < call->input_count; i++) {
		size_t channels = (size_t)call->in[i].shape.c;
		float *to = call->in_grad[i];
		if (to && call->in_grad_add[i])
			add_channels(to, from, pixels, channels, pitch);
		for (size_t p = 0; to && !call->in_grad_add[i] && to != from && p < pixels; p++)
			memcpy(to + p * channels, from + p * pitch, channels * sizeof *to);
		from += channels;
	}
}

const struct op op_concat = {
	.name = "concat",
	.min_inputs = 1,
	.max_inputs = 4,
	.flags = OP_CONCAT,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
