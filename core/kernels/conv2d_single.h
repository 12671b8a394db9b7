/* 3x3 convolutions with stride 1, padding 1 and one output channel (a map of logits), one image row at a time. As
 * products of matrices they would leave all but one lane of each vector idle; here the lanes run over input
 * channels. */
#ifndef CORE_KERNELS_CONV2D_SINGLE_H
#define CORE_KERNELS_CONV2D_SINGLE_H

#include <stdbool.h>
#include <stddef.h>

struct conv2d_single_forward {
	int width, channels;
	const float *lines;  /* three image lines with a pixel of zeros on both sides, one after the other */
	const float *weight; /* (3,3,channels) */
	float *y;            /* width sums */
};

struct conv2d_single_backward {
	int width, channels;
	const float *grad_lines; /* rows y - 1, y, y + 1 of the output's gradient, with a zero on both sides */
	const float *weight;     /* (3,3,channels) */
	const float *x;          /* row y of the input; read for weight_sums */
	float *x_grad;           /* row y, or NULL */
	bool add;                /* to x_grad, instead of storing */
	float *weight_sums;      /* (3,3,channels), added; or NULL */
};

#endif
