/* Soft Dice loss (Milletari, Navab, Ahmadi: "V-Net", 3DV 2016), with p = sigmoid(logit), t the target, s a smoothing
 * constant:
 *
 *   loss = 1 - (2 sum pt + s) / (sum p + sum t + s) */
#include "core/ops/loss.h"
#include "core/ops/ops.h"
#include "core/ops/rules.h"

static enum status shape(const void *attr, const struct shape *in, int input_count, const struct shape *param,
			 int param_count, struct shape *out)
{
	(void)param;
	const struct soft_dice_attr *a = attr;
	TRY(rule_attr(&op_soft_dice_loss, "smooth", 0, 1e9, a->smooth));
	return loss_shape(&op_soft_dice_loss, in, input_count, param_count, out);
}

static struct loss_quotient quotient(const struct loss_overlap *sums, double smooth)
{
	return (struct loss_quotient){
		.a = 2 * sums->product + smooth,
		.b = sums->predicted + sums->target + smooth,
		.a_by_product = 2,
		.b_by_predicted = 1,
	};
}

static void forward(struct op_call *call)
{
	loss_overlap_forward(call, quotient);
}

static void backward(struct op_call *call)
{
	loss_overlap_backward(call, quotient);
}

const struct op op_soft_dice_loss = {
	.name = "soft_dice_loss",
	.min_inputs = 2,
	.max_inputs = 2,
	.flags = OP_BACKWARD_READS_INPUT | OP_LOSS,
	.attr_bytes = sizeof(struct soft_dice_attr),
	.shape = shape,
	.forward = forward,
	.backward = backward,
	.saved_bytes = loss_overlap_saved_bytes,
	.describe = loss_overlap_describe,
};
