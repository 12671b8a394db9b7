/* See lines.h. */
#include "core/conv2d/lines.h"

#include <string.h>

ptrdiff_t lines_width(const struct conv2d_dims *d)
{
	return (ptrdiff_t)(d->w + 2 * d->padding) * d->c;
}

void lines_copy(const struct conv2d_dims *d, const float *x, int row, float *lines)
{
	ptrdiff_t side = (ptrdiff_t)d->padding * d->c, width = (ptrdiff_t)d->w * d->c;
	int n = row / d->out_h, first = row % d->out_h * d->stride - d->padding;
	for (int ky = 0; ky < d->kernel_h; ky++, lines += lines_width(d)) {
		int y = first + ky;
		if (y < 0 || y >= d->h) {
			memset(lines, 0, (size_t)lines_width(d) * sizeof *lines);
			continue;
		}
		memset(lines, 0, (size_t)side * sizeof *lines);
		memcpy(lines + side, x + ((ptrdiff_t)n * d->h + y) * width, (size_t)width * sizeof *lines);
		memset(lines + side + width, 0, (size_t)side * sizeof *lines);
	}
}
