/* Soft Dice loss (Milletari, Navab, Ahmadi: "V-Net", 3DV 2016), with p = sigmoid(logit), t the target, s a smoothing
 * constant:
 *
 *   loss = 1 - (2 sum pt + s) / (sum p + sum t + s) */
#include "core/ops/loss.h"
#include "core/ops/ops.h"

static struct loss_quotient quotient(const struct loss_overlap *sums, double smooth)
{
	return (struct loss_quotient){
		.a = 2 * sums->product + smooth,
		.b = sums->predicted + sums->target + smooth,
		.a_by_product = 2,
		.b_by_predicted = 1,
	};
}

LOSS_OVERLAP_OP(soft_dice_loss, quotient)
