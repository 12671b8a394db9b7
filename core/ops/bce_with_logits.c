/* Binary cross-entropy of sigmoid(z) and target y, mean over the valid pixels:
 *
 *   loss = max(z,0) - z y + log(1 + e^-|z|),   dloss/dz = sigmoid(z) - y
 *
 * in the form that neither overflows nor cancels for large |z|. */
#include "core/ops/loss.h"
#include "core/ops/ops.h"
#include "core/ops/run.h"
#include "core/ops/sum.h"
#include "core/ops/vmath.h"
#include "core/vector.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)attr, (void)param;
	return loss_shape(&op_bce_with_logits, in, input_count, param_count, out);
}

VECTORISED static void terms(const float *restrict logit, const float *restrict target, size_t count,
			     double *restrict term)
{
	for (size_t i = 0; i < count; i++) {
		double z = logit[i], y = target[i], size = z < 0 ? -z : z;
		double value = (z < 0 ? 0 : z) - z * y + vmath_log(1 + vmath_exp(-size));
		term[i] = y >= 0 ? value : 0;
	}
}

static double sample_sum(const float *logit, const float *target, size_t count)
{
	double sum = 0, term[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		terms(logit + at, target + at, block, term);
		sum += sum_doubles(term, block);
	}
	return sum;
}

static void forward(struct op_call *call)
{
	size_t pixels = loss_pixels(call);
	int samples = call->in[0].shape.n;
	double total = 0;
	for (int n = 0; n < samples; n++) {
		const float *logit = call->in[0].data + (size_t)n * pixels;
		const float *target = call->in[1].data + (size_t)n * pixels;
		double valid = loss_valid(target, pixels);
		if (valid > 0)
			total += sample_sum(logit, target, pixels) / valid;
	}
	call->out.data[0] = (float)(total / samples);
}

VECTORISED static void grads(const float *restrict logit, const float *restrict target, double weight,
			     float *restrict grad, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct vmath_sigmoid p = vmath_sigmoid(logit[i]);
		double y = target[i];
		/* p - y without cancellation at y = 1 */
		double value = (p.value * (1 - y) - p.rest * y) * weight;
		grad[i] = y >= 0 ? (float)value : 0;
	}
}

static void sample_grad(const float *logit, const float *target, double weight, float *logit_grad, size_t count,
			bool add)
{
	float grad[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		grads(logit + at, target + at, weight, grad, block);
		run_store(logit_grad + at, grad, block, add);
	}
}

static void backward(struct op_call *call)
{
	size_t pixels = loss_pixels(call);
	int samples = call->in[0].shape.n;
	if (!call->in_grad[0])
		return;
	for (int n = 0; n < samples; n++) {
		size_t at = (size_t)n * pixels;
		double valid = loss_valid(call->in[1].data + at, pixels);
		double weight = valid > 0 ? call->out_grad[0] / (valid * samples) : 0;
		sample_grad(call->in[0].data + at, call->in[1].data + at, weight, call->in_grad[0] + at, pixels,
			    call->in_grad_add[0]);
	}
}

const struct op op_bce_with_logits = {
	.name = "bce_with_logits",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_BACKWARD_READS_INPUT | OP_LOSS,
	.shape = shape,
	.forward = forward,
	.backward = backward,
};
