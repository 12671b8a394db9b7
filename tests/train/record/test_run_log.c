/* The run's log: a run that was cut at any byte and continued leaves what an uninterrupted run leaves. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "tests/support/test.h"
#include "train/record/run_log.h"

static char dir[1100];

static const char *in_dir(const char *name)
{
	static char path[1200];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static char *content(const char *name)
{
	char *text;
	size_t size;
	ck_assert_msg(file_read(in_dir(name), 10000000, &text, &size) == STATUS_OK, "%s", status_message());
	return text;
}

static void write_steps(struct run_log *log, uint64_t from, uint64_t to)
{
	for (uint64_t s = from; s <= to; s++) {
		struct run_step step = {.step = s,
					.samples = 8 * s,
					.epoch = (double)s / 3,
					.loss = 1.0 / (double)s,
					.lr = 1e-3,
					.grad_norm = 0.1 * (double)s,
					.iou = 0.5,
					.rounds = 1.125,
					.samples_per_s = 20.123456,
					.loader_wait = 0.01,
					.seconds = (double)s};
		struct run_val val = {.step = s,
				      .instances = 10,
				      .noc85 = 3.5,
				      .noc90 = 20.0 / 3,
				      .nof90 = 2,
				      .miou1 = 0.7,
				      .miou2 = 0.75,
				      .miou3 = 0.8,
				      .miou5 = 0.85,
				      .biou1 = 0.4,
				      .ms_per_click = 12.3456};
		ck_assert_int_eq(run_log_step(log, &step), STATUS_OK);
		if (s % 2 == 0)
			ck_assert_int_eq(run_log_val(log, &val), STATUS_OK);
		if (s == 3)
			ck_assert_int_eq(run_log_event(log, s, "skip", "loss is \"not\" finite"), STATUS_OK);
	}
}

static void write_run(uint64_t steps)
{
	struct run_log log;
	ck_assert_msg(run_log_open(&log, dir, 0, true) == STATUS_OK, "%s", status_message());
	write_steps(&log, 1, steps);
	run_log_close(&log);
	run_log_close(&log);
}

static void setup(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("run_log"));
}

START_TEST(lines_are_as_documented)
{
	write_run(2);
	char *csv = content("log.csv"), *jsonl = content("log.jsonl"), *val = content("val.csv");
	ck_assert_str_eq(csv, "step,samples,epoch,loss,lr,grad_norm,iou,rounds,samples_per_s,loader_wait,seconds\n"
			      "1,8,0.3333333333333333,1,0.001,0.1,0.5,1.125,20.12,0.01,1\n"
			      "2,16,0.6666666666666666,0.5,0.001,0.2,0.5,1.125,20.12,0.01,2\n");
	ck_assert_str_eq(val, "step,instances,noc85,noc90,nof90,miou1,miou2,miou3,miou5,biou1,ms_per_click\n"
			      "2,10,3.5,6.666666666666667,2,0.7,0.75,0.8,0.85,0.4,12.35\n");
	ck_assert_ptr_nonnull(strstr(jsonl, "{\"event\":\"step\",\"step\":1,\"samples\":8,"));
	ck_assert_ptr_nonnull(strstr(jsonl, "{\"event\":\"val\",\"step\":2,\"instances\":10,\"noc85\":3.5,"));
	free(csv);
	free(jsonl);
	free(val);
}
END_TEST

START_TEST(reads_back)
{
	struct run_history history;
	write_run(5);
	ck_assert_int_eq(run_history_read(&history, in_dir("log.jsonl")), STATUS_OK);
	ck_assert_int_eq(history.step_count, 5);
	ck_assert_int_eq(history.val_count, 2);
	ck_assert_uint_eq(history.steps[4].samples, 40);
	ck_assert(history.steps[2].loss == 1.0 / 3);
	ck_assert_uint_eq(history.vals[1].step, 4);
	ck_assert(history.vals[1].noc90 == 20.0 / 3);
	run_history_release(&history);
	ck_assert_int_ne(run_history_read(&history, in_dir("none.jsonl")), STATUS_OK);
}
END_TEST

START_TEST(what_is_not_finite)
{
	struct run_log log;
	struct run_step step = {.step = 1, .loss = NAN, .grad_norm = INFINITY, .lr = 1};
	ck_assert_int_eq(run_log_open(&log, dir, 0, true), STATUS_OK);
	ck_assert_int_eq(run_log_step(&log, &step), STATUS_OK);
	run_log_close(&log);
	char *csv = content("log.csv"), *jsonl = content("log.jsonl");
	ck_assert_ptr_nonnull(strstr(csv, "\n1,0,0,,1,,0,0,"));
	ck_assert_ptr_nonnull(strstr(jsonl, "\"loss\":null,\"lr\":1,\"grad_norm\":null,"));
	struct run_history history;
	ck_assert_int_eq(run_history_read(&history, in_dir("log.jsonl")), STATUS_OK);
	ck_assert(isnan(history.steps[0].loss) && history.steps[0].lr == 1);
	run_history_release(&history);
	free(csv);
	free(jsonl);
}
END_TEST

static const char *const files[] = {"log.jsonl", "log.csv", "val.csv"};

START_TEST(continues_at_the_checkpoint)
{
	char *whole[3];
	write_run(6);
	for (int i = 0; i < 3; i++)
		whole[i] = content(files[i]);
	for (uint64_t at = 1; at <= 6; at++) {
		struct run_log log;
		ck_assert_msg(run_log_open(&log, dir, at, true) == STATUS_OK, "%s", status_message());
		write_steps(&log, at + 1, 6);
		run_log_close(&log);
		for (int i = 0; i < 3; i++) {
			char *again = content(files[i]);
			ck_assert_msg(strcmp(whole[i], again) == 0, "%s continued at step %d", files[i], (int)at);
			free(again);
		}
	}
	for (int i = 0; i < 3; i++)
		free(whole[i]);
}
END_TEST

START_TEST(half_written_ends_are_dropped)
{
	char *whole[3];
	write_run(6);
	for (int i = 0; i < 3; i++)
		whole[i] = content(files[i]);
	/* A power cut at many places of the last lines (each costs an fsync); the checkpoint is of step 3, whose
	 * lines were there long before. */
	for (int i = 0; i < 3; i++) {
		size_t size = strlen(whole[i]);
		const char *fourth = strstr(whole[i], i ? "\n4," : "\"step\",\"step\":4");
		for (size_t length = (size_t)(fourth - whole[i]) + 1; length <= size; length += 61) {
			struct run_log log;
			ck_assert_int_eq(truncate(in_dir(files[i]), (off_t)length), 0);
			ck_assert_msg(run_log_open(&log, dir, 3, true) == STATUS_OK, "%s", status_message());
			write_steps(&log, 4, 6);
			run_log_close(&log);
			char *again = content(files[i]);
			ck_assert_msg(strcmp(whole[i], again) == 0, "%s cut to %zu bytes", files[i], length);
			free(again);
		}
	}
	for (int i = 0; i < 3; i++)
		free(whole[i]);
}
END_TEST

START_TEST(damage_and_absence)
{
	struct run_log log;
	FILE *file = fopen(in_dir("log.jsonl"), "wb");
	fputs("\n{\"event\":\"step\",\"step\":1}\nrubbish\n{\"step\":\"x\"}\n[1]\n{\"event\":\"val\",\"step\":-1}"
	      "\n{\"event\":\"step\",\"step\":2}\n",
	      file);
	fclose(file);
	ck_assert_msg(run_log_open(&log, dir, 2, true) == STATUS_OK, "%s", status_message()); /* and no CSV at all */
	run_log_close(&log);
	char *text = content("log.jsonl");
	ck_assert_str_eq(text, "{\"event\":\"step\",\"step\":1}\n{\"event\":\"step\",\"step\":2}\n");
	free(text);
	text = content("log.csv");
	ck_assert_int_eq(strncmp(text, "step,samples,", 13), 0);
	free(text);

	file = fopen(in_dir("log.csv"), "wb");
	fputs("step,loss,of,another,version,with,a,header,that,is,long,enough,to,be,a,whole,header,of,ours\n1,2\n",
	      file);
	fclose(file);
	ck_assert_int_eq(run_log_open(&log, dir, 2, true), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "log.csv"));
	ck_assert_int_eq(run_log_open(&log, "no/such/folder", 0, true), STATUS_IO);
	ck_assert_ptr_nonnull(strstr(status_message(), "no/such/folder/log.jsonl"));
}
END_TEST

START_TEST(full_disk)
{
	struct run_log log = {.dir = "/dev"};
	struct run_step step = {.step = 1};
	log.jsonl = fopen("/dev/full", "wb");
	log.csv = fopen("/dev/null", "wb");
	ck_assert_ptr_nonnull(log.jsonl);
	ck_assert_int_eq(run_log_step(&log, &step), STATUS_IO);
	ck_assert_str_eq(status_message(), "/dev/log.jsonl cannot be written");
	run_log_close(&log);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("run_log");
	TCase *tcase = tcase_create("run_log");
	tcase_set_timeout(tcase, 60); /* each cut costs fsyncs, which a busy disk makes slow */
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, lines_are_as_documented);
	tcase_add_test(tcase, reads_back);
	tcase_add_test(tcase, what_is_not_finite);
	tcase_add_test(tcase, continues_at_the_checkpoint);
	tcase_add_test(tcase, half_written_ends_are_dropped);
	tcase_add_test(tcase, damage_and_absence);
	tcase_add_test(tcase, full_disk);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
