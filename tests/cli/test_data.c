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

static int count_of(const char *text, const char *part)
{
	int count = 0;
	for (const char *c = text; (c = strstr(c, part)); c++)
		count++;
	return count;
}

/* 3 records of each object and one more of the first, by the strategies in turn; the same for the same seed. */
START_TEST(records)
{
	char *all = slurp(in(dir, "good/instances.json"), NULL);
	int objects = count_of(all, "\"category_id\""), wanted = 3 * objects + 1;
	free(all);
	const char *out =
		tapcut_ok("data %s/good/instances.json --records %d --records-out %s/a.jsonl", dir, wanted, dir)->out;
	ck_assert_ptr_nonnull(strstr(out, " negative clicks a record\n"));
	char *lines = slurp(in(dir, "a.jsonl"), NULL);
	ck_assert_int_eq(count_of(lines, "\n"), wanted);
	ck_assert_int_eq(count_of(lines, "\"strategy\": \"dios_random\", \"positive\": [["), objects + 1);
	ck_assert_int_eq(count_of(lines, "\"strategy\": \"dios_others\", \"positive\": [["), objects);
	ck_assert_int_eq(count_of(lines, "\"strategy\": \"dios_surround\", \"positive\": [["), objects);
	ck_assert_int_eq(count_of(lines, "\"record\": 3"), 1);
	free(lines);
	tapcut_ok("data %s/good/instances.json --records %d --records-out %s/b.jsonl", dir, wanted, dir);
	tapcut_ok("data %s/good/instances.json --records %d --records-out %s/c.jsonl --seed 2", dir, wanted, dir);
	ck_assert(same_bytes(in(dir, "a.jsonl"), in(dir, "b.jsonl")));
	ck_assert(!same_bytes(in(dir, "a.jsonl"), in(dir, "c.jsonl")));
	/* Without a file they are counted; another sampler is that of a config. */
	ck_assert_ptr_nonnull(
		strstr(tapcut_ok("data %s/good/instances.json --records 300000", dir)->out, "300000 records: "));
	tapcut_ok("data %s/good/instances.json --records 5 --records-out %s/d.jsonl --config configs/smoke.json", dir,
		  dir);
	lines = slurp(in(dir, "d.jsonl"), NULL);
	ck_assert_int_eq(count_of(lines, "\"strategy\": \"ritm\""), 5);
	free(lines);
	tapcut_fails(2, "--records-out goes with --records", "data %s/good/instances.json --records-out %s/e.jsonl",
		     dir, dir);
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
	tcase_add_test(tcase, records);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
