/* The lock of a run's folder: one holder, gone with its process, with flock and without. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "train/record/run_lock.h"

static const char *dir;

static void setup(void)
{
	dir = test_tmp_dir("run_lock");
}

/* A process that takes the lock, says so through the pipe, and keeps it until it is killed. */
static pid_t hold(enum run_lock_kind kind)
{
	int ends[2];
	char answer = 0;
	ck_assert_int_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct run_lock lock;
		answer = run_lock_take(&lock, dir, kind) == STATUS_OK ? 'y' : 'n';
		if (write(ends[1], &answer, 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ends[0], &answer, 1), 1);
	ck_assert_int_eq(answer, 'y');
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void expect_held(pid_t pid, bool expected)
{
	bool held;
	struct run_owner owner;
	ck_assert_int_eq(run_lock_probe(dir, &held, &owner), STATUS_OK);
	ck_assert_int_eq(held, expected);
	if (expected)
		ck_assert_int_eq(owner.pid, pid);
}

static void kill_and_wait(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void one_holder(enum run_lock_kind kind)
{
	struct run_lock lock;
	char expected[64];
	expect_held(0, false);
	pid_t pid = hold(kind);
	expect_held(pid, true);
	ck_assert_int_eq(run_lock_take(&lock, dir, kind), STATUS_CONFIG);
	snprintf(expected, sizeof expected, "process %ld on ", (long)pid);
	ck_assert_ptr_nonnull(strstr(status_message(), expected));
	ck_assert_ptr_nonnull(strstr(status_message(), dir));
	expect_held(pid, true); /* the refused one has let go of nothing */
	kill_and_wait(pid);
	expect_held(0, false);
	ck_assert_msg(run_lock_take(&lock, dir, kind) == STATUS_OK, "%s", status_message());
	expect_held(getpid(), true);
	run_lock_release(&lock);
	run_lock_release(&lock);
	expect_held(0, false);
}

START_TEST(with_flock)
{
	one_holder(RUN_LOCK_BEST);
}
END_TEST

START_TEST(without_flock)
{
	one_holder(RUN_LOCK_WITHOUT_FLOCK);
}
END_TEST

/* Nobody here knows whether a process of another machine lives: the message says what to do. */
START_TEST(owner_on_another_machine)
{
	struct run_lock lock;
	char path[1200];
	snprintf(path, sizeof path, "%s/lock.owner", dir);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("pid 1 host elsewhere.example since 2026-05-01T00:00:00Z\n", file);
	fclose(file);
	ck_assert_int_eq(run_lock_take(&lock, dir, RUN_LOCK_WITHOUT_FLOCK), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "process 1 on elsewhere.example"));
	ck_assert_ptr_nonnull(strstr(status_message(), "delete"));
	ck_assert_ptr_nonnull(strstr(status_message(), path));
	ck_assert_int_eq(remove(path), 0);
	ck_assert_int_eq(run_lock_take(&lock, dir, RUN_LOCK_WITHOUT_FLOCK), STATUS_OK);
	run_lock_release(&lock);
}
END_TEST

START_TEST(no_folder)
{
	struct run_lock lock;
	bool held = true;
	ck_assert_int_eq(run_lock_take(&lock, "no/such/folder", RUN_LOCK_BEST), STATUS_IO);
	run_lock_release(&lock);
	ck_assert_int_eq(run_lock_probe("no/such/folder", &held, NULL), STATUS_OK);
	ck_assert(!held);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("run_lock");
	TCase *tcase = tcase_create("run_lock");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, with_flock);
	tcase_add_test(tcase, without_flock);
	tcase_add_test(tcase, owner_on_another_machine);
	tcase_add_test(tcase, no_folder);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
