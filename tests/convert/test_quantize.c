/* Rounding to halves and bytes: exhaustive where the inputs can be counted, properties where they cannot. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/quantize.h"
#include "core/rng.h"
#include "tests/support/test.h"

START_TEST(test_half_round_trip)
{
	for (unsigned bits = 0; bits < 0x10000; bits++) {
		float value = float_from_half((uint16_t)bits);
		if (isnan(value))
			ck_assert(isnan(float_from_half(half_from_float(value))));
		else
			ck_assert_msg(half_from_float(value) == bits, "half 0x%04x came back as 0x%04x", bits,
				      half_from_float(value));
	}
}
END_TEST

START_TEST(test_half_known)
{
	static const struct {
		float value;
		unsigned half;
	} known[] = {
		{0, 0},
		{-0.0f, 0x8000},
		{1, 0x3c00},
		{-2, 0xc000},
		{65504, 0x7bff},
		{65519.996f, 0x7bff},
		{65520, 0x7c00},
		{1e30f, 0x7c00},
		{-INFINITY, 0xfc00},
		{0x1p-14f, 0x0400},
		{0x1p-24f, 1},
		{0x1p-25f, 0},
		{0x1.000002p-25f, 1},
		{0x1.8p-24f, 2},
		{0x1p-26f, 0},
		{1 + 0x1p-11f, 0x3c00},
		{1 + 0x3p-11f, 0x3c02},
		{0x1.ffep-15f, 0x0400},
		{1e-40f, 0},
		{0.1f, 0x2e66},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		ck_assert_msg(half_from_float(known[i].value) == known[i].half, "%a: 0x%04x, expected 0x%04x",
			      (double)known[i].value, half_from_float(known[i].value), known[i].half);
}
END_TEST

/* No half is nearer, and of two equally near ones the even one was taken. */
START_TEST(test_half_nearest)
{
	struct rng rng = rng_stream(1, 0, 0, RNG_TEST);
	for (int i = 0; i < 200000; i++) {
		float value = ldexpf(rng_range(&rng, -1, 1), (int)rng_below(&rng, 42) - 26);
		uint16_t half = half_from_float(value);
		double error = fabs((double)float_from_half(half) - (double)value);
		if ((half & 0x7fff) == 0x7c00)
			continue;
		double up = fabs((double)float_from_half((uint16_t)(half + 1)) - (double)value);
		double down =
			half & 0x7fff ? fabs((double)float_from_half((uint16_t)(half - 1)) - (double)value) : INFINITY;
		ck_assert_msg(error <= up && error <= down, "%a is nearer to a neighbour of 0x%04x", (double)value,
			      half);
		if (error == up || error == down)
			ck_assert_msg(half % 2 == 0, "%a: the tie went to the odd 0x%04x", (double)value, half);
	}
}
END_TEST

START_TEST(test_bfloat16)
{
	ck_assert_float_eq(float_from_bfloat16(0x3f80), 1);
	ck_assert_float_eq(float_from_bfloat16(0xc040), -3);
}
END_TEST

START_TEST(test_int8_channels)
{
	/* 2 x 3 x 2, scales along the second axis. */
	const float w[] = {127, -12.5f, 0, 0, 0.5f, -1.27f, 63.5f, 64.5f, 0, 0, 1.27f, 0.255f};
	float scales[3];
	int8_t values[12];
	quantize_int8(w, 2, 3, 2, 127, scales, values);
	ck_assert_float_eq(scales[0], 1);
	ck_assert_float_eq(scales[1], 0);
	ck_assert_float_eq_tol(scales[2], 0.01f, 1e-9f);
	const int expected[] = {127, -12, 0, 0, 50, -127, 64, 64, 0, 0, 127, 25}; /* -12.5 and 63.5, 64.5: to even */
	for (int i = 0; i < 12; i++)
		ck_assert_msg(abs(values[i] - expected[i]) <= (i == 11), "value %d: %d, expected %d", i, values[i],
			      expected[i]);
}
END_TEST

START_TEST(test_int8_error)
{
	enum { CHANNELS = 5, INNER = 77 };
	float w[CHANNELS * INNER], scales[CHANNELS];
	int8_t values[CHANNELS * INNER];
	struct rng rng = rng_stream(2, 0, 0, RNG_TEST);
	for (int i = 0; i < CHANNELS * INNER; i++)
		w[i] = rng_normal(&rng) * ldexpf(1, i / INNER * 8 - 16);
	quantize_int8(w, 1, CHANNELS, INNER, 127, scales, values);
	for (int c = 0; c < CHANNELS; c++) {
		int largest = 0;
		for (int i = 0; i < INNER; i++) {
			int at = c * INNER + i;
			largest = abs(values[at]) > largest ? abs(values[at]) : largest;
			ck_assert(fabsf((float)values[at] * scales[c] - w[at]) <= 0.5001f * scales[c]);
		}
		ck_assert_int_eq(largest, 127);
	}
}
END_TEST

START_TEST(test_int8_tiny)
{
	/* So small that the scale underflows: zeros, not garbage. */
	const float w[] = {1e-45f, -1e-45f};
	float scale;
	int8_t values[2];
	quantize_int8(w, 1, 1, 2, 127, &scale, values);
	ck_assert_int_eq(values[0], 0);
	ck_assert_int_eq(values[1], 0);
}
END_TEST

START_TEST(test_error)
{
	const float exact[] = {4, -2, 0, 0}, stored[] = {4, -1, 0, 1};
	struct quantize_error error = quantize_error(exact, stored, 4);
	ck_assert_double_eq_tol(error.max_relative, 0.25, 1e-12);
	ck_assert_double_eq_tol(error.rms_relative, sqrt(2.0 / 20), 1e-12);
	error = quantize_error(&exact[2], &exact[2], 2);
	ck_assert_double_eq(error.max_relative, 0);
	ck_assert_double_eq(error.rms_relative, 0);
}
END_TEST

/* Each weight has its nearest entry, each entry is the mean of its weights; *lost: the sum of squares. */
static void check_codebook(const float *weights, int count, const float *table, int used, const uint8_t *indices,
			   double *lost)
{
	double sums[QUANTIZE_MAX_ENTRIES] = {0};
	int members[QUANTIZE_MAX_ENTRIES] = {0};
	*lost = 0;
	for (int i = 0; i < count; i++) {
		double own = fabs((double)weights[i] - (double)table[indices[i]]);
		for (int k = 0; k < used; k++)
			if (fabs((double)weights[i] - (double)table[k]) < own)
				ck_abort_msg("weight %d is nearer to entry %d than to %d", i, k, indices[i]);
		sums[indices[i]] += (double)weights[i];
		members[indices[i]]++;
		*lost += own * own;
	}
	for (int k = 0; k < used; k++) {
		ck_assert_int_gt(members[k], 0);
		ck_assert_double_eq_tol(sums[k] / members[k], (double)table[k], 1e-3);
	}
}

/* The table's error is what nearest entries give, no entry is unused, and more entries lose less. */
START_TEST(test_codebook)
{
	enum { COUNT = 5000 };
	static float weights[COUNT];
	static uint8_t indices[COUNT], again[COUNT];
	float table[QUANTIZE_MAX_ENTRIES], same[QUANTIZE_MAX_ENTRIES];
	struct rng rng = rng_stream(4, 0, 0, RNG_TEST);
	double lost[2];
	for (int i = 0; i < COUNT; i++)
		weights[i] = rng_range(&rng, -1, 1) * rng_range(&rng, 0, 1) * rng_range(&rng, 0, 1);
	for (int k = 0; k < 2; k++) {
		int entries = k ? 64 : 16, used = quantize_codebook(weights, COUNT, entries, table, indices);
		ck_assert_int_eq(used, quantize_codebook(weights, COUNT, entries, same, again));
		ck_assert_mem_eq(table, same, (size_t)used * sizeof *table);
		ck_assert_mem_eq(indices, again, COUNT);
		ck_assert(used > entries / 2 && used <= entries);
		check_codebook(weights, COUNT, table, used, indices, &lost[k]);
	}
	ck_assert_double_lt(lost[1], lost[0] / 8);
	/* Even spacing without means would lose this much: a uniform error of one step. */
	double step = 2.0 / 15;
	ck_assert_double_lt(lost[0] / COUNT, step * step / 12);
}
END_TEST

START_TEST(test_codebook_few)
{
	static const float two[] = {3, -1, 3, 3, -1}, one[] = {0.5f, 0.5f};
	float table[QUANTIZE_MAX_ENTRIES];
	uint8_t indices[5];
	ck_assert_int_eq(quantize_codebook(two, 5, 16, table, indices), 2);
	ck_assert_float_eq(table[0], -1);
	ck_assert_float_eq(table[1], 3);
	ck_assert_mem_eq(indices, ((uint8_t[]){1, 0, 1, 1, 0}), 5);
	ck_assert_int_eq(quantize_codebook(one, 2, 16, table, indices), 1);
	ck_assert_float_eq(table[indices[1]], 0.5f);
	ck_assert_int_eq(quantize_codebook(two, 1, 2, table, indices), 1);
	ck_assert_float_eq(table[0], 3);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("quantize");
	TCase *tcase = tcase_create("quantize");
	tcase_add_test(tcase, test_half_round_trip);
	tcase_add_test(tcase, test_half_known);
	tcase_add_test(tcase, test_half_nearest);
	tcase_add_test(tcase, test_bfloat16);
	tcase_add_test(tcase, test_int8_channels);
	tcase_add_test(tcase, test_int8_error);
	tcase_add_test(tcase, test_int8_tiny);
	tcase_add_test(tcase, test_error);
	tcase_add_test(tcase, test_codebook);
	tcase_add_test(tcase, test_codebook_few);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
