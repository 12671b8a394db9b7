/* The losses' inner loops: the same bits from every instruction set, and pixel by pixel within 1e-6 of the formulas. */
#include <math.h>
#include <string.h>

#include "core/kernels.h"
#include "core/kernels/vmath.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { MOST = 1027, OUTPUTS = 9 };

static float logit[MOST], target[MOST], out[OUTPUTS][MOST], expected[OUTPUTS][MOST];

/* Logits of all sizes, targets of all kinds. */
static void fill(void)
{
	unsigned state = 5;
	test_fill(target, MOST, FILL_TARGET, 3);
	for (int i = 0; i < MOST; i++)
		logit[i] = test_random(&state) * (float)(1 << i % 7);
	logit[1] = 0;
	logit[2] = 1e30f;
	logit[3] = -1e30f;
}

static void run_all(size_t count, float gamma)
{
	struct focal_block focal = {0.25f, gamma, 1e-12f, logit, target, count, out[0], out[1], out[2]};
	struct overlap_block overlap = {logit, target, count, out[3], out[4], out[5]};
	memset(out, 0, sizeof out);
	kernels()->focal_terms(&focal);
	kernels()->overlap_terms(&overlap);
	kernels()->overlap_slopes(logit, target, count, -0.3f, 0.2f, out[6]);
	kernels()->bce_terms(logit, target, count, out[7], out[8]);
}

START_TEST(same_bits_everywhere)
{
	static const size_t counts[] = {0, 1, 7, 16, 33, 255, MOST};
	static const float gammas[] = {2, 0.5f, 3};
	fill();
	for (int c = 0; c < 7; c++)
		for (int g = 0; g < 3; g++)
			for (int k = 0; kernels_names[k]; k++) {
				if (!kernels_supported(kernels_names[k]))
					continue;
				ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
				run_all(counts[c], gammas[g]);
				if (k == 0)
					memcpy(expected, out, sizeof out);
				ck_assert_msg(memcmp(expected, out, sizeof out) == 0, "%s, %zu pixels, gamma %g",
					      kernels_names[k], counts[c], (double)gammas[g]);
			}
}
END_TEST

/* Bits on whatever machine and compiler: one number of all outputs. */
START_TEST(same_bits_with_every_compiler)
{
	uint64_t fold = 0;
	fill();
	ck_assert_int_eq(kernels_select(NULL), STATUS_OK);
	run_all(MOST, 1.5f);
	for (int o = 0; o < OUTPUTS; o++)
		for (int i = 0; i < MOST; i++) {
			uint32_t bits;
			memcpy(&bits, &out[o][i], sizeof bits);
			fold = (fold ^ bits) * 0x100000001b3;
		}
	ck_assert_uint_eq(fold, 6301122932342821299u);
}
END_TEST

START_TEST(sums_have_the_same_bits_everywhere)
{
	fill();
	logit[2] = logit[3] = 1;
	for (size_t count = 0; count < 70; count++) {
		double lane[16] = {0}, first = 0;
		size_t valid = 0;
		for (size_t i = 0; i < count; i++) {
			lane[i % 16] += (double)logit[i];
			valid += target[i] >= 0;
		}
		for (int half = 8; half > 0; half /= 2)
			for (int i = 0; i < half; i++)
				lane[i] += lane[i + half];
		first = lane[0];
		for (int k = 0; kernels_names[k]; k++) {
			if (!kernels_supported(kernels_names[k]))
				continue;
			ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
			ck_assert(kernels()->sum_floats(logit, count) == first);
			ck_assert_uint_eq(kernels()->count_valid(target, count), valid);
		}
	}
}
END_TEST

static void assert_near(float got, double wanted, const char *what, int i)
{
	ck_assert_msg(fabs((double)got - wanted) <= 1e-6 * fabs(wanted) + 1e-23,
		      "%s of logit %g, target %g: %g instead of %g", what, (double)logit[i], (double)target[i],
		      (double)got, wanted);
}

/* Masks of 0 and 1, logits up to 40: every figure has its digits, however certain the pixel. */
START_TEST(near_the_formulas)
{
	unsigned state = 9;
	const double epsilon = (double)1e-12f;
	ck_assert_int_eq(kernels_select(NULL), STATUS_OK);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < MOST; i++) {
			logit[i] = 40 * test_random(&state);
			target[i] = i % 5 == 4 ? -1 : (float)(i % 2);
		}
		float gamma = round % 2 ? 2 : 1.5f;
		run_all(MOST, gamma);
		for (int i = 0; i < MOST; i++) {
			double z = target[i] == 1 ? (double)logit[i] : -(double)logit[i]; /* how right */
			double pt = 1 / (1 + exp(-z)), q = 1 / (1 + exp(z)), power = pow(q, (double)gamma);
			double log_pt = q < epsilon ? 0 : q < 1e-4 ? log1p(epsilon - q) : log(pt + epsilon);
			double weight = target[i] == 1 ? 0.25 : 0.75, sign = target[i] == 1 ? 1 : -1;
			double slope = sign * weight * pt * power *
				       ((double)gamma * log_pt - (q < epsilon ? 0 : q / (pt + epsilon)));
			bool valid = target[i] >= 0;
			bool edge = fabs(q / epsilon - 1) < 1e-3; /* epsilon - q has no digits left */
			assert_near(out[0][i], valid ? power : 0, "beta", i);
			if (!edge) {
				assert_near(out[1][i], valid ? -weight * power * log_pt : 0, "focal loss", i);
				assert_near(out[2][i], valid ? slope : 0, "slope of the focal loss", i);
			}
			assert_near(out[7][i], valid ? log1p(exp(-fabs(z))) + fmax(-z, 0) : 0, "cross-entropy", i);
			assert_near(out[8][i], valid ? -sign * q : 0, "slope of the cross-entropy", i);
		}
	}
}
END_TEST

START_TEST(exp_and_log)
{
	for (float x = -87; x < 87; x += 0.00437f)
		ck_assert_double_le(fabs((double)vmath_exp(x) / exp((double)x) - 1), 2e-7);
	for (float x = 1e-37f; x < 1e37f; x *= 1.00073f)
		ck_assert_double_le(fabs((double)vmath_log(x) - log((double)x)), 2e-7 * fabs(log((double)x)));
	for (float x = -87; x < 87; x += 0.0437f) {
		struct vmath_sigmoid s = vmath_sigmoid(x);
		ck_assert_double_le(fabs((double)s.value * (1 + exp(-(double)x)) - 1), 3e-7);
		ck_assert_double_le(fabs((double)s.rest * (1 + exp((double)x)) - 1), 3e-7);
	}
	ck_assert(vmath_exp(0) == 1 && vmath_log(1) == 0 && vmath_sigmoid(0).value == 0.5f);
	ck_assert(isnan(vmath_exp(NAN)) && isnan(vmath_log(NAN)) && isnan(vmath_sigmoid(NAN).value));
	ck_assert(vmath_exp(-1e9f) > 0 && isfinite(vmath_exp(1e9f)));
	ck_assert_float_eq_tol(vmath_log(0), -87.3f, 0.1f);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("kernels: losses");
	TCase *tcase = tcase_create("all");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, same_bits_everywhere);
	tcase_add_test(tcase, same_bits_with_every_compiler);
	tcase_add_test(tcase, sums_have_the_same_bits_everywhere);
	tcase_add_test(tcase, near_the_formulas);
	tcase_add_test(tcase, exp_and_log);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
