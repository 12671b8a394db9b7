/* max_pool2d against a loop over windows, in every instruction set, with ties and NaN; output sizes as in PyTorch; what
 * the shape rule refuses. */
#include "core/kernels.h"
#include "core/ops/ops.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define ATTR(K, S, P, CEIL) (&(const struct max_pool2d_attr){.kernel = K, .stride = S, .padding = P, .ceil_mode = CEIL})

static const struct op_case cases[] = {
	{&op_max_pool2d, ATTR(3, 2, 0, 0), .in = {{2, 3, 7, 9}}},
	{&op_max_pool2d, ATTR(3, 2, 0, 1), .in = {{2, 3, 8, 6}}},
	{&op_max_pool2d, ATTR(3, 2, 1, 0), .in = {{1, 5, 7, 9}}},
	{&op_max_pool2d, ATTR(3, 2, 1, 1), .in = {{1, 3, 6, 4}}},
	{&op_max_pool2d, ATTR(2, 2, 0, 1), .in = {{1, 1, 3, 5}}},
	{&op_max_pool2d, ATTR(3, 1, 1, 0), .in = {{1, 3, 3, 5}}},
	{&op_max_pool2d, ATTR(2, 3, 1, 1), .in = {{1, 1, 7, 9}}},
	{&op_max_pool2d, ATTR(16, 1, 8, 0), .in = {{1, 1, 20, 18}}},
	{&op_max_pool2d, ATTR(2, 5, 0, 0), .in = {{1, 1, 20, 33}}},
	{&op_max_pool2d, ATTR(1, 1, 0, 0), .in = {{1, 1, 1, 1}}},
	{&op_max_pool2d, ATTR(3, 2, 0, 1), .in = {{1, 3, 40, 67}}},
	{&op_max_pool2d, ATTR(3, 2, 0, 1), .in = {{2, 37, 9, 8}}},
	{&op_max_pool2d, ATTR(3, 2, 0, 1), .in = {{2, 48, 9, 8}}},
	{&op_max_pool2d, ATTR(3, 2, 0, 0), .in = {{1, 16, 8, 8}}},
	{&op_max_pool2d, ATTR(3, 2, 1, 1), .in = {{1, 32, 9, 8}}},
	{&op_max_pool2d, ATTR(4, 3, 2, 1), .in = {{1, 21, 9, 8}}},
	{&op_max_pool2d, ATTR(5, 2, 2, 1), .in = {{1, 2, 9, 12}}},
};

/* Where the maximum of an output's window lies in the input; the first in reading order among equals, the last NaN. */
static size_t place_of_maximum(const struct op_call *call, size_t output)
{
	const struct max_pool2d_attr *a = call->attr;
	struct shape x = call->in[0].shape, y = call->out.shape;
	size_t best = 0, pixel = output / (size_t)y.c;
	int c = (int)output % y.c, ox = (int)pixel % y.w, oy = (int)pixel / y.w % y.h, n = (int)pixel / y.w / y.h;
	bool found = false;
	for (int k = 0; k < a->kernel * a->kernel; k++) {
		int row = oy * a->stride - a->padding + k / a->kernel;
		int column = ox * a->stride - a->padding + k % a->kernel;
		if (row < 0 || row >= x.h || column < 0 || column >= x.w)
			continue;
		size_t at = shape_offset(x, n, c, row, column);
		if (!found || call->in[0].data[at] > call->in[0].data[best] || isnan(call->in[0].data[at]))
			best = at;
		found = true;
	}
	ck_assert(found);
	return best;
}

static void compare_in_set(struct op_run *run)
{
	struct op_call *call = &run->call;
	enum { MOST = 3 * 40 * 67 };
	static float out_grad[MOST], x_grad[MOST], expected[MOST];
	size_t count = shape_count(call->out.shape), x_count = shape_count(call->in[0].shape);
	ck_assert_uint_le(x_count, MOST);
	test_fill(out_grad, count, FILL_UNIFORM, 9);
	memset(expected, 0, sizeof expected);
	call->out_grad = out_grad;
	call->in_grad[0] = x_grad;
	op_run_forward(run);
	op_max_pool2d.backward(call);
	for (size_t i = 0; i < count; i++) {
		size_t at = place_of_maximum(call, i);
		ck_assert_msg(memcmp(&call->out.data[i], &call->in[0].data[at], sizeof(float)) == 0,
			      "output %zu: expected %g, found %g", i, (double)call->in[0].data[at],
			      (double)call->out.data[i]);
		expected[at] += out_grad[i];
	}
	assert_close(x_grad, expected, x_count, 0, "input gradient");
}

static void compare(struct op_run *run)
{
	for (int i = 0; kernels_names[i]; i++)
		if (kernels_supported(kernels_names[i])) {
			ck_assert_int_eq(kernels_select(kernels_names[i]), STATUS_OK);
			compare_in_set(run);
		}
}

START_TEST(equals_naive_loop)
{
	struct op_run run;
	op_run_init(&run, &cases[_i]);
	compare(&run);
	for (size_t i = 0; i < shape_count(run.call.in[0].shape); i++) /* many equal values */
		run.call.in[0].data[i] = roundf(run.call.in[0].data[i] * 1.2f);
	compare(&run);
	for (size_t i = 0; i < shape_count(run.call.in[0].shape); i += 1 + i % 7)
		run.call.in[0].data[i] = NAN;
	compare(&run);
	for (size_t i = 0; i < shape_count(run.call.in[0].shape); i++)
		run.call.in[0].data[i] = -INFINITY;
	compare(&run);
	op_run_release(&run);
}
END_TEST

static void assert_size(const struct max_pool2d_attr *attr, int in, int expected)
{
	struct shape x = {1, 1, in, in}, out;
	ck_assert_int_eq(op_max_pool2d.shape(attr, &x, 1, NULL, 0, &out), STATUS_OK);
	ck_assert_int_eq(out.h, expected);
	ck_assert_int_eq(out.w, expected);
}

/* Sizes by torch.nn.functional.max_pool2d. */
START_TEST(output_sizes)
{
	assert_size(ATTR(3, 2, 0, 1), 113, 56);
	assert_size(ATTR(3, 2, 0, 1), 128, 64);
	assert_size(ATTR(3, 2, 0, 0), 128, 63);
	assert_size(ATTR(2, 2, 0, 1), 5, 3);
	assert_size(ATTR(2, 3, 1, 1), 7, 3); /* not 4: the window would start beyond the input */
	assert_size(ATTR(2, 3, 1, 1), 3, 2);
	assert_size(ATTR(1, 3, 0, 1), 3, 1);
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape x[] = {{1, 1, 5, 5}, {1, 1, 5, 5}}, out;
	ck_assert_int_eq(op_max_pool2d.shape(ATTR(6, 1, 0, 0), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_max_pool2d.shape(ATTR(3, 0, 0, 0), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_max_pool2d.shape(ATTR(3, 1, 2, 0), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_max_pool2d.shape(ATTR(17, 1, 8, 0), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert(strstr(status_message(), "max_pool2d: expected kernel in 1..16, found 17"));
	ck_assert_int_eq(op_max_pool2d.shape(ATTR(3, 1, 0, 0), x, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_max_pool2d.shape(ATTR(3, 1, 0, 0), x, 1, x, 1, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("max_pool2d");
	TCase *tcase = tcase_create("max_pool2d");
	tcase_set_timeout(tcase, 60); /* naive loops under a sanitizer on a busy machine */
	tcase_add_loop_test(tcase, equals_naive_loop, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, output_sizes);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
