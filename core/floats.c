/* See floats.h. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/floats.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "core/bytes.h"

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

float *floats_new(size_t count)
{
	size_t bytes = count * sizeof(float), page = bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : LINE;
	bytes = round_up_size(bytes, page);
	float *floats = aligned_alloc(page, bytes ? bytes : page);
#ifdef MADV_HUGEPAGE
	if (floats && page == HUGE_PAGE)
		(void)madvise(floats, bytes, MADV_HUGEPAGE); /* advice: without it the memory is as good, only slower */
#endif
	return floats;
}

int floats_argmax(const float *values, int count)
{
	int best = 0;
	for (int i = 1; i < count; i++)
		best = values[i] > values[best] ? i : best;
	return best;
}
