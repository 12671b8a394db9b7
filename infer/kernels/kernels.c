/* Which kernel runs which operator, and which instruction sets there are. */
#include "kernels.h"

const struct infer_kernel infer_kernels_f32[INFER_OP_COUNT] = { { 0 } }, infer_kernels_u8[INFER_OP_COUNT] = { { 0 } };

const struct infer_planar_kernel infer_planar_kernels[INFER_OP_COUNT] = {
	[INFER_OP_CONV2D] = { infer_conv2d, infer_conv2d_scratch },
	[INFER_OP_CONV_TRANSPOSE2D] = { infer_conv_transpose2d, NULL },
	[INFER_OP_RELU] = { infer_relu, NULL },
	[INFER_OP_LEAKY_RELU] = { infer_leaky_relu, NULL },
	[INFER_OP_SIGMOID] = { infer_sigmoid, NULL },
	[INFER_OP_MAX_POOL2D] = { infer_max_pool2d, infer_max_pool2d_scratch },
	[INFER_OP_GLOBAL_AVG_POOL2D] = { infer_global_avg_pool2d, NULL },
	[INFER_OP_UPSAMPLE_NEAREST] = { infer_upsample_nearest, NULL },
	[INFER_OP_UPSAMPLE_BILINEAR] = { infer_upsample_bilinear, infer_upsample_bilinear_scratch },
	[INFER_OP_CONCAT] = { infer_concat, NULL },
	[INFER_OP_ADD] = { infer_add, NULL },
	[INFER_OP_MUL] = { infer_mul, NULL },
	[INFER_OP_SCALE] = { infer_scale, NULL },
	[INFER_OP_CHANNEL_AFFINE] = { infer_channel_affine, NULL },
};

int infer_isa_available(enum infer_isa isa)
{
	switch (isa) {
	case INFER_ISA_GENERIC:
		return 1;
#if defined(__x86_64__) && defined(__GNUC__)
	case INFER_ISA_AVX2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	case INFER_ISA_AVX512:
		return __builtin_cpu_supports("avx512f") != 0;
#endif
	default:
		return 0;
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
	static const char *const names[] = { "generic", "avx2", "avx512" };
	return (unsigned)isa < INFER_ISA_COUNT ? names[isa] : "unknown";
}
