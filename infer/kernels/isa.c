/* Which instruction sets there are, and the products built for each. */
#include <stdbool.h>

#include "product.h"

bool infer_isa_available(enum infer_isa isa)
{
	switch (isa) {
	case INFER_ISA_GENERIC: return true;
#if defined(__x86_64__) && defined(__GNUC__)
	case INFER_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	case INFER_ISA_AVX512: return __builtin_cpu_supports("avx512f") != 0;
#endif
	default: return false;
	}
}

enum infer_isa infer_isa_best(void)
{
	for (int isa = INFER_ISA_COUNT - 1; isa > 0; isa--)
		if (infer_isa_available((enum infer_isa)isa))
			return (enum infer_isa)isa;
	return INFER_ISA_GENERIC;
}

const char *infer_isa_name(enum infer_isa isa)
{
	static const char *const names[] = {"generic", "avx2", "avx512"};
	return (unsigned)isa < INFER_ISA_COUNT ? names[isa] : "unknown";
}

const struct infer_product_kernels *infer_product_kernels_of(enum infer_isa isa)
{
	static const struct infer_product_kernels *const kernels[] = {&infer_product_generic, &infer_product_avx2,
								      &infer_product_avx512};
	return kernels[isa];
}
