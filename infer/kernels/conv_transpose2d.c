/* Transposed convolution: every output is the sum over the input pixels whose window covers it: input channels, then
 * input rows, then input columns. Only the coarse model variant has one, with one channel, so plain loops do. */
#include "kernels.h"

/* The first and the last input position whose window of `kernel` covers output position `at`; none: last < first. */
static void covering(int at, int size, int kernel, int stride, int padding, int *first, int *last)
{
	int reach = at + padding, low = reach - kernel + 1;
	*first = low > 0 ? (low + stride - 1) / stride : 0;
	*last = reach / stride < size - 1 ? reach / stride : size - 1;
}

static float output(const struct infer_call *call, int y, int x, int c)
{
	int kernel = call->step->args[0], stride = call->step->args[1], padding = call->step->args[2], y0, y1, x0, x1;
	const struct infer_map *in = &call->in[0];
	float sum = call->tensor[1] ? call->tensor[1]->data[c] : 0;
	covering(y, in->h, kernel, stride, padding, &y0, &y1);
	covering(x, in->w, kernel, stride, padding, &x0, &x1);
	for (int i = 0; i < in->c; i++) {
		const float *w = call->tensor[0]->data +
				 ((size_t)i * (size_t)call->out.c + (size_t)c) * (size_t)(kernel * kernel);
		for (int iy = y0; iy <= y1; iy++)
			for (int ix = x0; ix <= x1; ix++)
				sum += infer_row(in, iy)[(size_t)ix * in->pitch + (size_t)i] *
				       w[(y + padding - iy * stride) * kernel + x + padding - ix * stride];
	}
	return call->relu && !(sum > 0) ? 0 : sum;
}

void infer_conv_transpose2d_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	(void)scratch;
	for (int y = first; y < end; y++) {
		float *out = infer_row(&call->out, y);
		for (int x = 0; x < call->out.w; x++, out += call->out.pitch)
			for (int c = 0; c < call->out.c; c++)
				out[c] = output(call, y, x, c);
	}
}
