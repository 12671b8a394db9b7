/* Binary cross-entropy of sigmoid(z) and target y, mean over the valid values (pixels,
 * times channels):
 *
 *   loss = max(z,0) - z y + log(1 + e^-|z|),   dloss/dz = sigmoid(z) - y
 *
 * in the form that neither overflows nor cancels for large |z|. */
#include "core/kernels.h"
#include "core/ops/loss.h"
#include "core/ops/ops.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return loss_shape(&op_bce_with_logits, in, input_count, param_count, out);
}

/* The sum of a sample's terms; stores its slopes, sigmoid(z) - y. */
static double sample_sum(const float *logit, const float *target, size_t count, float *slope)
{
	double sum = 0;
	float term[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		kernels()->bce_terms(logit + at, target + at, block, term, slope + at);
		sum += kernels()->sum_floats(term, block);
	}
	return sum;
}

static void forward(struct op_call *call)
{
	size_t values = loss_values(call);
	int samples = call->in[0].shape.n;
	double total = 0;
	for (int n = 0; n < samples; n++) {
		const float *logit = call->in[0].data + (size_t)n * values;
		const float *target = call->in[1].data + (size_t)n * values;
		size_t valid = kernels()->count_valid(target, values);
		double factor = valid > 0 ? 1 / (double)valid : 0;
		total += sample_sum(logit, target, values, loss_slopes(call, n)) * factor;
		loss_set_factor(call, n, factor);
	}
	call->out.data[0] = (float)(total / samples);
}

const struct op op_bce_with_logits = {
	.name = "bce_with_logits",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_LOSS,
	.shape = shape,
	.forward = forward,
	.backward = loss_slopes_backward,
	.saved_bytes = loss_slopes_saved_bytes,
};
