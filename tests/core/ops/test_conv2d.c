/* conv2d against loops that say no more than its formula: forward, both backward kernels, in one chunk of columns and
 * in many; and what its shape rule refuses. */
#include "core/ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define ATTR(KH, KW, S, P, D) \
	(&(const struct conv2d_attr){.kernel_h = KH, .kernel_w = KW, .stride = S, .padding = P, .dilation = D})
#define FUSED(K, S, P, RELU, SCALE)                 \
	(&(const struct conv2d_attr){.kernel_h = K, \
				     .kernel_w = K, \
				     .stride = S,   \
				     .padding = P,  \
				     .dilation = 1, \
				     .relu = RELU,  \
				     .input_scale = SCALE})
#define VECTOR(C)          \
	{                  \
		C, 1, 1, 1 \
	}

static const struct op_case cases[] = {
	{&op_conv2d, ATTR(1, 1, 1, 0, 1), .in = {{2, 5, 3, 5}}, .param = {{3, 5, 1, 1}, VECTOR(3)}},
	{&op_conv2d, ATTR(1, 1, 2, 0, 1), .in = {{1, 3, 7, 9}}, .param = {{5, 3, 1, 1}, VECTOR(5)}},
	{&op_conv2d, ATTR(3, 3, 1, 1, 1), .in = {{2, 3, 7, 9}}, .param = {{5, 3, 3, 3}, VECTOR(5)}},
	{&op_conv2d, ATTR(3, 3, 1, 1, 1), .in = {{1, 1, 1, 1}}, .param = {{1, 1, 3, 3}}},
	{&op_conv2d, ATTR(3, 3, 2, 0, 1), .in = {{1, 3, 8, 10}}, .param = {{4, 3, 3, 3}, VECTOR(4)}},
	{&op_conv2d, ATTR(7, 7, 2, 3, 1), .in = {{1, 3, 17, 13}}, .param = {{4, 3, 7, 7}, VECTOR(4)}},
	{&op_conv2d, ATTR(3, 5, 3, 2, 2), .in = {{2, 2, 11, 14}}, .param = {{3, 2, 3, 5}, VECTOR(3)}},
	{&op_conv2d, ATTR(3, 3, 1, 5, 5), .in = {{1, 2, 4, 4}}, .param = {{3, 2, 3, 3}}},
	{&op_conv2d, ATTR(3, 3, 1, 0, 4), .in = {{1, 2, 12, 9}}, .param = {{3, 2, 3, 3}}},
	/* These take several blocks of columns: rows, channels, both; few outputs, some, many; unrolled or not. */
	{&op_conv2d, ATTR(3, 3, 1, 1, 1), .in = {{1, 40, 12, 12}}, .param = {{65, 40, 3, 3}, VECTOR(65)}},
	{&op_conv2d, ATTR(1, 1, 1, 0, 1), .in = {{2, 90, 40, 9}}, .param = {{16, 90, 1, 1}, VECTOR(16)}},
	{&op_conv2d, ATTR(1, 1, 1, 0, 1), .in = {{1, 40, 33, 32}}, .param = {{30, 40, 1, 1}, VECTOR(30)}},
	{&op_conv2d, ATTR(1, 1, 1, 0, 1), .in = {{2, 7, 5, 8}}, .param = {{70, 7, 1, 1}, VECTOR(70)}},
	{&op_conv2d, ATTR(3, 3, 1, 1, 1), .in = {{1, 9, 33, 32}}, .param = {{26, 9, 3, 3}, VECTOR(26)}},
	{&op_conv2d, ATTR(3, 3, 1, 1, 1), .in = {{1, 13, 10, 130}}, .param = {{16, 13, 3, 3}, VECTOR(16)}},
	{&op_conv2d, ATTR(3, 3, 2, 1, 1), .in = {{1, 240, 5, 18}}, .param = {{65, 240, 3, 3}}},
	{&op_conv2d, ATTR(3, 3, 1, 1, 1), .in = {{1, 64, 33, 17}}, .param = {{5, 64, 3, 3}, VECTOR(5)}},
	{&op_conv2d, ATTR(3, 3, 1, 2, 2), .in = {{1, 96, 16, 16}}, .param = {{7, 96, 3, 3}, VECTOR(7)}},
	{&op_conv2d, ATTR(3, 3, 1, 9, 9), .in = {{1, 96, 16, 16}}, .param = {{3, 96, 3, 3}, VECTOR(3)}},
	{&op_conv2d, ATTR(3, 3, 2, 1, 1), .in = {{1, 3, 130, 97}}, .param = {{4, 3, 3, 3}, VECTOR(4)}},
	{&op_conv2d, ATTR(3, 3, 1, 0, 1), .in = {{1, 40, 40, 31}}, .param = {{2, 40, 3, 3}}},
	{&op_conv2d, ATTR(9, 9, 1, 4, 1), .in = {{1, 700, 2, 5}}, .param = {{2, 700, 9, 9}}},
	/* With what the epilogue does. */
	{&op_conv2d, FUSED(3, 1, 1, 1, 0), .in = {{2, 3, 7, 9}}, .param = {{5, 3, 3, 3}, VECTOR(5)}},
	{&op_conv2d, FUSED(3, 2, 1, 1, 0), .in = {{2, 3, 8, 10}, {2, 67, 4, 5}}, .param = {{67, 3, 3, 3}}},
	{&op_conv2d, FUSED(1, 1, 0, 1, 0), .in = {{1, 5, 3, 7}, {1, 33, 3, 7}}, .param = {{33, 5, 1, 1}, VECTOR(33)}},
	{&op_conv2d, FUSED(3, 1, 1, 0, 0), .in = {{1, 5, 3, 7}, {1, 4, 3, 7}}, .param = {{4, 5, 3, 3}, VECTOR(4)}},
	{&op_conv2d, FUSED(1, 1, 0, 1, 0.3f), .in = {{2, 9, 5, 4}}, .param = {{4, 9, 1, 1}, VECTOR(4)}},
	{&op_conv2d, FUSED(3, 1, 1, 0, -1.5f), .in = {{1, 3, 5, 4}, {1, 2, 5, 4}}, .param = {{2, 3, 3, 3}}},
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

/* What the loops find. */
struct sums {
	const struct op_call *call;
	double *y, *x_grad, *weight_grad, *bias_grad;
	double *sum_grad; /* of what goes into the relu */
};

static double scale_of(const struct op_call *call)
{
	const struct conv2d_attr *a = call->attr;
	return a->input_scale != 0 ? (double)a->input_scale : 1;
}

/* All products of one output element. `corner`: row and column of the input under the kernel's first tap. */
static void add_products(struct sums *s, size_t y, int n, int o, int corner_row, int corner_column)
{
	const struct conv2d_attr *a = s->call->attr;
	struct shape in = s->call->in[0].shape;
	const float *weights = s->call->param[0].data, *xs = s->call->in[0].data;
	double grad = s->sum_grad[y] * scale_of(s->call), sum = 0;
	for (int c = 0; c < in.c; c++)
		for (int ky = 0; ky < a->kernel_h; ky++)
			for (int kx = 0; kx < a->kernel_w; kx++) {
				int row = corner_row + ky * a->dilation, column = corner_column + kx * a->dilation;
				if (row < 0 || row >= in.h || column < 0 || column >= in.w)
					continue;
				int weight = ((o * in.c + c) * a->kernel_h + ky) * a->kernel_w + kx;
				size_t x = shape_offset(in, n, c, row, column);
				sum += (double)weights[weight] * (double)xs[x];
				s->x_grad[x] += (double)weights[weight] * grad;
				s->weight_grad[weight] += (double)xs[x] * grad;
			}
	s->y[y] += sum * scale_of(s->call);
}

static void add_all(struct sums *s)
{
	const struct conv2d_attr *a = s->call->attr;
	struct shape y = s->call->out.shape;
	for (int n = 0; n < y.n; n++)
		for (int o = 0; o < y.c; o++)
			for (int i = 0; i < y.h; i++)
				for (int j = 0; j < y.w; j++)
					add_products(s, shape_offset(y, n, o, i, j), n, o, i * a->stride - a->padding,
						     j * a->stride - a->padding);
}

/* What is added to the products, and the gradients before them. Which way an output close to 0 went through the relu is
 * a matter of rounding, so its mask is what was found; `out_grad`: as it was before backward. */
static void add_epilogue(struct sums *s, const float *out_grad)
{
	const struct op_call *call = s->call;
	const struct conv2d_attr *a = call->attr;
	for (size_t i = 0; i < shape_count(call->out.shape); i++) {
		size_t o = i % (size_t)call->out.shape.c;
		s->sum_grad[i] = a->relu && !(call->out.data[i] > 0) ? 0 : (double)out_grad[i];
		s->bias_grad[o] += s->sum_grad[i];
		s->y[i] = call->param_count > 1 ? (double)call->param[1].data[o] : 0;
		s->y[i] += call->input_count > 1 ? (double)call->in[1].data[i] : 0;
	}
}

/* The rounding of sums of `products` products, relative to the largest: a fast convolution adds and subtracts more than
 * the sum itself has. */
static void assert_sums(const double *expected, const float *got, size_t values, size_t products, const char *what)
{
	double largest = 1;
	for (size_t i = 0; i < values; i++)
		largest = fmax(largest, fabs(expected[i]));
	double tolerance = (3e-7 * sqrt((double)products) + 1e-6) * largest;
	for (size_t i = 0; i < values; i++)
		ck_assert_msg(fabs(expected[i] - (double)got[i]) <= tolerance,
			      "%s, element %zu: expected %.8g, found %.8g", what, i, expected[i], (double)got[i]);
}

static double *zeros(size_t count)
{
	double *values = calloc(count, sizeof *values);
	ck_assert_ptr_nonnull(values);
	return values;
}

static float *floats(size_t count)
{
	float *values = malloc(count * sizeof *values);
	ck_assert_ptr_nonnull(values);
	return values;
}

START_TEST(equals_naive_loops)
{
	struct op_run run;
	op_run_init(&run, &cases[_i]);
	struct op_call *call = &run.call;
	const struct conv2d_attr *attr = call->attr;
	size_t y_count = shape_count(call->out.shape), x_count = shape_count(call->in[0].shape);
	size_t weight_count = shape_count(call->param[0].shape), channels = (size_t)call->out.shape.c;
	float *out_grad = floats(y_count), *used_grad = floats(y_count);
	test_fill(out_grad, y_count, FILL_UNIFORM, 5);
	call->out_grad = memcpy(used_grad, out_grad, y_count * sizeof *out_grad);
	call->in_grad[0] = floats(x_count);
	call->in_grad[1] = call->input_count > 1 ? floats(y_count) : NULL;
	op_run_forward(&run);
	op_conv2d.backward(call);

	struct sums sums = {call, zeros(y_count), zeros(x_count), zeros(weight_count), zeros(channels), zeros(y_count)};
	add_epilogue(&sums, out_grad);
	add_all(&sums);
	for (size_t i = 0; i < y_count && attr->relu; i++)
		sums.y[i] = fmax(sums.y[i], 0);
	struct shape weight = call->param[0].shape;
	size_t taps = (size_t)weight.h * (size_t)weight.w, pixels = y_count / channels;
	assert_sums(sums.y, call->out.data, y_count, taps * (size_t)weight.c, "output");
	assert_sums(sums.x_grad, call->in_grad[0], x_count, taps * channels, "input gradient");
	assert_sums(sums.weight_grad, call->param_grad[0], weight_count, pixels, "weight gradient");
	if (call->param_count > 1)
		assert_sums(sums.bias_grad, call->param_grad[1], channels, pixels, "bias gradient");
	if (call->input_count > 1)
		assert_sums(sums.sum_grad, call->in_grad[1], y_count, 1, "addend's gradient");
	free(sums.y);
	free(sums.x_grad);
	free(sums.weight_grad);
	free(sums.bias_grad);
	free(sums.sum_grad);
	free(out_grad);
	free(used_grad);
	free(call->in_grad[0]);
	free(call->in_grad[1]);
	op_run_release(&run);
}
END_TEST

START_TEST(bits_do_not_change)
{
	struct op_run first, second;
	op_run_init(&first, &cases[_i]);
	op_run_init(&second, &cases[_i]);
	op_run_forward(&first);
	op_run_forward(&second);
	ck_assert(memcmp(first.call.out.data, second.call.out.data,
			 shape_count(first.call.out.shape) * sizeof(float)) == 0);
	op_run_release(&first);
	op_run_release(&second);
}
END_TEST

static const struct shape input = {1, 3, 8, 8}, weight = {4, 3, 3, 3}, bias = VECTOR(4);

static void assert_refused(const struct conv2d_attr *attr, struct shape in, struct shape w, struct shape b,
			   const char *expected)
{
	struct shape params[] = {w, b}, out;
	ck_assert_int_eq(op_conv2d.shape(attr, &in, 1, params, 2, &out), STATUS_CONFIG);
	ck_assert_msg(strstr(status_message(), "conv2d") && strstr(status_message(), expected), "message is: %s",
		      status_message());
}

START_TEST(shape_rule_refuses)
{
	assert_refused(ATTR(3, 3, 1, 1, 1), input, (struct shape){4, 2, 3, 3}, bias,
		       "(4, 3, 3, 3), found (4, 2, 3, 3)");
	assert_refused(ATTR(5, 3, 1, 1, 1), input, weight, bias, "(4, 3, 5, 3)");
	assert_refused(ATTR(3, 3, 1, 1, 1), input, weight, (struct shape)VECTOR(5), "(4, 1, 1, 1), found (5, 1, 1, 1)");
	assert_refused(ATTR(3, 3, 0, 1, 1), input, weight, bias, "stride");
	assert_refused(ATTR(3, 3, 1, -1, 1), input, weight, bias, "padding");
	assert_refused(ATTR(3, 3, 1, 1, 0), input, weight, bias, "dilation");
	assert_refused(ATTR(3, 3, 1, 0, 4), input, weight, bias, "too small");
	assert_refused(ATTR(3, 3, 1, 0, 1), (struct shape){1, 3, 2, 8}, weight, bias, "too small");
	struct shape params[] = {weight, bias, bias}, ins[] = {input, input}, out;
	ck_assert_int_eq(op_conv2d.shape(ATTR(3, 3, 1, 1, 1), ins, 2, params, 1, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_conv2d.shape(ATTR(3, 3, 1, 1, 1), ins, 1, params, 3, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_conv2d.shape(ATTR(3, 3, 1, 1, 1), ins, 1, params, 0, &out), STATUS_CONFIG);
	struct shape huge = {1, 3, 40000, 40000};
	ck_assert_int_eq(op_conv2d.shape(ATTR(3, 3, 1, 1, 1), &huge, 1, params, 2, &out), STATUS_LIMIT);
}
END_TEST

START_TEST(macs_and_description)
{
	struct op_run run;
	op_run_init(&run, &cases[2]);
	ck_assert_double_eq(op_conv2d.macs(&run.call), 2.0 * 5 * 7 * 9 * 3 * 3 * 3);
	char text[64];
	op_conv2d.describe(ATTR(3, 5, 2, 1, 1), text, sizeof text);
	ck_assert_str_eq(text, "3x5 stride 2 pad 1");
	op_conv2d.describe(ATTR(3, 3, 1, 2, 2), text, sizeof text);
	ck_assert_str_eq(text, "3x3 stride 1 pad 2 dilation 2");
	op_conv2d.describe(ATTR(3, 3, 1, 2, 2), text, 5);
	ck_assert_str_eq(text, "3x3 ");
	op_run_release(&run);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("conv2d");
	TCase *tcase = tcase_create("conv2d");
	tcase_set_timeout(tcase, 60); /* naive loops under a sanitizer on a busy machine */
	tcase_add_loop_test(tcase, equals_naive_loops, 0, CASE_COUNT);
	tcase_add_loop_test(tcase, bits_do_not_change, 0, CASE_COUNT);
	tcase_add_test(tcase, shape_rule_refuses);
	tcase_add_test(tcase, macs_and_description);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
