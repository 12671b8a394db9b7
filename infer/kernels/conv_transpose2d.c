/* Transposed convolution: every input pixel adds its weight window to the output. Sums go over input channels, input rows, kernel
 * rows, then input columns and kernel columns. Only the coarse model variant has one, with one channel, so plain loops do. */
#include "kernels.h"

/* out += in * w for one pair of rows; output column = x * stride - padding + kx. */
static void add_row(const float *in, int in_w, const float *w, int kernel, int stride, int padding, float *out, int out_w)
{
	for (int x = 0; x < in_w; x++) {
		int left = x * stride - padding;
		int first = left < 0 ? -left : 0;
		int end = left + kernel > out_w ? out_w - left : kernel;
		for (int k = first; k < end; k++)
			out[left + k] += in[x] * w[k];
	}
}

static void add_channel(const struct infer_planar_call *call, const float *in, const float *w, float *out)
{
	int kernel = call->step->args[0], stride = call->step->args[1], padding = call->step->args[2];
	struct infer_shape s = call->in_shape[0], o = call->out_shape;
	for (int y = 0; y < s.h; y++)
		for (int k = 0; k < kernel; k++) {
			int row = y * stride - padding + k;
			if (row >= 0 && row < o.h)
				add_row(in + (size_t)y * (size_t)s.w, s.w, w + k * kernel, kernel, stride, padding,
					out + (size_t)row * (size_t)o.w, o.w);
		}
}

void infer_conv_transpose2d(const struct infer_planar_call *call)
{
	struct infer_shape s = call->in_shape[0], o = call->out_shape;
	size_t in_plane = (size_t)s.h * (size_t)s.w, plane = (size_t)o.h * (size_t)o.w;
	size_t window = (size_t)call->step->args[0] * (size_t)call->step->args[0];
	for (int c = 0; c < o.c; c++) {
		float *out = call->out + (size_t)c * plane;
		float bias = call->tensor[1] ? call->tensor[1]->data[c] : 0;
		for (size_t i = 0; i < plane; i++)
			out[i] = bias;
		for (int i = 0; i < s.c; i++)
			add_channel(call, call->in[0] + (size_t)i * in_plane,
				    call->tensor[0]->data + ((size_t)i * (size_t)o.c + (size_t)c) * window, out);
		for (size_t i = 0; call->relu && i < plane; i++)
			out[i] = out[i] > 0 ? out[i] : 0;
	}
}
