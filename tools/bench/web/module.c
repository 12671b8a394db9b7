/* The network alone, in WebAssembly, for compare.js: the photo and the tap of `tapcut bench --against onnxruntime`,
 * our logits, and the planes that ONNX Runtime takes. */
#include <stdlib.h>
#include <string.h>

#include "infer/network/network.h"
#include "infer/image/preprocess.h"
#include "infer/tapcut.h"

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(bench_alloc) void *bench_alloc(size_t size);
/* 0: fine. arithmetic: enum infer_arithmetic. The network is read once, by the first call. */
EXPORT(bench_open) int bench_open(const void *file, size_t file_size, int size, int arithmetic);
/* which: 0 image, 1 clicks. 3 x size x size floats. */
EXPORT(bench_planes) const float *bench_planes(int which);
/* The whole network, from bytes and taps to logits (size x size). */
EXPORT(bench_run) const float *bench_run(void);
EXPORT(bench_message) const char *bench_message(void);

static struct infer_network network;
static struct infer_runner *runner;
static uint8_t *rgb;
static float *planes;
static int side;
static char message[TAPCUT_MESSAGE_SIZE];

void *bench_alloc(size_t size)
{
	return malloc(size);
}

const char *bench_message(void)
{
	return message;
}

/* As tools/bench/onnxruntime.c paints it. */
static void paint(void)
{
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++) {
			int dx = x - side / 2, dy = y - side / 2, inside = dx * dx + dy * dy < side * side / 16;
			uint8_t *pixel = rgb + 3 * ((size_t)y * (size_t)side + (size_t)x);
			pixel[0] = (uint8_t)(inside ? 200 : 128 * x / side);
			pixel[1] = (uint8_t)(inside ? 160 : 128 * y / side);
			pixel[2] = (uint8_t)(inside ? 40 : 90);
		}
}

static struct infer_click middle(void)
{
	return (struct infer_click){(float)(side / 2), (float)(side / 2), 1};
}

int bench_open(const void *file, size_t file_size, int size, int arithmetic)
{
	const struct infer_run_options options = {.arithmetic = arithmetic, .threads = 1, .isa = -1};
	int status = network.steps ? 0 : infer_network_parse(file, file_size, &network, message);
	if (status)
		return status;
	infer_runner_free(runner);
	side = size;
	rgb = realloc(rgb, 3 * (size_t)size * (size_t)size);
	planes = realloc(planes, 3 * (size_t)size * (size_t)size * sizeof *planes);
	paint();
	return infer_runner_new(&network, size, size, &options, &runner, message);
}

const float *bench_planes(int which)
{
	struct infer_click click = middle();
	memset(planes, 0, 3 * (size_t)side * (size_t)side * sizeof *planes);
	if (which == 0)
		infer_normalize_rgb8(&network.preprocess, rgb, side, side, 3 * (size_t)side, planes, side, side);
	else
		infer_draw_clicks(&network.preprocess, &click, 1, planes, side, side);
	return planes;
}

const float *bench_run(void)
{
	struct infer_click click = middle();
	infer_runner_set_photo(runner, rgb, side, side, 3 * (size_t)side);
	infer_runner_set_clicks(runner, &click, 1, NULL, 0, 0);
	return infer_runner_run(runner);
}
