/* "model.activation" from the config to the app: with each of its choices a network learns and goes
 * through weights file, masks and ONNX. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/ops.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024];

enum { STEPS = 30, MEAN = 10 };

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_activation"));
}

static const char *run_of(const char *activation)
{
	static char text[8192];
	snprintf(text, sizeof text,
		 "%s --set train.steps=%d --set train.log_every=1 --set model.activation=%s --out %s/%s", tiny_run(dir),
		 STEPS, activation, dir, activation);
	return text;
}

/* Means of the first and the last losses that the log has. */
static void losses(const char *log, double *first, double *last)
{
	double loss[2 * STEPS];
	int count = 0;
	size_t size;
	char *text = slurp(log, &size);
	for (char *at = text; (at = strstr(at, "\"loss\":")) != NULL && count < 2 * STEPS; at++)
		loss[count++] = strtod(at + 7, NULL);
	free(text);
	ck_assert_int_ge(count, 2 * MEAN);
	*first = *last = 0;
	for (int i = 0; i < MEAN; i++) {
		*first += loss[i] / MEAN;
		*last += loss[count - 1 - i] / MEAN;
	}
}

START_TEST(learns_and_leaves)
{
	const char *name = activation_names[_i];
	char path[1200];
	double first, last;
	tapcut_ok("%s", run_of(name));
	snprintf(path, sizeof path, "%s/%s/log.jsonl", dir, name);
	losses(path, &first, &last);
	ck_assert_msg(last < first, "%s: the loss went from %g to %g", name, first, last);
	snprintf(path, sizeof path, "%s/%s/final.tapcut", dir, name);
	const struct program_result *r = tapcut_ok("inspect %s --steps", path);
	ck_assert_msg(_i == 0 || strstr(r->out, name) != NULL, "no %s among the steps: %s", name, r->out);
	tapcut_ok("export %s -o %s/%s.onnx --size 64", path, dir, name);
}
END_TEST

START_TEST(unknown_is_refused)
{
	tapcut_fails(2, "model.activation", "%s --set model.activation=swish --out %s/refused", tiny_run(dir), dir);
}
END_TEST

static Suite *make_suite(void)
{
	int count = 0;
	while (activation_names[count])
		count++;
	Suite *suite = suite_create("activation");
	TCase *tcase = tcase_create("activation");
	tcase_set_timeout(tcase, 120);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_loop_test(tcase, learns_and_leaves, 0, count);
	tcase_add_test(tcase, unknown_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
