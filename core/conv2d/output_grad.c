/* See output_grad.h. */
#include "core/conv2d/output_grad.h"

#include "core/kernels.h"

void output_grad_rows(const struct conv2d_dims *d, const struct conv2d_grad *grad, int *done, int end)
{
	if (grad->epilogue && *done < end) {
		struct epilogue_grad e = *grad->epilogue;
		ptrdiff_t first = (ptrdiff_t)*done * d->out_w;
		e.rows = (size_t)(end - *done);
		e.y = e.y ? e.y + first * e.pitch : NULL;
		e.y_grad += first * e.pitch;
		e.g = e.g ? e.g + first * e.g_pitch : NULL;
		kernels()->epilogue_grad(&e);
	}
	*done = end;
}
