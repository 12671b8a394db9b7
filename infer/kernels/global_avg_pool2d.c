/* The mean of each channel. Summed in double, row after row. */
#include "kernels.h"

#include <string.h>

size_t infer_global_avg_pool2d_f32_scratch(const struct infer_call *call)
{
	return (size_t)call->in[0].c * sizeof(double);
}

void infer_global_avg_pool2d_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0];
	double *sum = scratch;
	float *out = call->out.data;
	size_t count = (size_t)in->h * (size_t)in->w;
	const float *from = in->data;
	(void)first; /* there is one row */
	(void)end;
	memset(sum, 0, (size_t)in->c * sizeof *sum);
	for (size_t i = 0; i < count; i++, from += in->pitch)
		for (int c = 0; c < in->c; c++)
			sum[c] += from[c];
	for (int c = 0; c < in->c; c++)
		out[c] = (float)(sum[c] / (double)count);
}
