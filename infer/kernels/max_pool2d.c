/* Maximum over windows: first down the columns of a window's rows, which vectorises, then across. */
#include "kernels.h"

#include <float.h>
#include <string.h>

size_t infer_max_pool2d_scratch(const struct infer_planar_call *call)
{
	return (size_t)call->in_shape[0].w;
}

static float larger(float a, float b)
{
	return a > b ? a : b;
}

static void max_of_rows(const float *in, int rows, int w, float *restrict out)
{
	const float *second = in + (size_t)w, *third = second + (size_t)w;
	if (rows == 3) { /* the common case, in one go */
		for (int x = 0; x < w; x++)
			out[x] = larger(larger(in[x], second[x]), third[x]);
		return;
	}
	memcpy(out, in, (size_t)w * sizeof *out);
	for (int r = 1; r < rows; r++) {
		const float *row = in + (size_t)r * (size_t)w;
		for (int x = 0; x < w; x++)
			out[x] = larger(out[x], row[x]);
	}
}

/* Windows clipped to the row; a window that lies in the padding altogether gives -FLT_MAX. */
static void max_across(const float *row, int w, int kernel, int stride, int padding, float *out, int out_w)
{
	for (int x = 0; x < out_w; x++) {
		int left = x * stride - padding;
		int end = left + kernel < w ? left + kernel : w;
		float best = -FLT_MAX;
		for (int i = left > 0 ? left : 0; i < end; i++)
			best = larger(best, row[i]);
		out[x] = best;
	}
}

/* The common case, 3 wide and stride 2 without padding: the windows that fit. */
static int max_across_3_2(const float *restrict row, int w, float *restrict out, int out_w)
{
	int whole = (w - 3) / 2 + 1;
	whole = whole < out_w ? whole : out_w;
	for (int x = 0; x < whole; x++)
		out[x] = larger(larger(row[2 * x], row[2 * x + 1]), row[2 * x + 2]);
	return whole;
}

void infer_max_pool2d(const struct infer_planar_call *call)
{
	const int *args = call->step->args;
	int kernel = args[0], stride = args[1], padding = args[2];
	struct infer_shape in = call->in_shape[0], out = call->out_shape;
	for (int c = 0; c < out.c; c++) {
		const float *plane = call->in[0] + (size_t)c * (size_t)in.h * (size_t)in.w;
		float *row = call->out + (size_t)c * (size_t)out.h * (size_t)out.w;
		for (int y = 0; y < out.h; y++, row += out.w) {
			int top = y * stride - padding;
			int first = top > 0 ? top : 0;
			int rows = (top + kernel < in.h ? top + kernel : in.h) - first;
			int done = 0;
			if (rows > 0)
				max_of_rows(plane + (size_t)first * (size_t)in.w, rows, in.w, call->scratch);
			if (rows > 0 && kernel == 3 && stride == 2 && padding == 0 && in.w >= 3)
				done = max_across_3_2(call->scratch, in.w, row, out.w);
			max_across(call->scratch, rows > 0 ? in.w : 0, kernel, stride, padding - done * stride, row + done,
				   out.w - done);
		}
	}
}
