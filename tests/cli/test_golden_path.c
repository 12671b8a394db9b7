/* The whole path as a user walks it, once and very small: scenes, data, train, eval, export, inspect, cut. What it
 * makes is only looked at for shape; that it is any good is what tests/learning and the demo show. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "data/rle.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

static char dir[1024];

/* Runs before the tests, in their parent: they find the finished run in `dir`. */
static void train_once(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_golden"));
	tapcut_ok("%s --set data.val=%s/val/instances.json --threads 2 --out %s/run", tiny_run(dir), dir, dir);
}

START_TEST(data_summarises_and_indexes)
{
	const struct program_result *r = tapcut_ok("data %s/train/instances.json --index %s/train.index", dir, dir);
	ck_assert_msg(strstr(r->out, "objects") || strstr(r->err, "objects"), "%s%s", r->out, r->err);
	ck_assert(exists(in(dir, "train.index")));
}
END_TEST

START_TEST(a_run_leaves_its_files)
{
	static const char *const names[] = {"config.json", "log.jsonl",    "log.csv",    "last.ckpt",
					    "best.ckpt",   "final.tapcut", "report.html"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t size;
		char path[1200];
		snprintf(path, sizeof path, "%s/run/%s", dir, names[i]);
		free(slurp(path, &size));
		ck_assert_msg(size > 0, "%s is empty", path);
	}
}
END_TEST

/* The kept config is complete: it trains the same weights without the overrides that made it. */
START_TEST(kept_config_is_the_experiment)
{
	tapcut_ok("train %s/run/config.json --threads 1 --out %s/again", dir, dir);
	ck_assert(same_bytes(in(dir, "run/final.tapcut"), in(dir, "again/final.tapcut")));
	ck_assert(same_bytes(in(dir, "run/config.json"), in(dir, "again/config.json")));
}
END_TEST

/* Each line of the log is JSON; every step is there, in order. */
START_TEST(log_has_every_step)
{
	char *text = slurp(in(dir, "run/log.jsonl"), NULL);
	int steps = 0, validations = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		struct json *root;
		double step = 0, value;
		ck_assert_msg(json_parse(line, strlen(line), "log", &root) == STATUS_OK, "%s", line);
		if (json_number(json_get(root, "step"), &step) == STATUS_OK &&
		    json_number(json_get(root, "loss"), &value) == STATUS_OK)
			ck_assert_int_eq((int)step, ++steps);
		validations += json_number(json_get(root, "noc90"), &value) == STATUS_OK;
		json_free(root);
	}
	free(text);
	ck_assert_int_eq(steps, 8);
	ck_assert_int_eq(validations, 2);
	text = slurp(in(dir, "run/log.csv"), NULL);
	ck_assert_msg(strstr(text, "step") && strstr(text, "loss") && strchr(text, ','), "%s", text);
	free(text);
}
END_TEST

START_TEST(report_stands_alone)
{
	char *text = slurp(in(dir, "run/report.html"), NULL);
	ck_assert(strstr(text, "<svg") != NULL && strstr(text, "data:image/png;base64,") != NULL);
	ck_assert_msg(!strstr(text, "src=\"http") && !strstr(text, "href=\"http"),
		      "the report loads something from elsewhere");
	ck_assert(strstr(text, "</html>") != NULL);
	free(text);
}
END_TEST

/* --- eval ----------------------------------------------------------------- */

static const struct json *with_id(const struct json *list, double id)
{
	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		double value;
		if (json_number(json_get(item, "id"), &value) == STATUS_OK && value == id)
			return item;
	}
	ck_abort_msg("no id %g", id);
	return NULL;
}

static void write_mask(const struct json *annotation, const char *path)
{
	struct rle rle;
	struct image image;
	double height, width;
	const struct json *mask = json_get(annotation, "segmentation");
	const char *counts = json_string(json_get(mask, "counts"));
	json_number(json_array_item(json_get(mask, "size"), 0), &height);
	json_number(json_array_item(json_get(mask, "size"), 1), &width);
	ck_assert_int_eq(rle_from_string(&rle, counts, strlen(counts), (int)width, (int)height), STATUS_OK);
	ck_assert_int_eq(image_alloc(&image, (int)width, (int)height, 1), STATUS_OK);
	rle_to_mask(&rle, image.pixels);
	for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
		image.pixels[i] = image.pixels[i] ? 255 : 0;
	image.pixels[0] = 128; /* to be ignored */
	ck_assert_int_eq(image_write_png(path, &image), STATUS_OK);
	image_release(&image);
	rle_release(&rle);
}

/* PAIRS.json of the first objects of the validation scenes. */
static void write_pairs(int count)
{
	struct json *masks, *scenes;
	char text[8192] = "[";
	tapcut_ok("coco rle %s/val/instances.json -o %s/masks.json", dir, dir);
	ck_assert_int_eq(json_read_file(in(dir, "masks.json"), &masks), STATUS_OK);
	ck_assert_int_eq(json_read_file(in(dir, "val/instances.json"), &scenes), STATUS_OK);
	const struct json *annotation = json_first(masks);
	for (int i = 0; i < count; i++, annotation = json_next(annotation)) {
		char path[1200];
		double image_id;
		ck_assert(annotation != NULL);
		snprintf(path, sizeof path, "%s/mask%d.png", dir, i);
		write_mask(annotation, path);
		ck_assert_int_eq(json_number(json_get(annotation, "image_id"), &image_id), STATUS_OK);
		const char *name = json_string(json_get(with_id(json_get(scenes, "images"), image_id), "file_name"));
		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "%s{\"image\":\"val/images/%s\",\"mask\":\"mask%d.png\"}", i ? ",\n" : "", name, i);
	}
	strcat(text, "]\n");
	spit(in(dir, "pairs.json"), text, strlen(text));
	json_free(masks);
	json_free(scenes);
}

static double figure(const struct json *figures, const char *key)
{
	double value = -1;
	ck_assert_msg(json_number(json_get(figures, key), &value) == STATUS_OK, "no number \"%s\"", key);
	return value;
}

START_TEST(eval_prints_all_figures)
{
	struct json *figures;
	write_pairs(3);
	const struct program_result *r =
		tapcut_ok("eval --model %s/run/final.tapcut --pairs %s/pairs.json --size 64 --json", dir, dir);
	ck_assert_msg(json_parse(r->out, strlen(r->out), "stdout", &figures) == STATUS_OK, "%s", r->out);
	static const char *const shares[] = {"miou1", "miou2", "miou3", "miou5", "biou1"};
	for (int i = 0; i < 5; i++)
		ck_assert_msg(figure(figures, shares[i]) >= 0 && figure(figures, shares[i]) <= 100, "%s", shares[i]);
	ck_assert(figure(figures, "noc85") >= 1 && figure(figures, "noc85") <= figure(figures, "noc90"));
	ck_assert(figure(figures, "noc90") <= 20);
	ck_assert(figure(figures, "nof90") >= 0 && figure(figures, "nof90") <= 3);
	ck_assert(figure(figures, "ms_per_click") > 0);
	ck_assert(figure(figures, "instances") == 3);
	json_free(figures);
}
END_TEST

START_TEST(eval_limit_and_threads)
{
	struct json *figures;
	write_pairs(3);
	double noc[2];
	for (int threads = 1; threads <= 2; threads++) {
		const struct program_result *r = tapcut_ok("eval --model %s/run/final.tapcut --pairs %s/pairs.json "
							   "--size 64 --limit 2 --threads %d --json",
							   dir, dir, threads);
		ck_assert_int_eq(json_parse(r->out, strlen(r->out), "stdout", &figures), STATUS_OK);
		ck_assert(figure(figures, "instances") == 2);
		noc[threads - 1] = figure(figures, "noc90") + figure(figures, "miou1");
		json_free(figures);
	}
	ck_assert(noc[0] == noc[1]);
}
END_TEST

/* --- export, inspect, cut ------------------------------------------------- */

static const char *const kinds[] = {"f32", "f16", "int8"};

START_TEST(exports_shrink)
{
	size_t sizes[3];
	for (int i = 0; i < 3; i++) {
		char path[1200];
		tapcut_ok("export %s/run/last.ckpt -o %s/%s.tapcut --weights %s", dir, dir, kinds[i], kinds[i]);
		snprintf(path, sizeof path, "%s/%s.tapcut", dir, kinds[i]);
		free(slurp(path, &sizes[i]));
	}
	ck_assert_uint_gt(sizes[0], sizes[1]);
	ck_assert_uint_gt(sizes[1], sizes[2]);
	ck_assert(same_bytes(in(dir, "f32.tapcut"), in(dir, "run/final.tapcut")));
}
END_TEST

/* The same weights in 8 bits: the same file for the same seed, smaller, and it runs in both. */
START_TEST(quantize_runs_in_8_bits)
{
	struct json *figures;
	size_t f32, int8;
	for (int i = 0; i < 2; i++) {
		const struct program_result *r =
			tapcut_ok("quantize %s/run/last.ckpt --coco %s/train/instances.json --samples 6 --size 64 "
				  "-o %s/8bit%d.tapcut",
				  dir, dir, dir, i);
		ck_assert_msg(strstr(r->out, "lose most first") && strstr(r->out, "conv2d"), "%s", r->out);
	}
	ck_assert(same_bytes(in(dir, "8bit0.tapcut"), in(dir, "8bit1.tapcut")));
	free(slurp(in(dir, "8bit0.tapcut"), &int8));
	free(slurp(in(dir, "run/final.tapcut"), &f32));
	ck_assert_uint_lt(3 * int8, f32);
	write_pairs(3);
	double miou[2];
	static const char *const arithmetics[] = {"float", "int8"};
	for (int i = 0; i < 2; i++) {
		const struct program_result *r =
			tapcut_ok("eval --model %s/8bit0.tapcut --pairs %s/pairs.json --size 64 --arithmetic %s --json",
				  dir, dir, arithmetics[i]);
		ck_assert_int_eq(json_parse(r->out, strlen(r->out), "stdout", &figures), STATUS_OK);
		miou[i] = figure(figures, "miou1");
		json_free(figures);
	}
	ck_assert_msg(fabs(miou[0] - miou[1]) < 0.1, "mIoU@1 %g in float, %g in 8 bits", miou[0], miou[1]);
	tapcut_fails(1, "no value ranges", "eval --model %s/run/final.tapcut --pairs %s/pairs.json --arithmetic int8",
		     dir, dir);
	tapcut_fails(1, "has its ranges already",
		     "quantize %s/8bit0.tapcut --coco %s/train/instances.json -o %s/x.tapcut", dir, dir, dir);
}
END_TEST

START_TEST(inspect_tells)
{
	static const char *const parts[] = {"squeezenet1_1", "sharpmask_light", "parameters", "bytes", "f32"};
	const struct program_result *r = tapcut_ok("inspect %s/run/final.tapcut", dir);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(strstr(r->out, parts[i]) != NULL, "no \"%s\":\n%s", parts[i], r->out);
	/* A SHA-256 as sha256sum prints it. */
	bool found = false;
	for (const char *p = r->out; *p && !found; p++)
		found = strspn(p, "0123456789abcdef") == 64;
	ck_assert_msg(found, "no SHA-256:\n%s", r->out);
	r = tapcut_ok("inspect %s/run/last.ckpt", dir);
	ck_assert_msg(strstr(r->out, "\nstep  ") != NULL, "%s", r->out);
	ck_assert_msg(strstr(r->out, "parameters") != NULL, "%s", r->out);
}
END_TEST

static void expect_image(const char *name, int channels, int width, int height)
{
	struct image image;
	char *bytes = slurp(in(dir, name), NULL);
	/* Byte 25 of a PNG is its colour type: 0 gray, 6 RGBA. */
	ck_assert_int_eq(bytes[25], channels == 1 ? 0 : 6);
	free(bytes);
	ck_assert_int_eq(image_read(in(dir, name),
				    &(struct image_read_options){.channels = channels, .exif = EXIF_APPLY}, &image),
			 STATUS_OK);
	ck_assert_int_eq(image.width, width);
	ck_assert_int_eq(image.height, height);
	for (size_t i = 0; channels == 1 && i < (size_t)width * (size_t)height; i++)
		ck_assert_msg(image.pixels[i] == 0 || image.pixels[i] == 255, "pixel %zu of %s is %d", i, name,
			      image.pixels[i]);
	image_release(&image);
}

/* Whatever the weights are stored in; and the coordinates are those of the photo as it is, not of what the network
 * sees. */
START_TEST(cut_writes_mask_and_cutout)
{
	for (int i = 0; i < 3; i++) {
		tapcut_ok("export %s/run/best.ckpt -o %s/m.tapcut --weights %s", dir, dir, kinds[i]);
		struct image photo = {0};
		ck_assert_int_eq(image_alloc(&photo, 151, 77, 3), STATUS_OK);
		for (int p = 0; p < 151 * 77 * 3; p++)
			photo.pixels[p] = (uint8_t)(p * 7 / 5);
		ck_assert_int_eq(image_write_jpeg(in(dir, "odd.jpg"), &photo, 90, NULL), STATUS_OK);
		image_release(&photo);
		tapcut_ok("cut %s/odd.jpg --model %s/m.tapcut --tap 150,76 --tap 20,20 --not 0,0 --mask %s/mask.png "
			  "--cutout %s/cutout.png",
			  dir, dir, dir, dir);
		expect_image("mask.png", 1, 151, 77);
		expect_image("cutout.png", 4, 151, 77);
	}
}
END_TEST

/* The same photo, taps and weights: the same bytes. */
START_TEST(cut_repeats)
{
	for (int i = 0; i < 2; i++)
		tapcut_ok("cut %s/odd.jpg --model %s/run/final.tapcut --tap 75,38 --cutout %s/%d.png", dir, dir, dir,
			  i);
	ck_assert(same_bytes(in(dir, "0.png"), in(dir, "1.png")));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli golden path");
	TCase *tcase = tcase_create("path");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, train_once, NULL);
	tcase_add_test(tcase, data_summarises_and_indexes);
	tcase_add_test(tcase, a_run_leaves_its_files);
	tcase_add_test(tcase, kept_config_is_the_experiment);
	tcase_add_test(tcase, log_has_every_step);
	tcase_add_test(tcase, report_stands_alone);
	tcase_add_test(tcase, eval_prints_all_figures);
	tcase_add_test(tcase, eval_limit_and_threads);
	tcase_add_test(tcase, exports_shrink);
	tcase_add_test(tcase, quantize_runs_in_8_bits);
	tcase_add_test(tcase, inspect_tells);
	tcase_add_test(tcase, cut_writes_mask_and_cutout);
	tcase_add_test(tcase, cut_repeats);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
