/* tapcut train as scripts see it: exit codes, and which runs it refuses to touch. What a run computes is tested in
 * tests/train. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

static char dir[1100], program[1100], output[200000];
static bool built;

static void setup(void)
{
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/tapcut", build ? build : "build");
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cmd_train"));
	built = access(program, X_OK) == 0;
	if (!built)
		test_skip("%s is not built", program);
}

/* Runs `tapcut train ARGUMENTS`; %s in it is the folder of this test. Leaves what it printed in `output`. */
static int run(const char *arguments)
{
	char command[8192], filled[4096], path[1200];
	snprintf(filled, sizeof filled, arguments, dir, dir);
	snprintf(path, sizeof path, "%s/output", dir);
	snprintf(command, sizeof command, "%s train %s >%s 2>&1", program, filled, path);
	int status = system(command);
	FILE *file = fopen(path, "rb");
	ck_assert_ptr_nonnull(file);
	output[fread(output, 1, sizeof output - 1, file)] = '\0';
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *arguments, int code, const char *part)
{
	int found = run(arguments);
	ck_assert_msg(found == code, "train %s: exit code %d, not %d: %s", arguments, found, code, output);
	ck_assert_msg(strstr(output, part) != NULL, "train %s: \"%s\" lacks \"%s\"", arguments, output, part);
}

/* A config whose data.train exists but is no dataset: training gets no further than reading it. */
#define NO_DATA "configs/smoke.json --set data.val= --set data.train=configs/smoke.json --quiet "

START_TEST(help)
{
	if (!built)
		return;
	expect("--help", 0, "examples:");
	expect("--keys", 0, "`optim.lr`");
}
END_TEST

START_TEST(wrong_usage_is_2)
{
	if (!built)
		return;
	expect("", 2, "--out DIR is missing");
	expect("configs/smoke.json", 2, "--out DIR is missing");
	expect("--out %s/run", 2, "CONFIG.json is missing");
	expect("--out %s/run --resume auto", 2, "CONFIG.json is missing");
	expect("configs/smoke.json configs/demo.json --out %s/run", 2, "expected one CONFIG.json");
	expect("configs/smoke.json --out %s/run --threads 0", 2, "--threads");
	expect("configs/smoke.json --out %s/run --threads 2x", 2, "--threads");
	expect("configs/smoke.json --out %s/run --resume maybe", 2, "--resume");
	expect("configs/smoke.json --out %s/run --resume auto --force", 2, "--force");
	expect("configs/smoke.json --out %s/run --no-such-option", 2, "no-such-option");
	expect("configs/smoke.json --set optim.lrr=1 --out %s/run", 2,
	       "--set: unknown key optim.lrr; did you mean optim.lr?");
	expect("configs/smoke.json --set optim.lr=x --out %s/run", 2, "--set: optim.lr: expected a number");
	expect("configs/smoke.json --set optim.lr --out %s/run", 2, "--set: expected KEY=VALUE, found \"optim.lr\"");
	expect("configs/smoke.json --seed x --out %s/run", 2, "--seed: expected a whole number from 0 up, found \"x\"");
	expect("configs/smoke.json --steps 0 --out %s/run", 2, "--steps: expected a whole number from 1 up");
}
END_TEST

START_TEST(wrong_config_is_1)
{
	if (!built)
		return;
	expect("no/such.json --out %s/run", 1, "no/such.json");
	expect("configs/smoke.json --set quantize.enabled=true --set model.batch_norm=true --out %s/run", 1,
	       "--set: quantize.enabled: expected false with model.batch_norm");
	/* Only together are the values wrong, and the config has no such key. */
	expect("configs/smoke.json --set train.slot_size=3 --out %s/run", 1,
	       "--set: train.batch_size: expected a multiple");
	expect("configs/smoke.json --set data.train= --out %s/run", 1, "data.train: expected");
	expect("configs/smoke.json --set data.train=no/such.json --out %s/run", 1, "data.train: no/such.json");
	expect(NO_DATA "--out %s/run", 1, "configs/smoke.json");
}
END_TEST

static void touch(const char *name)
{
	char command[4096];
	snprintf(command, sizeof command, "mkdir -p %s/run && echo x > %s/run/%s", dir, dir, name);
	ck_assert_int_eq(system(command), 0);
}

static bool is_there(const char *name)
{
	char path[2048];
	snprintf(path, sizeof path, "%s/run/%s", dir, name);
	return access(path, F_OK) == 0;
}

START_TEST(a_run_is_not_overwritten)
{
	if (!built)
		return;
	touch("best.ckpt");
	touch("notes.txt");
	expect(NO_DATA "--out %s/run", 1, "best.ckpt is there: --resume auto");
	ck_assert(is_there("best.ckpt"));
	expect(NO_DATA "--out %s/run --force", 1, "configs/smoke.json"); /* goes on to the data, which is none */
	ck_assert(!is_there("best.ckpt"));
	ck_assert(is_there("notes.txt"));
	expect(NO_DATA "--out %s/run/notes.txt", 1, "notes.txt");
	expect(NO_DATA "--out %s/run/notes.txt/below", 1, "notes.txt");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cmd_train");
	TCase *tcase = tcase_create("cmd_train");
	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, help);
	tcase_add_test(tcase, wrong_usage_is_2);
	tcase_add_test(tcase, wrong_config_is_1);
	tcase_add_test(tcase, a_run_is_not_overwritten);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
