/* See objective.h. */
#include "train/objective.h"

#include "core/nn/layers.h"
#include "core/ops/ops.h"

/* total + weight * op(logits, target); total < 0 stands for an empty sum. */
static int add_loss(struct nn *nn, int total, const struct op *op, const void *attr, double weight, int logits,
		    int target)
{
	if (!(weight > 0) || nn->graph->status)
		return total;
	int inputs[] = {logits, target};
	int loss = graph_add(nn->graph, op, op->name, attr, inputs, 2, NULL, 0);
	if (weight != 1)
		loss = nn_scale(nn, op->name, loss, weight);
	return total < 0 ? loss : nn_add(nn, "loss", total, loss);
}

/* The losses on the logits, then those on parts: the coarse map's (RITM trains it with cross-entropy) and the
 * boundary's (FocalClick, Chen et al., CVPR 2022: the focal loss once more, near the boundary alone). */
static int add_losses(struct nn *nn, const struct objective *objective, const struct model *model,
		      const struct config *config)
{
	struct nfl_attr nfl = {.alpha = (float)config->loss.nfl_alpha,
			       .gamma = (float)config->loss.nfl_gamma,
			       .epsilon = 1e-12f};
	struct soft_dice_attr dice = {.smooth = 1};
	int logits = model->logits, target = objective->target, total = -1;
	total = add_loss(nn, total, &op_normalized_focal_loss, &nfl, config->loss.nfl_weight, logits, target);
	total = add_loss(nn, total, &op_bce_with_logits, NULL, config->loss.bce_weight, logits, target);
	total = add_loss(nn, total, &op_soft_dice_loss, &dice, config->loss.dice_weight, logits, target);
	total = add_loss(nn, total, &op_soft_iou_loss, &dice, config->loss.iou_weight, logits, target);
	total = add_loss(nn, total, &op_bce_with_logits, NULL, config->loss.coarse_weight, model->coarse, target);
	return add_loss(nn, total, &op_normalized_focal_loss, &nfl, config->loss.boundary_weight, logits,
			objective->band);
}

/* The cross-entropy of each pixel's class. */
static int add_cross_entropy(struct nn *nn, const struct objective *objective, const struct model *model,
			     const struct config *config)
{
	bool weighted = config->loss.class_weight_count > 0;
	struct softmax_cross_entropy_attr attr = {
		.class_weight_count = weighted ? config->model.classes : 0,
		.class_weight = weighted ? config->loss.class_weight : NULL,
	};
	return add_loss(nn, -1, &op_softmax_cross_entropy, &attr, 1, model->logits, objective->target);
}

enum status objective_add(struct objective *objective, struct model *model, const struct config *config)
{
	struct nn nn = {.graph = &model->graph};
	struct shape shape = nn_shape(&nn, model->logits);
	shape.c = 1;
	*objective = (struct objective){.target = graph_input(&model->graph, "target", shape), .band = -1};
	if (config->loss.boundary_weight > 0)
		objective->band = graph_input(&model->graph, "band", shape);
	objective->loss = config->task == TASK_LABELS ? add_cross_entropy(&nn, objective, model, config)
						      : add_losses(&nn, objective, model, config);
	if (model->graph.status)
		return model->graph.status;
	if (objective->loss < 0)
		return status_fail(STATUS_CONFIG, "loss: expected at least one positive weight, found none");
	graph_keep(&model->graph, objective->loss);
	return STATUS_OK;
}
