/* reshape and slice: each value at its place in the order N,C,H,W; there and back is the identity; what their shape
 * rules refuse. */
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

/* The value at (n, c, y, x) of an activation. */
static float value_at(const struct tensor *t, int n, int c, int y, int x)
{
	return t->data[shape_offset(t->shape, n, c, y, x)];
}

/* Value number `i` of sample `n` in the order C,H,W. */
static float value_number(const struct tensor *t, int n, int i)
{
	struct shape s = t->shape;
	return value_at(t, n, i / (s.h * s.w), i / s.w % s.h, i % s.w);
}

START_TEST(reshape_keeps_order)
{
	const struct reshape_attr attrs[] = {{-1, 1, 1}, {3, 4, 5}, {4, -1, 3}, {5, 3, -1}, {1, 1, 60}, {1, -1, 2}};
	const struct op_case c = {&op_reshape, &attrs[_i], .in = {{2, 3, 4, 5}}};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	for (int n = 0; n < 2; n++)
		for (int i = 0; i < 60; i++)
			ck_assert(value_number(&run.call.out, n, i) == value_number(&run.call.in[0], n, i));
	op_run_release(&run);
}
END_TEST

START_TEST(reshape_refuses)
{
	const struct reshape_attr bad[] = {{3, 4, 4}, {-1, -1, 1}, {0, 4, 5}, {7, -1, 1}, {-2, 1, 1}, {60, 60, 60}};
	struct shape out, in = {2, 3, 4, 5};
	ck_assert_int_eq(op_reshape.shape(&bad[_i], &in, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

START_TEST(slice_is_a_part)
{
	const struct slice_attr attrs[] = {{0}, {1, 2, 3, 2, 1, 1}, {.x = 4}, {.channel = 2, .height = 3}};
	const struct op_case c = {&op_slice, &attrs[_i], .in = {{2, 3, 4, 5}}};
	const struct slice_attr *a = &attrs[_i];
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	struct shape s = run.call.out.shape;
	ck_assert(shape_equal(s, (struct shape){2, a->channels ? a->channels : 3 - a->channel,
						a->height ? a->height : 4 - a->y, a->width ? a->width : 5 - a->x}));
	for (int n = 0; n < s.n; n++)
		for (int k = 0; k < s.c; k++)
			for (int i = 0; i < s.h * s.w; i++)
				ck_assert(value_at(&run.call.out, n, k, i / s.w, i % s.w) ==
					  value_at(&run.call.in[0], n, a->channel + k, a->y + i / s.w, a->x + i % s.w));
	op_run_release(&run);
}
END_TEST

START_TEST(slice_refuses)
{
	const struct slice_attr bad[] = {{.channel = 3},
					 {.channel = -1},
					 {.y = 1, .height = 4},
					 {.width = 6},
					 {.x = 5}};
	struct shape out, in = {2, 3, 4, 5};
	ck_assert_int_eq(op_slice.shape(&bad[_i], &in, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("reshape");
	TCase *tcase = tcase_create("reshape and slice");
	tcase_add_loop_test(tcase, reshape_keeps_order, 0, 6);
	tcase_add_loop_test(tcase, reshape_refuses, 0, 6);
	tcase_add_loop_test(tcase, slice_is_a_part, 0, 4);
	tcase_add_loop_test(tcase, slice_refuses, 0, 5);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
