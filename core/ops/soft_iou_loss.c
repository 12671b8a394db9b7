/* Soft intersection over union (Rahman and Wang: "Optimizing intersection-over-union in deep neural networks for image
 * segmentation", ISVC 2016), with p = sigmoid(logit), t the target, s a smoothing constant:
 *
 *   loss = 1 - (sum pt + s) / (sum p + sum t - sum pt + s) */
#include "core/ops/loss.h"
#include "core/ops/ops.h"

static struct loss_quotient quotient(const struct loss_overlap *sums, double smooth)
{
	return (struct loss_quotient){
		.a = sums->product + smooth,
		.b = sums->predicted + sums->target - sums->product + smooth,
		.a_by_product = 1,
		.b_by_product = -1,
		.b_by_predicted = 1,
	};
}

LOSS_OVERLAP_OP(soft_iou_loss, quotient)
