/* conv_transpose2d against a loop in which each input pixel paints its kernel; and what its shape rule refuses. */
#include "core/ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define ATTR(K, S, P) (&(const struct conv_transpose2d_attr){.kernel = K, .stride = S, .padding = P})
#define VECTOR(C)          \
	{                  \
		C, 1, 1, 1 \
	}

static const struct op_case cases[] = {
	{&op_conv_transpose2d, ATTR(1, 1, 0), .in = {{2, 3, 3, 5}}, .param = {{3, 5, 1, 1}, VECTOR(5)}},
	{&op_conv_transpose2d, ATTR(2, 2, 0), .in = {{1, 3, 7, 9}}, .param = {{3, 1, 2, 2}}},
	{&op_conv_transpose2d, ATTR(4, 2, 1), .in = {{2, 5, 7, 9}}, .param = {{5, 3, 4, 4}, VECTOR(3)}},
	{&op_conv_transpose2d, ATTR(3, 1, 1), .in = {{1, 3, 1, 1}}, .param = {{3, 5, 3, 3}, VECTOR(5)}},
	{&op_conv_transpose2d, ATTR(3, 5, 2), .in = {{1, 1, 3, 5}}, .param = {{1, 3, 3, 3}, VECTOR(3)}},
	{&op_conv_transpose2d, ATTR(32, 16, 8), .in = {{1, 1, 16, 16}}, .param = {{1, 1, 32, 32}, VECTOR(1)}},
	{&op_conv_transpose2d, ATTR(4, 2, 1), .in = {{1, 3, 40, 33}}, .param = {{3, 10, 4, 4}, VECTOR(10)}},
};

static void paint(const struct op_call *call, double *y)
{
	const struct conv_transpose2d_attr *a = call->attr;
	struct shape in = call->in[0].shape, out = call->out.shape;
	const float *bias = call->param_count > 1 ? call->param[1].data : NULL;
	const float *x = call->in[0].data, *weight = call->param[0].data;
	for (size_t i = 0; i < shape_count(out); i++)
		y[i] = bias ? (double)bias[i % (size_t)out.c] : 0;
	for (int i = 0; i < (int)shape_count(in); i++)
		for (int k = 0; k < out.c * a->kernel * a->kernel; k++) {
			int c = i % in.c, pixel = i / in.c, n = pixel / (in.h * in.w), o = k / (a->kernel * a->kernel);
			int row = pixel / in.w % in.h * a->stride - a->padding + k / a->kernel % a->kernel;
			int column = pixel % in.w * a->stride - a->padding + k % a->kernel;
			if (row >= 0 && row < out.h && column >= 0 && column < out.w)
				y[shape_offset(out, n, o, row, column)] +=
					(double)x[i] * (double)weight[c * out.c * a->kernel * a->kernel + k];
		}
}

START_TEST(equals_naive_loop)
{
	struct op_run run;
	op_run_init(&run, &cases[_i]);
	size_t count = shape_count(run.call.out.shape);
	double *expected = malloc(count * sizeof *expected);
	ck_assert_ptr_nonnull(expected);
	paint(&run.call, expected);
	op_run_forward(&run);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(fabs(expected[i] - (double)run.call.out.data[i]) <= 1e-5 * (1 + fabs(expected[i])),
			      "element %zu: expected %.8g, found %.8g", i, expected[i], (double)run.call.out.data[i]);
	free(expected);
	op_run_release(&run);
}
END_TEST

START_TEST(shapes)
{
	struct shape in = {2, 3, 16, 12}, params[] = {{3, 1, 32, 32}, VECTOR(1)}, out;
	ck_assert_int_eq(op_conv_transpose2d.shape(ATTR(32, 16, 8), &in, 1, params, 2, &out), STATUS_OK);
	ck_assert(shape_equal(out, (struct shape){2, 1, 256, 192}));
	struct shape wrong[] = {{4, 1, 32, 32}, VECTOR(1)};
	ck_assert_int_eq(op_conv_transpose2d.shape(ATTR(32, 16, 8), &in, 1, wrong, 2, &out), STATUS_CONFIG);
	ck_assert(strstr(status_message(), "conv_transpose2d: parameter 0"));
	ck_assert(strstr(status_message(), "found (4, 1, 32, 32)"));
	struct shape wrong_bias[] = {{3, 1, 32, 32}, VECTOR(3)};
	ck_assert_int_eq(op_conv_transpose2d.shape(ATTR(32, 16, 8), &in, 1, wrong_bias, 2, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_conv_transpose2d.shape(ATTR(32, 0, 8), &in, 1, params, 2, &out), STATUS_CONFIG);
	struct shape dot = {1, 3, 1, 1}, small[] = {{3, 1, 2, 2}};
	ck_assert_int_eq(op_conv_transpose2d.shape(ATTR(2, 1, 1), &dot, 1, small, 1, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_conv_transpose2d.shape(ATTR(2, 1, 0), &dot, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("conv_transpose2d");
	TCase *tcase = tcase_create("conv_transpose2d");
	tcase_set_timeout(tcase, 60); /* naive loops under a sanitizer on a busy machine */
	tcase_add_loop_test(tcase, equals_naive_loop, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, shapes);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
