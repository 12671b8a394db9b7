/* How fast the current backend convolves the shapes that training at 256x256 is made of, on one thread: GFLOP/s (two
 * per multiply-add) of forward, backward to the weights and backward to the input. Names the processor kernel of the
 * BLAS, without which no figure means anything. Processor time of the thread, best of several runs of at least 10 ms.
 * Not part of make test.
 *
 *   make build/bench/bench_conv2d && build/bench/bench_conv2d */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/backend.h"

static const struct {
	const char *name;
	int c, o, size, kernel, stride, padding, dilation; /* size: of the input */
} shapes[] = {
	{ "conv1 / clicks.stem", 3, 64, 256, 3, 2, 1, 1 },
	{ "fire2 squeeze", 64, 16, 64, 1, 1, 0, 1 },
	{ "fire2 expand1x1", 16, 64, 64, 1, 1, 0, 1 },
	{ "fire2 expand3x3", 16, 64, 64, 3, 1, 1, 1 },
	{ "fire4 expand3x3", 32, 128, 32, 3, 1, 1, 1 },
	{ "fire6 expand3x3", 48, 192, 16, 3, 1, 1, 1 },
	{ "fire9 squeeze", 512, 64, 16, 1, 1, 0, 1 },
	{ "fire9 expand1x1", 64, 256, 16, 1, 1, 0, 1 },
	{ "fire9 expand3x3", 64, 256, 16, 3, 1, 1, 1 },
	{ "decoder coarse", 515, 64, 16, 3, 1, 1, 1 },
	{ "context dilated2", 96, 96, 16, 3, 1, 2, 2 },
	{ "refine1 skip2", 48, 48, 32, 3, 1, 1, 1 },
	{ "refine2 mask", 48, 32, 32, 3, 1, 1, 1 },
	{ "refine2 skip2", 32, 32, 64, 3, 1, 1, 1 },
	{ "refine3 skip1", 64, 16, 128, 1, 1, 0, 1 },
	{ "refine3 skip2", 16, 16, 128, 3, 1, 1, 1 },
	{ "decoder 32->16", 32, 16, 128, 3, 1, 1, 1 },
	{ "logits", 16, 1, 128, 3, 1, 1, 1 },
};

enum { SHAPES = sizeof shapes / sizeof shapes[0], KERNELS = 3, ROUNDS = 9 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *floats(size_t count)
{
	float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64 + 64);
	if (!values) {
		fprintf(stderr, "bench_conv2d: no memory\n");
		exit(1);
	}
	for (size_t i = 0; i < count; i++)
		values[i] = (float)(i % 13) / 13 - 0.5f;
	return values;
}

struct buffers {
	float *x, *y, *weight, *bias, *scratch;
};

static void run(const struct conv2d_dims *d, const struct buffers *b, int kernel)
{
	const struct backend *backend = backend_current();
	if (kernel == 0)
		backend->conv2d_forward(d, b->x, b->weight, b->bias, b->y, false, b->scratch);
	else if (kernel == 1)
		backend->conv2d_backward_weight(d, b->x, b->y, b->weight, b->scratch);
	else
		backend->conv2d_backward_data(d, b->y, b->weight, b->x, false, b->scratch);
}

/* Seconds of one call: the best round. */
static double measure(const struct conv2d_dims *d, const struct buffers *b, int kernel)
{
	double best = 1e9;
	size_t weights = (size_t)d->o * (size_t)d->c * (size_t)d->kernel_h * (size_t)d->kernel_w;
	for (int round = 0; round < ROUNDS; round++) {
		int calls = 0;
		memset(b->weight, 0, weights * sizeof(float));
		double start = now(), spent;
		do {
			run(d, b, kernel);
			calls++;
			spent = now() - start;
		} while (spent < 0.01);
		if (spent / calls < best)
			best = spent / calls;
	}
	return best;
}

int main(void)
{
	if (backend_select("openblas") != STATUS_OK) {
		fprintf(stderr, "bench_conv2d: %s\n", status_message());
		return 1;
	}
	printf("backend %s, core %s, one thread\n", backend_current()->name, backend_current()->core_name());
	printf("%-20s %9s | %8s %8s %8s | %8s %8s %8s\n", "convolution", "MFLOP", "forward", "weight", "data", "us",
	       "us", "us");
	double seconds[KERNELS] = { 0 }, flops = 0;
	for (int i = 0; i < SHAPES; i++) {
		int size = shapes[i].size, k = shapes[i].kernel, dilation = shapes[i].dilation;
		int out = (size + 2 * shapes[i].padding - dilation * (k - 1) - 1) / shapes[i].stride + 1;
		struct conv2d_dims d = { 1, shapes[i].c, size, size, shapes[i].o, out, out, k, k, shapes[i].stride,
					 shapes[i].padding, dilation };
		struct buffers b = { floats((size_t)d.c * (size_t)size * (size_t)size),
				     floats((size_t)d.o * (size_t)out * (size_t)out),
				     floats((size_t)d.o * (size_t)d.c * (size_t)k * (size_t)k), floats((size_t)d.o),
				     floats(backend_current()->conv2d_scratch_floats(&d)) };
		double flop = 2.0 * d.o * d.c * k * k * out * out;
		double spent[KERNELS];
		for (int kernel = 0; kernel < KERNELS; kernel++) {
			spent[kernel] = measure(&d, &b, kernel);
			seconds[kernel] += spent[kernel];
		}
		flops += flop;
		printf("%-20s %9.2f | %8.1f %8.1f %8.1f | %8.0f %8.0f %8.0f\n", shapes[i].name, flop * 1e-6,
		       flop / spent[0] * 1e-9, flop / spent[1] * 1e-9, flop / spent[2] * 1e-9,
		       spent[0] * 1e6, spent[1] * 1e6, spent[2] * 1e6);
		free(b.x);
		free(b.y);
		free(b.weight);
		free(b.bias);
		free(b.scratch);
	}
	printf("%-20s %9.2f | %8.1f %8.1f %8.1f | %8.0f %8.0f %8.0f\n", "together", flops * 1e-6,
	       flops / seconds[0] * 1e-9, flops / seconds[1] * 1e-9, flops / seconds[2] * 1e-9,
	       seconds[0] * 1e6, seconds[1] * 1e6, seconds[2] * 1e6);
	return 0;
}
