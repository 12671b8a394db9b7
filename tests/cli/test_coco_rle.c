/* `tapcut coco rle` on the polygons of the shared data: all 200 equal to what the reference COCO code writes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

static double number(const struct json *object, const char *key)
{
	double value;
	ck_assert_msg(json_number(json_get(object, key), &value) == STATUS_OK, "no number \"%s\"", key);
	return value;
}

/* `found` has its mask as COCO's results do; the reference's list has it bare. */
static bool same_mask(const struct json *found, const struct json *b)
{
	const struct json *a = json_get(found, "segmentation");
	const struct json *size_a = json_get(a, "size"), *size_b = json_get(b, "size");
	double side_a, side_b;
	for (int i = 0; i < 2; i++) {
		json_number(json_array_item(size_a, i), &side_a);
		json_number(json_array_item(size_b, i), &side_b);
		if (side_a != side_b)
			return false;
	}
	return number(found, "id") == number(b, "id") &&
	       strcmp(json_string(json_get(a, "counts")), json_string(json_get(b, "counts"))) == 0;
}

START_TEST(equal_to_the_reference)
{
	char input[1100];
	const char *shared = test_shared_data("coco_rle/polygons.json");
	if (!shared)
		return;
	snprintf(input, sizeof input, "%s", shared);
	const char *dir = test_tmp_dir("cli_coco");
	tapcut_ok("coco rle %s -o %s/out.json", input, dir);

	struct json *found, *expected;
	ck_assert_int_eq(json_read_file(in(dir, "out.json"), &found), STATUS_OK);
	ck_assert_int_eq(json_read_file(test_shared_data("coco_rle/expected_rle.json"), &expected), STATUS_OK);
	int equal = 0;
	const struct json *f = json_first(found);
	for (const struct json *e = json_first(expected); e && f; e = json_next(e), f = json_next(f))
		equal += same_mask(f, e);
	ck_assert_int_eq(json_array_size(expected), 200);
	ck_assert_int_eq(json_array_size(found), 200);
	ck_assert_int_eq(equal, 200);
	json_free(found);
	json_free(expected);
}
END_TEST

/* A list of masks is made into the same list again: RLE in, RLE out. */
START_TEST(compressed_masks_stay_as_they_are)
{
	const char *dir = test_tmp_dir("cli_coco");
	static const char text[] =
		"{\"images\":[{\"id\":9007199254740993,\"width\":4,\"height\":3,\"file_name\":\"a.jpg\"}],"
		"\"annotations\":[{\"id\":1,\"image_id\":9007199254740993,\"category_id\":1,\"iscrowd\":0,"
		"\"segmentation\":{\"size\":[3,4],\"counts\":[3,5,4]}}],\"categories\":[{\"id\":1,\"name\":\"x\"}]}";
	spit(in(dir, "in.json"), text, strlen(text));
	tapcut_ok("coco rle %s/in.json -o %s/out.json", dir, dir);
	char *out = slurp(in(dir, "out.json"), NULL);
	ck_assert_msg(strstr(out, "9007199254740993") != NULL, "ids above 2^53 changed: %s", out);
	ck_assert_msg(strstr(out, "\"segmentation\": {\"size\": [3, 4], \"counts\": \"354\"}") != NULL, "%s", out);
	free(out);
	/* The list is read back, by itself and as a set whose photo is beside it. */
	tapcut_ok("coco rle %s/out.json -o %s/again.json", dir, dir);
	spit(in(dir, "a.jpg"), "", 0);
	ck_assert_ptr_nonnull(strstr(tapcut_ok("data %s/out.json", dir)->out, "1 object in 1 photo"));
	char *again = slurp(in(dir, "again.json"), NULL);
	out = slurp(in(dir, "out.json"), NULL);
	ck_assert_str_eq(again, out);
	free(again);
	free(out);
}
END_TEST

START_TEST(failures)
{
	const char *dir = test_tmp_dir("cli_coco");
	tapcut_fails(1, "nowhere.json", "coco rle %s/nowhere.json -o %s/out.json", dir, dir);
	static const char *const texts[] = {
		"",
		"[",
		"[1,2",
		"{\"annotations\":[{\"id\":\"x\"}]}",
		"{\"annotations\":{}}",
		"{\"images\":7}",
		"\xff\xfe\x00\x00",
		"{\"images\":[{\"id\":1,\"width\":-4,\"height\":3}],\"annotations\":[{\"id\":1,\"image_id\":1,"
		"\"segmentation\":[[1,1,2,2,3,3]]}]}",
		"{\"images\":[{\"id\":1,\"width\":4,\"height\":3}],\"annotations\":[{\"id\":1,\"image_id\":1,"
		"\"segmentation\":\"abc\"}]}",
		"{\"images\":[{\"id\":1,\"width\":4,\"height\":3}],\"annotations\":[{\"id\":1,\"image_id\":2,"
		"\"segmentation\":[[1,1,2,2,3,3]]}]}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		spit(in(dir, "in.json"), texts[i], strlen(texts[i]));
		tapcut_fails(1, "in.json", "coco rle %s/in.json -o %s/out.json", dir, dir);
		ck_assert_msg(!exists(in(dir, "out.json")), "text %zu left a file behind", i);
	}
	const char *twice =
		"{\"images\":[{\"id\":1,\"width\":4,\"height\":3,\"file_name\":\"a.jpg\"},{\"id\":1,\"width\":4,"
		"\"height\":3,\"file_name\":\"b.jpg\"}],\"annotations\":[]}";
	spit(in(dir, "in.json"), twice, strlen(twice));
	tapcut_fails(1, "photo id 1 stands twice (a.jpg and b.jpg)", "coco rle %s/in.json -o %s/out.json", dir, dir);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli coco rle");
	TCase *tcase = tcase_create("rle");
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, equal_to_the_reference);
	tcase_add_test(tcase, compressed_masks_stay_as_they_are);
	tcase_add_test(tcase, failures);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
