/* See epilogue_grad.h. Vectors run over channels. */
#include "core/kernels/epilogue_grad.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

enum { MOST_VECS = 4 };

#define UNROLL _Pragma("GCC unroll 4")
#define INLINE static inline __attribute__((always_inline))

/* Channels from `first` on: `vecs` vectors, the last of `last` lanes. Constants where it is called, so that all of this
 * stays in registers. */
INLINE void run_columns(const struct epilogue_grad *e, int first, const int vecs, const int last)
{
	const float *y = e->y ? e->y + first : NULL, *y_grad = e->y_grad + first;
	float *to = e->g ? e->g + first : NULL;
	float *bias_grad = e->bias_grad ? e->bias_grad + first : NULL;
	vec total[MOST_VECS];
	UNROLL for (int v = 0; v < vecs; v++) total[v] =
		bias_grad ? vec_load_part(bias_grad + v * VEC_LANES, v == vecs - 1 ? last : VEC_LANES) : vec_zero();
	for (size_t row = 0; row < e->rows; row++) {
		vec sum[MOST_VECS];
		UNROLL for (int v = 0; v < vecs; v++) sum[v] = vec_zero();
		for (int x = 0; x < e->width; x++, y_grad += e->pitch) {
			UNROLL for (int v = 0; v < vecs; v++)
			{
				int at = v * VEC_LANES, n = v == vecs - 1 ? last : VEC_LANES;
				vec g = vec_load_part(y_grad + at, n);
				if (y)
					g = vec_where_positive(vec_load_part(y + at, n), g);
				if (to)
					vec_store_part(to + at, n, g);
				sum[v] = vec_add(sum[v], g);
			}
			y = y ? y + e->pitch : NULL;
			to = to ? to + e->g_pitch : NULL;
		}
		UNROLL for (int v = 0; v < vecs; v++) total[v] = vec_add(total[v], sum[v]);
	}
	if (!bias_grad)
		return;
	UNROLL for (int v = 0; v < vecs; v++)
		vec_store_part(bias_grad + v * VEC_LANES, v == vecs - 1 ? last : VEC_LANES, total[v]);
}

void KERNEL(epilogue_grad)(const struct epilogue_grad *e)
{
	int c = 0;
	for (; c + MOST_VECS * VEC_LANES <= e->channels; c += MOST_VECS * VEC_LANES)
		run_columns(e, c, MOST_VECS, VEC_LANES);
	for (; c + VEC_LANES <= e->channels; c += VEC_LANES)
		run_columns(e, c, 1, VEC_LANES);
	if (c < e->channels)
		run_columns(e, c, 1, e->channels - c);
}
