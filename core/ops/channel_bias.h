/* A bias per output channel, shared by the convolutions. */
#ifndef CORE_OPS_CHANNEL_BIAS_H
#define CORE_OPS_CHANNEL_BIAS_H

#include "core/op.h"

/* out[n,c,:,:] = param[index][c] */
void channel_bias_fill(const struct op_call *call, int index);

/* param_grad[index][c] += sum of out_grad[:,c,:,:] */
void channel_bias_backward(const struct op_call *call, int index);

#endif
