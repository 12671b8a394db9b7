/* A tensor: float32, always four dimensions, named N,C,H,W as everywhere in the field. Plain data: fields are
 * public.
 *
 * Activations lie in memory as N,H,W,C ("channels last"): the channels of a pixel side by side, so that vectors run
 * over channels whatever the size of the image, and convolutions are matrix products of pixels by channels without
 * unrolling. Parameters keep the order of their shape (a convolution's weight is O,C,KH,KW, as in published files).
 * A scalar (a loss) has shape 1,1,1,1. A tensor never owns its memory here: activations live in an executor's arena
 * (core/executor.h), parameters in struct params (core/params.h). */
#ifndef CORE_TENSOR_H
#define CORE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

struct shape {
	int n, c, h, w;
};

struct tensor {
	struct shape shape;
	float *data; /* borrowed */
};

static inline size_t shape_count(struct shape s)
{
	return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* Where element (n,c,y,x) of an activation lies. */
static inline size_t shape_offset(struct shape s, int n, int c, int y, int x)
{
	return (((size_t)n * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x) * (size_t)s.c + (size_t)c;
}

static inline bool shape_equal(struct shape a, struct shape b)
{
	return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

/* Printing: printf("(" SHAPE_FORMAT ")", SHAPE_ARGS(s)) gives (1, 64, 128, 128). */
#define SHAPE_FORMAT "%d, %d, %d, %d"
#define SHAPE_ARGS(s) (s).n, (s).c, (s).h, (s).w

#endif
