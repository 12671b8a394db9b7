/* Pairwise sums of several arrays in one pass (core/slot_tree.h): nothing but the result is written. */
#include "core/kernels/kernel.h"

/* The additions of the tree over 2, 4 or 8 arrays; the sum ends in the first. */
void KERNEL(slot_sum_2)(float *const *slots, size_t begin, size_t count)
{
	float *restrict a = slots[0] + begin;
	const float *restrict b = slots[1] + begin;
	for (size_t i = 0; i < count; i++)
		a[i] += b[i];
}

void KERNEL(slot_sum_4)(float *const *slots, size_t begin, size_t count)
{
	float *restrict a = slots[0] + begin;
	const float *restrict b = slots[1] + begin, *restrict c = slots[2] + begin, *restrict d = slots[3] + begin;
	for (size_t i = 0; i < count; i++)
		a[i] = (a[i] + b[i]) + (c[i] + d[i]);
}

void KERNEL(slot_sum_8)(float *const *slots, size_t begin, size_t count)
{
	float *restrict a = slots[0] + begin;
	const float *restrict b = slots[1] + begin, *restrict c = slots[2] + begin, *restrict d = slots[3] + begin;
	const float *restrict e = slots[4] + begin, *restrict f = slots[5] + begin, *restrict g = slots[6] + begin;
	const float *restrict h = slots[7] + begin;
	for (size_t i = 0; i < count; i++)
		a[i] = ((a[i] + b[i]) + (c[i] + d[i])) + ((e[i] + f[i]) + (g[i] + h[i]));
}
