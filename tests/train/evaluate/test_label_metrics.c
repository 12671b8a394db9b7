/* Pixel accuracy and IoU by class, against numbers counted by hand. */
#include "train/evaluate/label_metrics.h"

#include "tests/support/test.h"

static const uint8_t truth[] = {0, 0, 0, 1, 1, 1, 1, 2, 255, 255};
static const uint8_t found[] = {0, 0, 1, 1, 1, 0, 3, 2, 1, 2};

START_TEST(counted_by_hand)
{
	struct label_counts counts;
	label_counts_init(&counts, 4);
	label_counts_add(&counts, found, truth, sizeof truth);
	ck_assert_uint_eq(counts.pixels, 8); /* two are of no class */
	ck_assert_double_eq_tol(label_counts_accuracy(&counts), 5.0 / 8, 1e-15);
	ck_assert_double_eq_tol(label_counts_iou(&counts, 0), 2.0 / 4, 1e-15);
	ck_assert_double_eq_tol(label_counts_iou(&counts, 1), 2.0 / 5, 1e-15);
	ck_assert_double_eq_tol(label_counts_iou(&counts, 2), 1, 1e-15);
	ck_assert_double_eq_tol(label_counts_iou(&counts, 3), 0, 1e-15); /* found, but not there */
	ck_assert_double_eq_tol(label_counts_miou(&counts), (0.5 + 0.4 + 1) / 3, 1e-15);
}
END_TEST

START_TEST(photos_add_up)
{
	struct label_counts all, one, two;
	label_counts_init(&all, 4);
	label_counts_init(&one, 4);
	label_counts_init(&two, 4);
	label_counts_add(&all, found, truth, sizeof truth);
	label_counts_add(&one, found, truth, 4);
	label_counts_add(&two, found + 4, truth + 4, sizeof truth - 4);
	label_counts_merge(&one, &two);
	ck_assert_mem_eq(&one, &all, sizeof all);
	label_counts_init(&one, 3);
	ck_assert(label_counts_accuracy(&one) == 0 && label_counts_miou(&one) == 0 && label_counts_iou(&one, 1) == -1);
}
END_TEST

START_TEST(the_largest_logit_and_the_first_of_equals)
{
	static const float logits[] = {-1, -2, -3, 0, 5, 5, 1, 2, 3};
	uint8_t labels[3];
	labels_of_logits(logits, 3, 3, labels);
	ck_assert_int_eq(labels[0], 0);
	ck_assert_int_eq(labels[1], 1);
	ck_assert_int_eq(labels[2], 2);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("label_metrics");
	TCase *tests = tcase_create("label_metrics");
	tcase_add_test(tests, counted_by_hand);
	tcase_add_test(tests, photos_add_up);
	tcase_add_test(tests, the_largest_logit_and_the_first_of_equals);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
