/* Distances of words, for "did you mean". */
#include <stddef.h>
#include <string.h>

#include "core/slips.h"
#include "tests/support/test.h"

START_TEST(distances_are_those_of_the_paper)
{
	ck_assert_int_eq(slips_between("optim.lr", "optim.lr"), 0);
	ck_assert_int_eq(slips_between("", "abc"), 3);
	ck_assert_int_eq(slips_between("abc", ""), 3);
	ck_assert_int_eq(slips_between("kitten", "sitting"), 3);
	ck_assert_int_eq(slips_between("ab", "ba"), 1);         /* two neighbours swapped are one slip */
	ck_assert_int_eq(slips_between("METRIC", "metric"), 0); /* capitals aside */
	ck_assert_int_eq(slips_between("ca", "abc"), 3);        /* no letter is moved twice */
}
END_TEST

START_TEST(long_words_are_far)
{
	char word[SLIPS_MAX_LENGTH + 2];
	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	ck_assert_int_eq(slips_between(word, "a"), SLIPS_MAX_LENGTH + 1);
	ck_assert_int_eq(slips_between("a", word), SLIPS_MAX_LENGTH + 1);
}
END_TEST

START_TEST(the_nearest_is_found_or_none)
{
	static const char *const names[] = {"method", "metric", "trials", NULL};
	ck_assert_str_eq(slips_nearest("mettric", names), "metric");
	ck_assert_str_eq(slips_nearest("trails", names), "trials");
	ck_assert_ptr_null(slips_nearest("parameters", names));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("slips");
	TCase *tc = tcase_create("slips");
	tcase_add_test(tc, distances_are_those_of_the_paper);
	tcase_add_test(tc, long_words_are_far);
	tcase_add_test(tc, the_nearest_is_found_or_none);
	suite_add_tcase(suite, tc);
	return suite;
}

TEST_MAIN(make_suite)
