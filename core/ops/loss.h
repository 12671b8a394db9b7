/* What the losses share. Those of this file read logits (N,C,H,W) and targets of the same shape in [0,1], where a
 * negative target (TARGET_IGNORE) means that this value takes no part; several channels are several yes-or-no questions
 * about each pixel. The sums are in double; the value is per sample, then the mean over the samples; a sample without
 * valid values counts 0. */
#ifndef CORE_OPS_LOSS_H
#define CORE_OPS_LOSS_H

#include "core/op.h"

/* Values that a loss handles at a time, in arrays on the stack. */
enum { LOSS_BLOCK = 256 };

/* Two inputs of the same shape (N,C,H,W) -> (1,1,1,1). */
enum status loss_shape(const struct op *op, const struct shape *in, int input_count, int param_count,
		       struct shape *out);

/* Values of one sample: C H W. */
size_t loss_values(const struct op_call *call);

/* --- losses that are a sum over values (cross-entropy, focal, squares): forward keeps the slopes  */

/* What forward saves for backward: the derivative of the loss by each value up to a factor of its sample (so backward
 * reads neither logits nor targets), then the factors. */
size_t loss_slopes_saved_bytes(const struct op_call *call);
float *loss_slopes(const struct op_call *call, int sample);
void loss_set_factor(const struct op_call *call, int sample, double factor);

/* in_grad = out_grad / N * factor * slope. */
void loss_slopes_backward(struct op_call *call);

/* --- losses of one plane that depend on three sums only (Dice, intersection over union): the mean over all planes,
 * which are the channels of the samples  */

/* Over the valid pixels of one plane: p the sigmoid of the logit, t the target. */
struct loss_overlap {
	double product, predicted, target; /* sum pt, sum p, sum t */
};

/* The loss is 1 - a / b, where a and b are linear in the sums; b > 0 unless the plane is empty, which counts as no
 * loss. */
struct loss_quotient {
	double a, b;
	double a_by_product, b_by_product, b_by_predicted; /* their derivatives by sum pt and sum p */
};
typedef struct loss_quotient loss_quotient_fn(const struct loss_overlap *sums, double smooth);

/* Bodies of the operators; their attributes are a struct soft_dice_attr. */
enum status loss_overlap_shape(const struct op *op, const void *attr, const struct shape *in, int input_count,
			       int param_count, struct shape *out);
size_t loss_overlap_saved_bytes(const struct op_call *call);
void loss_overlap_forward(struct op_call *call, loss_quotient_fn *quotient);
void loss_overlap_backward(struct op_call *call, loss_quotient_fn *quotient);
void loss_overlap_describe(const void *attr, char *text, size_t size);

/* The whole operator op_NAME (declared in ops.h) from its loss_quotient_fn. */
#define LOSS_OVERLAP_OP(NAME, quotient)                                                                \
	static enum status NAME##_shape(const void *attr, const struct shape *in, int input_count,     \
					const struct shape *param, int param_count, struct shape *out) \
	{                                                                                              \
		(void)param;                                                                           \
		return loss_overlap_shape(&op_##NAME, attr, in, input_count, param_count, out);        \
	}                                                                                              \
	static void NAME##_forward(struct op_call *call)                                               \
	{                                                                                              \
		loss_overlap_forward(call, quotient);                                                  \
	}                                                                                              \
	static void NAME##_backward(struct op_call *call)                                              \
	{                                                                                              \
		loss_overlap_backward(call, quotient);                                                 \
	}                                                                                              \
	const struct op op_##NAME = {                                                                  \
		.name = #NAME,                                                                         \
		.min_inputs = 2,                                                                       \
		.max_inputs = 2,                                                                       \
		.flags = OP_BACKWARD_READS_INPUT | OP_LOSS,                                            \
		.attr_bytes = sizeof(struct soft_dice_attr),                                           \
		.shape = NAME##_shape,                                                                 \
		.forward = NAME##_forward,                                                             \
		.backward = NAME##_backward,                                                           \
		.saved_bytes = loss_overlap_saved_bytes,                                               \
		.describe = loss_overlap_describe,                                                     \
	};

#endif
