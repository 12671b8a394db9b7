/* Which kernel runs which operator. */
#include "kernels.h"

#include "../network/ops.h"
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
