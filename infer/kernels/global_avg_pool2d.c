/* The mean of each channel. Summed in double, row after row. */
#include "kernels.h"

void infer_global_avg_pool2d(const struct infer_planar_call *call)
{
	struct infer_shape s = call->in_shape[0];
	size_t count = (size_t)s.h * (size_t)s.w;
	for (int c = 0; c < s.c; c++) {
		const float *in = call->in[0] + (size_t)c * count;
		double sum = 0;
		for (size_t i = 0; i < count; i++)
			sum += in[i];
		call->out[c] = (float)(sum / (double)count);
	}
}
