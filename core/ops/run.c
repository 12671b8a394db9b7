/* See run.h. */
#include "core/ops/run.h"

#include <string.h>

#include "core/kernels.h"

void run_store(float *to, const float *from, size_t count, bool add)
{
	if (add)
		kernels()->add_floats(to, to, from, count);
	else if (to != from)
		memcpy(to, from, count * sizeof *to);
}

void run_scale(float *to, const float *from, float factor, size_t count, bool add)
{
	kernels()->scale_floats(to, from, factor, count, add);
}

void run_multiply(float *to, const float *a, const float *b, size_t count, bool add)
{
	kernels()->multiply_floats(to, a, b, count, add);
}
