/* The thread pool: every task once, thread numbers right, nothing left running, failures reported. */
#include "core/workers.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { MOST = 1000 };

struct record {
	int runs[MOST]; /* how often each task ran; a task has its own, so no atomics: a second run at once is a race */
	int thread[MOST];
};

static void record_task(void *context, int index, int thread)
{
	struct record *record = context;
	record->runs[index]++;
	record->thread[index] = thread;
}

static struct workers *make(int threads)
{
	struct workers *workers;
	ck_assert_int_eq(workers_new(threads, &workers), STATUS_OK);
	ck_assert_int_eq(workers_threads(workers), threads);
	return workers;
}

START_TEST(every_task_runs_once)
{
	static const int counts[] = {0, 1, 2, 3, 5, 100, MOST};
	for (int threads = 1; threads <= 5; threads++) {
		struct workers *workers = make(threads);
		for (int c = 0; c < 7; c++) {
			struct record record;
			memset(&record, 0, sizeof record);
			workers_run(workers, counts[c], record_task, &record);
			for (int i = 0; i < MOST; i++) {
				ck_assert_int_eq(record.runs[i], i < counts[c]);
				ck_assert(record.thread[i] >= 0 && record.thread[i] < threads);
			}
		}
		workers_free(workers);
	}
}
END_TEST

/* What tasks wrote before is read after: many short runs in a row. */
static void add_task(void *context, int index, int thread)
{
	(void)thread;
	((int *)context)[index] += index;
}

START_TEST(runs_follow_each_other)
{
	struct workers *workers = make(3);
	int sums[7] = {0};
	for (int run = 0; run < 5000; run++)
		workers_run(workers, 7, add_task, sums);
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(sums[i], 5000 * i);
	workers_free(workers);
}
END_TEST

/* Tasks that wait for each other: as many threads as promised work at once. */
static void barrier_task(void *context, int index, int thread)
{
	(void)index;
	(void)thread;
	pthread_barrier_wait(context);
}

START_TEST(threads_work_at_once)
{
	struct workers *workers = make(4);
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 20; i++)
		workers_run(workers, 4, barrier_task, &barrier);
	pthread_barrier_destroy(&barrier);
	workers_free(workers);
}
END_TEST

START_TEST(free_without_a_run)
{
	for (int i = 0; i < 100; i++)
		workers_free(make(1 + i % 4));
	workers_free(NULL);
}
END_TEST

/* The trainer stops on SIGTERM by a flag that its own thread's handler sets. */
static pthread_t caught_by;
static void catch_signal(int number)
{
	(void)number;
	caught_by = pthread_self();
}

static void kill_task(void *context, int index, int thread)
{
	(void)context;
	(void)index;
	if (thread == 1)
		kill(getpid(), SIGUSR1);
}

START_TEST(signals_go_to_the_caller)
{
	struct workers *workers = make(3);
	struct sigaction action = {.sa_handler = catch_signal};
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 20; i++)
		workers_run(workers, 50, kill_task, NULL);
	kill(getpid(), SIGUSR1);
	ck_assert(pthread_equal(caught_by, pthread_self()));
	workers_free(workers);
}
END_TEST

/* Sanitizers need the address space themselves. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(too_many_threads_is_a_status)
{
	struct rlimit limit = {256 << 20, 256 << 20}; /* stacks of 8 MiB: some 30 fit */
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	struct workers *workers;
	ck_assert_int_eq(workers_new(1000, &workers), STATUS_NO_MEMORY);
	ck_assert_ptr_null(workers);
	ck_assert_ptr_nonnull(strstr(status_message(), "of 1000"));
	workers_free(make(2));
}
END_TEST
#endif

static Suite *make_suite(void)
{
	Suite *suite = suite_create("workers");
	TCase *tcase = tcase_create("all");
	tcase_add_test(tcase, every_task_runs_once);
	tcase_add_test(tcase, runs_follow_each_other);
	tcase_add_test(tcase, threads_work_at_once);
	tcase_add_test(tcase, free_without_a_run);
	tcase_add_test(tcase, signals_go_to_the_caller);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(tcase, too_many_threads_is_a_status);
#endif
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
