/* x = x * 0.75 + 0.25 over and over in registers: nothing is loaded, nothing waits, so that this is the most that the
 * instruction set can do. Twelve chains or more hide the latency of two units (4 or 5 cycles each). */
#include "core/kernels/fma_peak.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vec.h"

enum { CHAINS = VEC_REGISTERS == 32 ? 24 : 12 };

#define UNROLL _Pragma("GCC unroll 24")

double KERNEL(fma_peak)(int rounds, float *sums)
{
	const vec factor = vec_set1(0.75f), addend = vec_set1(0.25f);
	vec sum[CHAINS];
	UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = vec_load(sums + i * VEC_LANES);
	for (int round = 0; round < rounds; round++)
		UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = vec_fma(sum[i], factor, addend);
	UNROLL for (int i = 0; i < CHAINS; i++) vec_store(sums + i * VEC_LANES, sum[i]);
	return 2.0 * CHAINS * VEC_LANES * rounds;
}
