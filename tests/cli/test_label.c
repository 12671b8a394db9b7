/* Scene labelling as a user goes through it: a network is trained on generated scenes, labels a photo, and each command
 * says what it thinks of the wrong kind of weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

enum { W = 96, H = 64 };

static char dir[1024];

static const char *labels_run(void)
{
	static char text[4096];
	snprintf(text, sizeof text,
		 "%s --set task=labels --set data.categories=[\"ellipse\",\"blob\",\"polygon\",\"star\"] "
		 "--set augment.paste_probability=0 --set train.steps=12 --set train.checkpoint_every=5",
		 tiny_run(dir));
	return text;
}

/* One network for all tests, trained in one go with two threads. */
static void train_once(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("label"));
	tapcut_ok("%s --threads 2 --out %s/run", labels_run(), dir);
}

START_TEST(same_bytes_through_stops_and_threads)
{
	tapcut_ok("%s --threads 1 --until-step 7 --out %s/again", labels_run(), dir);
	tapcut_ok("train --out %s/again --threads 3 --resume auto", dir);
	ck_assert(same_bytes(in(dir, "run/final.tapcut"), in(dir, "again/final.tapcut")));
	/* The classes are part of the file, and it is told what they are. */
	ck_assert_ptr_nonnull(strstr(tapcut_ok("inspect %s/run/final.tapcut", dir)->out,
				     "classes     background, ellipse, blob, polygon, star\n"));
	ck_assert_ptr_nonnull(strstr(tapcut_ok("inspect --json %s/run/final.tapcut", dir)->out,
				     "\"classes\": [\"background\", \"ellipse\", \"blob\", \"polygon\", \"star\"]"));
}
END_TEST

static double number_of(const struct json *object, const char *key)
{
	double number = -1;
	const struct json *value = json_get(object, key);
	ck_assert_msg(value && json_number(value, &number) == STATUS_OK, "%s", key);
	return number;
}

static struct json *read_json(const char *path)
{
	size_t size;
	char *text = slurp(path, &size);
	struct json *json;
	ck_assert_msg(json_parse(text, size, path, &json) == STATUS_OK, "%s", status_message());
	free(text);
	return json;
}

START_TEST(labels_and_regions_agree)
{
	struct image picture;
	struct image_read_options options = {.channels = 3, .exif = EXIF_IGNORE};
	tapcut_ok("label %s/val/images/000001.jpg --model %s/run/best.ckpt -o %s/l.png --overlay %s/o.png --regions "
		  "%s/r.json --least 0",
		  dir, dir, dir, dir, dir);
	ck_assert_int_eq(image_read(in(dir, "l.png"), &options, &picture), STATUS_OK);
	ck_assert(picture.width == W && picture.height == H);
	struct json *json = read_json(in(dir, "r.json"));
	double all = 0, in_regions = 0;
	for (const struct json *c = json_first(json_get(json, "classes")); c; c = json_next(c)) {
		double pixels = 0, colour[3];
		int k = 0;
		for (const struct json *v = json_first(json_get(c, "colour")); v; v = json_next(v))
			json_number(v, &colour[k++]);
		for (int i = 0; i < W * H; i++)
			pixels += picture.pixels[3 * i] == colour[0] && picture.pixels[3 * i + 1] == colour[1] &&
				  picture.pixels[3 * i + 2] == colour[2];
		ck_assert_double_eq(pixels, number_of(c, "pixels"));
		all += pixels;
	}
	for (const struct json *r = json_first(json_get(json, "regions")); r; r = json_next(r))
		in_regions += number_of(r, "area");
	ck_assert_double_eq(all, W * H);
	ck_assert_double_eq(in_regions, W * H);
	json_free(json);
	image_release(&picture);
	/* The same labels for any number of threads. */
	tapcut_ok("label %s/val/images/000001.jpg --model %s/run/best.ckpt -o %s/l3.png --threads 3", dir, dir, dir);
	ck_assert(same_bytes(in(dir, "l.png"), in(dir, "l3.png")));
}
END_TEST

START_TEST(a_tap_selects_the_region)
{
	tapcut_ok("cut %s/val/images/000001.jpg --tap 2,2 --model %s/run/final.tapcut --mask %s/m.png", dir, dir, dir);
	const char *out =
		tapcut_ok("eval --labels --model %s/run/final.tapcut --coco %s/val/instances.json --json", dir, dir)
			->out;
	ck_assert_ptr_nonnull(strstr(out, "\"pixel_accuracy\": "));
	ck_assert_ptr_nonnull(strstr(out, "{\"name\": \"star\", \"pixels\": "));
	/* By the protocol of clicks, like any model. */
	tapcut_ok("eval --model %s/run/final.tapcut --coco %s/val/instances.json --limit 2 --max-clicks 3", dir, dir);
}
END_TEST

START_TEST(goes_where_other_weights_go)
{
	tapcut_ok("export %s/run/last.ckpt -o %s/int8.tapcut --weights int8", dir, dir);
	tapcut_ok("label %s/val/images/000001.jpg --model %s/int8.tapcut -o %s/i.png", dir, dir, dir);
	const char *out = tapcut_ok("export %s/run/last.ckpt -o %s/l.onnx", dir, dir)->out;
	ck_assert_msg(strstr(out, "image (1,3,32,32)\n") != NULL, "%s", out);
	tapcut_ok("export %s/run/final.tapcut -o %s/l.safetensors", dir, dir);
	tapcut_ok("import %s/l.safetensors -o %s/back.tapcut", dir, dir);
	ck_assert(same_bytes(in(dir, "run/final.tapcut"), in(dir, "back.tapcut")));
	tapcut_ok("quantize %s/run/last.ckpt --coco %s/val/instances.json --samples 2 -o %s/q.tapcut", dir, dir, dir);
	tapcut_ok("label %s/val/images/000001.jpg --model %s/q.tapcut -o %s/q.png", dir, dir, dir);
	tapcut_ok("%s --set init.weights=%s/run/final.tapcut --out %s/tuned", labels_run(), dir, dir);
}
END_TEST

START_TEST(the_wrong_kind_is_named)
{
	tapcut_fails(1, "expected a model that labels scenes",
		     "label %s/val/images/000001.jpg --model "
		     "infer/models/base.tapcut -o %s/x.png",
		     dir, dir);
	tapcut_fails(1, "it selects what is tapped",
		     "eval --labels --model infer/models/base.tapcut --coco "
		     "%s/val/instances.json",
		     dir);
	tapcut_fails(1, "is not that of section model", "%s --set init.weights=%s/run/final.tapcut --out %s/wrong",
		     tiny_run(dir), dir, dir);
	tapcut_fails(2, "--labels goes with --coco", "eval --labels --pairs x.json");
	tapcut_fails(2, "--model FILE is missing", "label x.jpg");
	tapcut_fails(1, "category \"starr\" is none of its 8 categories",
		     "%s --set data.categories=[\"starr\"] --out %s/none", labels_run(), dir);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("label");
	TCase *tests = tcase_create("label");
	tcase_add_unchecked_fixture(tests, train_once, NULL);
	tcase_add_test(tests, same_bytes_through_stops_and_threads);
	tcase_add_test(tests, labels_and_regions_agree);
	tcase_add_test(tests, a_tap_selects_the_region);
	tcase_add_test(tests, goes_where_other_weights_go);
	tcase_add_test(tests, the_wrong_kind_is_named);
	tcase_set_timeout(tests, 120);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
