/* Means over windows of one sample, channels last. */
#ifndef CORE_KERNELS_AVG_POOL2D_H
#define CORE_KERNELS_AVG_POOL2D_H

struct avg_pool2d {
	int h, w, out_h, out_w, channels;
	int kernel, stride, padding;
	int count_padding; /* 1: each mean divides by kernel * kernel; 0: by the window's pixels inside the input */
};

#endif
