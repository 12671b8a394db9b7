/* tapcut runs: finds, filters, sorts and compares what trainings left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024];

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_runs_list"));
	const char *train = tiny_run(dir);
	tapcut_ok("%s --steps 2 --set data.val=%s/val/instances.json --out %s/runs/first --quiet", train, dir, dir);
	tapcut_ok("%s --steps 3 --set optim.lr=0.002 --out %s/runs/deep/second --quiet", train, dir);
}

static void expect(const char *text, const char *part, bool there)
{
	ck_assert_msg((strstr(text, part) != NULL) == there, "\"%s\" %s\n%s", part, there ? "missing" : "found", text);
}

START_TEST(lists_sorts_filters)
{
	const struct program_result *r = tapcut_ok("runs %s/runs", dir);
	expect(r->out, "2 runs", true);
	ck_assert(strstr(r->out, "second") < strstr(r->out, "first")); /* by path */
	r = tapcut_ok("runs %s/runs --sort step", dir);
	ck_assert(strstr(r->out, "first") < strstr(r->out, "second"));
	r = tapcut_ok("runs %s/runs --sort step --reverse --limit 1", dir);
	expect(r->out, "first", false);
	r = tapcut_ok("runs %s/runs --where optim.lr<0.002", dir);
	expect(r->out, "first", true);
	expect(r->out, "second", false);
	r = tapcut_ok("runs %s/runs --where state=finished --where train.steps>=3 --csv", dir);
	expect(r->out, "first", false);
	expect(r->out, "second,finished,3,12,", true);
	tapcut_fails(1, "did you mean optim.lr?", "runs %s/runs --where optim.rl=1", dir);
	tapcut_fails(1, "expected KEY=VALUE", "runs %s/runs --where optim.lr", dir);
	tapcut_fails(1, "there is no run in it", "runs %s/val", dir);
}
END_TEST

START_TEST(compares)
{
	const struct program_result *r = tapcut_ok("runs %s/runs --compare", dir);
	expect(r->out, "optim.lr", true);
	expect(r->out, "train.steps", true);
	expect(r->out, "optim.beta1", false);
	r = tapcut_ok("runs %s/runs --json", dir);
	expect(r->out, "\"optim.lr\": 0.002", true);
	tapcut_ok("runs %s/runs --html %s/compare.html", dir, dir);
	char *page = slurp(in(dir, "compare.html"), NULL);
	expect(page, "\"key\":\"optim.lr\"", true);
	expect(page, "http://", false); /* loads nothing */
	expect(page, "https://", false);
	free(page);
}
END_TEST

/* What a killed trainer leaves says "running", and no lock is held. */
START_TEST(a_killed_run_is_told)
{
	char text[] = "{\"state\": \"running\", \"step\": 1}";
	spit(in(dir, "runs/first/summary.json"), text, sizeof text - 1);
	expect(tapcut_ok("runs %s/runs", dir)->out, "killed", true);
	spit(in(dir, "runs/first/summary.json"), "{", 1); /* a damaged one is no reason to show nothing */
	expect(tapcut_ok("runs %s/runs", dir)->out, "unknown", true);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("runs");
	TCase *tc = tcase_create("runs");
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, prepare, NULL);
	tcase_add_test(tc, lists_sorts_filters);
	tcase_add_test(tc, compares);
	tcase_add_test(tc, a_killed_run_is_told);
	suite_add_tcase(suite, tc);
	return suite;
}

TEST_MAIN(make_suite)
