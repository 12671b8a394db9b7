/* See run.h. */
#include "core/ops/run.h"

#include <string.h>

#include "core/vector.h"

VECTORISED static void add_run(float *restrict to, const float *restrict from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] += from[i];
}

void run_store(float *to, const float *from, size_t count, bool add)
{
	if (add)
		add_run(to, from, count);
	else if (to != from)
		memcpy(to, from, count * sizeof *to);
}

VECTORISED void run_scale(float *to, const float *from, float factor, size_t count, bool add)
{
	if (add) {
#pragma GCC ivdep
		for (size_t i = 0; i < count; i++)
			to[i] += factor * from[i];
	} else {
#pragma GCC ivdep
		for (size_t i = 0; i < count; i++)
			to[i] = factor * from[i];
	}
}

VECTORISED void run_multiply(float *restrict to, const float *a, const float *b, size_t count, bool add)
{
	if (add)
		for (size_t i = 0; i < count; i++)
			to[i] += a[i] * b[i];
	else
		for (size_t i = 0; i < count; i++)
			to[i] = a[i] * b[i];
}
