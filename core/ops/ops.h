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
extern const struct op op_tanh;

/* in: x (N,C,H,W); params: weight (O,C,1,1)[, bias (O,1,1,1)] -> (N,O,H,W): each pixel's channels times the matrix.
 * Fully connected to a whole map after a reshape to (N,C H W,1,1). */
extern const struct op op_linear;

/* ceil_mode: output size rounded up as in PyTorch (the last window starts inside the input or its left padding) */
struct max_pool2d_attr {
	int kernel, stride, padding;
	int ceil_mode;
};
extern const struct op op_max_pool2d;

/* (N,C,H,W) -> (N,C,H',W'), H' = (H + 2 padding - kernel) / stride + 1, padding <= kernel / 2 */
struct avg_pool2d_attr {
	int kernel, stride, padding;
	/* 1: means over kernel * kernel pixels, with zeros outside (PyTorch's default); 0: over the pixels inside */
	int count_padding;
};
extern const struct op op_avg_pool2d;
extern const struct op op_global_avg_pool2d; /* (N,C,H,W) -> (N,C,1,1) */

enum upsample_mode { UPSAMPLE_NEAREST, UPSAMPLE_BILINEAR }; /* bilinear: half-pixel centres (align_corners=False) */
struct upsample_attr {
	int factor;
	int mode; /* enum upsample_mode */
};
extern const struct op op_upsample;

extern const struct op op_concat; /* 1..4 inputs along C */

/* (N,C,H,W) -> (N,channels,height,width): the part that begins at (channel, y, x). A size of 0 means all the rest. */
struct slice_attr {
	int channel, y, x;
	int channels, height, width;
};
extern const struct op op_slice;

/* (N,C,H,W) -> (N,c,h,w) with as many values per sample; one of the three may be -1, which is found from the others.
 * Values keep their order C,H,W, as in PyTorch. */
struct reshape_attr {
	int c, h, w;
};
extern const struct op op_reshape;

extern const struct op op_add; /* in place; in[0] + in[1]; in[1] may be (N,C,1,1), broadcast over H,W */
extern const struct op op_mul; /* in[0] * in[1]; in[1] may be (N,C,1,1) or (N,1,H,W), broadcast */
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

/* params: weight, bias (PARAM_BIAS kind), each (C,1,1,1). Each pixel is normalised over its channels, as PyTorch's
 * layer_norm does on N,H,W,C. */
struct layer_norm_attr {
	float epsilon;
};
extern const struct op op_layer_norm;
struct dropout_attr {
	float probability; /* of dropping; kept values are scaled by 1/(1-p) */
};
extern const struct op op_dropout;

/* Losses -> scalar, mean over the samples of the batch of the per-sample value (a sample without valid values counts
 * 0). The first four: in[0] logits (N,C,H,W), in[1] target of the same shape with values in [0,1] or TARGET_IGNORE. */
extern const struct op op_bce_with_logits; /* mean over the sample's valid values */
/* Normalized focal loss (Sofiiuk et al., ICCV 2019); the multiplier is detached. Mean over valid values. */
struct nfl_attr {
	float alpha, gamma;
	float epsilon; /* 1e-12 in RITM; see the file for what float32 needs */
};
extern const struct op op_normalized_focal_loss;
/* 1 - (2 sum pt + s) / (sum p + sum t + s), mean over the channels */
struct soft_dice_attr {
	float smooth;
};
extern const struct op op_soft_dice_loss;
/* 1 - (sum pt + s) / (sum p + sum t - sum pt + s), mean over the channels */
extern const struct op op_soft_iou_loss; /* attr: struct soft_dice_attr */

/* in[0] logits (N,C,H,W) of C classes, in[1] labels (N,1,H,W): 0..C-1, or TARGET_IGNORE. A label that is no class makes
 * the loss NaN. Mean over the sample's valid pixels, weighted by their class where weights are given. */
struct softmax_cross_entropy_attr {
	int ignore_label;          /* one more label whose pixels take no part (VOC: 255); 0 means that there is none */
	int class_weight_count;    /* C, or 0 where all classes weigh the same */
	const float *class_weight; /* that many, each >= 0; borrowed for as long as the graph lives */
};
extern const struct op op_softmax_cross_entropy;

/* in[0] predictions (N,C,H,W), in[1] targets of the same shape, any values. Mean over all values. */
extern const struct op op_mean_squared_error;

/* Every operator: those above, and those without attributes and with nothing to be said here. */
#define OP(name) extern const struct op op_##name;
#include "core/ops/op_list.h"

/* All of them, and those that may follow the decoder's convolutions with their names; NULL-terminated. The first
 * activation is relu, which convolutions do themselves. */
extern const struct op *const op_list[];
extern const struct op *const activations[];
extern const char *const activation_names[];

#endif
