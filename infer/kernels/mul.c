/* in[0] * in[1]; in[1] has the same shape, or is one number per channel (C,1,1), or one plane for all channels (1,H,W). */
#include "kernels.h"

static void mul_plane(const float *a, const float *b, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = a[i] * b[i];
}

static void scale_plane(const float *a, float factor, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = a[i] * factor;
}

void infer_mul(const struct infer_planar_call *call)
{
	struct infer_shape s = call->out_shape, t = call->in_shape[1];
	size_t plane = (size_t)s.h * (size_t)s.w;
	for (int c = 0; c < s.c; c++) {
		size_t at = (size_t)c * plane;
		if (t.h == s.h && t.w == s.w)
			mul_plane(call->in[0] + at, call->in[1] + (t.c == s.c ? at : 0), call->out + at, plane);
		else
			scale_plane(call->in[0] + at, call->in[1][c], call->out + at, plane);
	}
}
