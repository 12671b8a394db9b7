/* The "native" backend: our own kernels (core/kernels.h), in which every sum is one chain in a fixed order: the same
 * bits on every processor. */
#include "core/backend.h"
#include "core/conv2d/algorithm.h"
#include "core/kernels.h"

/* The first that suits is taken; the last suits always. */
static const struct conv2d_algorithm *const algorithms[] = {&conv2d_single, &conv2d_winograd, &conv2d_product};

static const struct conv2d_algorithm *algorithm_for(const struct conv2d_dims *d)
{
	int i = 0;
	while (!algorithms[i]->suits(d))
		i++;
	return algorithms[i];
}

static enum status check(void)
{
	return STATUS_OK; /* kernels_select has done it */
}

static const char *core_name(void)
{
	return kernels()->isa;
}

static size_t prepared_floats(const struct conv2d_dims *d)
{
	return algorithm_for(d)->prepared_floats(d);
}

static void prepare(const struct conv2d_dims *d, const float *weight, float *prepared)
{
	algorithm_for(d)->prepare(d, weight, prepared);
}

static size_t scratch_floats(const struct conv2d_dims *d)
{
	return algorithm_for(d)->scratch_floats(d);
}

static void forward(const struct conv2d_dims *d, const float *x, const float *prepared,
		    const struct conv2d_epilogue *epilogue, float *y, float *scratch)
{
	algorithm_for(d)->forward(d, x, prepared, epilogue, y, scratch);
}

static void backward(const struct conv2d_dims *d, const float *x, const struct conv2d_grad *grad, const float *prepared,
		     float *x_grad, bool add, float *weight_grad, float *scratch)
{
	algorithm_for(d)->backward(d, x, grad, prepared, x_grad, add, weight_grad, scratch);
}

const struct backend backend_native = {
	.name = "native",
	.check = check,
	.core_name = core_name,
	.conv2d_prepared_floats = prepared_floats,
	.conv2d_prepare = prepare,
	.conv2d_scratch_floats = scratch_floats,
	.conv2d_forward = forward,
	.conv2d_backward = backward,
};
