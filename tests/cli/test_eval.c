/* `tapcut eval` on a dataset: checkpoints as well as weights, filters, results per category and per object, a gallery
 * of the worst. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

static char dir[1024];

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_eval"));
	tapcut_ok("%s --set train.steps=2 --set data.val=%s/val/instances.json --set eval.limit=3 --out %s/run",
		  tiny_run(dir), dir, dir);
	tapcut_ok("export %s/run/last.ckpt -o %s/run.tapcut --weights f32", dir, dir);
}

static struct json *result_of(const char *arguments)
{
	struct json *root;
	const struct program_result *r = tapcut_ok("eval %s --json", arguments);
	ck_assert_msg(json_parse(r->out, strlen(r->out), "eval", &root) == STATUS_OK, "%s", r->out);
	return root;
}

static double number_of(const struct json *root, const char *key)
{
	double number = -1;
	ck_assert_msg(json_number(json_get(root, key), &number) == STATUS_OK, "no %s", key);
	return number;
}

START_TEST(checkpoints_are_measured)
{
	static const char *const keys[] = {"instances", "noc85", "noc90", "miou1", "miou3", "biou1"};
	char a[2400], b[2400];
	snprintf(a, sizeof a, "--model %s/run/last.ckpt --coco %s/val/instances.json --max-clicks 3", dir, dir);
	snprintf(b, sizeof b, "--model %s/run.tapcut --coco %s/val/instances.json --max-clicks 3", dir, dir);
	struct json *x = result_of(a), *y = result_of(b);
	for (int i = 0; i < 6; i++)
		ck_assert_msg(number_of(x, keys[i]) == number_of(y, keys[i]), "%s", keys[i]);
	json_free(x);
	json_free(y);
}
END_TEST

/* The config of a run measures as the run did. */
START_TEST(as_the_run_validated)
{
	char arguments[2400];
	snprintf(arguments, sizeof arguments, "--model %s/run/last.ckpt --config %s/run/config.json", dir, dir);
	struct json *found = result_of(arguments), *summary;
	ck_assert_int_eq(json_read_file(in(dir, "run/summary.json"), &summary), STATUS_OK);
	const struct json *metrics = json_get(summary, "metrics");
	ck_assert(number_of(found, "instances") == 3 && number_of(metrics, "instances") == 3);
	ck_assert(number_of(found, "noc90") == number_of(metrics, "noc90"));
	ck_assert(number_of(found, "max_clicks") == 3);
	json_free(found);
	json_free(summary);
}
END_TEST

START_TEST(filters)
{
	char arguments[2400];
	snprintf(arguments, sizeof arguments,
		 "--model %s/run.tapcut --coco %s/train/instances.json --max-clicks 1 --category blob", dir, dir);
	struct json *root = result_of(arguments);
	ck_assert(number_of(root, "instances") == 3); /* tapcut data says 3 of 20 */
	const struct json *groups = json_get(root, "categories");
	ck_assert_int_eq(json_array_size(groups), 1);
	ck_assert_str_eq(json_string(json_get(json_array_item(groups, 0), "category")), "blob");
	ck_assert(number_of(json_array_item(groups, 0), "instances") == 3);
	json_free(root);
	tapcut_fails(1, "no object passes the filters", "eval --coco %s/train/instances.json --min-area 0.99", dir);
	tapcut_fails(1, "none of its", "eval --coco %s/train/instances.json --category dragon", dir);
	tapcut_fails(2, "go with --coco", "eval --pairs x.json --category blob");
}
END_TEST

START_TEST(objects_and_gallery)
{
	tapcut_ok("eval --model %s/run.tapcut --coco %s/val/instances.json --max-clicks 2 --objects %s/o.csv --gallery "
		  "%s/g.html --worst 2",
		  dir, dir, dir, dir);
	tapcut_ok("eval --model %s/run.tapcut --coco %s/val/instances.json --max-clicks 2 --objects %s/o.json", dir,
		  dir, dir);
	char *csv = slurp(in(dir, "o.csv"), NULL), *html = slurp(in(dir, "g.html"), NULL);
	int lines = 0, pictures = 0;
	for (const char *c = csv; *c; c++)
		lines += *c == '\n';
	for (const char *c = html; (c = strstr(c, "<img ")); c++)
		pictures++;
	struct json *list;
	ck_assert_int_eq(json_read_file(in(dir, "o.json"), &list), STATUS_OK);
	ck_assert_int_eq(json_array_size(list), lines - 1);
	ck_assert_ptr_eq(strstr(csv, "object,category,photo,width,height,noc85,noc90"), csv);
	ck_assert_ptr_nonnull(strstr(csv, ",iou1,iou2\n"));
	ck_assert_int_eq(pictures, 2 * 3);
	json_free(list);
	free(csv);
	free(html);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli eval");
	TCase *tcase = tcase_create("eval");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, checkpoints_are_measured);
	tcase_add_test(tcase, as_the_run_validated);
	tcase_add_test(tcase, filters);
	tcase_add_test(tcase, objects_and_gallery);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
