/* What `tapcut train` leaves for programs: a folder that one trainer holds at a time, a summary whatever the end, and
 * stops that change no byte. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/record/run_lock.h"
#include "train/record/run_summary.h"

static char dir[1024], train[4096], validated[6000];

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_runs"));
	snprintf(train, sizeof train, "%s --set train.steps=12 --set train.checkpoint_every=3", tiny_run(dir));
	snprintf(validated, sizeof validated, "%s --set data.val=%s/val/instances.json --set eval.every=5", train, dir);
	tapcut_ok("%s --threads 1 --out %s/whole", validated, dir);
}

static struct run_summary summary_of(const char *run)
{
	struct run_summary summary;
	ck_assert_msg(run_summary_read(&summary, in(dir, run)) == STATUS_OK, "%s", status_message());
	run_summary_release(&summary);
	summary.manifest = NULL;
	return summary;
}

static void expect_same_files(const char *run)
{
	static const char *const names[] = {"final.tapcut", "best.ckpt", "last.ckpt"};
	for (int i = 0; i < 3; i++) {
		char path[1200], whole[64];
		snprintf(whole, sizeof whole, "whole/%s", names[i]);
		snprintf(path, sizeof path, "%s/%s", run, names[i]);
		ck_assert_msg(same_bytes(in(dir, whole), in(dir, path)),
			      "%s differs from that of a run that never stopped", path);
	}
}

START_TEST(summary_of_a_finished_run)
{
	struct run_summary s = summary_of("whole");
	ck_assert_int_eq(s.state, RUN_FINISHED);
	ck_assert(s.step == 12 && s.steps == 12 && s.samples > 0 && s.has_metrics && s.metrics.step == 12);
	ck_assert_str_eq(s.result.file, "final.tapcut");
	size_t size;
	free(slurp(in(dir, "whole/final.tapcut"), &size));
	ck_assert_uint_eq(s.result.bytes, size);
}
END_TEST

/* At a step with a checkpoint, with a validation, with neither; and twice at the same. */
START_TEST(stops_change_no_byte)
{
	static const int stops[] = {3, 5, 7, 7, 10};
	for (int i = 0; i < 5; i++) {
		tapcut_ok("%s --out %s/stops --resume auto --until-step %d", validated, dir, stops[i]);
		struct run_summary s = summary_of("stops");
		ck_assert_int_eq(s.state, RUN_STOPPED);
		ck_assert_int_eq((int)s.step, stops[i]);
		ck_assert_int_eq((int)s.metrics.step, stops[i]);
		ck_assert_str_eq(s.result.file, "last.ckpt");
		ck_assert_ptr_nonnull(strstr(s.why, "--until-step"));
	}
	ck_assert(!exists(in(dir, "stops/final.tapcut")));
	tapcut_ok("%s --out %s/stops --resume auto", validated, dir);
	expect_same_files("stops");
	ck_assert_str_eq(summary_of("stops").result.sha256, summary_of("whole").result.sha256);
}
END_TEST

/* What a stopped run says of its weights is what they are when they are exported. */
START_TEST(digest_of_a_stopped_run)
{
	tapcut_ok("%s --out %s/digest --until-step 4", train, dir);
	const struct program_result *r =
		tapcut_ok("export %s/digest/last.ckpt -o %s/digest.tapcut --weights f32", dir, dir);
	ck_assert_ptr_nonnull(strstr(r->out, summary_of("digest").result.sha256));
}
END_TEST

START_TEST(two_trainers_in_one_folder)
{
	pid_t pid = tapcut_start("%s --set train.steps=100000 --out %s/race", train, dir);
	ck_assert(tapcut_reaches(pid, in(dir, "race/log.jsonl"), 4));
	char expected[64];
	snprintf(expected, sizeof expected, "process %ld on ", (long)pid);
	tapcut_fails(1, expected, "%s --seed 2 --out %s/race --force", train, dir);
	tapcut_fails(1, expected, "%s --seed 2 --out %s/race --resume auto", train, dir);
	tapcut_fails(1, expected, "train --out %s/race --resume auto", dir);
	ck_assert_int_eq(summary_of("race").state, RUN_RUNNING);
	bool held;
	ck_assert_int_eq(run_lock_probe(in(dir, "race"), &held, NULL), STATUS_OK);
	ck_assert(held);
	ck_assert_int_eq(tapcut_wait(pid, SIGKILL)->code, 128 + SIGKILL);
	ck_assert_int_eq(run_lock_probe(in(dir, "race"), &held, NULL), STATUS_OK);
	ck_assert(!held && summary_of("race").state == RUN_RUNNING); /* that is: it was killed */
	tapcut_ok("%s --set train.steps=100000 --out %s/race --resume auto --until-step 5", train, dir);
}
END_TEST

/* A validation of minutes does not hold up a stop: the checkpoint of its step is there, and so is no row of it. */
static void stop_in_validation(int signal_number, const char *run)
{
	char args[7000], path[1200];
	snprintf(args, sizeof args, "%s --set eval.size=1024 --set eval.max_clicks=20 --set eval.limit=0", validated);
	pid_t pid = tapcut_start("%s --threads 1 --out %s/%s", args, dir, run);
	snprintf(path, sizeof path, "%s/%s/last.ckpt", dir, run);
	ck_assert(tapcut_reaches(pid, in(dir, strcat(strcpy(args, run), "/log.jsonl")), 5));
	for (int i = 0; i < 1000 && summary_of(run).step < 5; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	const struct program_result *r = tapcut_wait(pid, signal_number);
	ck_assert_msg(r->code == 128 + signal_number, "%d: %s", r->code, r->err);
	struct run_summary s = summary_of(run);
	ck_assert_int_eq(s.state, RUN_STOPPED);
	ck_assert(s.step >= 5);
	tapcut_ok("%s --out %s/%s --resume auto", validated, dir, run);
	expect_same_files(run);
	char *rows = slurp(in(dir, strcat(strcpy(args, run), "/val.csv")), NULL);
	int lines = 0;
	for (const char *c = rows; *c; c++)
		lines += *c == '\n';
	ck_assert_msg(lines == 4, "expected a header and validations 5, 10 and 12, found:\n%s", rows);
	free(rows);
}

START_TEST(term_in_a_validation)
{
	stop_in_validation(SIGTERM, "term_val");
}
END_TEST

START_TEST(hangup_in_a_validation)
{
	stop_in_validation(SIGHUP, "hup_val");
}
END_TEST

START_TEST(hangup_saves)
{
	pid_t pid =
		tapcut_start("%s --set train.checkpoint_every=50000 --set train.steps=100000 --out %s/hup", train, dir);
	ck_assert(tapcut_reaches(pid, in(dir, "hup/log.jsonl"), 4));
	ck_assert_int_eq(tapcut_wait(pid, SIGHUP)->code, 128 + SIGHUP);
	ck_assert(exists(in(dir, "hup/last.ckpt")));
	ck_assert_int_eq(summary_of("hup").state, RUN_STOPPED);
}
END_TEST

/* Failures are told too; and a folder that holds nothing but such a summary holds no run. */
START_TEST(summary_of_a_failure)
{
	tapcut_fails(1, "no object", "%s --set data.min_area=0.999 --set data.max_area=1 --out %s/empty", train, dir);
	struct run_summary s = summary_of("empty");
	ck_assert_int_eq(s.state, RUN_FAILED);
	ck_assert_ptr_nonnull(strstr(s.why, "no object"));
	tapcut_fails(1, "no/such.json", "%s --set data.train=no/such.json --out %s/empty", train, dir);
	ck_assert_ptr_nonnull(strstr(summary_of("empty").why, "no/such.json"));
	tapcut_ok("%s --until-step 2 --out %s/empty", train, dir);
	tapcut_fails(1, "seed", "%s --seed 5 --out %s/empty --resume auto", train, dir);
	ck_assert_int_eq(summary_of("empty").state, RUN_STOPPED); /* the refused one was no end of this run */
}
END_TEST

/* A learning rate that blows the weights up in the second step, so that the third has no finite loss. */
#define TOO_FAST "--set optim.name=sgd --set optim.lr=100 --set optim.clip_norm=0 --set optim.warmup_steps=0"

START_TEST(divergence_is_named_and_can_be_mended)
{
	tapcut_fails(1, "step 3: loss nan", "%s " TOO_FAST " --out %s/nan", train, dir);
	ck_assert_int_eq(summary_of("nan").state, RUN_DIVERGED);
	tapcut_fails(1, "There is no checkpoint yet", "%s " TOO_FAST " --out %s/nan --force", train, dir);
	/* What the message says helps. */
	tapcut_ok("train --out %s/nan --resume auto --set optim.lr=0.001", dir);
	ck_assert_int_eq(summary_of("nan").state, RUN_FINISHED);
	/* A checkpoint whose weights are ruined is told from one that is not. */
	tapcut_fails(1, "holds the weights that give this",
		     "%s " TOO_FAST " --set train.checkpoint_every=1 --out %s/ruined", train, dir);
	tapcut_fails(1, "step 3: loss nan", "train --out %s/ruined --resume auto --set optim.lr=0.001", dir);
}
END_TEST

START_TEST(learning_rate_may_be_changed_on_the_way)
{
	tapcut_ok("%s --out %s/slower --until-step 6", train, dir);
	const struct program_result *r = tapcut_ok("train --out %s/slower --resume auto --set optim.lr=0.0001", dir);
	ck_assert_ptr_nonnull(strstr(r->err, "optim.lr is 0.0001 from here on, it was 0.001"));
	char *log = slurp(in(dir, "slower/log.jsonl"), NULL);
	ck_assert_ptr_nonnull(strstr(log, "\"event\":\"change\",\"step\":6"));
	free(log);
	ck_assert(!same_bytes(in(dir, "slower/final.tapcut"), in(dir, "whole/final.tapcut")));
	ck_assert_int_eq(summary_of("slower").state, RUN_FINISHED);
}
END_TEST

START_TEST(a_run_that_skips_most_steps_failed)
{
	tapcut_fails(1, "10 of 12 steps were left out", "%s " TOO_FAST " --set train.nan_policy=skip --out %s/skip",
		     train, dir);
	struct run_summary s = summary_of("skip");
	ck_assert_int_eq(s.state, RUN_DIVERGED);
	ck_assert_int_eq((int)s.skipped, 10);
	char *report = slurp(in(dir, "skip/report.html"), NULL);
	ck_assert_ptr_nonnull(strstr(report, "10 of 12 steps: loss or gradient was not finite"));
	ck_assert_ptr_nonnull(strstr(report, s.result.sha256));
	free(report);
	tapcut_fails(1, "the last 100 steps were left out",
		     "%s " TOO_FAST " --set train.nan_policy=skip --set train.steps=1000 --out %s/skip100", train, dir);
	ck_assert_int_eq((int)summary_of("skip100").step, 101); /* 102 is under way */
}
END_TEST

/* With a constant rate a run that is made longer is the run that was longer from the beginning. */
START_TEST(a_finished_run_is_made_longer)
{
	const char *constant = "--set optim.schedule=constant --set optim.warmup_steps=2";
	tapcut_ok("%s %s --set train.steps=5 --out %s/longer", train, constant, dir);
	tapcut_ok("%s %s --set train.steps=9 --out %s/long", train, constant, dir);
	const struct program_result *r = tapcut_ok("train --out %s/longer --resume auto --set train.steps=9", dir);
	ck_assert_ptr_nonnull(strstr(r->err, "the same weights as of a run that had this length"));
	ck_assert(same_bytes(in(dir, "longer/final.tapcut"), in(dir, "long/final.tapcut")));
	r = tapcut_ok("%s --set train.steps=14 --out %s/whole2", train, dir);
	r = tapcut_ok("train --out %s/whole2 --resume auto --set train.steps=16", dir);
	ck_assert_ptr_nonnull(strstr(r->err, "is that of the new length"));
	ck_assert_int_eq((int)summary_of("whole2").step, 16);
	tapcut_fails(1, "expected at least 16", "train --out %s/whole2 --resume auto --set train.steps=3", dir);
}
END_TEST

/* The same weights from each kind of file: a step with a rate of next to nothing changes none of them. */
START_TEST(any_weights_begin_a_run)
{
	static const char *const files[] = {"whole/last.ckpt", "w.tapcut", "w.safetensors", "steps.safetensors"};
	tapcut_ok("export %s/whole/last.ckpt -o %s/w.tapcut --weights f32", dir, dir);
	tapcut_ok("export %s/whole/last.ckpt -o %s/w.safetensors", dir, dir);
	tapcut_ok("export %s/w.tapcut -o %s/steps.safetensors", dir, dir);
	for (int i = 0; i < 4; i++) {
		tapcut_ok(
			"%s --set init.weights=%s/%s --set optim.lr=1e-12 --set optim.ema_decay=0 --set train.steps=1 "
			"--out %s/init%d",
			train, dir, files[i], dir, i);
		tapcut_ok("export %s/init%d/last.ckpt -o %s/init%d.safetensors", dir, i, dir, i);
		char path[64];
		snprintf(path, sizeof path, "init%d.safetensors", i);
		ck_assert_msg(same_bytes(in(dir, path), in(dir, "init0.safetensors")), "%s", files[i]);
	}
	tapcut_fails(1, "init.weights", "%s --set init.weights=configs/smoke.json --out %s/none", train, dir);
	tapcut_fails(1, "this is a JSON text", "%s --set init.weights=configs/smoke.json --out %s/none", train, dir);
	tapcut_fails(1, "section model", "%s --set init.weights=%s/w.tapcut --set model.context_width=16 --out %s/none",
		     train, dir, dir);
	tapcut_fails(1, "input.click_scale",
		     "%s --set init.weights=%s/w.tapcut --set input.click_scale=3 --out %s/none", train, dir, dir);
}
END_TEST

/* What a user does with the released model: teach it one category. */
START_TEST(released_model_is_fine_tuned)
{
	const struct program_result *r = tapcut_ok(
		"train configs/adapt.json --set "
		"data.train=%s/train/instances.json --set data.val= --set train.batch_size=1 --set train.size=64 "
		"--set data.categories=[\"blob\"] --steps 1 --out %s/dogs",
		dir, dir);
	ck_assert_ptr_nonnull(strstr(r->err, "92 tensors loaded, 0 ignored, 0 parameters not in it"));
}
END_TEST

START_TEST(patience_ends_a_run)
{
	/* One click at most: NoC is 1 whatever the network does, so that nothing is ever better. */
	tapcut_ok("%s --set train.steps=1000 --set eval.every=2 --set eval.max_clicks=1 --set train.patience=3 --out "
		  "%s/patience",
		  validated, dir);
	struct run_summary s = summary_of("patience");
	ck_assert_int_eq(s.state, RUN_FINISHED);
	ck_assert_int_eq((int)s.step, 8);
	ck_assert_ptr_nonnull(strstr(s.why, "no better noc90 in 3 validations since step 2"));
	ck_assert(exists(in(dir, "patience/final.tapcut")));
	tapcut_ok("%s --set train.steps=1000 --set eval.every=2 --set eval.max_clicks=1 --set train.patience=3 --out "
		  "%s/patience2 --until-step 5",
		  validated, dir);
	tapcut_ok("train --out %s/patience2 --resume auto", dir);
	ck_assert(same_bytes(in(dir, "patience/final.tapcut"), in(dir, "patience2/final.tapcut")));
	tapcut_ok("train --out %s/patience2 --resume auto", dir); /* it stays finished */
	ck_assert_int_eq((int)summary_of("patience2").step, 8);
}
END_TEST

/* Nothing is trained, nothing is written, and what is said is what a run then takes. */
START_TEST(dry_run)
{
	const struct program_result *r = tapcut_ok("%s --out %s/dry --dry-run", validated, dir);
	ck_assert_ptr_nonnull(strstr(r->out, "20 objects in 6 photos"));
	ck_assert_ptr_nonnull(strstr(r->out, "steps       12, 48 samples"));
	ck_assert_ptr_nonnull(strstr(r->out, "validation  3 times 1 objects")); /* steps 5, 10 and 12 */
	ck_assert(!exists(in(dir, "dry")));
	char before[65];
	snprintf(before, sizeof before, "%s", summary_of("whole").result.sha256);
	r = tapcut_ok("%s --out %s/whole --resume auto --set train.steps=20 --dry-run --json", validated, dir);
	ck_assert_ptr_nonnull(strstr(r->out, "\"steps\": 8, \"samples\": 32"));
	ck_assert_str_eq(summary_of("whole").result.sha256, before);
	expect_same_files("whole");
	tapcut_fails(1, "no object", "%s --set data.min_area=0.999 --set data.max_area=1 --out %s/dry --dry-run", train,
		     dir);
	ck_assert(!exists(in(dir, "dry")));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli runs");
	TCase *tcase = tcase_create("runs");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, summary_of_a_finished_run);
	tcase_add_test(tcase, digest_of_a_stopped_run);
	if (!TEST_SANITIZED) { /* they compare the bytes of several runs, in ten times the time there */
		tcase_add_test(tcase, stops_change_no_byte);
		tcase_add_test(tcase, a_finished_run_is_made_longer);
		tcase_add_test(tcase, learning_rate_may_be_changed_on_the_way);
	}
	tcase_add_test(tcase, two_trainers_in_one_folder);
	tcase_add_test(tcase, term_in_a_validation);
	tcase_add_test(tcase, hangup_in_a_validation);
	tcase_add_test(tcase, hangup_saves);
	tcase_add_test(tcase, summary_of_a_failure);
	tcase_add_test(tcase, divergence_is_named_and_can_be_mended);
	tcase_add_test(tcase, a_run_that_skips_most_steps_failed);
	tcase_add_test(tcase, any_weights_begin_a_run);
	tcase_add_test(tcase, released_model_is_fine_tuned);
	tcase_add_test(tcase, patience_ends_a_run);
	tcase_add_test(tcase, dry_run);
	suite_add_tcase(suite, tcase);
	signal(SIGHUP, SIG_DFL); /* also where the tests run under nohup, which tapcut respects */
	return suite;
}

TEST_MAIN(make_suite)
