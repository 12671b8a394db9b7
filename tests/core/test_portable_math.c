/* Elementary functions: close to libm's everywhere, and the same bits as on the machine where these lines were
 * written. */
#include "core/portable_math.h"

#include <math.h>

#include "core/rng.h"
#include "tests/support/test.h"

/* Raises *worst to the relative error of `found`. (An assertion of Check in each round would take longer than the
 * round.) */
static void compare(double *worst, double found, double expected)
{
	double error = expected == 0 ? fabs(found) : fabs(found / expected - 1);
	if (isnan(error))
		error = INFINITY;
	if (error > *worst)
		*worst = error;
}

START_TEST(log_is_close)
{
	struct rng rng = rng_stream(1, 0, 0, RNG_TEST);
	double worst = 0;
	for (int i = 0; i < 100000; i++) {
		double x = ldexp(1 + rng_u32(&rng) * 0x1p-32, (int)rng_below(&rng, 2000) - 1000);
		compare(&worst, portable_log(x), log(x));
		x = 1 + (rng_u32(&rng) - 0x1p31) * 0x1p-36; /* around 1 the result nearly vanishes */
		compare(&worst, portable_log(x), log(x));
	}
	ck_assert_double_lt(worst, 1e-15);
	ck_assert(portable_log(1) == 0);
}
END_TEST

START_TEST(exp_is_close)
{
	struct rng rng = rng_stream(2, 0, 0, RNG_TEST);
	double worst = 0;
	for (int i = 0; i < 100000; i++) {
		double x = (rng_u32(&rng) - 0x1p31) * (700 * 0x1p-31);
		compare(&worst, portable_exp(x), exp(x));
		compare(&worst, portable_exp(x / 700), exp(x / 700));
	}
	ck_assert_double_lt(worst, 1e-15);
	ck_assert(portable_exp(0) == 1);
	ck_assert(portable_exp(1e9) == portable_exp(700) && portable_exp(-1e9) == portable_exp(-700));
}
END_TEST

START_TEST(cos_is_close)
{
	struct rng rng = rng_stream(3, 0, 0, RNG_TEST);
	double worst = 0;
	bool periodic = true;
	for (int i = 0; i < 100000; i++) {
		double turns = rng_u32(&rng) * 0x1p-32, found = portable_cos_turns(turns);
		worst = fmax(worst, fabs(found - cos(turns * 2 * acos(-1))));
		periodic &= portable_cos_turns(-turns) == found && portable_cos_turns(turns + 12345) == found;
	}
	ck_assert_double_lt(worst, 2e-15);
	ck_assert(periodic);
	for (int quarter = -8; quarter <= 8; quarter++)
		ck_assert(portable_cos_turns(quarter * 0.25) == (quarter % 2 ? 0 : quarter % 4 ? -1 : 1));
}
END_TEST

START_TEST(pow_is_close)
{
	struct rng rng = rng_stream(4, 0, 0, RNG_TEST);
	double worst = 0;
	for (int i = 0; i < 20000; i++) {
		double x = rng_u32(&rng) * 0x1p-30, y = (rng_u32(&rng) - 0x1p31) * 0x1p-29;
		compare(&worst, portable_pow(x, y), pow(x, y));
		uint32_t n = rng_below(&rng, 300);
		compare(&worst, portable_powi(x, n), pow(x, n));
	}
	ck_assert_double_lt(worst, 1e-13);
	ck_assert(portable_pow(0, 0) == 1 && portable_pow(0, 0.9) == 0 && portable_pow(1, 0.9) == 1);
	ck_assert(portable_powi(0, 0) == 1 && portable_powi(3, 4) == 81);
}
END_TEST

/* A fold of the bits of many results: a compiler that contracts or reorders gets another one. */
START_TEST(same_bits_everywhere)
{
	struct rng rng = rng_stream(5, 0, 0, RNG_TEST);
	uint64_t fold = 0;
	for (int i = 0; i < 10000; i++) {
		double u = (rng_u32(&rng) + 1.0) * 0x1p-32;
		double results[] = {portable_log(u), portable_exp(u * 50 - 25), portable_cos_turns(u),
				    portable_pow(u, 0.9)};
		for (int k = 0; k < 4; k++) {
			union {
				double value;
				uint64_t bits;
			} pun = {.value = results[k]};
			fold = (fold ^ pun.bits) * 0x100000001b3;
		}
	}
	ck_assert_uint_eq(fold, 2621748639135844414u);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("portable_math");
	TCase *tcase = tcase_create("all");
	tcase_add_test(tcase, log_is_close);
	tcase_add_test(tcase, exp_is_close);
	tcase_add_test(tcase, cos_is_close);
	tcase_add_test(tcase, pow_is_close);
	tcase_add_test(tcase, same_bits_everywhere);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
