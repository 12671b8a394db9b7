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
#include <string.h>

#include "core/ops/loss.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"
#include "core/ops/run.h"
#include "core/ops/sum.h"
#include "core/ops/vmath.h"
#include "core/vector.h"

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

/* One pixel. The caller passes constants in gamma's common case, so that no pow is called. */
struct pixel {
	double p, rest; /* s, 1 - s */
	double pt, q;
	double beta_slope; /* q^(gamma-1) */
	double log_pt;
};

static inline struct pixel pixel_of(double z, double y, double gamma, double epsilon)
{
	struct pixel v;
	struct vmath_sigmoid s = vmath_sigmoid(z);
	double difference = y * s.rest - (1 - y) * s.value;
	v.p = s.value;
	v.rest = s.rest;
	v.pt = (y < s.value ? y : s.value) + (1 - y < s.rest ? 1 - y : s.rest);
	v.q = difference < 0 ? -difference : difference;
	v.q = v.q < DBL_MIN ? DBL_MIN : v.q;
	v.beta_slope = gamma == 2 ? v.q : gamma == 1 ? 1 : vmath_pow(v.q, gamma - 1);
	double inside = v.pt + epsilon;
	v.log_pt = vmath_log(inside > 1 ? 1 : inside);
	return v;
}

static inline void terms_body(const float *restrict logit, const float *restrict target, size_t count,
			      const struct nfl_attr *attr, double gamma, double *restrict beta, double *restrict term)
{
	double alpha = attr->alpha, epsilon = attr->epsilon;
	for (size_t i = 0; i < count; i++) {
		double y = target[i];
		struct pixel v = pixel_of(logit[i], y, gamma, epsilon);
		double b = v.beta_slope * v.q, weight = y > 0.5 ? alpha : 1 - alpha;
		beta[i] = y >= 0 ? b : 0;
		term[i] = y >= 0 ? -weight * b * v.log_pt : 0;
	}
}

VECTORISED static void terms(const float *logit, const float *target, size_t count, const struct nfl_attr *attr,
			     double *beta, double *term)
{
	if (attr->gamma == 2)
		terms_body(logit, target, count, attr, 2, beta, term);
	else
		terms_body(logit, target, count, attr, attr->gamma, beta, term);
}

/* Per sample, kept for backward: mult / N, or 0 without valid pixels. */
static size_t saved_bytes(const struct op_call *call)
{
	return (size_t)call->in[0].shape.n * sizeof(double);
}

static double sample_value(const struct nfl_attr *attr, const float *logit, const float *target, size_t count,
			   double *mult_per_n)
{
	double beta_sum = 0, sum = 0, beta[LOSS_BLOCK], term[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		terms(logit + at, target + at, block, attr, beta, term);
		beta_sum += sum_doubles(beta, block);
		sum += sum_doubles(term, block);
	}
	*mult_per_n = loss_valid(target, count) > 0 ? 1 / (beta_sum + (double)attr->epsilon) : 0;
	return sum * *mult_per_n;
}

static void forward(struct op_call *call)
{
	size_t pixels = loss_pixels(call);
	int samples = call->in[0].shape.n;
	double total = 0;
	for (int n = 0; n < samples; n++) {
		size_t at = (size_t)n * pixels;
		double mult_per_n;
		total += sample_value(call->attr, call->in[0].data + at, call->in[1].data + at, pixels, &mult_per_n);
		memcpy((char *)call->saved + (size_t)n * sizeof(double), &mult_per_n, sizeof(double));
	}
	call->out.data[0] = (float)(total / samples);
}

static inline void grad_body(const float *restrict logit, const float *restrict target, const struct nfl_attr *attr,
			     double gamma, double scale, float *restrict grad, size_t count)
{
	double alpha = attr->alpha, epsilon = attr->epsilon;
	for (size_t i = 0; i < count; i++) {
		double y = target[i];
		struct pixel v = pixel_of(logit[i], y, gamma, epsilon);
		double weight = (y > 0.5 ? alpha : 1 - alpha) * (v.p < y ? scale : -scale);
		double inside = v.pt + epsilon, slope = inside < 1 ? v.q / inside : 0;
		double value = weight * v.p * v.rest * v.beta_slope * (gamma * v.log_pt - slope);
		grad[i] = y >= 0 ? (float)value : 0;
	}
}

VECTORISED static void grads(const float *logit, const float *target, const struct nfl_attr *attr, double scale,
			     float *grad, size_t count)
{
	if (attr->gamma == 2)
		grad_body(logit, target, attr, 2, scale, grad, count);
	else
		grad_body(logit, target, attr, attr->gamma, scale, grad, count);
}

static void sample_grad(const float *logit, const float *target, const struct nfl_attr *attr, double scale,
			float *logit_grad, size_t count, bool add)
{
	float grad[LOSS_BLOCK];
	for (size_t at = 0; at < count; at += LOSS_BLOCK) {
		size_t block = count - at < LOSS_BLOCK ? count - at : LOSS_BLOCK;
		grads(logit + at, target + at, attr, scale, grad, block);
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
		double mult_per_n;
		memcpy(&mult_per_n, (const char *)call->saved + (size_t)n * sizeof(double), sizeof(double));
		sample_grad(call->in[0].data + at, call->in[1].data + at, call->attr,
			    mult_per_n * (double)call->out_grad[0] / samples, call->in_grad[0] + at, pixels,
			    call->in_grad_add[0]);
	}
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
	.flags = OP_BACKWARD_READS_INPUT | OP_LOSS,
	.attr_bytes = sizeof(struct nfl_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = saved_bytes,
	.describe = describe,
};
