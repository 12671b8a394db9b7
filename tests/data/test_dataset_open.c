/* Where photos are looked for: the layouts in which sets are published, the names that labelling tools write, and which
 * pixels masks were drawn on. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "data/dataset_open.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/image_io.h"
#include "tests/support/test.h"

static char folder[600];

static const char *in_folder(const char *name)
{
	static char paths[4][900];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	char path[900];
	snprintf(path, sizeof path, "%s", in_folder(name));
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(path, 0777);
	}
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* An instances file whose one photo has this name (as JSON) and one object. */
static void put_set(const char *path, const char *name)
{
	char json[5000];
	snprintf(json, sizeof json,
		 "{\"images\": [{\"id\": 1, %s, \"width\": 10, \"height\": 10}], \"annotations\": [{\"id\": 1, "
		 "\"image_id\": 1, \"segmentation\": [[1, 1, 9, 1, 9, 9, 1, 9]]}], \"categories\": []}",
		 name);
	put(path, json);
}

static const struct {
	const char *photo, *set, *name; /* the file, the annotations, and what these call the photo */
	const char *found;              /* the photo's name after opening; NULL: not found */
} layouts[] = {
	{"images/a.jpg", "i.json", "\"file_name\": \"a.jpg\"", "a.jpg"},
	{"a.jpg", "i.json", "\"file_name\": \"a.jpg\"", "a.jpg"},
	{"images/a.jpg", "i.json", "\"file_name\": \"images/a.jpg\"", "images/a.jpg"},
	{"images/a.jpg", "i.json", "\"file_name\": \"images\\\\a.jpg\"", "images/a.jpg"},
	{"images/1/a.jpg", "i.json", "\"file_name\": \"1\\\\a.jpg\"", "1/a.jpg"},
	{"train2017/a.jpg", "annotations/instances_train2017.json", "\"file_name\": \"a.jpg\"", "a.jpg"},
	{"val2017/7.jpg", "annotations/instances_val2017.json", "\"coco_url\": \"http://x/val2017/7.jpg\"", "7.jpg"},
	{"images/val2017/7.jpg", "lvis.json", "\"coco_url\": \"http://x/val2017/7.jpg\"", "val2017/7.jpg"},
	{"images/a.jpg", "i.json", "\"file_name\": \"..\\\\images\\\\a.jpg\"", NULL},
	{"images/a.jpg", "i.json", "\"file_name\": \"/images/a.jpg\"", NULL},
	{"images/a.jpg", "i.json", "\"file_name\": \"b.jpg\"", NULL},
};

START_TEST(photos_of_every_layout_are_found)
{
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
		struct dataset d;
		char name[32];
		snprintf(name, sizeof name, "layout%zu", i);
		snprintf(folder, sizeof folder, "%s", test_tmp_dir(name));
		put(layouts[i].photo, "");
		put_set(layouts[i].set, layouts[i].name);
		ck_assert_int_eq(dataset_open(&d, in_folder(layouts[i].set), NULL, NULL), STATUS_OK);
		ck_assert_msg(d.object_count == (layouts[i].found != NULL), "layout %zu: %s", i, d.skips.first_reason);
		if (layouts[i].found)
			ck_assert_str_eq(d.photos[0].file_name, layouts[i].found);
		dataset_release(&d);
	}
}
END_TEST

/* Absolute names are an explicit choice: of a folder that is named as an absolute path and holds them. */
START_TEST(absolute_names)
{
	static const struct {
		const char *photos; /* "": the test's own folder, made absolute; NULL: no folder is named */
		bool found;
	} choices[] = {{NULL, false}, {"/", true}, {"", true}, {"/usr", false}};
	char here[PATH_MAX], name[PATH_MAX + 100];
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("absolute"));
	put("elsewhere/a.jpg", "");
	ck_assert_ptr_nonnull(realpath(folder, here));
	snprintf(name, sizeof name, "\"file_name\": \"%s/elsewhere/a.jpg\"", here);
	put_set("i.json", name);
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		const char *photos = choices[i].photos && !choices[i].photos[0] ? here : choices[i].photos;
		struct dataset d;
		ck_assert_int_eq(dataset_open(&d, in_folder("i.json"), photos, NULL), STATUS_OK);
		ck_assert_msg(d.object_count == choices[i].found, "choice %zu: %s", i, d.skips.first_reason);
		if (!choices[i].found)
			ck_assert_ptr_nonnull(strstr(d.skips.first_reason, "--images /"));
		dataset_release(&d);
	}
}
END_TEST

START_TEST(a_set_without_an_annotation)
{
	struct dataset d;
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("nothing"));
	put("a.jpg", "");
	put("i.json", "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 9, \"height\": 9}], "
		      "\"annotations\": [], \"categories\": []}");
	ck_assert_int_eq(dataset_open(&d, in_folder("i.json"), NULL, NULL), STATUS_OK);
	ck_assert_int_eq(d.object_count, 0);
	dataset_release(&d);
	put("list.json", "[]");
	ck_assert_int_eq(dataset_open(&d, in_folder("list.json"), NULL, NULL), STATUS_OK);
	dataset_release(&d);
}
END_TEST

/* A folder that the caller names is the only one. */
START_TEST(a_named_folder_is_the_only_one)
{
	struct dataset d;
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("named"));
	put("images/a.jpg", "");
	put("other/b.jpg", "");
	put_set("i.json", "\"file_name\": \"a.jpg\"");
	ck_assert_int_eq(dataset_open(&d, in_folder("i.json"), in_folder("other"), NULL), STATUS_OK);
	ck_assert_int_eq(d.object_count, 0);
	ck_assert_int_eq(d.skips.missing_file, 1);
	ck_assert_ptr_nonnull(strstr(d.skips.first_reason, "other"));
	dataset_release(&d);
}
END_TEST

/* A 10 x 10 photo, white at the top left, that EXIF says to turn by half. */
static void put_turned_photo(void)
{
	static const unsigned char exif[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,    'M', 'M',
					     0,    42,   0, 0,  0,   8,   0,   1,   1, 0x12, 0,   3,
					     0,    0,    0, 1,  0,   3,   0,   0,   0, 0,    0,   0};
	struct image image;
	unsigned char *data;
	size_t size;
	ck_assert_int_eq(image_alloc(&image, 10, 10, 3), STATUS_OK);
	memset(image.pixels, 0, 300);
	for (int y = 0; y < 5; y++)
		memset(image.pixels + 30 * y, 255, 15);
	ck_assert_int_eq(image_encode_jpeg(&image, 95, &data, &size), STATUS_OK);
	image_release(&image);
	put("images/a.jpg", "");
	FILE *file = fopen(in_folder("images/a.jpg"), "wb");
	fwrite(data, 1, 2, file);
	fwrite(exif, 1, sizeof exif, file);
	fwrite(data + 2, 1, size - 2, file);
	fclose(file);
	free(data);
}

START_TEST(masks_on_stored_or_displayed_pixels)
{
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("exif"));
	put_turned_photo();
	put_set("i.json", "\"file_name\": \"a.jpg\"");
	for (enum exif_policy exif = EXIF_MATCH; exif <= EXIF_IGNORE; exif++) {
		struct dataset d;
		struct image image;
		ck_assert_int_eq(dataset_open(&d, in_folder("i.json"), NULL, NULL), STATUS_OK);
		d.exif = exif;
		ck_assert_msg(dataset_read_photo(&d, 0, &image) == STATUS_OK, "%s", status_message());
		ck_assert_int_eq(image.pixels[0] > 128, exif != EXIF_APPLY);
		ck_assert_int_eq(image.pixels[297] > 128, exif == EXIF_APPLY);
		image_release(&image);
		dataset_release(&d);
	}
	struct image image;
	struct image_facts facts;
	struct image_read_options match = {.channels = 3,
					   .exif = EXIF_MATCH,
					   .width = 10,
					   .height = 10,
					   .facts = &facts};
	ck_assert_int_eq(image_read(in_folder("images/a.jpg"), &match, &image), STATUS_OK);
	ck_assert_int_eq(facts.orientation, 3);
	ck_assert(facts.ambiguous && !facts.turned);
	image_release(&image);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("dataset_open");
	TCase *open = tcase_create("open");
	tcase_add_test(open, photos_of_every_layout_are_found);
	tcase_add_test(open, a_set_without_an_annotation);
	tcase_add_test(open, a_named_folder_is_the_only_one);
	tcase_add_test(open, absolute_names);
	tcase_add_test(open, masks_on_stored_or_displayed_pixels);
	suite_add_tcase(suite, open);
	return suite;
}

TEST_MAIN(make_suite)
