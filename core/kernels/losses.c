/* See losses.h. Plain loops over float arrays; every step is rounded as written. */
#include "core/kernels/losses.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vmath.h"

enum { LARGEST_LOGIT = 42 };

static inline struct vmath_sigmoid sigmoid_of(float z)
{
	return vmath_sigmoid_within(z, LARGEST_LOGIT);
}

/* log(min(pt + epsilon, 1)), where pt = 1 - q: near 1 the logarithm's argument minus 1 is taken from q, which has more
 * digits. */
static inline float log_certainty(float pt, float q, float epsilon)
{
	float inside = pt + epsilon, less = epsilon - q;
	struct vmath_parts parts = vmath_parts(inside);
	bool near = q < 0.25f;
	less = less > 0 ? 0 : less;
	parts.f = near ? less : parts.f;
	parts.n = near ? 0 : parts.n;
	return vmath_log_parts(parts);
}

/* q^(gamma-1); what is smaller than e^-42 would only become subnormal. */
static inline float focal_power(float q, float gamma)
{
	float exponent = (gamma - 1) * vmath_log(q);
	return vmath_exp(exponent < -LARGEST_LOGIT ? -LARGEST_LOGIT : exponent);
}

/* The caller passes a constant in gamma's common case, so that no power is computed. */
static inline void focal_terms(const struct focal_block *block, float gamma)
{
	const float alpha = block->alpha, epsilon = block->epsilon;
	const float *restrict logit = block->logit, *restrict target = block->target;
	float *restrict beta = block->beta, *restrict term = block->term, *restrict slope = block->slope;
	for (size_t i = 0; i < block->count; i++) {
		float y = target[i];
		struct vmath_sigmoid s = sigmoid_of(logit[i]);
		float difference = y * s.rest - (1 - y) * s.value;
		float q = fabsf(difference);
		q = q < 1e-18f ? 1e-18f : q;
		float pt = (y < s.value ? y : s.value) + (1 - y < s.rest ? 1 - y : s.rest);
		float power = gamma == 2 ? q : focal_power(q, gamma), b = power * q;
		float log_pt = log_certainty(pt, q, epsilon);
		float quotient = q > epsilon ? q / (pt + epsilon) : 0; /* 0: the minimum is 1 */
		float weight = y > 0.5f ? alpha : 1 - alpha;
		float d =
			(difference > 0 ? weight : -weight) * (s.value * s.rest * power) * (gamma * log_pt - quotient);
		d = fabsf(d) < 1e-24f ? 0 : d; /* else products with it become subnormal */
		bool valid = y >= 0;
		beta[i] = valid ? b : 0;
		term[i] = valid ? -weight * b * log_pt : 0;
		slope[i] = valid ? d : 0;
	}
}

void KERNEL(focal_terms)(const struct focal_block *block)
{
	if (block->gamma == 2)
		focal_terms(block, 2);
	else
		focal_terms(block, block->gamma);
}

void KERNEL(bce_terms)(const float *restrict logit, const float *restrict target, size_t count, float *restrict term,
		       float *restrict slope)
{
	for (size_t i = 0; i < count; i++) {
		float z = logit[i], y = target[i], size = fabsf(z);
		struct vmath_sigmoid s = sigmoid_of(z);
		bool half = s.e > 0.414f; /* 1 + e = 2 (1 + (e - 1) / 2) */
		struct vmath_parts sum = {half ? 1 : 0, half ? (s.e - 1) / 2 : s.e};
		bool valid = y >= 0;
		term[i] = valid ? size * (z < 0 ? y : 1 - y) + vmath_log_parts(sum) : 0;
		/* s - y without cancellation at y = 1 */
		slope[i] = valid ? s.value * (1 - y) - s.rest * y : 0;
	}
}

void KERNEL(overlap_terms)(const struct overlap_block *block)
{
	const float *restrict logit = block->logit, *restrict target = block->target;
	float *restrict product = block->product, *restrict predicted = block->predicted;
	float *restrict wanted = block->wanted;
	for (size_t i = 0; i < block->count; i++) {
		bool valid = target[i] >= 0;
		float p = sigmoid_of(logit[i]).value, t = target[i];
		product[i] = valid ? p * t : 0;
		predicted[i] = valid ? p : 0;
		wanted[i] = valid ? t : 0;
	}
}

/* (by_product t + by_predicted) p (1 - p) */
void KERNEL(overlap_slopes)(const float *restrict logit, const float *restrict target, size_t count, float by_product,
			    float by_predicted, float *restrict slope)
{
	for (size_t i = 0; i < count; i++) {
		struct vmath_sigmoid p = sigmoid_of(logit[i]);
		float value = (by_product * target[i] + by_predicted) * (p.value * p.rest);
		slope[i] = target[i] >= 0 ? value : 0;
	}
}

size_t KERNEL(count_valid)(const float *target, size_t count)
{
	size_t valid = 0;
	while (count > 0) {
		int part = count < 4096 ? (int)count : 4096, found = 0;
		for (int i = 0; i < part; i++)
			found += target[i] >= 0;
		valid += (size_t)found;
		target += part;
		count -= (size_t)part;
	}
	return valid;
}
