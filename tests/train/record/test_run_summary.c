/* summary.json: what is written comes back, and what refusals and resumes make of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"
#include "train/record/run_record.h"

static const char *dir;

static void setup(void)
{
	dir = test_tmp_dir("run_summary");
}

START_TEST(round_trip)
{
	struct run_summary written, read;
	run_summary_init(&written);
	written.state = RUN_STOPPED;
	snprintf(written.why, sizeof written.why, "a \"quoted\" reason\n");
	written.step = 12;
	written.steps = 100;
	written.samples = 48;
	written.skipped = 3;
	written.seconds = 2.5;
	run_summary_add_validation(&written, &(struct run_val){.step = 4, .noc90 = 5, .miou1 = 0.5});
	run_summary_add_validation(&written, &(struct run_val){.step = 8, .noc90 = 4, .miou1 = 0.4});
	run_summary_add_validation(&written, &(struct run_val){.step = 12, .noc90 = 4, .miou1 = 0.3, .nof90 = 7});
	run_summary_set_result(&written, "last.ckpt", "abc", 3);
	ck_assert_msg(run_summary_write(&written, dir) == STATUS_OK, "%s", status_message());
	ck_assert_msg(run_summary_read(&read, dir) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(read.state, RUN_STOPPED);
	ck_assert_str_eq(read.why, written.why);
	ck_assert_str_eq(read.host, written.host);
	ck_assert_int_eq(read.pid, written.pid);
	ck_assert(read.step == 12 && read.steps == 100 && read.samples == 48 && read.skipped == 3);
	ck_assert(read.seconds == 2.5 && read.has_metrics);
	ck_assert(read.metrics.step == 12 && read.metrics.miou1 == 0.3 && read.metrics.nof90 == 7);
	ck_assert(read.best.step == 8 && read.best.miou1 == 0.4); /* fewer clicks, then the better first tap */
	ck_assert_str_eq(read.result.file, "last.ckpt");
	ck_assert(read.result.bytes == 3);
	ck_assert_str_eq(read.result.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	run_summary_release(&read);
	run_summary_release(&written);
}
END_TEST

static enum run_outcome state_now(double *seconds)
{
	struct run_summary summary;
	ck_assert_msg(run_summary_read(&summary, dir) == STATUS_OK, "%s", status_message());
	*seconds = summary.seconds;
	run_summary_release(&summary);
	return summary.state;
}

static void one_life(bool resume, enum status status, enum run_outcome outcome)
{
	struct run_record record;
	ck_assert_int_eq(run_record_begin(&record, dir, resume), STATUS_OK);
	double seconds;
	ck_assert_int_eq(state_now(&seconds), RUN_RUNNING);
	record.started -= 100; /* as if it had run so long */
	if (status)
		status_fail(status, "a reason");
	ck_assert_int_eq(run_record_end(&record, status, status == STATUS_CONFIG, outcome, status ? NULL : "done"),
			 status);
	if (status)
		ck_assert_str_eq(status_message(), "a reason");
}

START_TEST(seconds_add_up_and_refusals_change_nothing)
{
	double seconds;
	one_life(false, STATUS_INTERRUPTED, RUN_STOPPED);
	ck_assert_int_eq(state_now(&seconds), RUN_STOPPED);
	ck_assert(seconds >= 100 && seconds < 150);
	one_life(true, STATUS_CONFIG, RUN_FAILED);
	ck_assert_int_eq(state_now(&seconds), RUN_STOPPED);
	ck_assert(seconds >= 100 && seconds < 150);
	one_life(true, STATUS_IO, RUN_FAILED);
	ck_assert_int_eq(state_now(&seconds), RUN_FAILED);
	one_life(true, STATUS_OK, RUN_FINISHED);
	ck_assert_int_eq(state_now(&seconds), RUN_FINISHED);
	ck_assert(seconds >= 300 && seconds < 350);
	one_life(false, STATUS_CONFIG, RUN_FAILED); /* another run: nothing to keep */
	ck_assert_int_eq(state_now(&seconds), RUN_FAILED);
	ck_assert(seconds >= 100 && seconds < 150);
}
END_TEST

START_TEST(damaged_ones_are_named)
{
	struct run_summary summary;
	char path[1200];
	ck_assert_int_eq(run_summary_read(&summary, dir), STATUS_IO);
	snprintf(path, sizeof path, "%s/summary.json", dir);
	FILE *file = fopen(path, "w");
	fputs("{\"state\": \"resting\"}", file);
	fclose(file);
	ck_assert_int_eq(run_summary_read(&summary, dir), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "found resting"));
	ck_assert_ptr_nonnull(strstr(status_message(), path));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("run_summary");
	TCase *tcase = tcase_create("run_summary");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, round_trip);
	tcase_add_test(tcase, seconds_add_up_and_refusals_change_nothing);
	tcase_add_test(tcase, damaged_ones_are_named);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
