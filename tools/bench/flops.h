/* How much arithmetic a deployed network is. */
#ifndef TOOLS_BENCH_FLOPS_H
#define TOOLS_BENCH_FLOPS_H

#include "core/status.h"
#include "infer/network/network.h"

struct bench_flops {
	double all;   /* two for each multiply-add of the convolutions */
	double photo; /* ... of the steps that do not depend on the clicks */
};

/* For planes of size x size. */
enum status bench_network_flops(const struct infer_network *network, int size, struct bench_flops *flops);

/* Of one step; shapes: infer_network_shapes. */
double bench_step_flops(const struct infer_network *network, int index, const struct infer_shape *shapes);

#endif
