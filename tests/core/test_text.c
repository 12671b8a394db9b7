/* Growing text: numbers read back exactly, escapes, and failure that sticks. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "tests/support/test.h"
#include "core/text.h"

static void check_number(double number, const char *expected)
{
	struct text text;
	text_init(&text);
	text_add_number(&text, number);
	ck_assert_str_eq(text.data, expected);
	text_release(&text);
}

START_TEST(numbers_are_short)
{
	check_number(0.1, "0.1");
	check_number(1e-8, "1e-08");
	check_number(20000, "20000");
	check_number(-0.0, "-0");
	check_number(1e22, "1e+22");
	check_number(0.30000000000000004, "0.30000000000000004");
	check_number(NAN, "null");
	check_number(-INFINITY, "null");
	struct text text;
	text_init(&text);
	text_add_float(&text, 0.1f);
	ck_assert_str_eq(text.data, "0.1");
	text_release(&text);
}
END_TEST

/* Any bit pattern. */
START_TEST(numbers_read_back)
{
	struct rng rng = rng_stream(1, 0, 0, RNG_TEST);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = (uint64_t)rng_u32(&rng) << 32 | rng_u32(&rng);
		uint32_t half = (uint32_t)bits;
		double number;
		float small;
		memcpy(&number, &bits, sizeof number);
		memcpy(&small, &half, sizeof small);
		struct text text;
		text_init(&text);
		text_add_number(&text, number);
		ck_assert(!isfinite(number) || strtod(text.data, NULL) == number);
		text_release(&text);
		text_add_float(&text, small);
		ck_assert(!isfinite(small) || strtof(text.data, NULL) == small);
		text_release(&text);
	}
}
END_TEST

START_TEST(escapes)
{
	struct text text;
	text_init(&text);
	text_add_json_string(&text, "a\"\\\n\t\x01\xc3\xa4");
	ck_assert_str_eq(text.data, "\"a\\\"\\\\\\n\\t\\u0001\xc3\xa4\"");
	text_release(&text);
	text_add_html(&text, "<a href=\"x\">&amp;</a>");
	ck_assert_str_eq(text.data, "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;");
	text_release(&text);
}
END_TEST

START_TEST(grows)
{
	struct text text;
	text_init(&text);
	for (int i = 0; i < 5000; i++)
		text_add(&text, "%d,", i % 10);
	ck_assert_uint_eq(text.length, 10000);
	ck_assert_uint_eq(strlen(text.data), 10000);
	ck_assert_int_eq(text_status(&text), STATUS_OK);
	char *taken = text_take(&text);
	ck_assert_str_eq(taken + 9996, "8,9,");
	ck_assert_ptr_null(text.data);
	free(taken);
	taken = text_take(&text);
	ck_assert_str_eq(taken, "");
	free(taken);
}
END_TEST

START_TEST(failure_sticks)
{
	struct text text;
	text_init(&text);
	text_add(&text, "some");
	text_add_bytes(&text, "", SIZE_MAX / 2); /* refused before anything is read */
	text_add(&text, "more");
	ck_assert_int_eq(text_status(&text), STATUS_NO_MEMORY);
	ck_assert_ptr_null(text_take(&text));
	ck_assert(!text.failed);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	tcase_add_test(tcase, numbers_are_short);
	tcase_add_test(tcase, numbers_read_back);
	tcase_add_test(tcase, escapes);
	tcase_add_test(tcase, grows);
	tcase_add_test(tcase, failure_sticks);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
