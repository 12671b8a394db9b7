/* A tensor: float32, always four dimensions, always contiguous in N,C,H,W order. Plain data: fields are public.
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

static inline bool shape_equal(struct shape a, struct shape b)
{
	return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

/* Printing: printf("(" SHAPE_FORMAT ")", SHAPE_ARGS(s)) gives (1, 64, 128, 128). */
#define SHAPE_FORMAT "%d, %d, %d, %d"
#define SHAPE_ARGS(s) (s).n, (s).c, (s).h, (s).w

#endif
