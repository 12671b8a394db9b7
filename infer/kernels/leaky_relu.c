/* x where positive, slope times x elsewhere. */
#include "kernels.h"

void infer_leaky_relu_f32(const struct infer_call *call, int first, int end, void *scratch)
{
	const struct infer_map *in = &call->in[0], *out = &call->out;
	float slope = call->step->farg;
	(void)scratch;
	for (int y = first; y < end; y++) {
		const float *from = infer_row(in, y);
		float *to = infer_row(out, y);
		for (int x = 0; x < out->w; x++, from += in->pitch, to += out->pitch)
			for (int c = 0; c < out->c; c++)
				to[c] = from[c] > 0 ? from[c] : from[c] * slope;
	}
}
