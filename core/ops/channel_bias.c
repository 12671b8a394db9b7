/* See channel_bias.h. */
#include "core/ops/channel_bias.h"

#include "core/ops/sum.h"

void channel_bias_fill(const struct op_call *call, int index)
{
	struct shape y = call->out.shape;
	size_t plane = (size_t)y.h * (size_t)y.w;
	float *out = call->out.data;
	for (int n = 0; n < y.n; n++)
		for (int c = 0; c < y.c; c++, out += plane)
			for (size_t i = 0; i < plane; i++)
				out[i] = call->param[index].data[c];
}

void channel_bias_backward(const struct op_call *call, int index)
{
	struct shape y = call->out.shape;
	size_t plane = (size_t)y.h * (size_t)y.w;
	const float *grad = call->out_grad;
	for (int n = 0; n < y.n; n++)
		for (int c = 0; c < y.c; c++, grad += plane)
			call->param_grad[index][c] += (float)sum_floats(grad, plane);
}
