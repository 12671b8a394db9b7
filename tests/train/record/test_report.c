/* The HTML report: complete, self-contained, and sane for empty, odd and hostile input. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "data/image_io.h"
#include "data/robot.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"
#include "train/record/report.h"
#include "train/record/run_log.h"

static char dir[1100], log_path[1200], html_path[1200];
static struct config config;

static void setup(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("report"));
	snprintf(log_path, sizeof log_path, "%s/log.jsonl", dir);
	snprintf(html_path, sizeof html_path, "%s/report.html", dir);
	ck_assert_int_eq(config_init(&config), STATUS_OK);
}

static void write_log(int steps, int vals)
{
	struct run_log log;
	ck_assert_int_eq(run_log_open(&log, dir, 0, true), STATUS_OK);
	for (int i = 1; i <= steps; i++) {
		double noise = 0.02 * ((i * 7919) % 13 - 6);
		struct run_step step = {.step = (uint64_t)i * 20,
					.samples = (uint64_t)i * 160,
					.loss = 0.05 + 0.4 * exp(-i / 100.0) + noise / 4,
					.lr = 1e-3 * (1 + cos(3.14 * i / steps)) / 2,
					.grad_norm = 1 + noise,
					.iou = 0.8 - 0.5 * exp(-i / 80.0) + noise,
					.samples_per_s = 21,
					.loader_wait = 0.01};
		ck_assert_int_eq(run_log_step(&log, &step), STATUS_OK);
	}
	for (int i = 1; i <= vals; i++) {
		double x = 1 - exp(-i / 3.0);
		struct run_val val = {.step = (uint64_t)(i * 20 * steps / vals),
				      .instances = 100,
				      .noc85 = 12 - 8 * x,
				      .noc90 = 15 - 9 * x,
				      .nof90 = (uint64_t)(60 - 40 * x),
				      .miou1 = 0.75 * x,
				      .miou2 = 0.8 * x,
				      .miou3 = 0.83 * x,
				      .miou5 = 0.87 * x,
				      .biou1 = 0.5 * x,
				      .ms_per_click = 31.5};
		ck_assert_int_eq(run_log_val(&log, &val), STATUS_OK);
	}
	run_log_close(&log);
}

static char *write_report(const struct report *report)
{
	char *html;
	size_t size;
	ck_assert_msg(report_write(report, html_path) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(file_read(html_path, 100000000, &html, &size), STATUS_OK);
	return html;
}

static int occurrences(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

/* Every element that needs an end has one. */
static void check_balance(const char *html)
{
	static const char *const elements[] = {"html",   "head",    "body",  "main",   "style",      "title", "h1",
					       "h2",     "div",     "table", "figure", "figcaption", "svg",   "tr",
					       "td",     "th",      "p",     "b",      "span",       "text",  "circle",
					       "header", "details", "pre",   "summary"};
	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
		char open[32], open2[32], close[32];
		snprintf(open, sizeof open, "<%s>", elements[i]);
		snprintf(open2, sizeof open2, "<%s ", elements[i]);
		snprintf(close, sizeof close, "</%s>", elements[i]);
		ck_assert_msg(occurrences(html, open) + occurrences(html, open2) == occurrences(html, close), "<%s>",
			      elements[i]);
	}
}

/* Decodes the n-th data URI. */
static void check_picture(const char *html, int n, int width, int height)
{
	static const char prefix[] = "data:image/png;base64,",
			  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = html;
	for (int i = 0; i <= n; i++) {
		at = strstr(at, prefix);
		ck_assert_ptr_nonnull(at);
		at += sizeof prefix - 1;
	}
	size_t length = strcspn(at, "\""), size = 0;
	unsigned char *png = malloc(length);
	unsigned bits = 0;
	ck_assert_uint_eq(length % 4, 0);
	for (size_t i = 0; i < length && at[i] != '='; i++) {
		const char *digit = strchr(digits, at[i]);
		ck_assert_ptr_nonnull(digit);
		bits = bits << 6 | (unsigned)(digit - digits);
		if (i % 4)
			png[size++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	struct image image;
	struct image_read_options options = {.channels = 3, .exif = EXIF_IGNORE};
	ck_assert_msg(image_read_memory(png, size, "picture", &options, &image) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(image.width, width);
	ck_assert_int_eq(image.height, height);
	image_release(&image);
	free(png);
}

struct picture {
	struct report_sample sample;
	uint8_t *pred, *truth;
};

static struct picture make_picture(int w, int h)
{
	struct picture p = {.sample = {.iou = 0.5f}};
	size_t count = (size_t)w * (size_t)h;
	ck_assert_int_eq(image_alloc(&p.sample.photo, w, h, 3), STATUS_OK);
	p.pred = malloc(count);
	p.truth = malloc(count);
	for (size_t i = 0; i < count; i++) {
		p.pred[i] = i % 3 == 0;
		p.truth[i] = (uint8_t)(i % 5 < 3 ? i % 5 : 0);
		memset(p.sample.photo.pixels + 3 * i, (int)(i % 251), 3);
	}
	p.sample.pred = p.pred;
	p.sample.truth = p.truth;
	p.sample.clicks.count = 2;
	p.sample.clicks.items[0] = (struct click){0, 0, true};
	p.sample.clicks.items[1] = (struct click){w - 1, h - 1, false};
	snprintf(p.sample.name, sizeof p.sample.name, "%dx%d", w, h);
	return p;
}

static void release_picture(struct picture *p)
{
	image_release(&p->sample.photo);
	free(p->pred);
	free(p->truth);
}

START_TEST(whole_report)
{
	struct picture pictures[] = {make_picture(128, 96), make_picture(641, 480)};
	struct report_sample samples[] = {pictures[0].sample, pictures[1].sample};
	struct report_fact fact = {"weights file", "final.tapcut, 4.4 MB"};
	struct report report = {&config, log_path, &fact, 1, samples, 2};
	write_log(500, 8);
	char *html = write_report(&report);
	check_balance(html);
	static const char *const parts[] = {"<!doctype html>",
					    "NoC@90",
					    "Training loss",
					    "Validation: clicks needed",
					    "final.tapcut, 4.4 MB",
					    "641x480",
					    "2 clicks &middot; IoU 50.0 %",
					    "&quot;optim&quot;: {",
					    "</html>\n"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		ck_assert_msg(strstr(html, parts[i]) != NULL, "lacks %s", parts[i]);
	ck_assert_int_eq(occurrences(html, "<svg viewBox"), 6);
	ck_assert_int_eq(occurrences(html, "class=best"), 1);
	ck_assert_int_eq(occurrences(html, "data:image/png"), 6);
	check_picture(html, 0, 128, 96);
	check_picture(html, 5, 641 / 3, 160);
	ck_assert_ptr_null(strstr(html, "http"));
	ck_assert_ptr_null(strstr(html, "nan,"));
	ck_assert_ptr_null(strstr(html, ">nan"));
	free(html);
	for (int i = 0; i < 2; i++)
		release_picture(&pictures[i]);
}
END_TEST

START_TEST(same_input_same_bytes)
{
	struct report report = {.config = &config, .log_path = log_path};
	write_log(50, 2);
	char *first = write_report(&report), *second = write_report(&report);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
}
END_TEST

START_TEST(empty_log)
{
	struct report report = {.config = &config, .log_path = log_path};
	write_log(0, 0);
	char *html = write_report(&report);
	check_balance(html);
	ck_assert_int_eq(occurrences(html, "nothing recorded"), 6);
	free(html);
}
END_TEST

START_TEST(odd_figures)
{
	struct report report = {.config = &config, .log_path = log_path};
	struct run_log log;
	double values[] = {NAN, 0, INFINITY, 1e300, -1e300, 1e-300, 5};
	ck_assert_int_eq(run_log_open(&log, dir, 0, true), STATUS_OK);
	for (size_t i = 0; i < 7; i++) {
		struct run_step step = {.step = i, .loss = values[i], .iou = values[i], .lr = 1e-3, .grad_norm = NAN};
		struct run_val val = {.step = i, .noc90 = values[i], .noc85 = 3};
		ck_assert_int_eq(run_log_step(&log, &step), STATUS_OK);
		ck_assert_int_eq(run_log_val(&log, &val), STATUS_OK);
	}
	run_log_close(&log);
	char *html = write_report(&report);
	check_balance(html);
	ck_assert_ptr_null(strstr(html, "\"nan"));
	ck_assert_ptr_null(strstr(html, "inf"));
	free(html);
}
END_TEST

START_TEST(text_is_escaped)
{
	struct picture picture = make_picture(40, 30);
	struct report_fact fact = {"<i>", "a & \"b\" <script>"};
	struct report report = {&config, log_path, &fact, 1, &picture.sample, 1};
	snprintf(config.name, sizeof config.name, "<script>alert(1)</script>");
	snprintf(picture.sample.name, sizeof picture.sample.name, "x\"><script>.jpg");
	write_log(3, 1);
	char *html = write_report(&report);
	ck_assert_ptr_null(strstr(html, "<script"));
	ck_assert_ptr_nonnull(strstr(html, "&lt;script&gt;alert(1)"));
	ck_assert_ptr_nonnull(strstr(html, "a &amp; &quot;b&quot;"));
	free(html);
	release_picture(&picture);
}
END_TEST

START_TEST(odd_photos)
{
	static const int sizes[][2] = {{1, 1}, {1, 900}, {900, 1}, {320, 320}, {321, 2}, {2, 5000}, {1000, 999}};
	write_log(3, 1);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct picture picture = make_picture(sizes[i][0], sizes[i][1]);
		struct report report = {.config = &config,
					.log_path = log_path,
					.samples = &picture.sample,
					.sample_count = 1};
		free(write_report(&report));
		release_picture(&picture);
	}
}
END_TEST

START_TEST(what_cannot_be)
{
	struct report report = {.config = &config, .log_path = "no/such/log.jsonl"};
	ck_assert_int_ne(report_write(&report, html_path), STATUS_OK);
	write_log(1, 0);
	report.log_path = log_path;
	ck_assert_int_eq(report_write(&report, "no/such/folder/report.html"), STATUS_IO);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, whole_report);
	tcase_add_test(tcase, same_input_same_bytes);
	tcase_add_test(tcase, empty_log);
	tcase_add_test(tcase, odd_figures);
	tcase_add_test(tcase, text_is_escaped);
	tcase_add_test(tcase, odd_photos);
	tcase_add_test(tcase, what_cannot_be);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
