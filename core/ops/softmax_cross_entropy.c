/* Cross-entropy of the softmax of a pixel's logits z and its label y, with weights u of the classes (all 1 by default);
 * over the valid pixels of a sample:
 *
 *   loss = sum u[y] (log(sum over c of e^z[c]) - z[y]) / sum u[y]
 *   dloss/dz[c] = u[y] (softmax(z)[c] - (c == y)) / sum u[y]
 *
 * with the largest logit taken off first, so that nothing overflows. Labels are numbers 0..C-1 kept as floats; negative
 * ones, and ignore_label if there is one, take no part. */
#include <stdio.h>

#include "core/kernels.h"
#include "core/ops/loss.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

enum { MOST_CLASSES = 1 << 20 };

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct op *op = &op_softmax_cross_entropy;
	const struct softmax_cross_entropy_attr *a = attr;
	TRY(rule_counts(op, input_count, param_count));
	TRY(rule_input(op, 1, (struct shape){in[0].n, 1, in[0].h, in[0].w}, in[1]));
	TRY(rule_attr(op, "classes (channels of input 0)", 1, MOST_CLASSES, in[0].c));
	TRY(rule_attr(op, "ignore_label", 0, MOST_CLASSES, a->ignore_label));
	if (a->class_weight_count || a->class_weight)
		TRY(rule_attr(op, "class_weight_count", in[0].c, in[0].c, a->class_weight_count));
	for (int c = 0; c < a->class_weight_count && a->class_weight; c++)
		TRY(rule_attr(op, "class_weight", 0, 1e6, a->class_weight[c]));
	return rule_output(op, 1, 1, 1, 1, out);
}

/* The loss of one sample; stores its slopes and their factor. */
static double sample_value(const struct op_call *call, int n)
{
	const struct softmax_cross_entropy_attr *a = call->attr;
	size_t classes = (size_t)call->in[0].shape.c, pixels = loss_values(call) / classes;
	const float *logit = call->in[0].data + (size_t)n * pixels * classes;
	const float *label = call->in[1].data + (size_t)n * pixels;
	float term[LOSS_BLOCK], weight[LOSS_BLOCK];
	double sum = 0, weights = 0;
	for (size_t at = 0; at < pixels; at += LOSS_BLOCK) {
		struct softmax_block block = {
			.pixels = pixels - at < LOSS_BLOCK ? pixels - at : LOSS_BLOCK,
			.classes = (int)classes,
			.logit = logit + at * classes,
			.label = label + at,
			.ignore_label = (float)a->ignore_label,
			.class_weight = a->class_weight,
			.term = term,
			.weight = weight,
			.slope = loss_slopes(call, n) + at * classes,
		};
		kernels()->softmax_terms(&block);
		sum += kernels()->sum_floats(term, block.pixels);
		weights += kernels()->sum_floats(weight, block.pixels);
	}
	double factor = weights > 0 ? 1 / weights : 0;
	loss_set_factor(call, n, factor);
	return weights > 0 ? sum * factor : sum; /* without weights the sum is 0, or the NaN of a wrong label */
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
	const struct softmax_cross_entropy_attr *a = attr;
	snprintf(text, size, "%s", a->class_weight_count ? "weighted classes" : "");
}

const struct op op_softmax_cross_entropy = {
	.name = "softmax_cross_entropy",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_LOSS,
	.attr_bytes = sizeof(struct softmax_cross_entropy_attr),
	.shape = shape,
	.forward = forward,
	.backward = loss_slopes_backward,
	.saved_bytes = loss_slopes_saved_bytes,
	.describe = describe,
};
