/* Puts 1 to 4 inputs one behind the other along the channels. In N,C,H,W order each sample of an input is one run. */
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"

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

static size_t sample_count(struct shape s)
{
	return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static void forward(struct op_call *call)
{
	float *out = call->out.data;
	for (int n = 0; n < call->out.shape.n; n++)
		for (int i = 0; i < call->input_count; i++) {
			size_t count = sample_count(call->in[i].shape);
			run_store(out, call->in[i].data + (size_t)n * count, count, false);
			out += count;
		}
}

static void backward(struct op_call *call)
{
	const float *out_grad = call->out_grad;
	for (int n = 0; n < call->out.shape.n; n++)
		for (int i = 0; i < call->input_count; i++) {
			size_t count = sample_count(call->in[i].shape);
			if (call->in_grad[i])
				run_store(call->in_grad[i] + (size_t)n * count, out_grad, count, call->in_grad_add[i]);
			out_grad += count;
		}
}

const struct op op_concat = {
	.name = "concat",
	.min_inputs = 1,
	.max_inputs = 4,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
