/* See softmax.h. Differences from the largest logit count as at most 42 in the exponentials, as in losses.c: e^-42 is
 * less than a float can tell from 0 beside 1, and nothing becomes subnormal. The loss itself stays linear in them. */
#include "core/kernels/softmax.h"

#include "core/kernels/kernel.h"
#include "core/kernels/vmath.h"

enum { LARGEST_DIFFERENCE = 42 };

static float largest(const float *x, int count)
{
	float most = x[0];
	for (int i = 1; i < count; i++)
		most = x[i] > most ? x[i] : most;
	return most;
}

/* log(sum), where sum >= 1 is known better than a float says it when it is near 1. */
static float log_sum(double sum)
{
	struct vmath_parts near = {0, (float)(sum - 1)};
	return sum < 1.4 ? vmath_log_parts(near) : vmath_log((float)sum);
}

/* The term of one pixel; slope becomes softmax(logit) minus 1 at the label. */
static float pixel_term(const float *restrict logit, int label, int classes, float *restrict slope)
{
	float most = largest(logit, classes);
	for (int c = 0; c < classes; c++) {
		float less = logit[c] - most;
		slope[c] = vmath_exp_within(less < -LARGEST_DIFFERENCE ? -LARGEST_DIFFERENCE : less);
	}
	double sum = KERNEL(sum_floats)(slope, (size_t)classes), others = sum - (double)slope[label];
	float inverse = (float)(1 / sum);
	for (int c = 0; c < classes; c++)
		slope[c] *= inverse;
	slope[label] = -(float)others * inverse; /* without the cancellation of softmax - 1 */
	return log_sum(sum) + (most - logit[label]);
}

static void fill(float *slope, float value, int classes)
{
	for (int c = 0; c < classes; c++)
		slope[c] = value;
}

void KERNEL(softmax_terms)(const struct softmax_block *b)
{
	for (size_t p = 0; p < b->pixels; p++) {
		float label = b->label[p], *slope = b->slope + p * (size_t)b->classes;
		b->term[p] = b->weight[p] = 0;
		if (label < 0 || (b->ignore_label != 0 && label == b->ignore_label)) {
			fill(slope, 0, b->classes);
		} else if (label < (float)b->classes) {
			float weight = b->class_weight ? b->class_weight[(int)label] : 1;
			b->term[p] =
				weight * pixel_term(b->logit + p * (size_t)b->classes, (int)label, b->classes, slope);
			b->weight[p] = weight;
			for (int c = 0; c < b->classes && b->class_weight; c++)
				slope[c] *= weight;
		} else {
			b->term[p] = NAN;
			fill(slope, NAN, b->classes);
		}
	}
}
