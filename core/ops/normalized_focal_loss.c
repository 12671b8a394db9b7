/* Normalized focal loss (Sofiiuk, Barinova, Konushin: "AdaptIS", ICCV 2019, eq. 4; as trained in RITM, arXiv
 * 2102.06583). Per sample, over its N valid pixels, with s = sigmoid(z):
 *
 *   pt   = 1 - |y - s|                       how right the pixel is
 *   beta = (1 - pt)^gamma                    how much it counts
 *   mult = N / (sum beta + epsilon)          a constant in backward: the total weight stays N however good it gets
 *   loss = mean of -weight beta mult log(min(pt + epsilon, 1)),   weight = alpha where y > 1/2, else 1 - alpha
 *
 * With q = 1 - pt, L = log(min(pt + epsilon, 1)):
 *
 *   dloss/dz = -weight mult / N * sign(s - y) s (1 - s) q^(gamma-1) [gamma L - q / (pt + epsilon)]
 *
 * where the second term is 0 if the minimum is 1. In float32 1 - |y - s| loses all digits as soon as |z| > 16, and
 * epsilon = 1e-12 vanishes beside it. So this is computed in double from s and 1 - s that are exact to the last digits
 * on both sides:
 *
 *   pt = min(y, s) + min(1 - y, 1 - s)       q = |y (1 - s) - (1 - y) s|
 *
 * Then RITM's epsilon does what it says: L is bounded by log(epsilon), and no step divides by 0. */
#include <float.h>
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/loss.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_normalized_focal_loss;
	const struct nfl_attr *a = attr;
	TRY(rule_attr(op, "alpha", 0, 1, a->alpha));
	TRY(rule_attr(op, "gamma", 0, 16, a->gamma));
	TRY(rule_attr(op, "epsilon", FLT_MIN, 0.1, a->epsilon));
	return loss_shape(op, in, input_count, param_count, out);
}

/* The loss of one sample; stores its slopes and their factor mult / N, or 0 without valid pixels. */
static double sample_value(const struct op_call *call, int n)
{
	const struct nfl_attr *attr = call->attr;
	size_t count = loss_values(call), start = (size_t)n * count;
	double beta_sum = 0, sum = 0;
	float beta[LOSS_BLOCK], term[LOSS_BLOCK];
	struct focal_block block = {
		.alpha = attr->alpha,
		.gamma = attr->gamma,
		.epsilon = attr->epsilon,
		.beta = beta,
		.term = term,
	};
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		block.logit = call->in[0].data + start + at;
		block.target = call->in[1].data + start + at;
		block.slope = loss_slopes(call, n) + at;
		block.count = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		kernels()->focal_terms(&block);
		beta_sum += kernels()->sum_floats(beta, block.count);
		sum += kernels()->sum_floats(term, block.count);
	}
	bool empty = kernels()->count_valid(call->in[1].data + start, count) == 0;
	double mult_per_n = empty ? 0 : 1 / (beta_sum + (double)attr->epsilon);
	loss_set_factor(call, n, mult_per_n);
	return sum * mult_per_n;
}

static void forward(struct op_call *call)
{
	int samples = call->in[0].shape.n;
	double total = 0;
	for (int n = 0; n < samples; n++)
		total += sample_value(call, n);
	call->out.data[0] = (float)(total / samples);
}

static void describe(const void *attr, char *text, size_t size)
{
	const struct nfl_attr *a = attr;
	snprintf(text, size, "alpha %g gamma %g", (double)a->alpha, (double)a->gamma);
}

const struct op op_normalized_focal_loss = {
	.name = "normalized_focal_loss",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_LOSS,
	.attr_bytes = sizeof(struct nfl_attr),
	.shape = shape,
	.forward = forward,
	.backward = loss_slopes_backward,
	.saved_bytes = loss_slopes_saved_bytes,
	.describe = describe,
};
