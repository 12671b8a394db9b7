/* Which kernel runs which operator, and which instruction sets there are. */
#include "kernels.h"

#include <stdbool.h>

#include "../network/ops.h"
#include "product.h"
#include "u8.h"

static const struct infer_kernel kernels_f32[INFER_NAMED_OPS] = {
	[INFER_OP_CONV2D] = {.run = infer_conv2d_f32,
			     .row_step = infer_conv2d_f32_row_step,
			     .scratch_bytes = infer_conv2d_f32_scratch,
			     .packed_bytes = infer_conv2d_f32_packed,
			     .pack = infer_conv2d_f32_pack},
	[INFER_OP_CONV_TRANSPOSE2D] = {.run = infer_conv_transpose2d_f32},
	[INFER_OP_MAX_POOL2D] = {.run = infer_max_pool2d_f32, .scratch_bytes = infer_max_pool2d_f32_scratch},
	[INFER_OP_GLOBAL_AVG_POOL2D] = {.run = infer_global_avg_pool2d_f32,
					.scratch_bytes = infer_global_avg_pool2d_f32_scratch},
	[INFER_OP_UPSAMPLE_NEAREST] = {.run = infer_upsample_nearest_f32},
	[INFER_OP_UPSAMPLE_BILINEAR] = {.run = infer_upsample_bilinear_f32,
					.scratch_bytes = infer_upsample_bilinear_f32_scratch},
	[INFER_OP_CONCAT] = {.run = infer_concat_f32},
	[INFER_OP_ADD] = {.run = infer_add_f32},
	[INFER_OP_MUL] = {.run = infer_mul_f32},
};

static const struct infer_kernel kernels_u8[INFER_NAMED_OPS] = {
	[INFER_OP_CONV2D] = {.run = infer_conv2d_u8,
			     .row_step = infer_conv2d_u8_row_step,
			     .scratch_bytes = infer_conv2d_u8_scratch,
			     .packed_bytes = infer_conv2d_u8_packed,
			     .pack = infer_conv2d_u8_pack,
			     .constant_bytes = infer_conv2d_u8_constant_bytes,
			     .fill_constants = infer_conv2d_u8_fill_constants},
	[INFER_OP_MAX_POOL2D] = {.run = infer_max_pool2d_u8, .scratch_bytes = infer_max_pool2d_u8_scratch},
	[INFER_OP_GLOBAL_AVG_POOL2D] = {.run = infer_global_avg_pool2d_u8,
					.scratch_bytes = infer_global_avg_pool2d_u8_scratch},
	[INFER_OP_UPSAMPLE_NEAREST] = {.run = infer_upsample_nearest_u8},
	[INFER_OP_UPSAMPLE_BILINEAR] = {.run = infer_upsample_bilinear_u8,
					.scratch_bytes = infer_upsample_bilinear_u8_scratch},
	[INFER_OP_CONCAT] = {.run = infer_concat_u8,
			     .constant_bytes = infer_concat_u8_constant_bytes,
			     .fill_constants = infer_concat_u8_fill_constants},
	[INFER_OP_ADD] = {.run = infer_add_u8},
	[INFER_OP_MUL] = {.run = infer_mul_u8},
};

/* By enum infer_element. */
static const struct infer_kernel pointwise[] = {
	{.run = infer_pointwise_f32},
	{.run = infer_pointwise_u8,
	 .constant_bytes = infer_pointwise_u8_constant_bytes,
	 .fill_constants = infer_pointwise_u8_fill_constants},
};

const struct infer_kernel *infer_kernel_of(const struct infer_step *step, int element)
{
	if (infer_operator(step->op)->f)
		return &pointwise[element];
	return element == INFER_ELEMENT_F32 ? &kernels_f32[step->op] : &kernels_u8[step->op];
}

const struct infer_product_kernels *infer_product_kernels_of(enum infer_isa isa)
{
	static const struct infer_product_kernels *const kernels[] = {&infer_product_generic, &infer_product_avx2,
								      &infer_product_avx512};
	return kernels[isa];
}

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
