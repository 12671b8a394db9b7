/* Maximum over windows, all channels of a pixel at once. */
#include "kernels.h"

#include <stdbool.h>
#include <float.h>

#include "product.h"

static inline float larger(float a, float b)
{
	return a > b ? a : b;
}

/* The rows and columns of a window that lie in the input. */
struct window {
	int top, bottom, left, right; /* first, and behind the last */
};

static struct window window_of(const struct infer_call *call, int y, int x)
{
	const int *args = call->step->args;
	const struct infer_map *in = &call->in[0];
	int top = y * args[1] - args[2], left = x * args[1] - args[2];
	struct window w = {top > 0 ? top : 0, top + args[0] < in->h ? top + args[0] : in->h, left > 0 ? left : 0,
			   left + args[0] < in->w ? left + args[0] : in->w};
	return w;
}

/* A window that lies in the padding altogether gives -FLT_MAX. */
static void max_of_window(const struct infer_map *in, const struct window *w, float *restrict out)
{
	for (int c = 0; c < in->c; c++)
		out[c] = -FLT_MAX;
	for (int y = w->top; y < w->bottom; y++)
		for (int x = w->left; x < w->right; x++) {
			const float *restrict from = infer_row(in, y) + (size_t)x * in->pitch;
			for (int c = 0; c < in->c; c++)
				out[c] = larger(out[c], from[c]);
		}
}

/* Few channels and windows side by side: the rows of all windows first, which are long runs of numbers. */
static bool has_long_rows(const struct infer_call *call)
{
	const int *args = call->step->args;
	return call->in[0].pitch == (size_t)call->in[0].c && call->in[0].c < 8 && args[1] >= args[0];
}

size_t infer_max_pool2d_f32_scratch(const struct infer_call *call)
{
	return has_long_rows(call) ? infer_row_numbers(&call->in[0]) * sizeof(float) : 0;
}

static void max_of_rows(const struct infer_map *in, const struct window *w, float *restrict out)
{
	size_t count = infer_row_numbers(in);
	for (size_t i = 0; i < count; i++)
		out[i] = -FLT_MAX;
	for (int y = w->top; y < w->bottom; y++) {
		const float *restrict row = infer_row(in, y);
		for (size_t i = 0; i < count; i++)
			out[i] = larger(out[i], row[i]);
	}
}

void infer_max_pool2d_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	struct infer_map in = call->in[0];
	const struct infer_product_kernels *kernels = infer_product_kernels_of(call->isa);
	int long_rows = has_long_rows(call);
	for (int y = first; y < end; y++) {
		float *out = infer_row(&call->out, y);
		if (long_rows) {
			struct window all = window_of(call, y, 0);
			max_of_rows(&call->in[0], &all, scratch);
			in.data = scratch;
		}
		for (int x = 0; x < call->out.w; x++, out += call->out.pitch) {
			struct window w = window_of(call, y, x);
			if (long_rows) {
				w.top = 0;
				w.bottom = 1;
			}
			if (w.bottom - w.top == 3 && w.right - w.left == 3)
				kernels->max_of_nine(infer_row(&in, w.top) + (size_t)w.left * in.pitch,
						     (ptrdiff_t)infer_row_numbers(&in), (ptrdiff_t)in.pitch, out, in.c);
			else
				max_of_window(&in, &w, out);
		}
	}
}
