/* Sweeps as a user meets them: the same trials, table and weights through kill -9, with any number of workers, one by
 * one; and what is said when trials diverge, data are missing, the disk is full, a worker stands still, or there are no
 * locks. tools/repro_sweep.sh does the first part at length. */
#define _GNU_SOURCE /* unshare, mount */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024];

/* A network so small that a rung takes a moment. `vary` and `more` are members of the sweep's file. */
static void write_sweep(const char *name, const char *set, const char *vary, const char *more)
{
	char text[4096];
	int length = snprintf(
		text, sizeof text,
		"{\"base\": \"configs/smoke.json\", \"set\": {\"data.train\": \"%s/train/instances.json\", "
		"\"data.val\": \"%s/val/instances.json\", \"train.size\": 32, \"eval.size\": 32, \"eval.limit\": 1, "
		"\"eval.every\": 0%s}, \"vary\": {%s}, \"metric\": \"noc90\", %s}",
		dir, dir, set, vary, more);
	spit(in(dir, name), text, (size_t)length);
}

#define RATES "\"optim.lr\": {\"min\": 1e-4, \"max\": 1e-2, \"distribution\": \"log\"}, \"train.batch_size\": [2, 4]"
#define HALVING "\"method\": \"halving\", \"reduction_factor\": 2, \"budget\": [4, 12]"

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_sweep"));
	tiny_run(dir); /* makes the scenes */
	write_sweep("sweep.json", "", RATES, HALVING ", \"trials\": 4");
	write_sweep("small.json", "", RATES,
		    "\"method\": \"random\", \"budget\": 4, \"trials\": 2, \"equal_failures\": 2");
	tapcut_ok("sweep run %s/sweep.json --out %s/whole --quiet", dir, dir);
	tapcut_ok("sweep run %s/small.json --out %s/small --quiet", dir, dir);
}

/* --- the same ------------------------------------------------------------- */

/* The table without its last `clock` columns, which are the clock's. */
static char *table(const char *sweep, const char *name, int clock)
{
	char path[1200], *text, *to;
	snprintf(path, sizeof path, "%s/%s/%s", dir, sweep, name);
	text = to = slurp(path, NULL);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		char *cut = end;
		for (int i = 0; i < clock; i++)
			while (cut > line && *--cut != ',') {}
		memmove(to, line, (size_t)(cut - line));
		to += cut - line;
		*to++ = '\n';
	}
	*to = '\0';
	return text;
}

/* `whole`: a sweep of the same file that nothing disturbed. */
static void expect_same(const char *whole, const char *sweep)
{
	static const struct {
		const char *name;
		int clock;
	} files[] = {{"runs.csv", 2}, {"trials.csv", 4}, {"decisions.jsonl", 0}};
	tapcut_ok("sweep report %s/%s", dir, sweep);
	for (int i = 0; i < 3; i++) {
		if (!exists(in(in(dir, whole), files[i].name)))
			continue; /* there was nothing to decide */
		char *expected = table(whole, files[i].name, files[i].clock);
		char *got = table(sweep, files[i].name, files[i].clock);
		ck_assert_msg(strcmp(expected, got) == 0, "%s of %s:\n%s\nand not\n%s", files[i].name, sweep, got,
			      expected);
		free(expected);
		free(got);
	}
}

/* Calls `visit` for each trial's folder. */
static int each_trial(const char *sweep, void (*visit)(const char *path))
{
	char path[1200], trial[2400];
	int count = 0;
	snprintf(path, sizeof path, "%s/%s/trials", dir, sweep);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(trial, sizeof trial, "%s/%s", path, entry->d_name);
		count++;
		if (visit)
			visit(trial);
	}
	if (folder)
		closedir(folder);
	return count;
}

/* The trainer whose lock this folder has, if it lives and is one of this test's. */
static void kill_trainer(const char *trial)
{
	char path[2500], text[512] = "";
	long pid = 0;
	snprintf(path, sizeof path, "%s/lock", trial);
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	bool found = fscanf(file, "pid %ld", &pid) == 1;
	fclose(file);
	snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
	if (!found || !(file = fopen(path, "r")))
		return;
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	if (memmem(text, length, trial, strlen(trial)))
		kill((pid_t)pid, SIGKILL);
}

static void pause_for(double seconds)
{
	struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (long)seconds) * 1e9)};
	nanosleep(&time, NULL);
}

static int rung_files;
static void count_rungs(const char *trial)
{
	char path[2500];
	for (int r = 1; r <= 2; r++) {
		snprintf(path, sizeof path, "%s/rung-%d.json", trial, r);
		rung_files += exists(path);
	}
}

/* So that kills come at different places: after the first file that so many folders have. */
static void wait_for_rungs(pid_t pid, const char *sweep, int rungs)
{
	do {
		rung_files = 0;
		each_trial(sweep, count_rungs);
		pause_for(0.01);
	} while (rung_files < rungs && tapcut_runs(pid));
}

START_TEST(killed_again_and_again)
{
	srand((unsigned)time(NULL) ^ (unsigned)getpid());
	for (int i = 0; i < 3; i++) {
		pid_t pid =
			tapcut_start("sweep run %s/sweep.json --out %s/killed --workers %d --quiet", dir, dir, 1 + i);
		wait_for_rungs(pid, "killed", 2 * i);
		pause_for(0.3 * rand() / RAND_MAX);
		if (tapcut_runs(pid))
			kill(pid, SIGKILL);
		each_trial("killed", kill_trainer);
		int status;
		waitpid(pid, &status, 0);
	}
	tapcut_ok("sweep run --out %s/killed --workers 2 --quiet", dir);
	expect_same("whole", "killed");
}
END_TEST

/* Three that know nothing of each other but the folder. */
START_TEST(workers_share_a_folder)
{
	pid_t first = tapcut_start("sweep run %s/sweep.json --out %s/shared --worker", dir, dir);
	pid_t second = tapcut_start("sweep run %s/sweep.json --out %s/shared --worker", dir, dir);
	tapcut_ok("sweep run %s/sweep.json --out %s/shared --quiet", dir, dir);
	int status[2];
	waitpid(first, &status[0], 0);
	waitpid(second, &status[1], 0);
	ck_assert_int_eq(status[0], 0);
	ck_assert_int_eq(status[1], 0);
	expect_same("whole", "shared");
}
END_TEST

START_TEST(one_by_one)
{
	for (int round = 0; round < 2; round++)
		for (int trial = 3; trial >= 0; trial--)
			tapcut_ok("sweep run %s/sweep.json --out %s/single --trial %d --quiet", dir, dir, trial);
	expect_same("whole", "single");
	tapcut_fails(1, "--trial: expected 0 to 3", "sweep run %s/sweep.json --out %s/single --trial 4", dir, dir);
}
END_TEST

static char finished[2400];
static void find_finished(const char *trial)
{
	char path[2500];
	snprintf(path, sizeof path, "%s/final.tapcut", trial);
	if (exists(path))
		snprintf(finished, sizeof finished, "%s", trial);
}

/* A trial that stopped at each rung and was promoted is the one that never stopped. */
START_TEST(rungs_do_not_matter)
{
	char path[2500];
	each_trial("whole", find_finished);
	ck_assert(finished[0] != '\0');
	tapcut_ok("train %s/config.json --out %s/straight --quiet", finished, dir);
	snprintf(path, sizeof path, "%s/final.tapcut", finished);
	ck_assert(same_bytes(path, in(dir, "straight/final.tapcut")));
}
END_TEST

START_TEST(done_is_done)
{
	struct stat before, after;
	ck_assert_int_eq(stat(in(finished[0] ? finished : dir, ""), &before), 0);
	const struct program_result *r = tapcut_ok("sweep run %s/sweep.json --out %s/whole", dir, dir);
	ck_assert_msg(strstr(r->err, "begins") == NULL && strstr(r->err, "goes on to") == NULL, "%s", r->err);
	ck_assert_int_eq(stat(in(finished[0] ? finished : dir, ""), &after), 0);
	expect_same("whole", "whole");
}
END_TEST

/* More trials leave those that are there as they are; anything else is another sweep. */
START_TEST(a_sweep_grows)
{
	write_sweep("grown.json", "", RATES, "\"method\": \"random\", \"budget\": 4, \"trials\": 1");
	tapcut_ok("sweep run %s/grown.json --out %s/grown --quiet", dir, dir);
	tapcut_ok("sweep run %s/small.json --out %s/grown --quiet", dir, dir);
	expect_same("small", "grown");
	write_sweep("grown.json", "", RATES, "\"method\": \"random\", \"budget\": 8, \"trials\": 2");
	tapcut_fails(1, "budget: expected 4", "sweep run %s/grown.json --out %s/grown", dir, dir);
	write_sweep("grown.json", ", \"optim.clip_norm\": 2", RATES,
		    "\"method\": \"random\", \"budget\": 4, \"trials\": 2");
	tapcut_fails(1, "\"clip_norm\": 1, with which it was begun", "sweep run %s/grown.json --out %s/grown", dir,
		     dir);
}
END_TEST

/* --- accidents ------------------------------------------------------------ */

START_TEST(one_diverges)
{
	write_sweep("diverges.json", ", \"optim.name\": \"sgd\", \"optim.clip_norm\": 0, \"optim.momentum\": 0.99",
		    "\"optim.lr\": [0.001, 100]", "\"method\": \"grid\", \"budget\": 48");
	const struct program_result *r = tapcut_ok("sweep run %s/diverges.json --out %s/diverges", dir, dir);
	ck_assert_msg(strstr(r->err, "trial 1: diverged: ") != NULL, "%s", r->err);
	ck_assert_msg(strstr(r->out, "Best: trial 0") != NULL, "%s", r->out);
	char *text = table("diverges", "trials.csv", 0);
	ck_assert_msg(strstr(text, "\n1,,diverged,") != NULL, "%s", text);
	free(text);
}
END_TEST

/* Photos that are gone fail every trial alike: said once. When they are back, nothing was lost. */
START_TEST(photos_are_missing)
{
	char from[1200], to[1200];
	snprintf(from, sizeof from, "%s/train/images", dir);
	snprintf(to, sizeof to, "%s/train/gone", dir);
	ck_assert_int_eq(rename(from, to), 0);
	tapcut_fails(1, "trials failed alike", "sweep run %s/small.json --out %s/missing", dir, dir);
	ck_assert_int_eq(each_trial("missing", NULL), 2);
	tapcut_fails(1, "--retry-failed", "sweep run --out %s/missing", dir);
	ck_assert_int_eq(rename(to, from), 0);
	tapcut_ok("sweep run --out %s/missing --retry-failed --quiet", dir);
	expect_same("small", "missing");
}
END_TEST

/* Every line that a trainer said is in its trial's folder. */
START_TEST(output_is_kept)
{
	char path[2500];
	each_trial("whole", find_finished);
	snprintf(path, sizeof path, "%s/output.txt", finished);
	ck_assert(exists(path));
	snprintf(path, sizeof path, "%s/config.json", finished);
	ck_assert(exists(path));
}
END_TEST

START_TEST(the_metric_never_appears)
{
	static const char summary[] =
		"{\"state\": \"finished\", \"step\": 1, \"samples\": 4, \"metrics\": {\"step\": 1, \"noc90\": null}, "
		"\"result\": {\"file\": \"final.tapcut\", \"bytes\": 1, \"sha256\": \"00\"}}";
	char path[1200];
	write_sweep("never.json", "", RATES, "\"method\": \"random\", \"budget\": 4, \"trials\": 2");
	snprintf(path, sizeof path, "%s/never/trials/0000-seed1", dir);
	for (char *c = path + strlen(dir) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(path, 0777);
		*c = '/';
	}
	mkdir(path, 0777);
	strcat(path, "/summary.json");
	spit(path, summary, sizeof summary - 1);
	tapcut_fails(1, "metrics.noc90: expected a number", "sweep run %s/never.json --out %s/never", dir, dir);
}
END_TEST

/* In a mount of a few megabytes, which vanishes with its namespace. */
START_TEST(the_disk_is_full)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		test_skip("a small disk can be mounted by root only");
		return;
	}
	mkdir(in(dir, "disk"), 0777);
	if (mount("tmpfs", in(dir, "disk"), "tmpfs", 0, "size=8m") != 0) {
		test_skip("no small disk could be mounted here: %s", strerror(errno));
		return;
	}
	tapcut_fails(1, "No space left on device", "sweep run %s/small.json --out %s/disk/sweep", dir, dir);
	ck_assert_int_eq(mount("tmpfs", in(dir, "disk"), "tmpfs", MS_REMOUNT, "size=200m"), 0);
	tapcut_ok("sweep run --out %s/disk/sweep --quiet", dir);
	expect_same("small", "disk/sweep");
}
END_TEST

/* A worker that stands still keeps what it holds; the others do the rest and wait for it. */
START_TEST(a_worker_stands_still)
{
	pid_t still = tapcut_start("sweep run %s/small.json --out %s/still --worker", dir, dir);
	wait_for_rungs(still, "still", 1);
	kill(still, SIGSTOP);
	pid_t other = tapcut_start("sweep run --out %s/still --worker", dir);
	pause_for(1.5);
	kill(still, SIGCONT);
	int status[2];
	waitpid(still, &status[0], 0);
	waitpid(other, &status[1], 0);
	ck_assert_int_eq(status[0], 0);
	ck_assert_int_eq(status[1], 0);
	expect_same("small", "still");
}
END_TEST

/* From here on flock(2) answers as on a file system that has no locks. */
static bool take_away_flock(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(there_are_no_locks)
{
	if (!take_away_flock()) {
		test_skip("flock cannot be taken away here");
		return;
	}
	tapcut_ok("sweep run %s/small.json --out %s/nolocks --workers 2 --quiet", dir, dir);
	expect_same("small", "nolocks");
}
END_TEST

START_TEST(asked_to_stop)
{
	pid_t pid = tapcut_start("sweep run %s/small.json --out %s/asked --workers 2", dir, dir);
	wait_for_rungs(pid, "asked", 1);
	const struct program_result *r = tapcut_wait(pid, SIGTERM);
	ck_assert_msg(r->code == 128 + SIGTERM || r->code == 0, "%d %s", r->code, r->err);
	tapcut_ok("sweep run --out %s/asked --quiet", dir);
	expect_same("small", "asked");
}
END_TEST

/* --- before anything runs ------------------------------------------------- */

START_TEST(wrong_files_are_refused)
{
	write_sweep("wrong.json", "", "\"optim.lrr\": [0.1, 0.2]", "\"method\": \"grid\"");
	tapcut_fails(1, "did you mean optim.lr?", "sweep run %s/wrong.json --out %s/wrong", dir, dir);
	write_sweep("wrong.json", "", RATES, "\"method\": \"random\"");
	tapcut_fails(1, "trials: expected how many", "sweep run %s/wrong.json --dry-run", dir);
	write_sweep("wrong.json", "", "\"train.batch_size\": [4, 6], \"train.slot_size\": [2, 4]",
		    "\"method\": \"grid\"");
	tapcut_fails(1, "trial 3 (train.batch_size=6 train.slot_size=4)", "sweep run %s/wrong.json --out %s/wrong", dir,
		     dir);
	ck_assert(!exists(in(dir, "wrong")));
	tapcut_fails(2, "--out DIR is missing", "sweep run %s/wrong.json", dir);
	tapcut_fails(1, "holds no sweep", "sweep report %s/val", dir);
	write_sweep("large.json", "", RATES, HALVING ", \"trials\": 4, \"subject_to\": {\"bytes\": 1000}");
	tapcut_fails(1, "subject_to.bytes: expected room for one trial at least, found 1000",
		     "sweep run %s/large.json --out %s/large", dir, dir);
}
END_TEST

START_TEST(dry_run_and_slurm_print)
{
	const struct program_result *r = tapcut_ok("sweep run %s/sweep.json --dry-run", dir);
	ck_assert_msg(strstr(r->out, "rung 2: 2 trials x 1 seed to 12 samples") && strstr(r->out, "room: about"), "%s",
		      r->out);
	r = tapcut_ok("sweep slurm %s/sweep.json --out %s/slurm --workers 3 --threads 2", dir, dir);
	ck_assert_msg(strncmp(r->out, "#!/bin/bash\n", 12) == 0 && strstr(r->out, "--array=1-3") &&
			      strstr(r->out, "--cpus-per-task=2") && strstr(r->out, "--worker"),
		      "%s", r->out);
	ck_assert(!exists(in(dir, "slurm")));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("sweep");
	TCase *tc = tcase_create("sweep");
	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, prepare, NULL);
	tcase_add_test(tc, killed_again_and_again);
	if (!TEST_SANITIZED) { /* they compare processes and bytes, in ten times the time there */
		tcase_add_test(tc, workers_share_a_folder);
		tcase_add_test(tc, one_by_one);
		tcase_add_test(tc, rungs_do_not_matter);
		tcase_add_test(tc, a_sweep_grows);
		tcase_add_test(tc, a_worker_stands_still);
		tcase_add_test(tc, there_are_no_locks);
	}
	tcase_add_test(tc, done_is_done);
	tcase_add_test(tc, one_diverges);
	tcase_add_test(tc, photos_are_missing);
	tcase_add_test(tc, output_is_kept);
	tcase_add_test(tc, the_metric_never_appears);
	tcase_add_test(tc, the_disk_is_full);
	tcase_add_test(tc, asked_to_stop);
	tcase_add_test(tc, wrong_files_are_refused);
	tcase_add_test(tc, dry_run_and_slurm_print);
	suite_add_tcase(suite, tc);
	return suite;
}

TEST_MAIN(make_suite)
