/* The operators and their attributes, for those who build graphs (core/nn, train) or translate them (convert). Each
 * descriptor lives in the file of its name. */
#ifndef CORE_OPS_OPS_H
#define CORE_OPS_OPS_H

#include "core/op.h"

/* in: x (N,C,H,W)[, addend (N,O,H',W')]; params: weight (O,C,KH,KW)[, bias (O,1,1,1)] -> (N,O,H',W'),
 * H' = (H + 2 pad - dilation (KH-1) - 1) / stride + 1
 * out = relu?(conv(input_scale * x) + bias + addend): what would be passes of their own is done while the output is in
 * registers. */
struct conv2d_attr {
	int kernel_h, kernel_w, stride, padding, dilation;
	int relu;          /* 1: max(., 0) at the end */
	float input_scale; /* 0 means 1; a power of two changes no bit against a scale node before */
};
extern const struct op op_conv2d;

/* in: x (N,C,H,W); params: weight (C,O,K,K)[, bias (O,1,1,1)] -> (N,O,(H-1) stride - 2 pad + K, ...) */
struct conv_transpose2d_attr {
	int kernel, stride, padding;
};
extern const struct op op_conv_transpose2d;

extern const struct op op_relu; /* in place */
struct leaky_relu_attr {
	float slope;
};
extern const struct op op_leaky_relu; /* in place; slope > 0 */
extern const struct op op_sigmoid;

/* ceil_mode: output size rounded up as in PyTorch (the last window starts inside the input or its left padding) */
struct max_pool2d_attr {
	int kernel, stride, padding;
	int ceil_mode;
};
extern const struct op op_max_pool2d;
extern const struct op op_global_avg_pool2d; /* (N,C,H,W) -> (N,C,1,1) */

enum upsample_mode { UPSAMPLE_NEAREST, UPSAMPLE_BILINEAR }; /* bilinear: half-pixel centres (align_corners=False) */
struct upsample_attr {
	int factor;
	int mode; /* enum upsample_mode */
};
extern const struct op op_upsample;

extern const struct op op_concat; /* 1..4 inputs along C */
extern const struct op op_add;    /* in place; in[0] + in[1]; in[1] may be (N,C,1,1), broadcast over H,W */
extern const struct op op_mul;    /* in[0] * in[1]; in[1] may be (N,C,1,1) or (N,1,H,W), broadcast */
struct scale_attr {
	float factor;
};
extern const struct op op_scale; /* in place; in[0] * factor */

/* params: weight, bias (PARAM_BIAS kind), running_mean, running_var (PARAM_BUFFER), each (C,1,1,1). In training the
 * batch's mean and unbiased variance are stored to the buffers' param_grad. */
struct batch_norm2d_attr {
	float epsilon;
};
extern const struct op op_batch_norm2d;
struct dropout_attr {
	float probability; /* of dropping; kept values are scaled by 1/(1-p) */
};
extern const struct op op_dropout;

/* Losses: in[0] logits (N,1,H,W), in[1] target of the same shape with values in [0,1] or TARGET_IGNORE -> scalar, mean
 * over the samples of the batch of the per-sample value (a sample without valid pixels counts 0). */
extern const struct op op_bce_with_logits; /* mean over valid pixels */
/* Normalized focal loss: FIELD.md C.1; the multiplier is detached. Mean over valid pixels. */
struct nfl_attr {
	float alpha, gamma;
	float epsilon; /* 1e-12 in RITM; see the file for what float32 needs */
};
extern const struct op op_normalized_focal_loss;
/* 1 - (2 sum pt + s) / (sum p + sum t + s) */
struct soft_dice_attr {
	float smooth;
};
extern const struct op op_soft_dice_loss;
/* 1 - (sum pt + s) / (sum p + sum t - sum pt + s) */
extern const struct op op_soft_iou_loss; /* attr: struct soft_dice_attr */

/* Every operator, NULL-terminated, generated from op_list.h. */
extern const struct op *const op_list[];

#endif
