/* Training by several processes under mpirun: the bytes of one process, stopped and continued by any number of them,
 * and a clear word when one of them is lost. Skipped where Open MPI is not installed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static char dir[1024], train[4096];
static bool possible;

static void on_ranks(int count)
{
	char launcher[128];
	snprintf(launcher, sizeof launcher, "mpirun --oversubscribe --bind-to none -np %d", count);
	tapcut_through(count ? launcher : NULL);
}

/* Five slots of one sample, a number that two, three and four ranks do not divide. */
static void prepare(void)
{
	const char *build = getenv("BUILD");
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_ranks"));
	possible = exists(in(build ? build : "build", "mpi/tapcut")) && system("mpirun --version >/dev/null 2>&1") == 0;
	if (!possible) {
		test_skip("training by several ranks: no MPI build or no mpirun (make deps MPI=1)");
		return;
	}
	/* mpirun does not run as root unless told to. */
	setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
	setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
	snprintf(train, sizeof train,
		 "%s --set train.batch_size=5 --set train.steps=30 --set train.checkpoint_every=3 --threads 1",
		 tiny_run(dir));
	tapcut_ok("%s --out %s/whole", train, dir);
}

static void expect_same_weights(const char *run)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/%s/final.tapcut", dir, run);
	ck_assert_msg(same_bytes(in(dir, "whole/final.tapcut"), path), "%s differs from a run of one process", path);
}

enum { TIMELESS_COLUMNS = 8 }; /* of log.csv; the rest is wall clock */

static void expect_same_log(const char *run)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/%s/log.csv", dir, run);
	char *log = slurp(path, NULL), *whole = slurp(in(dir, "whole/log.csv"), NULL);
	const char *a = log, *b = whole;
	for (int column = 0; *a || *b; a++, b++) {
		ck_assert_msg(*a == *b, "%s differs from that of one process:\n%s", path, log);
		column = *a == '\n' ? 0 : column + (*a == ',');
		if (column == TIMELESS_COLUMNS) {
			a = strchr(a, '\n');
			b = strchr(b, '\n');
			ck_assert(a != NULL && b != NULL);
			column = 0;
		}
	}
	free(log);
	free(whole);
}

START_TEST(ranks_do_not_matter)
{
	for (int count = 1; count <= 5 && possible; count++) {
		char run[32];
		snprintf(run, sizeof run, "ranks%d", count);
		on_ranks(count);
		tapcut_ok("%s --out %s/%s", train, dir, run);
		expect_same_weights(run);
		expect_same_log(run);
	}
}
END_TEST

/* --- stopped and continued ------------------------------------------------ */

/* Process of a rank among the children of mpirun; 0: cannot be found here. */
static pid_t find_rank(pid_t mpirun, int rank)
{
	char path[64], wanted[64], text[65536];
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)mpirun, (int)mpirun);
	snprintf(wanted, sizeof wanted, "OMPI_COMM_WORLD_RANK=%d", rank);
	FILE *children = fopen(path, "r");
	int child, found = 0;
	while (children && !found && fscanf(children, "%d", &child) == 1) {
		snprintf(path, sizeof path, "/proc/%d/environ", child);
		FILE *environment = fopen(path, "r");
		size_t size = environment ? fread(text, 1, sizeof text - 1, environment) : 0;
		text[size] = '\0';
		for (const char *variable = text; variable < text + size; variable += strlen(variable) + 1)
			if (!strcmp(variable, wanted))
				found = child;
		if (environment)
			fclose(environment);
	}
	if (children)
		fclose(children);
	return found;
}

/* Trains on three ranks, and sends one of them a signal after the fourth step. */
static const struct program_result *signal_rank(const char *run, int rank, int signal_number)
{
	char log[1200];
	snprintf(log, sizeof log, "%s/%s/log.jsonl", dir, run);
	on_ranks(3);
	pid_t pid =
		tapcut_start("%s --rank-timeout %d --out %s/%s", train, signal_number == SIGSTOP ? 3 : 600, dir, run);
	ck_assert_msg(tapcut_reaches(pid, log, 4), "the run ended before it could be stopped");
	pid_t process = find_rank(pid, rank);
	ck_assert_msg(process != 0, "rank %d of process %d is not in /proc", rank, (int)pid);
	kill(process, signal_number);
	const struct program_result *r = tapcut_wait(pid, 0);
	if (signal_number == SIGSTOP)
		kill(process, SIGKILL); /* the launcher may have left it */
	return r;
}

static void continue_on(int ranks, const char *run)
{
	on_ranks(0);
	tapcut_ok("inspect %s/%s/last.ckpt", dir, run);
	on_ranks(ranks);
	tapcut_ok("%s --out %s/%s --resume auto", train, dir, run);
	expect_same_weights(run);
}

static int occurrences(const char *text, const char *part)
{
	int count = 0;
	for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
		count++;
	return count;
}

/* One is killed: all end, one of the others says which it was and what is left. */
START_TEST(killed_rank_is_named)
{
	for (int rank = 0; rank < 2 && possible; rank++) {
		char run[32], named[64];
		snprintf(run, sizeof run, "killed%d", rank);
		snprintf(named, sizeof named, "rank %d of 3 (process ", rank);
		const struct program_result *r = signal_rank(run, rank, SIGKILL);
		ck_assert_int_ne(r->code, 0);
		ck_assert_msg(occurrences(r->err, named) == 1, "does not say \"%s\" once:\n%s", named, r->err);
		ck_assert_msg(occurrences(r->err, "last good checkpoint: ") == 1 &&
				      strstr(r->err, "/last.ckpt, after step "),
			      "does not name the checkpoint once:\n%s", r->err);
		continue_on(4 - rank, run);
	}
}
END_TEST

/* One no longer answers, though it is still there. */
START_TEST(rank_that_is_silent)
{
	for (int rank = 0; rank < 2 && possible; rank++) {
		char run[32], named[64];
		snprintf(run, sizeof run, "silent%d", rank);
		const struct program_result *r = signal_rank(run, rank, SIGSTOP);
		ck_assert_int_ne(r->code, 0);
		ck_assert_msg(strstr(r->err, "has waited 3 s for an answer of rank "), "%s", r->err);
		snprintf(named, sizeof named, "rank %d of 3 (process ", rank);
		ck_assert_msg(strstr(r->err, named) && strstr(r->err, "is stopped"), "no \"%s\":\n%s", named, r->err);
		ck_assert_msg(strstr(r->err, "/last.ckpt, after step "), "%s", r->err);
		continue_on(2, run);
	}
}
END_TEST

/* One is asked to stop: all stop after the same step. */
START_TEST(stopped_rank_stops_all)
{
	if (!possible)
		return;
	const struct program_result *r = signal_rank("stopped", 2, SIGTERM);
	ck_assert_msg(r->code == 128 + SIGTERM, "ended with %d:\n%s", r->code, r->err);
	ck_assert_msg(occurrences(r->err, "everything is saved") == 1 && !strstr(r->err, "gone"), "%s", r->err);
	continue_on(0, "stopped");
}
END_TEST

/* --- refused and failed --------------------------------------------------- */

START_TEST(more_ranks_than_slots_are_refused)
{
	if (!possible)
		return;
	on_ranks(6);
	const struct program_result *r = tapcut("%s --out %s/many", train, dir);
	ck_assert_int_ne(r->code, 0);
	ck_assert_msg(occurrences(r->err, "found 5 slots for 6 ranks") == 1, "%s", r->err);
}
END_TEST

/* A failure on one rank ends all, with its reason. Every photo is damaged, so that each rank meets one; it is told
 * once. */
START_TEST(damaged_photo_is_told_once)
{
	char command[2400];
	if (!possible)
		return;
	on_ranks(0);
	tapcut_ok("scenes --out %s/bad --count 4 --seed 5 --width 96 --height 64", dir);
	snprintf(command, sizeof command, "for f in %s/bad/images/*; do head -c 300 $f >$f.cut; mv $f.cut $f; done",
		 dir);
	ck_assert_int_eq(system(command), 0);
	on_ranks(3);
	const struct program_result *r =
		tapcut("%s --set data.train=%s/bad/instances.json --out %s/bad_run", train, dir, dir);
	ck_assert_int_ne(r->code, 0);
	ck_assert_msg(occurrences(r->err, "tapcut train: rank 0: ") == 1 && occurrences(r->err, ".jpg") == 1, "%s",
		      r->err);
}
END_TEST

/* Rank 0 alone writes; when it cannot, the others do not wait for it for ever. */
START_TEST(nowhere_to_write)
{
	if (!possible)
		return;
	spit(in(dir, "plain"), "x", 1);
	on_ranks(2);
	const struct program_result *r = tapcut("%s --out %s/plain", train, dir);
	ck_assert_int_ne(r->code, 0);
	ck_assert_msg(occurrences(r->err, "plain") == 1, "%s", r->err);
}
END_TEST

/* Processes of the build without MPI would all write one folder. */
START_TEST(build_without_mpi_is_refused)
{
	char command[8192];
	const char *build = getenv("BUILD");
	if (!possible)
		return;
	snprintf(command, sizeof command, "mpirun --oversubscribe -np 2 %s/tapcut %s --out %s/none >/dev/null 2>&1",
		 build ? build : "build", train, dir);
	ck_assert_int_ne(system(command), 0);
	ck_assert(!exists(in(dir, "none")));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli ranks");
	TCase *tcase = tcase_create("ranks");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, ranks_do_not_matter);
	tcase_add_test(tcase, killed_rank_is_named);
	tcase_add_test(tcase, rank_that_is_silent);
	tcase_add_test(tcase, stopped_rank_stops_all);
	tcase_add_test(tcase, more_ranks_than_slots_are_refused);
	tcase_add_test(tcase, damaged_photo_is_told_once);
	tcase_add_test(tcase, nowhere_to_write);
	tcase_add_test(tcase, build_without_mpi_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
