/* in[0] + in[1]; in[1] has the same shape or is one number per channel. */
#include "kernels.h"

static void add_plane(const float *a, const float *b, float constant, int relu, float *out, size_t count)
{
	if (b)
		for (size_t i = 0; i < count; i++)
			out[i] = a[i] + b[i];
	else
		for (size_t i = 0; i < count; i++)
			out[i] = a[i] + constant;
	for (size_t i = 0; relu && i < count; i++)
		out[i] = out[i] > 0 ? out[i] : 0;
}

void infer_add(const struct infer_planar_call *call)
{
	struct infer_shape s = call->out_shape, t = call->in_shape[1];
	size_t plane = (size_t)s.h * (size_t)s.w;
	int same = t.h == s.h && t.w == s.w;
	for (int c = 0; c < s.c; c++) {
		size_t at = (size_t)c * plane;
		add_plane(call->in[0] + at, same ? call->in[1] + at : NULL, same ? 0 : call->in[1][c], call->relu, call->out + at,
			  plane);
	}
}
