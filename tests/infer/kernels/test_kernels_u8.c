/* The operators on bytes but conv2d, against plain loops over the reals of infer/FORMAT.md, section 3, and the
 * kernels' first comments: odd shapes, pitches, ranges; every byte is equal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "infer/kernels/kernels.h"
#include "infer/kernels/sigmoid.h"
#include "infer/network/ops.h"
#include "tests/support/test.h"

enum { GUARD = 0xa5 };

static struct rng rng;

/* A map of random bytes with two more bytes a pixel than it has channels. */
static struct infer_map random_map(int c, int h, int w, float scale, int zero)
{
	struct infer_map map = {.c = c,
				.h = h,
				.w = w,
				.pitch = (size_t)c + 2,
				.element = INFER_ELEMENT_U8,
				.scale = scale,
				.zero = zero};
	size_t bytes = (size_t)h * (size_t)w * map.pitch;
	uint8_t *data = malloc(bytes);
	for (size_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)rng_below(&rng, 256);
	map.data = data;
	return map;
}

static int byte_at(const struct infer_map *map, int c, int y, int x)
{
	return ((const uint8_t *)map->data)[((size_t)y * (size_t)map->w + (size_t)x) * map->pitch + (size_t)c];
}

static int limited(double q)
{
	return (int)fmin(fmax(q, 0), 255);
}

/* What the operator gives at (c, y, x). */
typedef int plain_function(const struct infer_call *call, int c, int y, int x);

/* Row by row, the last row first. */
static void check(struct infer_call *call, plain_function *plain, const char *what)
{
	const struct infer_kernel *kernel = infer_kernel_of(call->step, INFER_ELEMENT_U8);
	size_t bytes = (size_t)call->out.h * (size_t)call->out.w * call->out.pitch;
	size_t scratch_bytes = kernel->scratch_bytes ? kernel->scratch_bytes(call) : 0;
	size_t constant_bytes = kernel->constant_bytes ? kernel->constant_bytes(call) : 0;
	void *scratch = aligned_alloc(64, scratch_bytes / 64 * 64 + 64),
	     *constants = aligned_alloc(64, constant_bytes / 64 * 64 + 64);
	uint8_t *out = malloc(bytes);
	memset(out, GUARD, bytes);
	call->out.data = out;
	if (kernel->fill_constants)
		kernel->fill_constants(call, constants);
	call->constants = constants;
	for (int y = call->out.h - 1; y >= 0; y--)
		kernel->run(call, y, y + 1, scratch);
	for (size_t i = 0; i < bytes; i++) {
		int pixel = (int)(i / call->out.pitch), c = (int)(i % call->out.pitch);
		int expected = c < call->out.c ? plain(call, c, pixel / call->out.w, pixel % call->out.w) : GUARD;
		ck_assert_msg(out[i] == expected, "%s: channel %d of pixel %d is %d, expected %d", what, c, pixel,
			      out[i], expected);
	}
	for (int k = 0; k < call->step->input_count; k++)
		free(call->in[k].data);
	free(out);
	free(scratch);
	free(constants);
}

static struct infer_map out_map(int c, int h, int w, float scale, int zero)
{
	return (struct infer_map){.c = c,
				  .h = h,
				  .w = w,
				  .pitch = (size_t)c + 3,
				  .element = INFER_ELEMENT_U8,
				  .scale = scale,
				  .zero = zero};
}

static int plain_max(const struct infer_call *call, int c, int y, int x)
{
	const int *a = call->step->args;
	int most = 0;
	for (int j = y * a[1] - a[2]; j < y * a[1] - a[2] + a[0]; j++)
		for (int i = x * a[1] - a[2]; i < x * a[1] - a[2] + a[0]; i++)
			if (j >= 0 && i >= 0 && j < call->in[0].h && i < call->in[0].w &&
			    byte_at(&call->in[0], c, j, i) > most)
				most = byte_at(&call->in[0], c, j, i);
	return most;
}

START_TEST(test_max_pool2d)
{
	struct infer_step step = {.op = INFER_OP_MAX_POOL2D, .input_count = 1, .args = {3, 2, 0, 1}};
	struct infer_call call = {.step = &step, .in = {random_map(37, 9, 11, 1, 3)}, .out = out_map(37, 4, 5, 1, 3)};
	check(&call, plain_max, "3x3");
	step = (struct infer_step){.op = INFER_OP_MAX_POOL2D, .input_count = 1, .args = {2, 1, 1, 0}};
	call = (struct infer_call){.step = &step, .in = {random_map(16, 3, 4, 1, 0)}, .out = out_map(16, 4, 5, 1, 0)};
	check(&call, plain_max, "padded");
}
END_TEST

static int plain_nearest(const struct infer_call *call, int c, int y, int x)
{
	return byte_at(&call->in[0], c, y / call->step->args[0], x / call->step->args[0]);
}

static double mix(double a, double b, double part)
{
	return a * (1 - part) + b * part;
}

static int plain_bilinear(const struct infer_call *call, int c, int y, int x)
{
	const struct infer_map *in = &call->in[0];
	double py = fmax((y + 0.5) / call->step->args[0] - 0.5, 0), px = fmax((x + 0.5) / call->step->args[0] - 0.5, 0);
	int ay = (int)(py + 1e-9), ax = (int)(px + 1e-9), by = ay + 1 < in->h ? ay + 1 : ay,
	    bx = ax + 1 < in->w ? ax + 1 : ax;
	double above = mix(byte_at(in, c, ay, ax), byte_at(in, c, ay, bx), px - ax);
	double below = mix(byte_at(in, c, by, ax), byte_at(in, c, by, bx), px - ax);
	/* halves are exact but for the last bits of a double */
	return (int)floor(mix(above, below, py - ay) + 0.5 + 1e-9);
}

START_TEST(test_upsample)
{
	static const int factors[] = {1, 2, 3, 4, 7, 8, 16};
	int f = factors[_i];
	for (int op = INFER_OP_UPSAMPLE_NEAREST; op <= INFER_OP_UPSAMPLE_BILINEAR; op++) {
		struct infer_step step = {.op = (uint8_t)op, .input_count = 1, .args = {f}};
		struct infer_call call = {.step = &step,
					  .in = {random_map(21, 5, 3, 1, 9)},
					  .out = out_map(21, 5 * f, 3 * f, 1, 9)};
		check(&call, op == INFER_OP_UPSAMPLE_NEAREST ? plain_nearest : plain_bilinear, "upsample");
	}
}
END_TEST

static int plain_add(const struct infer_call *call, int c, int y, int x)
{
	const struct infer_map *a = &call->in[0], *b = &call->in[1], *out = &call->out;
	int same = b->h == a->h && b->w == a->w;
	long sum = (byte_at(a, c, y, x) - a->zero) * lrintf(a->scale / out->scale * 4096) +
		   (byte_at(b, c, same ? y : 0, same ? x : 0) - b->zero) * lrintf(b->scale / out->scale * 4096);
	long q = (long)floor((double)(sum + 2048) / 4096);
	return limited((double)((call->relu && q < 0 ? 0 : q) + out->zero));
}

START_TEST(test_add)
{
	struct infer_step step = {.op = INFER_OP_ADD, .input_count = 2};
	for (int way = 0; way < 4; way++) {
		int one = way & 1;
		struct infer_call call = {.step = &step,
					  .relu = way >> 1,
					  .in = {random_map(35, 4, 5, 0.02f, 7),
						 random_map(35, one ? 1 : 4, one ? 1 : 5, 0.07f, 200)},
					  .out = out_map(35, 4, 5, 0.05f, 90)};
		check(&call, plain_add, "add");
	}
}
END_TEST

static int plain_mul(const struct infer_call *call, int c, int y, int x)
{
	const struct infer_map *a = &call->in[0], *b = &call->in[1];
	int same = b->h == a->h, product;
	product =
		(byte_at(a, c, y, x) - a->zero) * (byte_at(b, b->c == 1 ? 0 : c, same ? y : 0, same ? x : 0) - b->zero);
	return limited(rintf((float)product * (a->scale * b->scale / call->out.scale)) + (double)call->out.zero);
}

START_TEST(test_mul)
{
	struct infer_step step = {.op = INFER_OP_MUL, .input_count = 2};
	struct infer_map second[] = {random_map(6, 3, 4, 0.004f, 0), random_map(6, 1, 1, 0.004f, 3),
				     random_map(1, 3, 4, 0.004f, 9)};
	for (int way = 0; way < 3; way++) {
		struct infer_call call = {.step = &step,
					  .in = {random_map(6, 3, 4, 0.1f, 17), second[way]},
					  .out = out_map(6, 3, 4, 0.05f, 120)};
		check(&call, plain_mul, "mul");
	}
}
END_TEST

static int plain_mean(const struct infer_call *call, int c, int y, int x)
{
	const struct infer_map *in = &call->in[0];
	double sum = 0;
	for (int i = 0; i < in->h * in->w; i++)
		sum += byte_at(in, c, i / in->w, i % in->w) - in->zero;
	(void)y;
	(void)x;
	return limited(rint(sum * (double)in->scale / (double)call->out.scale / (in->h * in->w)) + call->out.zero);
}

START_TEST(test_global_avg_pool2d)
{
	struct infer_step step = {.op = INFER_OP_GLOBAL_AVG_POOL2D, .input_count = 1};
	struct infer_call call = {.step = &step,
				  .in = {random_map(19, 7, 9, 0.02f, 100)},
				  .out = out_map(19, 1, 1, 0.003f, 40)};
	check(&call, plain_mean, "mean");
}
END_TEST

static int plain_concat(const struct infer_call *call, int c, int y, int x)
{
	int k = 0;
	while (c >= call->in[k].c)
		c -= call->in[k++].c;
	const struct infer_map *in = &call->in[k];
	float real = in->scale * (float)(byte_at(in, c, y, x) - in->zero);
	return limited((double)rintf(real / call->out.scale) + call->out.zero);
}

START_TEST(test_concat)
{
	struct infer_step step = {.op = INFER_OP_CONCAT, .input_count = 3};
	struct infer_call call = {.step = &step,
				  .in = {random_map(5, 3, 4, 0.5f, 10), random_map(17, 3, 4, 0.25f, 0),
					 random_map(1, 3, 4, 3, 128)},
				  .out = out_map(23, 3, 4, 0.5f, 10)};
	check(&call, plain_concat, "concat");
}
END_TEST

static int plain_pointwise(const struct infer_call *call, int c, int y, int x)
{
	float real = call->in[0].scale * (float)(byte_at(&call->in[0], c, y, x) - call->in[0].zero),
	      f = call->step->farg;
	switch (call->step->op) {
	case INFER_OP_RELU: real = real > 0 ? real : 0; break;
	case INFER_OP_LEAKY_RELU: real = real > 0 ? real : real * f; break;
	case INFER_OP_SCALE: real *= f; break;
	case INFER_OP_CHANNEL_AFFINE: real = real * call->tensor[0]->data[c] + call->tensor[1]->data[c]; break;
	case INFER_OP_SIGMOID: infer_sigmoid_array(&real, &real, 1); break;
	default: {
		float before = real;
		infer_operator(call->step->op)->f(&(struct infer_pointwise){0}, &before, &real, 1);
	}
	}
	return limited((double)rintf(real / call->out.scale) + call->out.zero);
}

START_TEST(test_pointwise)
{
	static const int ops[] = {INFER_OP_RELU, INFER_OP_LEAKY_RELU, INFER_OP_SIGMOID, INFER_OP_SCALE,
				  INFER_OP_CHANNEL_AFFINE};
	const int named = sizeof ops / sizeof *ops, op = _i < named ? ops[_i] : INFER_NAMED_OPS + _i - named;
	float scale[] = {0.5f, -2, 1}, shift[] = {1, 0, -3};
	struct infer_tensor tensors[] = {{.dims = {3, 1, 1, 1}, .data = scale}, {.dims = {3, 1, 1, 1}, .data = shift}};
	struct infer_step step = {.op = (uint8_t)op, .input_count = 1, .farg = -0.25f};
	struct infer_call call = {.step = &step,
				  .tensor = {&tensors[0], &tensors[1]},
				  .in = {random_map(3, 9, 10, 0.03f, 128)},
				  .out = out_map(3, 9, 10, op == INFER_OP_SIGMOID ? 1 / 255.0f : 0.04f, 30)};
	check(&call, plain_pointwise, infer_op_name(op));
}
END_TEST

static void setup(void)
{
	rng = rng_stream(41, 0, 0, RNG_TEST);
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("kernels_u8");
	TCase *tcase = tcase_create("kernels_u8");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_max_pool2d);
	tcase_add_loop_test(tcase, test_upsample, 0, 7);
	tcase_add_test(tcase, test_add);
	tcase_add_test(tcase, test_mul);
	tcase_add_test(tcase, test_global_avg_pool2d);
	tcase_add_test(tcase, test_concat);
	tcase_add_loop_test(tcase, test_pointwise, 0, 5 + infer_op_last() + 1 - INFER_NAMED_OPS);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
