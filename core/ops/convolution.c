/* See convolution.h. */
#include "core/ops/convolution.h"

#include "core/ops/rules.h"

struct conv2d_dims convolution_dims(struct shape larger, struct shape smaller, struct shape weight,
				    struct convolution_steps steps)
{
	return (struct conv2d_dims){
		.n = larger.n,
		.c = larger.c,
		.h = larger.h,
		.w = larger.w,
		.o = smaller.c,
		.out_h = smaller.h,
		.out_w = smaller.w,
		.kernel_h = weight.h,
		.kernel_w = weight.w,
		.stride = steps.stride,
		.padding = steps.padding,
		.dilation = steps.dilation,
		.y_pitch = smaller.c,
		.scale = 1,
	};
}

enum status convolution_params(const struct op *op, struct shape weight, int out_channels, const struct shape *param,
			       int param_count)
{
	TRY(rule_param(op, 0, weight, param[0]));
	return param_count > 1 ? rule_param(op, 1, (struct shape){out_channels, 1, 1, 1}, param[1]) : STATUS_OK;
}

double convolution_macs(struct shape smaller, struct shape weight)
{
	return (double)shape_count(smaller) * weight.c * weight.h * weight.w;
}

size_t convolution_scratch_floats(struct conv2d_dims dims)
{
	return backend_current()->conv2d_scratch_floats(&dims);
}

size_t convolution_prepared_floats(struct conv2d_dims dims)
{
	return backend_current()->conv2d_prepared_floats(&dims);
}

void convolution_prepare(struct conv2d_dims dims, const struct op_call *call, float *prepared)
{
	backend_current()->conv2d_prepare(&dims, call->param[0].data, prepared);
}
