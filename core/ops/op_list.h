/* Every operator, one line each: OP(name) admits `const struct op op_name` of core/ops/name.c; ACTIVATION(name) also
 * makes it a choice of "model.activation" (one input, no attributes, no parameters; the first is the default). Included
 * by ops.h and ops.c. */
#ifndef ACTIVATION
#define ACTIVATION(name) OP(name)
#endif
OP(conv2d)
OP(conv_transpose2d)
ACTIVATION(relu)
ACTIVATION(gelu)
ACTIVATION(hard_swish)
OP(leaky_relu)
OP(sigmoid)
OP(tanh)
OP(linear)
OP(max_pool2d)
OP(avg_pool2d)
OP(global_avg_pool2d)
OP(upsample)
OP(concat)
OP(slice)
OP(reshape)
OP(add)
OP(mul)
OP(scale)
OP(batch_norm2d)
OP(layer_norm)
OP(dropout)
OP(bce_with_logits)
OP(normalized_focal_loss)
OP(soft_dice_loss)
OP(soft_iou_loss)
OP(softmax_cross_entropy)
OP(mean_squared_error)
#undef ACTIVATION
#undef OP
