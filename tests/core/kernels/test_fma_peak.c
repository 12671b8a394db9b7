/* The yardstick does the arithmetic that it counts: every float goes through each round, with the same bits in all
 * instruction sets. */
#include <math.h>

#include "core/kernels.h"
#include "tests/support/test.h"

enum { ROUNDS = 7 };

static float expected(float x)
{
	for (int i = 0; i < ROUNDS; i++)
		x = fmaf(x, 0.75f, 0.25f);
	return x;
}

START_TEST(counts_what_it_does)
{
	for (const char *const *isa = kernels_names; *isa; isa++) {
		float sums[FMA_PEAK_FLOATS];
		if (!kernels_supported(*isa))
			continue;
		ck_assert_int_eq(kernels_select(*isa), STATUS_OK);
		for (int i = 0; i < FMA_PEAK_FLOATS; i++)
			sums[i] = (float)(i + 2) / 3;
		double flops = kernels()->fma_peak(ROUNDS, sums);
		int used = (int)(flops / (2 * ROUNDS));
		ck_assert_int_ge(used, kernels()->lanes);
		ck_assert_int_le(used, FMA_PEAK_FLOATS);
		for (int i = 0; i < used; i++)
			ck_assert_msg(sums[i] == expected((float)(i + 2) / 3), "%s: float %d", *isa, i);
		for (int i = used; i < FMA_PEAK_FLOATS; i++)
			ck_assert(sums[i] == (float)(i + 2) / 3);
	}
	ck_assert_int_eq(kernels_select(NULL), STATUS_OK);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("fma_peak");
	TCase *tests = tcase_create("fma_peak");
	tcase_add_test(tests, counts_what_it_does);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
