/* Rounding to 8 bits in floats: the same bits from every instruction set, and equal to the definition. */
#include <math.h>
#include <string.h>

#include "core/kernels.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { MOST = 517 };

static float values[MOST], rounded[MOST], grads[MOST];

static void fill(void)
{
	unsigned state = 9;
	for (int i = 0; i < MOST; i++) {
		values[i] = 40 * test_random(&state);
		grads[i] = 1 + test_random(&state);
	}
	values[0] = 0.5f * 0.25f; /* a tie */
	values[1] = -0.0f;
	values[2] = 1e30f;
	values[3] = -1e30f;
}

static float expected_value(float x, float scale, float zero)
{
	return fminf(fmaxf(rintf(x * (1 / scale)), -zero), 255 - zero) * scale;
}

static void check(size_t count, float scale, float zero, const char *isa)
{
	float low, high, least = 0, most = 0;
	fill();
	memcpy(rounded, values, sizeof values);
	kernels()->fake_quantize(rounded, count, scale, zero);
	kernels()->fake_quantize_grad(grads, rounded, count, scale, zero);
	kernels()->value_range(values, count, &low, &high);
	for (size_t i = 0; i < count; i++) {
		float expected = expected_value(values[i], scale, zero);
		ck_assert_msg(rounded[i] == expected, "%s: %g became %g, expected %g", isa, (double)values[i],
			      (double)rounded[i], (double)expected);
		bool cut = rounded[i] == -zero * scale || rounded[i] == (255 - zero) * scale;
		ck_assert_msg((grads[i] == 0) == cut, "%s: gradient %g at %g", isa, (double)grads[i],
			      (double)rounded[i]);
		least = fminf(least, values[i]);
		most = fmaxf(most, values[i]);
	}
	for (size_t i = count; i < MOST; i++)
		ck_assert(rounded[i] == values[i] && grads[i] != 0);
	ck_assert(low == least && high == most);
}

START_TEST(equals_its_definition)
{
	static const size_t counts[] = {0, 1, 15, 16, 33, MOST};
	for (int k = 0; kernels_names[k]; k++) {
		if (!kernels_supported(kernels_names[k]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
		for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
			check(counts[i], 0.25f, 0, kernels_names[k]);
			check(counts[i], 0.25f, 117, kernels_names[k]);
			check(counts[i], 0.0371f, 200, kernels_names[k]);
		}
	}
}
END_TEST

/* A network that has gone wrong must be seen at the loss. */
START_TEST(nan_stays)
{
	for (int i = 0; i < 20; i++)
		rounded[i] = NAN;
	kernels()->fake_quantize(rounded, 20, 0.5f, 3);
	for (int i = 0; i < 20; i++)
		ck_assert(isnan(rounded[i]));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("quantize kernels");
	TCase *tcase = tcase_create("quantize kernels");
	tcase_add_test(tcase, equals_its_definition);
	tcase_add_test(tcase, nan_stays);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
