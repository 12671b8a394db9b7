/* Several instances files as one training set, and how often each object is drawn. */
#include "train/training_set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/image_io.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"

static struct config config;
static char folder[600];

static void write_text(const char *name, const char *text)
{
	char path[700];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* a.json: two cats of 100 pixels from "x" and one of 25 from "y"; b.json: a dog of 100 with the same ids. The photos
 * are 100 x 100. */
static void make_files(void)
{
	char images[700];
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("training_set"));
	snprintf(images, sizeof images, "%s/images", folder);
	ck_assert_int_eq(mkdir(images, 0777), 0);
	write_text("images/a.jpg", "");
	static const char photos[] =
		"{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 100, \"height\": 100}], ";
	char text[2000];
	snprintf(text, sizeof text,
		 "%s\"categories\": [{\"id\": 17, \"name\": \"cat\"}], \"annotations\": ["
		 "{\"id\": 1, \"image_id\": 1, \"category_id\": 17, \"source\": \"x\", "
		 "\"segmentation\": [[0, 0, 10, 10]]}, "
		 "{\"id\": 2, \"image_id\": 1, \"category_id\": 17, \"source\": \"x\", "
		 "\"segmentation\": [[20, 0, 10, 10]]}, "
		 "{\"id\": 3, \"image_id\": 1, \"category_id\": 17, \"source\": \"y\", "
		 "\"segmentation\": [[50, 50, 5, 5]]}]}",
		 photos);
	write_text("a.json", text);
	snprintf(text, sizeof text,
		 "%s\"categories\": [{\"id\": 18, \"name\": \"dog\"}], \"annotations\": ["
		 "{\"id\": 1, \"image_id\": 1, \"category_id\": 18, \"segmentation\": [[0, 0, 10, 10]]}]}",
		 photos);
	write_text("b.json", text);
}

/* The config with both files, and further keys: "data": {"train": [...], MORE}. */
static void load(double weight_b, const char *more)
{
	char text[2000];
	snprintf(text, sizeof text,
		 "{\"data\": {\"train\": [\"%s/a.json\", {\"path\": \"%s/b.json\", \"weight\": %g}], \"min_area\": "
		 "0%s}}",
		 folder, folder, weight_b, more);
	ck_assert_msg(config_from_json(&config, text, "x") == STATUS_OK, "%s", status_message());
}

static enum status open_set(struct dataset *set, struct draw **draw, uint8_t digest[32])
{
	return training_set_open(set, draw, &config, digest);
}

/* How often each of the four objects is drawn, against the weights that are expected. */
static void check_shares(const double weights[4])
{
	enum { DRAWN = 8000 };
	struct dataset set;
	struct draw *draw;
	uint8_t digest[32];
	int seen[4] = {0};
	ck_assert_msg(open_set(&set, &draw, digest) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(set.object_count, 4);
	ck_assert_ptr_nonnull(draw);
	for (uint64_t n = 0; n < DRAWN; n++)
		seen[draw_object(draw, 1, n)]++;
	double sum = weights[0] + weights[1] + weights[2] + weights[3];
	for (int i = 0; i < 4; i++) {
		double expected = DRAWN * weights[i] / sum;
		ck_assert_msg(fabs(seen[i] - expected) <= 4 * sqrt(expected + 1), "object %d: %d times, expected %.0f",
			      i, seen[i], expected);
	}
	draw_free(draw);
	dataset_release(&set);
}

START_TEST(weights_multiply)
{
	make_files();
	load(3, "");
	check_shares((double[]){1, 1, 1, 3});
	load(1, ", \"source_weights\": {\"x\": 0, \"y\": 2}");
	check_shares((double[]){0, 0, 2, 1});
	load(0.5, ", \"source_weights\": {\"x\": 0.25}, \"area_exponent\": -0.5");
	check_shares((double[]){0.25, 0.25, 2, 0.5});
}
END_TEST

START_TEST(without_weights_every_object_once)
{
	struct dataset set;
	struct draw *draw;
	uint8_t digest[32];
	make_files();
	load(1, ", \"source_weights\": {\"x\": 1}");
	ck_assert_int_eq(open_set(&set, &draw, digest), STATUS_OK);
	ck_assert_ptr_null(draw);
	ck_assert_mem_eq(digest, set.digest, 32);
	dataset_release(&set);
}
END_TEST

/* Other weights are other training data: a run does not go on with them. */
START_TEST(digest_covers_the_weights)
{
	uint8_t digests[3][32];
	static const double weights[] = {2, 2.5, 1};
	make_files();
	for (int i = 0; i < 3; i++) {
		struct dataset set;
		struct draw *draw;
		load(weights[i], "");
		ck_assert_int_eq(open_set(&set, &draw, digests[i]), STATUS_OK);
		draw_free(draw);
		dataset_release(&set);
	}
	ck_assert_mem_ne(digests[0], digests[1], 32);
	ck_assert_mem_ne(digests[0], digests[2], 32);
}
END_TEST

/* A category need be in one of the files only. */
START_TEST(categories_of_any_file)
{
	struct dataset set;
	struct draw *draw;
	uint8_t digest[32];
	make_files();
	load(1, ", \"categories\": [\"cat\", \"dog\"]");
	ck_assert_msg(open_set(&set, &draw, digest) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(set.object_count, 4);
	dataset_release(&set);
	load(1, ", \"categories\": [\"cat\"]");
	ck_assert_int_eq(open_set(&set, &draw, digest), STATUS_CONFIG); /* nothing of b.json is left */
	ck_assert_ptr_nonnull(strstr(status_message(), "b.json"));
	load(1, ", \"categories\": [\"cat\", \"dog\", \"cow\"]");
	ck_assert_int_eq(open_set(&set, &draw, digest), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "\"cow\""));
}
END_TEST

START_TEST(what_is_refused)
{
	struct dataset set;
	struct draw *draw;
	uint8_t digest[32];
	make_files();
	load(1, ", \"source_weights\": {\"z\": 2}");
	ck_assert_int_eq(open_set(&set, &draw, digest), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "\"z\" is the source of no object; there are \"x\" \"y\""));
	load(0, ", \"source_weights\": {\"x\": 0, \"y\": 0}");
	ck_assert_int_eq(open_set(&set, &draw, digest), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "above 0"));
	snprintf(config.data.train[1].path, sizeof config.data.train[1].path, "none.json");
	ck_assert_int_ne(open_set(&set, &draw, digest), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), "none.json"));
	config.data.train_count = 0;
	ck_assert_int_eq(open_set(&set, &draw, digest), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("training_set");
	TCase *tcase = tcase_create("training_set");
	tcase_add_test(tcase, weights_multiply);
	tcase_add_test(tcase, without_weights_every_object_once);
	tcase_add_test(tcase, digest_covers_the_weights);
	tcase_add_test(tcase, categories_of_any_file);
	tcase_add_test(tcase, what_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
