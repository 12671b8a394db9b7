/* upsample against the definition of the interpolation, one pixel at a time. */
#include "core/ops/ops.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define ATTR(F, MODE) (&(const struct upsample_attr){.factor = F, .mode = MODE})

static const struct shape shapes[] = {{1, 1, 1, 1}, {2, 3, 3, 5},  {1, 1, 1, 4}, {1, 2, 5, 1},
				      {1, 2, 2, 2}, {1, 1, 9, 33}, {1, 16, 3, 2}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static double pixel(const struct tensor *x, int n, int c, int row, int column)
{
	return x->data[shape_offset(x->shape, n, c, row, column)];
}

/* Neighbours and weight of the second one: half-pixel centres, the position clamped to the first pixel. */
static void neighbours(int out, int factor, int size, int *first, int *second, double *weight)
{
	double at = fmax((out + 0.5) / factor - 0.5, 0);
	*first = (int)at;
	*second = *first + 1 < size ? *first + 1 : size - 1;
	*weight = at - *first;
}

static double expected_value(const struct op_call *call, size_t output)
{
	const struct upsample_attr *a = call->attr;
	struct shape y = call->out.shape;
	int at = (int)output / y.c, c = (int)output % y.c, ox = at % y.w, oy = at / y.w % y.h, n = at / y.w / y.h;
	int top, bottom, left, right;
	double down, along;
	if (a->mode == UPSAMPLE_NEAREST)
		return pixel(&call->in[0], n, c, oy / a->factor, ox / a->factor);
	neighbours(oy, a->factor, call->in[0].shape.h, &top, &bottom, &down);
	neighbours(ox, a->factor, call->in[0].shape.w, &left, &right, &along);
	const struct tensor *x = &call->in[0];
	double upper = (1 - along) * pixel(x, n, c, top, left) + along * pixel(x, n, c, top, right);
	double lower = (1 - along) * pixel(x, n, c, bottom, left) + along * pixel(x, n, c, bottom, right);
	return (1 - down) * upper + down * lower;
}

START_TEST(equals_definition)
{
	const int factors[] = {1, 2, 3, 4, 5, 16};
	for (int s = 0; s < SHAPES; s++)
		for (int mode = UPSAMPLE_NEAREST; mode <= UPSAMPLE_BILINEAR; mode++) {
			const struct op_case c = {&op_upsample, ATTR(factors[_i], mode), .in = {shapes[s]}};
			struct op_run run;
			op_run_init(&run, &c);
			op_run_forward(&run);
			for (size_t i = 0; i < shape_count(run.call.out.shape); i++) {
				double expected = expected_value(&run.call, i), found = run.call.out.data[i];
				ck_assert_msg(fabs(expected - found) <= 3e-7,
					      "mode %d factor %d shape %d, output %zu: expected %g, found %g", mode,
					      factors[_i], s, i, expected, found);
			}
			op_run_release(&run);
		}
}
END_TEST

START_TEST(shape_rule_refuses)
{
	struct shape x[] = {{1, 1, 5, 5}, {1, 1, 5, 5}}, out, large = {1, 64, 4096, 4096};
	ck_assert_int_eq(op_upsample.shape(ATTR(2, UPSAMPLE_NEAREST), x, 1, NULL, 0, &out), STATUS_OK);
	ck_assert_int_eq(op_upsample.shape(ATTR(0, UPSAMPLE_NEAREST), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_upsample.shape(ATTR(65, UPSAMPLE_NEAREST), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_upsample.shape(ATTR(2, 2), x, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_upsample.shape(ATTR(2, UPSAMPLE_NEAREST), x, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_upsample.shape(ATTR(2, UPSAMPLE_NEAREST), &large, 1, NULL, 0, &out), STATUS_LIMIT);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("upsample");
	TCase *tcase = tcase_create("upsample");
	tcase_set_timeout(tcase, 60); /* naive loops under a sanitizer on a busy machine */
	tcase_add_loop_test(tcase, equals_definition, 0, 6);
	tcase_add_test(tcase, shape_rule_refuses);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
