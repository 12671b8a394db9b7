/* For the kernels of channels.c that take many arrays. */
#ifndef CORE_KERNELS_CHANNELS_H
#define CORE_KERNELS_CHANNELS_H

struct channel_normalise_grad {
	const float *out_grad, *x;                         /* pixels x channels */
	const float *mean, *by_grad, *by_value, *constant; /* per channel */
	float *x_grad;
};

#endif
