/* Datasets: what is kept, in which order, what is left out and why, the digest; and their index. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "data/dataset_open.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/atomic_file.h"
#include "core/rng.h"
#include "data/image_io.h"
#include "data/index.h"
#include "tests/support/test.h"

static char folder[600]; /* of this test; has images/ */

static const char *path_in_folder(const char *name)
{
	static char paths[4][700];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_in_folder(name), "wb");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void make_folder(void)
{
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("dataset"));
	ck_assert_int_eq(mkdir(path_in_folder("images"), 0777), 0);
	ck_assert_int_eq(mkdir(path_in_folder("images/sub"), 0777), 0);
	static const char *const photos[] = {"images/a.jpg", "images/b.jpg", "images/c.jpg", "images/sub/d.jpg",
					     "outside.jpg"};
	for (int i = 0; i < 5; i++)
		write_file(photos[i], "");
}

/* A box as a polygon. */
#define BOX(id, photo, category, x, y, w, h)                                                             \
	"{\"id\": " #id ", \"image_id\": " #photo ", \"category_id\": " #category ", \"segmentation\": " \
	"[[" #x "," #y "," #w "," #h "]]}"
#define PHOTO(id, name) "{\"id\": " #id ", \"file_name\": \"" name "\", \"width\": 10, \"height\": 10}"
#define CATEGORIES                                                                           \
	"\"categories\": [{\"id\": 18, \"name\": \"dog\"}, {\"id\": 3, \"name\": \"car\"}, " \
	"{\"id\": 1, \"name\": \"person\"}]"
#define GOOD_PHOTOS                                                                        \
	"\"images\": [" PHOTO(30, "c.jpg") "," PHOTO(-10, "a.jpg") "," PHOTO(900100284445, \
									     "b.jpg") "," PHOTO(40, "sub/d.jpg") "]"

static const char good[] =
	"{" GOOD_PHOTOS
	", \"annotations\": [" BOX(5, 900100284445, 1, 0, 0, 4,
				   4) "," BOX(9, 30, 18, 1, 1, 2, 3) "," BOX(7, 30, 3, 0, 0, 10,
									     10) "," BOX(900100284446, -10, 18, 5, 5, 5,
											 5) "," BOX(8, 30, 1, 9, 9, 1,
												    1) "]," CATEGORIES
												       "}";

static const char *good_json(void)
{
	static char path[700];
	make_folder();
	write_file("instances.json", good);
	snprintf(path, sizeof path, "%s/instances.json", folder);
	return path;
}

static void open_ok(struct dataset *d, const char *path, const struct dataset_filter *filter)
{
	ck_assert_msg(dataset_open(d, path, NULL, filter) == STATUS_OK, "%s", status_message());
}

/* Ids of the objects in order. */
static const char *ids(const struct dataset *d)
{
	static char text[4096];
	size_t used = 0;
	text[0] = '\0';
	for (int i = 0; i < d->object_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64, i ? " " : "", d->objects[i].id);
	return text;
}

START_TEST(sorted_by_photo_then_object)
{
	struct dataset d;
	open_ok(&d, good_json(), NULL);
	ck_assert_str_eq(ids(&d), "900100284446 7 8 9 5");
	ck_assert_int_eq(d.photo_count, 3); /* sub/d.jpg has no object */
	static const struct {
		int64_t id;
		const char *name;
		int first, count;
	} photos[] = {{-10, "a.jpg", 0, 1}, {30, "c.jpg", 1, 3}, {900100284445, "b.jpg", 4, 1}};
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(d.photos[i].id, photos[i].id);
		ck_assert_str_eq(d.photos[i].file_name, photos[i].name);
		ck_assert_int_eq(d.photos[i].first_object, photos[i].first);
		ck_assert_int_eq(d.photos[i].object_count, photos[i].count);
		for (int o = 0; o < photos[i].count; o++)
			ck_assert_int_eq(d.objects[photos[i].first + o].photo, i);
	}
	const struct dataset_object *o = &d.objects[3];
	ck_assert_int_eq(o->category, 18);
	ck_assert_uint_eq(o->area, 6);
	ck_assert(o->x0 == 1 && o->y0 == 1 && o->x1 == 3 && o->y1 == 4);
	ck_assert_int_eq(dataset_skipped(&d), 0);
	ck_assert_int_eq(d.category_count, 3);
	ck_assert_str_eq(d.categories[0].name, "person");
	ck_assert_int_eq(dataset_count_category(&d, 2), 2); /* dogs */
	dataset_release(&d);
}
END_TEST

/* A record a row. */
/* clang-format off */
static const char every_skip[] =
	"{\"images\": [" PHOTO(1, "a.jpg") "," PHOTO(2, "gone.jpg") "," PHOTO(3, "../outside.jpg") ","
	"{\"id\": 4, \"file_name\": \"b.jpg\", \"width\": 0, \"height\": 10},"
	"{\"id\": 5, \"file_name\": \"b.jpg\", \"width\": 10, \"height\": 100000}], \"annotations\": ["
	BOX(1, 1, 18, 0, 0, 5, 5) ","
	"{\"id\": 2, \"image_id\": 1, \"category_id\": 18, \"iscrowd\": 1,"
	" \"segmentation\": {\"size\": [10, 10], \"counts\": [0, 100]}},"
	BOX(3, 1, 3, 0, 0, 5, 5) ","     /* category */
	BOX(4, 77, 18, 0, 0, 5, 5) ","   /* unknown photo */
	BOX(5, 2, 18, 0, 0, 5, 5) ","    /* missing file */
	BOX(6, 2, 18, 0, 0, 5, 5) ","    /* missing file */
	BOX(7, 3, 18, 0, 0, 5, 5) ","    /* bad photo: name */
	BOX(8, 4, 18, 0, 0, 5, 5) ","    /* bad photo: size */
	BOX(9, 5, 18, 0, 0, 5, 5) ","    /* bad photo: size */
	BOX(10, 1, 18, 0, 0, 1, 1) ","   /* too small */
	BOX(11, 1, 18, 20, 20, 5, 5) "," /* too small: outside, no pixel */
	BOX(12, 1, 18, 0, 0, 10, 10) "," /* too large */
	"{\"id\": 13, \"image_id\": 1, \"category_id\": 18},"
	"{\"id\": 14, \"image_id\": 1, \"category_id\": 18,"
	" \"segmentation\": {\"size\": [5, 20], \"counts\": [0, 100]}}]," CATEGORIES "}";
/* clang-format on */

START_TEST(every_skip_is_counted_once)
{
	make_folder();
	write_file("instances.json", every_skip);
	const char *const dogs[] = {"dog"};
	const struct dataset_filter filter = {dogs, 1, 0.02, 0.9, 0, false};
	struct dataset d;
	open_ok(&d, path_in_folder("instances.json"), &filter);
	ck_assert_str_eq(ids(&d), "1");
	ck_assert_int_eq(d.skips.crowd, 1);
	ck_assert_int_eq(d.skips.category, 1);
	ck_assert_int_eq(d.skips.unknown_photo, 1);
	ck_assert_int_eq(d.skips.missing_file, 2);
	ck_assert_int_eq(d.skips.missing_photos, 1);
	ck_assert_int_eq(d.skips.bad_photo, 3);
	ck_assert_int_eq(d.skips.too_small, 2);
	ck_assert_int_eq(d.skips.too_large, 1);
	ck_assert_int_eq(d.skips.bad_segmentation, 2);
	ck_assert_int_eq(dataset_skipped(&d), 13);
	ck_assert_ptr_nonnull(strstr(d.skips.first_reason, "no file gone.jpg"));

	char summary[1024] = "";
	FILE *out = fmemopen(summary, sizeof summary, "w");
	dataset_print_summary(&d, out);
	fclose(out);
	ck_assert_ptr_nonnull(
		strstr(summary,
		       "1 object in 1 photo; skipped 1 crowd, 1 of other categories, 2 too small, 1 too large, "));
	dataset_release(&d);
}
END_TEST

START_TEST(names_cannot_leave_the_folder)
{
	static const char *const names[] = {"../outside.jpg", "/etc/passwd",   "sub/../../outside.jpg", "..", "",
					    "sub/..",         "images/../../x"};
	make_folder();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char json[1024];
		snprintf(json, sizeof json,
			 "{\"images\": [{\"id\": 1, \"file_name\": \"%s\", \"width\": 10, \"height\": 10}], "
			 "\"annotations\": [%s]}",
			 names[i], BOX(1, 1, 1, 0, 0, 5, 5));
		write_file("instances.json", json);
		struct dataset d;
		open_ok(&d, path_in_folder("instances.json"), NULL);
		ck_assert_int_eq(d.object_count, 0);
		ck_assert_int_eq(d.photo_count, 0);
		ck_assert_int_eq(d.skips.bad_photo, 1);
		dataset_release(&d);
	}
	write_file("instances.json",
		   "{\"images\": [" PHOTO(1, "sub/d.jpg") "," PHOTO(2, "sub/e.jpg") "," PHOTO(
			   3, ".") "],"
				   "\"annotations\": [" BOX(1, 1, 1, 0, 0, 5, 5) "," BOX(2, 2, 1, 0, 0, 5,
											 5) "," BOX(3, 3, 1, 0, 0, 5,
												    5) "]}");
	struct dataset d;
	open_ok(&d, path_in_folder("instances.json"), NULL);
	ck_assert_str_eq(ids(&d), "1");
	ck_assert_int_eq(d.skips.missing_file, 2);
	dataset_release(&d);
}
END_TEST

/* The reason names the record and the key, or what else is wrong. */
START_TEST(unusable_photos_say_why)
{
	static const char *const cases[][2] = {
		{"\"file_name\": \"a.jpg\", \"height\": 10", "photo 1 (a.jpg): images[0] has no \"width\""},
		{"\"file_name\": \"a.jpg\", \"width\": 10", "photo 1 (a.jpg): images[0] has no \"height\""},
		{"\"file_name\": \"a.jpg\", \"width\": \"640\", \"height\": 10",
		 "photo 1 (a.jpg): images[0].width: expected a whole number from 1, found a string"},
		{"\"file_name\": \"a.jpg\", \"width\": 10, \"height\": null",
		 "images[0].height: expected a whole number from 1, found null"},
		{"\"file_name\": \"a.jpg\", \"width\": NaN, \"height\": -3",
		 "images[0].width: expected a whole number from 1, found NaN"},
		{"\"file_name\": \"a.jpg\", \"width\": 0, \"height\": 7", "from 1, found 0"},
		{"\"file_name\": \"a.jpg\", \"width\": 10.5, \"height\": 7", "from 1, found 10.5"},
		{"\"file_name\": \"a.jpg\", \"width\": 1000000, \"height\": 7", "1000000 x 7 pixels, at most"},
		{"\"file_name\": \"../a.jpg\", \"width\": 10, \"height\": 10", "\"../a.jpg\" is empty or leads out"},
	};
	make_folder();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char json[1024];
		snprintf(json, sizeof json, "{\"images\": [{\"id\": 1, %s}], \"annotations\": [%s]}", cases[i][0],
			 BOX(1, 1, 1, 0, 0, 5, 5));
		write_file("instances.json", json);
		struct dataset d;
		open_ok(&d, path_in_folder("instances.json"), NULL);
		ck_assert_int_eq(d.skips.bad_photo, 1);
		ck_assert_msg(strstr(d.skips.first_reason, cases[i][1]) != NULL, "%s", d.skips.first_reason);
		dataset_release(&d);
	}
}
END_TEST

START_TEST(filters_apply)
{
	const char *json = good_json();
	const char *const both[] = {"car", "person"}, *const unknown[] = {"dog", "dig"};
	const struct dataset_filter two = {both, 2, 0, 0, 0, false}, wrong = {unknown, 2, 0, 0, 0, false};
	const struct dataset_filter size = {NULL, 0, 0.06, 0.25, 0, false}; /* both ends belong to it */
	struct dataset d;
	open_ok(&d, json, &two);
	ck_assert_str_eq(ids(&d), "7 8 5");
	ck_assert_int_eq(d.skips.category, 2);
	dataset_release(&d);
	open_ok(&d, json, &size);
	ck_assert_str_eq(ids(&d), "900100284446 9 5");
	ck_assert_int_eq(d.skips.too_small, 1);
	ck_assert_int_eq(d.skips.too_large, 1);
	dataset_release(&d);
	ck_assert_int_eq(dataset_open(&d, json, NULL, &wrong), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "category \"dig\" is none of its 3"));
	ck_assert_ptr_null(d.photos);
}
END_TEST

/* 4000 objects in 40 photos, in an order that depends on `stride`. */
static void write_many(const char *name, int stride)
{
	enum { OBJECTS = 4000 };
	FILE *file = fopen(path_in_folder(name), "wb");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "{\"annotations\": [");
	for (int i = 0; i < OBJECTS; i++) {
		int id = (int)((long)i * stride % OBJECTS);
		fprintf(file, "%s{\"id\": %d, \"image_id\": %d, \"segmentation\": [[%d, %d, 3, 3]]}", i ? "," : "", id,
			id % 40, id % 7, id % 5);
	}
	fprintf(file, "], \"images\": [");
	for (int i = 0; i < 40; i++)
		fprintf(file, "%s{\"id\": %d, \"file_name\": \"a.jpg\", \"width\": 10, \"height\": 10}", i ? "," : "",
			39 - i);
	fprintf(file, "]}");
	fclose(file);
}

START_TEST(a_limited_number_does_not_depend_on_the_order)
{
	make_folder();
	write_many("one.json", 1);
	write_many("two.json", 1777);
	for (int most = 1; most < 3000; most = most * 3 + 1) {
		const struct dataset_filter filter = {.max_objects = most};
		struct dataset a, b;
		open_ok(&a, path_in_folder("one.json"), &filter);
		open_ok(&b, path_in_folder("two.json"), &filter);
		ck_assert_int_eq(a.object_count, most);
		ck_assert_int_eq(a.skips.over_limit, 4000 - most);
		ck_assert_int_eq(b.skips.over_limit, 4000 - most);
		ck_assert(memcmp(a.digest, b.digest, sizeof a.digest) == 0);
		for (int i = 0; i < most; i++)
			ck_assert_int_eq(a.objects[i].id, b.objects[i].id);
		dataset_release(&a);
		dataset_release(&b);
	}
}
END_TEST

START_TEST(repeated_ids_of_objects_keep_the_files_order)
{
	make_folder();
	write_file("instances.json",
		   "{" GOOD_PHOTOS
		   ", \"annotations\": [" BOX(0, 30, 1, 0, 0, 1, 1) "," BOX(0, 30, 1, 0, 0, 1,
									    3) "," BOX(0, 30, 1, 0, 0, 1, 2) "]}");
	struct dataset d;
	open_ok(&d, path_in_folder("instances.json"), NULL);
	ck_assert_int_eq(d.object_count, 3);
	ck_assert_uint_eq(d.objects[0].area, 1);
	ck_assert_uint_eq(d.objects[1].area, 3);
	ck_assert_uint_eq(d.objects[2].area, 2);
	dataset_release(&d);
}
END_TEST

START_TEST(digest_follows_the_content)
{
	static const char *const annotations[] = {
		BOX(1, 30, 1, 0, 0, 4, 4) "," BOX(2, -10, 1, 0, 0, 4, 4),
		BOX(2, -10, 1, 0, 0, 4, 4) "," BOX(1, 30, 1, 0, 0, 4, 4),
		BOX(1, 30, 1, 0, 0, 4, 5) "," BOX(2, -10, 1, 0, 0, 4, 4),
		BOX(1, 30, 3, 0, 0, 4, 4) "," BOX(2, -10, 1, 0, 0, 4, 4),
		BOX(3, 30, 1, 0, 0, 4, 4) "," BOX(2, -10, 1, 0, 0, 4, 4),
		BOX(1, 30, 1, 0, 0, 4, 4),
	};
	uint8_t digests[6][32];
	make_folder();
	for (int i = 0; i < 6; i++) {
		char json[2048] = "{" GOOD_PHOTOS ", \"annotations\": [";
		strcat(strcat(json, annotations[i]), "]}");
		write_file("instances.json", json);
		struct dataset d;
		open_ok(&d, path_in_folder("instances.json"), NULL);
		memcpy(digests[i], d.digest, 32);
		dataset_release(&d);
	}
	ck_assert(memcmp(digests[0], digests[1], 32) == 0); /* order in the file */
	for (int i = 2; i < 6; i++)
		for (int j = 0; j < i; j++)
			ck_assert(memcmp(digests[i], digests[j], 32) != 0 || (i == 1 && j == 0));
}
END_TEST

START_TEST(files_that_make_no_sense)
{
	struct dataset d;
	make_folder();
	ck_assert_int_eq(dataset_open(&d, path_in_folder("none.json"), NULL, NULL), STATUS_IO);
	ck_assert_ptr_nonnull(strstr(status_message(), "none.json"));
	write_file("instances.json",
		   "{\"images\": [" PHOTO(1, "a.jpg") "," PHOTO(1, "b.jpg") "], \"annotations\": []}");
	ck_assert_int_eq(dataset_open(&d, path_in_folder("instances.json"), NULL, NULL), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "instances.json: photo id 1 stands twice"));
	for (size_t length = 0; length < strlen(good); length += 7) {
		char json[sizeof good] = "";
		memcpy(json, good, length);
		write_file("instances.json", json);
		ck_assert_int_eq(dataset_open(&d, path_in_folder("instances.json"), NULL, NULL), STATUS_FORMAT);
		ck_assert_ptr_null(d.objects);
	}
	write_file("instances.json", good); /* no such folder: all photos are missing */
	ck_assert_int_eq(dataset_open(&d, path_in_folder("instances.json"), path_in_folder("nowhere"), NULL),
			 STATUS_OK);
	ck_assert_int_eq(d.object_count, 0);
	ck_assert_int_eq(d.skips.missing_file, 5);
	ck_assert_int_eq(d.skips.missing_photos, 3);
	dataset_release(&d);
}
END_TEST

START_TEST(photos_are_decoded)
{
	struct image image, back;
	struct dataset d;
	const char *json = good_json();
	ck_assert_int_eq(image_alloc(&image, 10, 10, 3), STATUS_OK);
	for (int i = 0; i < 300; i++)
		image.pixels[i] = (uint8_t)(i % 251);
	ck_assert_int_eq(image_write_png(path_in_folder("images/c.jpg"), &image), STATUS_OK);
	open_ok(&d, json, NULL);
	ck_assert_msg(dataset_read_photo(&d, 1, &back) == STATUS_OK, "%s", status_message());
	ck_assert(back.width == 10 && back.height == 10 && back.channels == 3);
	ck_assert(memcmp(image.pixels, back.pixels, 300) == 0);
	image_release(&back);
	ck_assert_int_ne(dataset_read_photo(&d, 0, &back), STATUS_OK); /* an empty file */
	ck_assert_ptr_nonnull(strstr(status_message(), "images/a.jpg"));
	image_release(&image);
	dataset_release(&d);
}
END_TEST

/* Index. */

static void check_same(const struct dataset *a, const struct dataset *b)
{
	ck_assert_int_eq(a->photo_count, b->photo_count);
	ck_assert_int_eq(a->object_count, b->object_count);
	ck_assert_int_eq(a->category_count, b->category_count);
	ck_assert(memcmp(&a->skips, &b->skips, sizeof a->skips) == 0);
	ck_assert(memcmp(a->digest, b->digest, 32) == 0);
	for (int i = 0; i < a->category_count; i++) {
		ck_assert_int_eq(a->categories[i].id, b->categories[i].id);
		ck_assert_str_eq(a->categories[i].name, b->categories[i].name);
	}
	for (int i = 0; i < a->photo_count; i++) {
		const struct dataset_photo *p = &a->photos[i], *q = &b->photos[i];
		ck_assert(p->id == q->id && p->width == q->width && p->height == q->height);
		ck_assert(p->first_object == q->first_object && p->object_count == q->object_count);
		ck_assert_str_eq(p->file_name, q->file_name);
	}
	for (int i = 0; i < a->object_count; i++) {
		const struct dataset_object *o = &a->objects[i], *u = &b->objects[i];
		ck_assert(o->id == u->id && o->photo == u->photo && o->category == u->category && o->area == u->area);
		ck_assert(o->x0 == u->x0 && o->y0 == u->y0 && o->x1 == u->x1 && o->y1 == u->y1);
		ck_assert(o->mask.width == u->mask.width && o->mask.height == u->mask.height &&
			  o->mask.count == u->mask.count);
		ck_assert(memcmp(o->mask.counts, u->mask.counts, (size_t)o->mask.count * sizeof *o->mask.counts) == 0);
	}
}

START_TEST(index_gives_the_same_set)
{
	static const struct dataset_filter filters[] = {{0}, {.min_area_fraction = 0.05}, {.max_objects = 2}};
	const char *json = good_json();
	for (int i = 0; i < 3; i++) {
		struct dataset d, again;
		open_ok(&d, json, &filters[i]);
		ck_assert_msg(index_write(&d, json, path_in_folder("set.tapindex")) == STATUS_OK, "%s",
			      status_message());
		ck_assert(index_is_one(path_in_folder("set.tapindex")));
		open_ok(&again, path_in_folder("set.tapindex"), NULL);
		check_same(&d, &again);
		dataset_release(&again);
		/* the same filter once more changes nothing */
		open_ok(&again, path_in_folder("set.tapindex"), &filters[i]);
		check_same(&d, &again);
		dataset_release(&again);
		dataset_release(&d);
	}
	ck_assert(!index_is_one(json));
	ck_assert(!index_is_one("no/such/file"));
}
END_TEST

/* A filter on an index gives the objects, and so the digest, that the same filter on the JSON gives. */
START_TEST(filter_on_an_index)
{
	const char *const categories[] = {"dog", "person"};
	const struct dataset_filter filters[] = {{.min_area_fraction = 0.05},
						 {categories, 2, 0, 0, 0, false},
						 {.max_objects = 3}};
	char index[700];
	const char *json = good_json();
	snprintf(index, sizeof index, "%s/set.tapindex", folder);
	struct dataset d, from_json, from_index;
	open_ok(&d, json, NULL);
	ck_assert_int_eq(index_write(&d, json, index), STATUS_OK);
	dataset_release(&d);
	for (int i = 0; i < 3; i++) {
		open_ok(&from_json, json, &filters[i]);
		open_ok(&from_index, index, &filters[i]);
		ck_assert_int_lt(from_json.object_count, 5);
		check_same(&from_json, &from_index);
		dataset_release(&from_json);
		dataset_release(&from_index);
	}
	ck_assert_int_eq(dataset_open(&d, index, "elsewhere", NULL), STATUS_OK);
	ck_assert_str_eq(d.image_dir, "elsewhere");
	dataset_release(&d);
}
END_TEST

/* Moved together, index and photos find one another where they are now; an index that is moved alone still finds the
 * photos where they were. */
START_TEST(index_is_moved)
{
	static const char *const places[] = {"set.tapindex", "indices/deep/set.tapindex"};
	const char *json = good_json();
	char command[4000], index[800], elsewhere[720], images[PATH_MAX];
	ck_assert_ptr_nonnull(realpath(path_in_folder("images"), images));
	for (int i = 0; i < 2; i++) {
		struct dataset d;
		snprintf(index, sizeof index, "%s/%s", folder, places[i]);
		snprintf(command, sizeof command, "mkdir -p %s/indices/deep", folder);
		ck_assert_int_eq(system(command), 0);
		open_ok(&d, json, NULL);
		ck_assert_int_eq(index_write(&d, json, index), STATUS_OK);
		dataset_release(&d);
		snprintf(elsewhere, sizeof elsewhere, "%s.alone", folder);
		snprintf(command, sizeof command, "rm -rf %s && mkdir %s && cp %s %s/x.tapindex", elsewhere, elsewhere,
			 index, elsewhere);
		ck_assert_int_eq(system(command), 0);
		snprintf(index, sizeof index, "%s/x.tapindex", elsewhere);
		open_ok(&d, index, NULL);
		ck_assert_str_eq(d.image_dir, images);
		dataset_release(&d);
		snprintf(command, sizeof command, "rm -rf %s && cp -r %s %s", elsewhere, folder, elsewhere);
		ck_assert_int_eq(system(command), 0);
		snprintf(index, sizeof index, "%s/%s", elsewhere, places[i]);
		open_ok(&d, index, NULL);
		ck_assert_msg(strstr(d.image_dir, ".alone/images") != NULL, "%s", d.image_dir);
		dataset_release(&d);
		snprintf(command, sizeof command, "rm -rf %s", elsewhere);
		ck_assert_int_eq(system(command), 0);
	}
}
END_TEST

/* Written before annotations had sources; its object is a box of 3 x 4 pixels of a photo of 10 x 10. */
static const char first_index[] =
	"544150494e445831150000002f746d702f70686f746f732d76312f692e6a736f6ede00000000000000a0310e6b000000"
	"00ace00314150000002f746d702f70686f746f732d76312f696d61676573000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000ef48b3ff9806a71845d78b848ec397f50992e3eab63d"
	"ca69562536475720f77f0100000001000000010000001200000003000000646f6707000000000000000a0000000a0000"
	"000100000005000000612e6a7067050000000000000012000000080000003b34363030306b317450ceab";

START_TEST(index_of_the_first_format)
{
	struct dataset d;
	uint8_t bytes[sizeof first_index / 2];
	for (size_t i = 0; i < sizeof bytes; i++) {
		unsigned byte;
		ck_assert_int_eq(sscanf(first_index + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
	ck_assert_msg(index_read_memory(&d, bytes, sizeof bytes, "old") == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(d.object_count, 1);
	ck_assert_uint_eq(d.objects[0].area, 12);
	ck_assert_int_eq(d.objects[0].source, 0);
	ck_assert_int_eq(d.source_count, 0);
	dataset_release(&d);
}
END_TEST

/* Sources. */

#define SOURCED(id, source) \
	"{\"id\": " #id ", \"image_id\": 1, \"category_id\": 2, \"source\": " source ", \"segmentation\": [[0,0,4,4]]}"

static const char *sourced_json(void)
{
	static char path[700];
	make_folder();
	write_file("sourced.json",
		   "{\"images\": [" PHOTO(
			   1,
			   "a.jpg") "], \"categories\": [{\"id\": 2, \"name\": \"dog\"}], "
				    "\"annotations\": [" SOURCED(1, "\"coco\"") "," SOURCED(2, "\"voc\"") "," SOURCED(
					    3, "\"coco\"") "," SOURCED(4, "[\"a\", {}]") "," SOURCED(5, "\"\"") "]}");
	snprintf(path, sizeof path, "%s/sourced.json", folder);
	return path;
}

static void check_sources(const struct dataset *d)
{
	static const char *const expected[] = {"coco", "voc", "coco", NULL, NULL};
	ck_assert_int_eq(d->source_count, 2);
	ck_assert_int_eq(d->object_count, 5);
	for (int i = 0; i < 5; i++) {
		int source = d->objects[i].source;
		ck_assert_int_eq(source != 0, expected[i] != NULL);
		if (source)
			ck_assert_str_eq(d->sources[source - 1], expected[i]);
	}
	ck_assert_int_eq(dataset_find_source(d, "bsds"), 0);
}

START_TEST(sources_are_kept_and_indexed)
{
	struct dataset d;
	const char *json = sourced_json();
	open_ok(&d, json, NULL);
	check_sources(&d);
	ck_assert_int_eq(index_write(&d, json, path_in_folder("set.tapindex")), STATUS_OK);
	dataset_release(&d);
	open_ok(&d, path_in_folder("set.tapindex"), NULL);
	check_sources(&d);
	dataset_release(&d);
}
END_TEST

/* Several sets as one. */

static bool same_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32) == 0;
}

START_TEST(appended_sets_keep_their_places)
{
	struct dataset d, more;
	char sourced[700];
	snprintf(sourced, sizeof sourced, "%s", sourced_json());
	write_file("instances.json", good);
	open_ok(&d, path_in_folder("instances.json"), NULL);
	uint8_t alone[32];
	memcpy(alone, d.digest, 32);
	ck_assert_int_eq(dataset_open(&more, sourced, folder, NULL), STATUS_OK);
	ck_assert_int_eq(more.object_count, 0); /* the photo is not there but in images/ */
	dataset_release(&more);
	open_ok(&more, sourced, NULL);
	ck_assert_msg(dataset_append(&d, &more) == STATUS_OK, "%s", status_message());
	ck_assert_ptr_null(more.objects);
	ck_assert_str_eq(ids(&d), "900100284446 7 8 9 5 1 2 3 4 5"); /* 5 stands twice and means two objects */
	ck_assert_int_eq(d.photo_count, 4);
	ck_assert_int_eq(d.photos[3].first_object, 5);
	ck_assert_int_eq(d.photos[3].object_count, 5);
	ck_assert_int_eq(d.objects[9].photo, 3);
	ck_assert_str_eq(d.photos[3].dir, d.image_dir);
	ck_assert_ptr_null(d.photos[0].dir);
	ck_assert_int_eq(d.category_count, 4); /* dog is 18 in one file and 2 in the other */
	ck_assert_str_eq(d.sources[d.objects[6].source - 1], "voc");
	ck_assert(!same_bytes(alone, d.digest));
	dataset_release(&d);
}
END_TEST

/* The photo of an object is that of its own file, whatever the other's is called. */
START_TEST(photos_come_from_their_own_folder)
{
	struct dataset d, more;
	struct image image;
	char path[700];
	snprintf(path, sizeof path, "%s", sourced_json());
	ck_assert_int_eq(mkdir(path_in_folder("other"), 0777), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(image_alloc(&image, 10, 10, 3), STATUS_OK);
		memset(image.pixels, i ? 200 : 50, 300);
		ck_assert_int_eq(image_write_png(path_in_folder(i ? "other/a.jpg" : "images/a.jpg"), &image),
				 STATUS_OK);
		image_release(&image);
	}
	open_ok(&d, path, NULL);
	ck_assert_int_eq(dataset_open(&more, path, path_in_folder("other"), NULL), STATUS_OK);
	ck_assert_int_eq(dataset_append(&d, &more), STATUS_OK);
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(dataset_read_photo(&d, i, &image) == STATUS_OK, "%s", status_message());
		ck_assert_int_eq(image.pixels[0], i ? 200 : 50);
		image_release(&image);
	}
	dataset_release(&d);
}
END_TEST

static void expect_changed(const char *index)
{
	struct dataset d;
	ck_assert_int_eq(dataset_open(&d, index, NULL, NULL), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "has changed since this index was made"));
}

START_TEST(index_knows_when_its_source_has_changed)
{
	char index[700];
	const char *json = good_json();
	snprintf(index, sizeof index, "%s/set.tapindex", folder);
	struct dataset d;
	open_ok(&d, json, NULL);
	ck_assert_int_eq(index_write(&d, json, json), STATUS_CONFIG);
	ck_assert_int_eq(index_write(&d, json, index), STATUS_OK);
	dataset_release(&d);
	struct stat before;
	ck_assert_int_eq(stat(json, &before), 0);
	struct timespec times[] = {before.st_atim, before.st_mtim};
	FILE *file = fopen(json, "ab");
	fputc('\n', file);
	fclose(file);
	expect_changed(index);
	/* Another size at the same time; the same size at another time within the same second. */
	ck_assert_int_eq(utimensat(AT_FDCWD, json, times, 0), 0);
	expect_changed(index);
	ck_assert_int_eq(truncate(json, before.st_size), 0);
	times[1].tv_nsec = (times[1].tv_nsec + 1000) % 1000000000;
	ck_assert_int_eq(utimensat(AT_FDCWD, json, times, 0), 0);
	expect_changed(index);
	ck_assert_int_eq(utimensat(AT_FDCWD, json, (struct timespec[]){before.st_atim, before.st_mtim}, 0), 0);
	open_ok(&d, index, NULL);
	dataset_release(&d);
	remove(json); /* an index stands on its own */
	open_ok(&d, index, NULL);
	ck_assert_int_eq(d.object_count, 5);
	dataset_release(&d);
}
END_TEST

static char *make_index(size_t *size)
{
	char *data;
	const char *json = good_json();
	struct dataset d;
	open_ok(&d, json, NULL);
	ck_assert_int_eq(index_write(&d, json, path_in_folder("set.tapindex")), STATUS_OK);
	dataset_release(&d);
	ck_assert_int_eq(file_read(path_in_folder("set.tapindex"), 1 << 20, &data, size), STATUS_OK);
	return data;
}

START_TEST(damaged_index_is_refused)
{
	size_t size;
	char *data = make_index(&size);
	struct dataset d;
	for (size_t i = 0; i < size; i++) {
		ck_assert_int_eq(index_read_memory(&d, data, i, "test"), STATUS_FORMAT);
		for (int bit = 0; bit < 8; bit++) {
			data[i] = (char)(data[i] ^ 1 << bit);
			ck_assert_int_eq(index_read_memory(&d, data, size, "test"), STATUS_FORMAT);
			ck_assert_ptr_null(d.photos);
			data[i] = (char)(data[i] ^ 1 << bit);
		}
	}
	free(data);
}
END_TEST

static void check_consistent(const struct dataset *d)
{
	int objects = 0;
	for (int p = 0; p < d->photo_count; p++) {
		ck_assert_int_eq(d->photos[p].first_object, objects);
		objects += d->photos[p].object_count;
	}
	ck_assert_int_eq(objects, d->object_count);
}

/* With a checksum that fits: whatever is opened is consistent, and nothing is read or written out of bounds. */
START_TEST(forged_index_does_no_harm)
{
	size_t size;
	char *data = make_index(&size);
	int refused = 0;
	for (int round = 0; round < 2000; round++) {
		struct rng rng = rng_stream(12, (uint32_t)round, 0, RNG_TEST);
		char *copy = malloc(size);
		memcpy(copy, data, size);
		for (int i = 1 + (int)rng_below(&rng, 3); i > 0; i--)
			copy[8 + rng_below(&rng, (uint32_t)size - 12)] =
				(char)(rng_below(&rng, 3) ? rng_u32(&rng) : 255);
		size_t shorter = rng_below(&rng, 4) ? size : size - rng_below(&rng, (uint32_t)size - 12);
		uint32_t crc = (uint32_t)crc32_z(0, (const void *)copy, shorter - 4);
		for (int i = 0; i < 4; i++)
			copy[shorter - 4 + (size_t)i] = (char)(crc >> 8 * i);
		struct dataset d;
		if (index_read_memory(&d, copy, shorter, "test") == STATUS_OK)
			check_consistent(&d);
		else
			refused++;
		dataset_release(&d);
		free(copy);
	}
	ck_assert_int_gt(refused, 500);
	free(data);
}
END_TEST

/* The numbers of its README. */
START_TEST(clicks_validation_set)
{
	const char *json = test_shared_data("clicks/val/instances.json");
	if (!json)
		return;
	struct dataset d;
	open_ok(&d, json, NULL);
	ck_assert_int_eq(d.object_count, 499);
	ck_assert_int_eq(d.photo_count, 260);
	ck_assert_int_eq(dataset_skipped(&d), 0);
	dataset_release(&d);
}
END_TEST

START_TEST(clicks_training_set)
{
	const char *json = test_shared_data("clicks/train/instances.json");
	if (!json)
		return;
	struct dataset d;
	open_ok(&d, json, NULL);
	ck_assert_int_eq(d.object_count, 12770 - 39);
	ck_assert_int_eq(d.skips.crowd, 39);
	ck_assert_int_eq(dataset_skipped(&d), 39);
	dataset_release(&d);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("dataset");
	TCase *tests = tcase_create("dataset");
	tcase_set_timeout(tests, 60); /* a busy machine, a sanitizer */
	tcase_add_test(tests, sorted_by_photo_then_object);
	tcase_add_test(tests, every_skip_is_counted_once);
	tcase_add_test(tests, names_cannot_leave_the_folder);
	tcase_add_test(tests, unusable_photos_say_why);
	tcase_add_test(tests, filters_apply);
	tcase_add_test(tests, a_limited_number_does_not_depend_on_the_order);
	tcase_add_test(tests, repeated_ids_of_objects_keep_the_files_order);
	tcase_add_test(tests, digest_follows_the_content);
	tcase_add_test(tests, files_that_make_no_sense);
	tcase_add_test(tests, photos_are_decoded);
	tcase_add_test(tests, clicks_validation_set);
	tcase_add_test(tests, clicks_training_set);
	suite_add_tcase(suite, tests);
	TCase *index = tcase_create("index");
	tcase_set_timeout(index, 60); /* a busy machine, a sanitizer */
	tcase_add_test(index, index_gives_the_same_set);
	tcase_add_test(index, filter_on_an_index);
	tcase_add_test(index, index_is_moved);
	tcase_add_test(index, index_of_the_first_format);
	tcase_add_test(index, sources_are_kept_and_indexed);
	tcase_add_test(tests, appended_sets_keep_their_places);
	tcase_add_test(tests, photos_come_from_their_own_folder);
	tcase_add_test(index, index_knows_when_its_source_has_changed);
	tcase_add_test(index, damaged_index_is_refused);
	tcase_add_test(index, forged_index_does_no_harm);
	suite_add_tcase(suite, index);
	return suite;
}

TEST_MAIN(make_suite)
