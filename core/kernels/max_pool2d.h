/* Maximum over windows of kernel x kernel pixels of one sample, channels last. */
#ifndef CORE_KERNELS_MAX_POOL2D_H
#define CORE_KERNELS_MAX_POOL2D_H

#include <stdbool.h>
#include <stdint.h>

struct max_pool2d {
	int h, w, out_h, out_w, channels;
	int kernel, stride, padding; /* every window has at least one pixel inside the input */
};

#endif
