/* Maximum over windows of kernel x kernel pixels of one sample, channels last. */
#ifndef CORE_KERNELS_MAX_POOL2D_H
#define CORE_KERNELS_MAX_POOL2D_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct max_pool2d {
	int h, w, out_h, out_w, channels;
	int kernel, stride, padding; /* every window has at least one pixel inside the input */
};

/* Floats of the line that forward works with: an input row's maxima and their bytes. */
static inline size_t max_pool2d_line_floats(int w, int channels)
{
	size_t count = (size_t)w * (size_t)channels;
	return count + (count + 3) / 4;
}

#endif
