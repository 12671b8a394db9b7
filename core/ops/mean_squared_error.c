/* Mean squared error of predictions x and targets t, over the M = C H W values of a sample:
 *
 *   loss = sum (x - t)^2 / M,   dloss/dx = 2 (x - t) / M */
#include "core/kernels.h"
#include "core/ops/loss.h"
#include "core/ops/ops.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return loss_shape(&op_mean_squared_error, in, input_count, param_count, out);
}

static void forward(struct op_call *call)
{
	size_t values = loss_values(call);
	int samples = call->in[0].shape.n;
	double total = 0;
	for (int n = 0; n < samples; n++) {
		size_t start = (size_t)n * values;
		float *difference = loss_slopes(call, n);
		kernels()->subtract_floats(difference, call->in[0].data + start, call->in[1].data + start, values);
		total += kernels()->sum_of_squares(difference, values) / (double)values;
		loss_set_factor(call, n, 2 / (double)values);
	}
	call->out.data[0] = (float)(total / samples);
}

const struct op op_mean_squared_error = {
	.name = "mean_squared_error",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_LOSS,
	.shape = shape,
	.forward = forward,
	.backward = loss_slopes_backward,
	.saved_bytes = loss_slopes_saved_bytes,
};
