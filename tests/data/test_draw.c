/* Objects drawn by weight: in the right proportions, and a function of (seed, weights, number) alone. */
#include "data/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static struct draw *make(const double *weights, int count)
{
	struct draw *draw;
	ck_assert_msg(draw_new(weights, count, &draw) == STATUS_OK, "%s", status_message());
	return draw;
}

START_TEST(proportions)
{
	enum { COUNT = 5, DRAWN = 20000 };
	static const double weights[COUNT] = {1, 0, 3, 0.5, 5.5};
	struct draw *draw = make(weights, COUNT);
	int seen[COUNT] = {0};
	for (uint64_t n = 0; n < DRAWN; n++)
		seen[draw_object(draw, 7, n)]++;
	for (int i = 0; i < COUNT; i++) {
		double expected = weights[i] / 10 * DRAWN, deviation = sqrt(expected * (1 - weights[i] / 10));
		ck_assert_double_le(fabs(seen[i] - expected), 4 * deviation);
	}
	draw_free(draw);
}
END_TEST

/* Proportions alone count, exactly so for factors that are powers of two. */
START_TEST(a_common_factor_changes_nothing)
{
	static const double weights[] = {0.3, 1, 0.7, 0.11}, twice[] = {0.6, 2, 1.4, 0.22};
	struct draw *a = make(weights, 4), *b = make(twice, 4);
	uint8_t digest_a[32], digest_b[32];
	draw_digest(a, digest_a);
	draw_digest(b, digest_b);
	ck_assert_mem_eq(digest_a, digest_b, 32);
	for (uint64_t n = 0; n < 100; n++)
		ck_assert_int_eq(draw_object(a, 3, n), draw_object(b, 3, n));
	draw_free(a);
	draw_free(b);
}
END_TEST

START_TEST(seeds_and_weights_matter)
{
	static const double weights[] = {1, 2, 3, 4}, other[] = {1, 2, 3, 4.001};
	struct draw *a = make(weights, 4), *b = make(other, 4);
	uint8_t digest_a[32], digest_b[32];
	int differ = 0;
	for (uint64_t n = 0; n < 100; n++)
		differ += draw_object(a, 1, n) != draw_object(a, 2, n);
	ck_assert_int_gt(differ, 30);
	draw_digest(a, digest_a);
	draw_digest(b, digest_b);
	ck_assert_mem_ne(digest_a, digest_b, 32);
	draw_free(a);
	draw_free(b);
}
END_TEST

/* The same on every machine and for ever: what they are is part of trained weights. */
START_TEST(known_numbers)
{
	static const double weights[] = {1, 0.25, 0.3333333333333333, 4, 2, 0, 1e-3};
	static const int expected[] = {3, 0, 3, 3, 4, 3, 3, 4, 0, 4, 3, 3, 4, 3, 3, 2, 2, 4, 3, 3, 3, 3, 4, 3};
	struct draw *draw = make(weights, 7);
	for (uint64_t n = 0; n < sizeof expected / sizeof *expected; n++)
		ck_assert_int_eq(draw_object(draw, 11, 1234567890123 + n), expected[n]);
	draw_free(draw);
}
END_TEST

START_TEST(one_object_of_many)
{
	enum { COUNT = 100001 };
	double *weights = calloc(COUNT, sizeof *weights);
	ck_assert_ptr_nonnull(weights);
	weights[COUNT - 1] = 1e-200;
	struct draw *draw = make(weights, COUNT);
	for (uint64_t n = 0; n < 50; n++)
		ck_assert_int_eq(draw_object(draw, 1, n), COUNT - 1);
	draw_free(draw);
	free(weights);
}
END_TEST

START_TEST(bad_weights_are_refused)
{
	static const double bad[][2] = {{1, -1}, {0, 0}, {1, NAN}, {INFINITY, 1}};
	for (int i = 0; i < 4; i++) {
		struct draw *draw;
		ck_assert_int_eq(draw_new(bad[i], 2, &draw), STATUS_CONFIG);
		ck_assert_ptr_null(draw);
	}
	draw_free(NULL);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("draw");
	TCase *tcase = tcase_create("draw");
	tcase_add_test(tcase, proportions);
	tcase_add_test(tcase, a_common_factor_changes_nothing);
	tcase_add_test(tcase, seeds_and_weights_matter);
	tcase_add_test(tcase, known_numbers);
	tcase_add_test(tcase, one_object_of_many);
	tcase_add_test(tcase, bad_weights_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
