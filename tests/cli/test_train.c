/* What `tapcut train` promises around the training itself: the same bytes for any number of threads, with every
 * instruction set and through any stop, nothing overwritten by mistake, signals answered with a checkpoint. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/kernels.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024], train[4096];

/* Corrective rounds, several slots, moving average and augmentation are on, as the config has them. */
static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_train"));
	snprintf(train, sizeof train, "%s --set train.steps=12 --set train.checkpoint_every=3", tiny_run(dir));
	tapcut_ok("%s --threads 1 --out %s/whole", train, dir);
}

static void expect_same_weights(const char *run)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/%s/final.tapcut", dir, run);
	ck_assert_msg(same_bytes(in(dir, "whole/final.tapcut"), path),
		      "%s differs from an uninterrupted run on one thread", path);
}

START_TEST(threads_do_not_matter)
{
	tapcut_ok("%s --threads 2 --out %s/threads2", train, dir);
	expect_same_weights("threads2");
	tapcut_ok("%s --threads 3 --out %s/threads3", train, dir);
	expect_same_weights("threads3");
}
END_TEST

START_TEST(instruction_sets_do_not_matter)
{
	for (int i = 0; kernels_names[i]; i++) {
		if (!kernels_supported(kernels_names[i]))
			continue;
		setenv("TAPCUT_ISA", kernels_names[i], 1);
		tapcut_ok("%s --out %s/%s", train, dir, kernels_names[i]);
		expect_same_weights(kernels_names[i]);
	}
	unsetenv("TAPCUT_ISA");
}
END_TEST

/* Looking at the network does not change it. */
START_TEST(validation_does_not_matter)
{
	tapcut_ok("%s --set data.val=%s/val/instances.json --set eval.every=5 --out %s/validated", train, dir, dir);
	expect_same_weights("validated");
}
END_TEST

START_TEST(seed_matters)
{
	tapcut_ok("%s --seed 2 --out %s/seed2", train, dir);
	ck_assert(!same_bytes(in(dir, "whole/final.tapcut"), in(dir, "seed2/final.tapcut")));
}
END_TEST

/* Stops a run in mid-epoch with a signal and continues it on another number of threads. */
static void stop_and_continue(const char *run, int signal_number, int code)
{
	char log[1200];
	snprintf(log, sizeof log, "%s/%s/log.jsonl", dir, run);
	pid_t pid = tapcut_start("%s --threads 2 --out %s/%s", train, dir, run);
	ck_assert_msg(tapcut_reaches(pid, log, 4), "the run ended before it could be stopped");
	const struct program_result *r = tapcut_wait(pid, signal_number);
	ck_assert_msg(r->code == code, "ended with %d, not %d: %s", r->code, code, r->err);
	tapcut_ok("inspect %s/%s/last.ckpt", dir, run);
	tapcut_ok("%s --threads 1 --out %s/%s --resume auto", train, dir, run);
	expect_same_weights(run);
}

START_TEST(killed_and_continued)
{
	stop_and_continue("killed", SIGKILL, 128 + SIGKILL);
}
END_TEST

START_TEST(terminated_and_continued)
{
	stop_and_continue("terminated", SIGTERM, 128 + SIGTERM);
}
END_TEST

START_TEST(interrupted_and_continued)
{
	stop_and_continue("interrupted", SIGINT, 128 + SIGINT);
}
END_TEST

START_TEST(usr1_and_continued)
{
	stop_and_continue("usr1", SIGUSR1, 128 + SIGUSR1);
}
END_TEST

/* The log of a run that was killed and continued has each step once. */
START_TEST(log_of_a_continued_run_has_each_step_once)
{
	stop_and_continue("log", SIGKILL, 128 + SIGKILL);
	char *text = slurp(in(dir, "log/log.csv"), NULL), *expected = slurp(in(dir, "whole/log.csv"), NULL);
	int lines = 0, expected_lines = 0;
	for (char *p = text; *p; p++)
		lines += *p == '\n';
	for (char *p = expected; *p; p++)
		expected_lines += *p == '\n';
	ck_assert_int_eq(lines, expected_lines);
	free(text);
	free(expected);
}
END_TEST

/* --resume auto starts where there is nothing to continue, and a finished run is finished. */
START_TEST(resume_auto_always_fits)
{
	tapcut_ok("%s --out %s/fresh --resume auto", train, dir);
	expect_same_weights("fresh");
	tapcut_ok("%s --out %s/fresh --resume auto", train, dir);
	expect_same_weights("fresh");
}
END_TEST

START_TEST(another_experiment_is_not_continued)
{
	tapcut_fails(1, "optim.beta1", "%s --set optim.beta1=0.5 --out %s/whole --resume auto", train, dir);
	tapcut_fails(1, "seed", "%s --seed 77 --out %s/whole --resume auto", train, dir);
}
END_TEST

START_TEST(a_run_is_not_overwritten)
{
	char *before = slurp(in(dir, "whole/log.jsonl"), NULL);
	tapcut_fails(1, "--resume", "%s --out %s/whole", train, dir);
	char *after = slurp(in(dir, "whole/log.jsonl"), NULL);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	tapcut_ok("%s --out %s/forced", train, dir);
	tapcut_ok("%s --out %s/forced --force", train, dir);
	expect_same_weights("forced");
}
END_TEST

/* A damaged checkpoint is said to be one; it is neither believed nor thrown away. */
START_TEST(damaged_checkpoint_is_refused)
{
	size_t size;
	tapcut_ok("%s --steps 3 --out %s/damaged", train, dir);
	char *bytes = slurp(in(dir, "damaged/last.ckpt"), &size);
	bytes[size / 2] ^= 1;
	spit(in(dir, "damaged/last.ckpt"), bytes, size);
	tapcut_fails(1, "last.ckpt", "%s --steps 3 --out %s/damaged --resume auto", train, dir);
	spit(in(dir, "damaged/last.ckpt"), bytes, size / 2);
	tapcut_fails(1, "last.ckpt", "%s --steps 3 --out %s/damaged --resume auto", train, dir);
	free(bytes);
}
END_TEST

/* Generated scenes in dir/name; the path of one photo of them. Static buffer. */
static const char *make_scenes(const char *name, int count)
{
	static char path[2048];
	char folder[1200], first[256] = "\x7f";
	tapcut_ok("scenes --out %s/%s --count %d --seed 5 --width 96 --height 64", dir, name, count);
	snprintf(folder, sizeof folder, "%s/%s/images", dir, name);
	DIR *files = opendir(folder);
	ck_assert(files != NULL);
	for (struct dirent *file; (file = readdir(files)) != NULL;)
		if (file->d_name[0] != '.' && strcmp(file->d_name, first) < 0)
			snprintf(first, sizeof first, "%s", file->d_name);
	closedir(files);
	snprintf(path, sizeof path, "%s/%s", folder, first);
	return path;
}

/* Photos that are missing are counted and named; training goes on with the rest. */
START_TEST(missing_photos_are_named)
{
	const char *photo = make_scenes("holes", 4);
	ck_assert_int_eq(remove(photo), 0);
	const struct program_result *r =
		tapcut_ok("%s --set data.train=%s/holes/instances.json --steps 1 --out %s/holes_run", train, dir, dir);
	ck_assert_msg(strstr(r->err, strrchr(photo, '/') + 1) != NULL, "does not name %s:\n%s", photo, r->err);
}
END_TEST

START_TEST(no_photo_is_left)
{
	ck_assert_int_eq(remove(make_scenes("none", 1)), 0);
	tapcut_fails(1, "none", "%s --set data.train=%s/none/instances.json --steps 1 --out %s/none_run", train, dir,
		     dir);
}
END_TEST

/* A photo that is there but damaged ends the run with its name: to leave it out would train on other data than the
 * config says. */
START_TEST(damaged_photo_is_named)
{
	size_t size;
	const char *photo = make_scenes("bad", 4);
	char *bytes = slurp(photo, &size);
	spit(photo, bytes, 300);
	free(bytes);
	tapcut_fails(1, strrchr(photo, '/') + 1, "%s --set data.train=%s/bad/instances.json --out %s/bad_run", train,
		     dir, dir);
}
END_TEST

START_TEST(nowhere_to_write)
{
	spit(in(dir, "plain"), "x", 1);
	tapcut_fails(1, "plain", "%s --out %s/plain", train, dir);
	tapcut_fails(1, "plain", "%s --out %s/plain/run", train, dir);
}
END_TEST

/* A finished run leaves the file that its config asks for: what tapcut export makes of its last checkpoint. */
START_TEST(export_is_part_of_the_config)
{
	static const char *const forms[] = {"f32", "f16", "int8", "codebook64"};
	const char *folder = test_tmp_dir("export_key");
	char command[4096];
	snprintf(command, sizeof command, "%s", tiny_run(folder));
	for (int i = 0; i < 4; i++) {
		tapcut_ok("%s --steps 2 --set export.weights=%s --out %s/%s", command, forms[i], folder, forms[i]);
		tapcut_ok("export %s/%s/last.ckpt --weights %s -o %s/%s.tapcut", folder, forms[i], forms[i], folder,
			  forms[i]);
		char made[1100], exported[1100];
		snprintf(made, sizeof made, "%s/%s/final.tapcut", folder, forms[i]);
		snprintf(exported, sizeof exported, "%s/%s.tapcut", folder, forms[i]);
		ck_assert_msg(same_bytes(made, exported), "%s", forms[i]);
	}
	tapcut_fails(2, "export.weights", "%s --steps 2 --set export.weights=int7 --out %s/wrong", command, folder);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli train");
	TCase *tcase = tcase_create("train");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, threads_do_not_matter);
	tcase_add_test(tcase, export_is_part_of_the_config);
	tcase_add_test(tcase, instruction_sets_do_not_matter);
	tcase_add_test(tcase, validation_does_not_matter);
	tcase_add_test(tcase, seed_matters);
	tcase_add_test(tcase, killed_and_continued);
	tcase_add_test(tcase, terminated_and_continued);
	tcase_add_test(tcase, interrupted_and_continued);
	tcase_add_test(tcase, usr1_and_continued);
	tcase_add_test(tcase, log_of_a_continued_run_has_each_step_once);
	tcase_add_test(tcase, resume_auto_always_fits);
	tcase_add_test(tcase, another_experiment_is_not_continued);
	tcase_add_test(tcase, a_run_is_not_overwritten);
	tcase_add_test(tcase, damaged_checkpoint_is_refused);
	tcase_add_test(tcase, missing_photos_are_named);
	tcase_add_test(tcase, no_photo_is_left);
	tcase_add_test(tcase, damaged_photo_is_named);
	tcase_add_test(tcase, nowhere_to_write);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
