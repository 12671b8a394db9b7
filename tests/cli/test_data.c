/* `tapcut data` before a training: photos that cannot be used are named, statistics and a page show what is in the
 * set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

static char dir[1024];

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_data"));
	tapcut_ok("scenes --out %s/good --count 5 --seed 3 --width 96 --height 64", dir);
	tapcut_ok("scenes --out %s/bad --count 5 --seed 3 --width 96 --height 64", dir);
	size_t size;
	char *bytes = slurp(in(dir, "bad/images/000002.jpg"), &size);
	spit(in(dir, "bad/images/000002.jpg"), bytes, size / 2);
	spit(in(dir, "bad/images/000004.jpg"), "<html>", 6);
	free(bytes);
}

START_TEST(photos_are_checked)
{
	tapcut_ok("data %s/good/instances.json --check-photos", dir);
	tapcut_fails(1, "2 of 5 photos cannot be used", "data %s/bad/instances.json --check-photos", dir);
	const struct program_result *r = tapcut("data %s/bad/instances.json --check-photos", dir);
	ck_assert_ptr_nonnull(strstr(r->out, "photo 2: "));
	ck_assert_ptr_nonnull(strstr(r->out, "000002.jpg"));
	ck_assert_ptr_nonnull(strstr(r->out, "000004.jpg"));
	ck_assert_ptr_null(strstr(r->out, "000003.jpg"));
	r = tapcut("data %s/bad/instances.json --check-photos --json", dir);
	ck_assert_int_eq(r->code, 1);
	struct json *root;
	double bad;
	ck_assert_msg(json_parse(r->out, strlen(r->out), "data", &root) == STATUS_OK, "%s", r->out);
	ck_assert_int_eq(json_number(json_get(root, "bad_photos"), &bad), STATUS_OK);
	ck_assert(bad == 2);
	json_free(root);
}
END_TEST

START_TEST(statistics)
{
	const struct program_result *r = tapcut_ok("data %s/good/instances.json --statistics", dir);
	ck_assert_ptr_nonnull(strstr(r->out, "object, percent of its photo"));
	ck_assert_ptr_nonnull(strstr(r->out, "photo, long side in pixels"));
	ck_assert_ptr_nonnull(strstr(r->out, "       96       96       96       96       96"));
}
END_TEST

START_TEST(preview)
{
	tapcut_ok("data %s/good/instances.json --preview %s/p.html --samples 3 --config configs/smoke.json", dir, dir);
	char *html = slurp(in(dir, "p.html"), NULL);
	int pictures = 0;
	for (const char *c = html; (c = strstr(c, "<img ")); c++)
		pictures++;
	ck_assert_int_eq(pictures, 3 * 3); /* mask on the photo, sample with clicks, its mask */
	ck_assert_ptr_nonnull(strstr(html, "crops of 64 pixels"));
	free(html);
	tapcut_fails(2, ".html", "data %s/good/instances.json --preview %s/p.txt", dir, dir);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli data");
	TCase *tcase = tcase_create("data");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, photos_are_checked);
	tcase_add_test(tcase, statistics);
	tcase_add_test(tcase, preview);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
