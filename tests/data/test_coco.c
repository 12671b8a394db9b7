/* COCO instances as a stream: sections in any order, the three notations of a mask, the 200 reference vectors from
 * file to string, and files with something wrong in them. */
#include "data/coco.h"

#include <inttypes.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "data/coco_rle_export.h"
#include "tests/support/test.h"
#include "train/config/json.h"

/* Records as lines of text, masks as strings. Every photo is 6 wide and 4 high to it. */
struct log {
	char text[4096];
	size_t used;
};

static void add(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct log *log, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log->used += (size_t)vsnprintf(log->text + log->used, sizeof log->text - log->used, format, args);
	va_end(args);
	ck_assert_uint_lt(log->used, sizeof log->text);
}

static enum status log_image(void *context, const struct coco_image *image)
{
	add(context, "image %" PRId64 " %dx%d %s\n", image->id, image->width, image->height, image->file_name);
	return STATUS_OK;
}

static enum status log_category(void *context, const struct coco_category *category)
{
	add(context, "category %d %s\n", category->id, category->name);
	return STATUS_OK;
}

static enum status log_annotation(void *context, const struct coco_annotation *a)
{
	struct rle mask;
	enum status status = coco_mask(&a->segmentation, 6, 4, &mask);
	char *text = status == STATUS_OK ? rle_to_string(&mask) : NULL;
	add(context, "annotation %" PRId64 " of %" PRId64 " %d%s %s\n", a->id, a->image_id, a->category_id,
	    a->crowd ? " crowd" : "", text ? text : status_message());
	free(text);
	rle_release(&mask);
	return STATUS_OK;
}

static enum status read_log(const char *json, size_t length, struct log *log)
{
	const struct coco_visitor visitor = {log, log_image, log_category, log_annotation};
	log->used = 0;
	log->text[0] = '\0';
	return coco_read_memory(json, length, "test", &visitor);
}

static void check_log(const char *json, const char *expected)
{
	struct log log;
	ck_assert_msg(read_log(json, strlen(json), &log) == STATUS_OK, "%s: %s", json, status_message());
	ck_assert_str_eq(log.text, expected);
}

#define IMAGES "\"images\": [{\"id\": 5, \"width\": 6, \"height\": 4, \"file_name\": \"a.jpg\", \"license\": [1]}]"
#define CATEGORIES "\"categories\": [{\"id\": 90, \"name\": \"toothbrush\", \"supercategory\": \"indoor\"}]"
#define ANNOTATIONS                                                                                       \
	"\"annotations\": [{\"id\": 900100284445, \"image_id\": 5, \"category_id\": 90, \"iscrowd\": 1, " \
	"\"area\": 6.5, \"segmentation\": {\"counts\": [0, 4, 20], \"size\": [4, 6]}, \"bbox\": [0, 0, 1, 4]}]"
#define INFO "\"info\": {\"annotations\": [], \"deep\": [[{}]]}"

START_TEST(sections_in_any_order)
{
	static const char *const sections[] = {IMAGES, CATEGORIES, ANNOTATIONS, INFO};
	for (int order = 0; order < 256; order++) {
		int pick[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3};
		if ((1 << pick[0] | 1 << pick[1] | 1 << pick[2] | 1 << pick[3]) != 15)
			continue;
		char json[1024];
		snprintf(json, sizeof json, "{%s, %s, %s, %s}", sections[pick[0]], sections[pick[1]], sections[pick[2]],
			 sections[pick[3]]);
		struct log log;
		ck_assert_msg(read_log(json, strlen(json), &log) == STATUS_OK, "%s", status_message());
		/* images and categories in the file's order, annotations last */
		ck_assert_ptr_nonnull(strstr(log.text, "image 5 6x4 a.jpg\n"));
		ck_assert_ptr_nonnull(strstr(log.text, "category 90 toothbrush\n"));
		const char *last = strstr(log.text, "annotation 900100284445 of 5 90 crowd 04d0\n");
		ck_assert_ptr_nonnull(last);
		ck_assert_str_eq(strchr(last, '\n'), "\n");
	}
}
END_TEST

/* Python's json writes NaN and Infinity; in keys that nobody reads they do no harm. */
START_TEST(not_finite_where_nobody_reads)
{
	check_log("\xef\xbb\xbf{\"info\": {\"x\": NaN}, \"images\": [], \"annotations\": [{\"id\": 1, \"image_id\": 5, "
		  "\"area\": NaN, \"bbox\": [NaN, Infinity, -Infinity, 1e999], \"score\": NaN, \"segmentation\": "
		  "{\"size\": [4, 6], \"counts\": [4, 4, 16], \"more\": NaN}}]}",
		  "annotation 1 of 5 0 44`0\n");
}
END_TEST

/* One annotation with the given segmentation; the log line from the mask on. */
static void check_mask(const char *segmentation, const char *expected)
{
	char json[1024];
	struct log log;
	snprintf(json, sizeof json, "{\"images\": [], \"annotations\": [{\"id\": 1, \"image_id\": 5%s%s}]}",
		 segmentation ? ", \"segmentation\": " : "", segmentation ? segmentation : "");
	ck_assert_msg(read_log(json, strlen(json), &log) == STATUS_OK, "%s: %s", json, status_message());
	const char *start = "annotation 1 of 5 0 ";
	ck_assert(strncmp(log.text, start, strlen(start)) == 0);
	log.text[log.used - 1] = '\0';
	ck_assert_msg(strstr(log.text + strlen(start), expected) == log.text + strlen(start), "%s: %s", segmentation,
		      log.text);
}

START_TEST(notations_are_told_apart_by_type)
{
	check_mask("{\"size\": [4, 6], \"counts\": [4, 4, 16]}", "44`0");
	check_mask("{\"counts\": \"44`0\", \"size\": [4, 6], \"more\": {}}", "44`0");
	check_mask("{\"counts\": \"\\u00344`\\u0030\", \"size\": [4.0, 6e0]}", "44`0");
	check_mask("[[1, 0, 2, 0, 2, 4, 1, 4]]", "44`0");
	check_mask("[[1, 0, 2, 0, 2, 2, 1, 2], [1, 2, 2, 2, 2, 4, 1, 4]]", "44`0"); /* union */
	check_mask("[1, 0, 2, 0, 2, 4, 1, 4]", "44`0");                             /* flat */
	check_mask("[[1, 0, 1, 4]]", "44`0");                                       /* a box */
	check_mask("[1, 0, 1, 4]", "44`0");
	check_mask("[[1, 0, 1, 2], [1, 2, 1, 2]]", "44`0");
	check_mask("[[1, 0, 2, 0, 2, 4, 1, 4], [3, 0, 5, 4]]", "44`0"); /* not first: a line, which covers nothing */
	check_mask("{\"size\": [2, 2], \"counts\": [4]}", "4");         /* its own size */
	check_mask("{\"size\": [4, 6], \"counts\": [0, 0, 0, 24]}", "000h0");
}
END_TEST

/* What is no polygon is left out where another part is one. */
START_TEST(junk_parts_cost_no_good_ones)
{
	check_mask("[[], [1, 0, 2, 0, 2, 4, 1, 4]]", "44`0");
	check_mask("[[7], [1, 0, 2, 0, 2, 4, 1, 4], [1, 2, 3, 4, 5]]", "44`0");
	check_mask("[[1, 0, 2, 0, 2, 4, 1, 4], [NaN, 0, 2, 0, 2, 4, 1, 4]]", "44`0");
	check_mask("[[1, 0, 2, 0, 2, 4, 1, 4], [0, 0, 1e9, 0, 2, 4]]", "44`0"); /* no coordinate of any photo */
	check_mask("[[1, 2, 3, 4], [1, 0, 2, 0, 2, 4, 1, 4]]", "44`0");         /* a line, although it comes first */
	check_mask("[null, [1, 0, 2, 0, 2, 4, 1, 4], \"x\", {\"a\": [1]}]", "44`0");
	check_mask("[[], [1, 0, 1, 4]]", "44`0"); /* boxes alone */
}
END_TEST

/* Few numbers that cross a large photo again and again are refused before they are drawn; a real outline is not. */
START_TEST(polygons_that_take_too_long)
{
	enum { PARTS = 1800, POINTS = 500 };
	static double numbers[PARTS * 6], outline[2 * POINTS];
	static int ends[PARTS];
	struct coco_segmentation seg = {.form = COCO_POLYGONS, .numbers = numbers, .part_ends = ends};
	struct rle mask;
	for (int i = 0; i < PARTS; i++) {
		const double part[6] = {0, i % 7, 16384, i % 5 + 9, 9, 6000};
		memcpy(numbers + 6 * i, part, sizeof part);
		ends[i] = 6 * (i + 1);
	}
	seg.part_count = PARTS;
	seg.number_count = PARTS * 6;
	ck_assert_int_eq(coco_mask(&seg, 16384, 6000, &mask), STATUS_LIMIT);
	ck_assert(strstr(status_message(), "cross the photo of 16384 x 6000 pixels") && !mask.counts);
	for (int i = 0; i < POINTS; i++) {
		outline[2 * i] = 8000 + 7000 * cos(6.28 * i / POINTS);
		outline[2 * i + 1] = 3000 + 2900 * sin(6.28 * i / POINTS);
	}
	seg = (struct coco_segmentation){.form = COCO_POLYGONS, .numbers = outline, .part_ends = ends};
	ends[0] = seg.number_count = 2 * POINTS;
	seg.part_count = 1;
	ck_assert_int_eq(coco_mask(&seg, 16384, 6000, &mask), STATUS_OK);
	rle_release(&mask);
}
END_TEST

/* Ids as text, no category, LVIS's photos without a name. */
START_TEST(records_as_other_tools_write_them)
{
	check_log("{\"images\": [{\"id\": \"5\", \"width\": 6, \"height\": 4, \"coco_url\": "
		  "\"http://x.org/train2017/1.jpg\"}], \"categories\": [{\"id\": \"-3\", \"name\": \"a\"}], "
		  "\"annotations\": [{\"id\": \"11\", \"image_id\": \"5\", \"category_id\": null, "
		  "\"segmentation\": [[1, 0, 1, 4]]}]}",
		  "image 5 6x4 http://x.org/train2017/1.jpg\n"
		  "category -3 a\n"
		  "annotation 11 of 5 0 44`0\n");
}
END_TEST

/* Results of a detector, or of `tapcut coco rle`: photos are known from what the masks say of them. */
START_TEST(results_lists)
{
	check_log("[{\"image_id\": 9, \"category_id\": 2, \"score\": 0.5, \"segmentation\": {\"size\": [4, 6], "
		  "\"counts\": \"44`0\"}}, {\"id\": 4, \"image_id\": 3, \"file_name\": \"b.jpg\", \"segmentation\": "
		  "{\"size\": [4, 6], \"counts\": [24]}}, {\"image_id\": 9, \"segmentation\": {\"size\": [4, 6], "
		  "\"counts\": [4, 4, 16]}}]",
		  "image 3 6x4 b.jpg\n"
		  "image 9 6x4 \n"
		  "annotation 1 of 9 2 44`0\n"
		  "annotation 4 of 3 0 h0\n"
		  "annotation 3 of 9 0 44`0\n");
	check_log("[]", "");
}
END_TEST

static const char *const unusable_masks[][2] = {
	{NULL, "no segmentation"},
	{"null", "segmentation is null"},
	{"7", "segmentation is 7"},
	{"NaN", "segmentation is NaN"},
	{"[[1, 0, NaN, 0, 2, 4]]", "polygon holds NaN"},
	{"[[1, 0, 2, 1e999, 2, 4]]", "polygon holds 1e999"},
	{"{\"size\": [4, 6], \"counts\": [4, -Infinity, 16]}", "counts holds -Infinity"},
	{"{\"size\": [4, NaN], \"counts\": [24]}", "size is not two whole numbers"},
	{"\"44`0\"", "segmentation is a string"},
	{"[]", "no polygon"},
	{"{}", "no counts in the segmentation"},
	{"{\"counts\": [24]}", "no size in the segmentation"},
	{"{\"size\": [4, 6]}", "no counts in the segmentation"},
	{"{\"size\": [4, 6], \"size\": [4, 6], \"counts\": [24]}", "size stands twice"},
	{"{\"size\": [4, 6], \"counts\": [24], \"counts\": [24]}", "counts stands twice"},
	{"{\"size\": [4], \"counts\": [24]}", "size is not two whole numbers"},
	{"{\"size\": [4, 6, 1], \"counts\": [24]}", "size is not two whole numbers"},
	{"{\"size\": [4, \"6\"], \"counts\": [24]}", "size is not two whole numbers"},
	{"{\"size\": [[4], 6], \"counts\": [24]}", "size is not two whole numbers"},
	{"{\"size\": [4, 5.5], \"counts\": [24]}", "size is not two whole numbers"},
	{"{\"size\": 24, \"counts\": [24]}", "size is 24"},
	{"{\"size\": {\"h\": 4}, \"counts\": [24]}", "size is an object"},
	{"{\"size\": [-4, -6], \"counts\": [24]}", "size [-4, -6]: each side must be"},
	{"{\"size\": [0, 6], \"counts\": [0]}", "size [0, 6]: each side must be"},
	{"{\"size\": [1000000, 1000000], \"counts\": [24]}", "size [1000000, 1000000]: each side must be"},
	{"{\"size\": [9223372036854775807, 6], \"counts\": [24]}", "size [9223372036854775807, 6]"},
	{"{\"size\": [4, 6], \"counts\": 24}", "counts is 24"},
	{"{\"size\": [4, 6], \"counts\": {\"a\": [24]}}", "counts is an object"},
	{"{\"size\": [4, 6], \"counts\": [[24]]}", "counts holds a list"},
	{"{\"size\": [4, 6], \"counts\": [24, null]}", "counts holds null"},
	{"{\"size\": [4, 6], \"counts\": [-1, 25]}", "counts[0] is -1"},
	{"{\"size\": [4, 6], \"counts\": [23.5, 0.5]}", "counts[0] is 23.5"},
	{"{\"size\": [4, 6], \"counts\": [1e300]}", "counts[0] is 1e+300"},
	{"{\"size\": [4, 6], \"counts\": [4294967295, 25]}", "mask of 6 x 4 pixels"},
	{"{\"size\": [4, 6], \"counts\": [23]}", "mask of 6 x 4 pixels: the first 1 runs cover 23 pixels, not 24"},
	{"{\"size\": [4, 6], \"counts\": \"\"}", "mask of 6 x 4 pixels"},
	{"{\"size\": [4, 6], \"counts\": \"h0 \"}", "RLE string: byte 0x20"},
	{"{\"size\": [4, 6], \"counts\": \"h0\\u0000\"}", "RLE string: byte 0x00"},
	{"[[1, 2, 3]]", "polygon of 3 numbers"},
	{"[[]]", "polygon of 0 numbers"},
	{"[[1, 2, 3, 4, 5]]", "polygon of 5 numbers"},
	{"[1, 2, 3]", "polygon of 3 numbers"},
	{"[[1, 2, 3, 4, 5], [1], []]", "polygon of 5 numbers"}, /* the first of several is told */
	{"[[1, 2, 3, \"4\", 5, 6]]", "polygon holds a string"},
	{"[[1, 2, [3, 4], 5, 6, 7, 8]]", "polygon holds a list"},
	{"[[1, 2, 3, 4, 5, 1e9]]", "polygon: coordinate 5 is 1e+09"},
	{"[7, [1, 2, 3, 4, 5, 6]]", "list of polygons holds a list"},
	{"[{\"counts\": [24]}]", "list of polygons holds an object"},
	{"[null]", "list of polygons holds null"},
};

START_TEST(unusable_masks_say_why)
{
	for (size_t i = 0; i < sizeof unusable_masks / sizeof *unusable_masks; i++)
		check_mask(unusable_masks[i][0], unusable_masks[i][1]);
}
END_TEST

START_TEST(what_is_optional_has_defaults)
{
	check_log("{\"images\": [{\"id\": 7}, {\"id\": -3, \"width\": \"x\", \"height\": 1e99, \"file_name\": "
		  "\"\\u00e9\"}], \"annotations\": ["
		  "{\"id\": 1.0, \"image_id\": 7, \"iscrowd\": true, \"segmentation\": [0, 0, 6, 4]}]}",
		  "image 7 0x0 \nimage -3 0x0 \xc3\xa9\nannotation 1 of 7 0 crowd 0h0\n");
	check_log("{\"images\": [], \"annotations\": [], \"categories\": []}", "");
}
END_TEST

static const char *const wrong_files[][2] = {
	{"7", "expected an object or a list of results, found 7"},
	{"[7]", "results[0]: expected an object, found 7"},
	{"[{\"id\": 1}]", "results[0] has no \"image_id\""},
	{"[] []", "expected nothing after the text"},
	{"{}", "no \"annotations\" list"},
	{"{\"annotations\": []}", "no \"images\" list"},
	{"{\"images\": []}", "no \"annotations\" list"},
	{"{\"images\": {}, \"annotations\": []}", "images: expected a list, found an object"},
	{"{\"images\": [], \"images\": [], \"annotations\": []}", "a second \"images\""},
	{"{\"images\": [7], \"annotations\": []}", "images[0]: expected an object, found 7"},
	{"{\"images\": [{}], \"annotations\": []}", "images[0] has no \"id\""},
	{"{\"images\": [{\"id\": \"7a\"}], \"annotations\": []}",
	 "images[0].id: expected a whole number, found a string"},
	{"{\"images\": [{\"id\": \"1234567890123456789\"}], \"annotations\": []}",
	 "images[0].id: expected a whole number, found a string"},
	{"{\"images\": [{\"id\": null}], \"annotations\": []}", "images[0].id: expected a whole number, found null"},
	{"{\"images\": [{\"id\": 7, \"file_name\": 7}], \"annotations\": []}",
	 "images[0].file_name: expected a string"},
	{"{\"images\": [{\"id\": 7, \"file_name\": \"a\\u0000b\"}], \"annotations\": []}",
	 "images[0].file_name: expected no zero byte"},
	{"{\"images\": [{\"id\": 7, \"file_name\": [\"a\"]}], \"annotations\": []}",
	 "images[0].file_name: expected a string"},
	{"{\"images\": [{\"id\": 1}, {\"id\": 1.5}], \"annotations\": []}", "images[1].id: expected a whole number"},
	{"{\"images\": [], \"categories\": [{\"id\": 1, \"name\": null}], \"annotations\": []}",
	 "categories[0].name: expected a string"},
	{"{\"images\": [], \"categories\": [{\"id\": 3000000000}], \"annotations\": []}",
	 "categories[0].id: expected a number of 32 bits"},
	{"{\"images\": [], \"categories\": 1, \"annotations\": []}", "categories: expected a list, found 1"},
	{"{\"images\": [], \"annotations\": {\"id\": 1}}", "annotations: expected a list"},
	{"{\"images\": [], \"annotations\": [[]]}", "annotations[0]: expected an object"},
	{"{\"images\": [], \"annotations\": [{\"id\": 1}]}", "annotations[0] has no \"image_id\""},
	{"{\"images\": [], \"annotations\": [{\"image_id\": 1}]}", "annotations[0] has no \"id\""},
	{"{\"images\": [], \"annotations\": [{\"id\": 1, \"image_id\": {}}]}",
	 "annotations[0].image_id: expected a whole number, found an object"},
	{"{\"images\": [], \"annotations\": [{\"id\": 1, \"image_id\": 1, \"iscrowd\": \"no\"}]}",
	 "annotations[0].iscrowd: expected 0 or 1"},
	{"{\"images\": [], \"annotations\": [{\"id\": NaN, \"image_id\": 1}]}",
	 "annotations[0].id: expected a whole number, found NaN"},
	{"{\"images\": [], \"annotations\": []} x", "expected nothing after the text"},
};

START_TEST(wrong_files_are_refused)
{
	struct log log;
	for (size_t i = 0; i < sizeof wrong_files / sizeof *wrong_files; i++) {
		ck_assert_msg(read_log(wrong_files[i][0], strlen(wrong_files[i][0]), &log) == STATUS_FORMAT,
			      "accepted: %s", wrong_files[i][0]);
		ck_assert_msg(strstr(status_message(), wrong_files[i][1]) != NULL, "%s: %s", wrong_files[i][0],
			      status_message());
		ck_assert_msg(strncmp(status_message(), "test: ", 6) == 0, "%s", status_message());
	}
}
END_TEST

static const char whole[] = "{" INFO "," IMAGES "," ANNOTATIONS "," CATEGORIES
			    ", \"x\": {\"annotations\": [{\"id\": 1, \"segmentation\": [[1,2,3,4,5,6]]}]}}";

START_TEST(truncated_anywhere_is_refused)
{
	struct log log;
	ck_assert_int_eq(read_log(whole, strlen(whole), &log), STATUS_OK);
	for (size_t length = 0; length < strlen(whole); length++) {
		char *exact = malloc(length ? length : 1);
		memcpy(exact, whole, length);
		ck_assert_int_eq(read_log(exact, length, &log), STATUS_FORMAT);
		free(exact);
	}
}
END_TEST

/* Every value replaced by every other type: refused or read, never a crash. */
START_TEST(wrong_types_everywhere_do_no_harm)
{
	static const char *const values[] = {"null", "true", "7",   "-1",    "1e300",        "\"x\"",  "[]",
					     "[[]]", "{}",   "[7]", "[[7]]", "{\"a\": [1]}", "[[[1]]]"};
	struct log log;
	for (const char *colon = strchr(whole, ':'); colon; colon = strchr(colon + 1, ':'))
		for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
			char json[2048];
			/* the old value stays behind under another key, so that the text is JSON again */
			snprintf(json, sizeof json, "%.*s %s, \"old\":%s", (int)(colon + 1 - whole), whole, values[v],
				 colon + 1);
			read_log(json, strlen(json), &log);
		}
}
END_TEST

START_TEST(damaged_bytes_do_no_harm)
{
	struct log log;
	for (int round = 0; round < 5000; round++) {
		struct rng rng = rng_stream(11, (uint32_t)round, 0, RNG_TEST);
		static const char bytes[] = "[]{},:\"\\019-.etfnu \n\x01\xff";
		char text[sizeof whole];
		memcpy(text, whole, sizeof whole);
		for (int i = 1 + (int)rng_below(&rng, 4); i > 0; i--)
			text[rng_below(&rng, sizeof whole - 1)] = bytes[rng_below(&rng, sizeof bytes - 1)];
		read_log(text, sizeof whole - 1, &log);
	}
}
END_TEST

static enum status stop(void *context, const struct coco_annotation *a)
{
	(void)context;
	return status_fail(STATUS_INTERRUPTED, "stopped at %" PRId64, a->id);
}

START_TEST(a_callback_can_stop)
{
	const struct coco_visitor visitor = {.annotation = stop};
	ck_assert_int_eq(coco_read_memory(whole, strlen(whole), "test", &visitor), STATUS_INTERRUPTED);
	ck_assert_str_eq(status_message(), "stopped at 900100284445");
}
END_TEST

START_TEST(many_parts_are_united)
{
	/* 60 x 40 boxes of one pixel, most of them outside */
	size_t size = 200000, used = 0;
	char *json = malloc(size);
	used += (size_t)sprintf(json,
				"{\"images\": [], \"annotations\": [{\"id\": 1, \"image_id\": 1, \"segmentation\": [");
	for (int i = 0; i < 2400; i++)
		used += (size_t)sprintf(json + used, "%s[%d, %d, 1, 1]", i ? "," : "", i % 60, i / 60);
	sprintf(json + used, "]}]}");
	struct log log;
	ck_assert_int_eq(read_log(json, strlen(json), &log), STATUS_OK);
	ck_assert_str_eq(log.text, "annotation 1 of 1 0 0h0\n"); /* covers all of 6 x 4 */
	free(json);
}
END_TEST

/* `tapcut coco rle`. */

static const char *export_to(const char *in, struct coco_rle_export *export)
{
	static char path[700];
	snprintf(path, sizeof path, "%s/out.json", test_tmp_dir("coco"));
	ck_assert_msg(coco_rle_export(export, in, path) == STATUS_OK, "%s", status_message());
	return path;
}

START_TEST(export_equals_the_reference)
{
	char in[1024];
	const char *found = test_shared_data("coco_rle/polygons.json");
	if (!found)
		return;
	snprintf(in, sizeof in, "%s", found);
	struct coco_rle_export export = {0};
	struct json *written, *expected;
	ck_assert_msg(json_read_file(export_to(in, &export), &written) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(json_read_file(test_shared_data("coco_rle/expected_rle.json"), &expected), STATUS_OK);
	ck_assert_int_eq(json_array_size(written), 200);
	int equal = 0;
	for (int i = 0; i < 200; i++) {
		const struct json *a = json_array_item(written, i), *b = json_array_item(expected, i);
		const struct json *mask = json_get(a, "segmentation");
		static const char *const numbers[] = {"id", "area"};
		bool same = strcmp(json_string(json_get(mask, "counts")), json_string(json_get(b, "counts"))) == 0;
		for (int n = 0; n < 2; n++) {
			double x, y;
			ck_assert_int_eq(json_number(json_get(a, numbers[n]), &x), STATUS_OK);
			ck_assert_int_eq(json_number(json_get(b, numbers[n]), &y), STATUS_OK);
			same = same && x == y;
		}
		for (int n = 0; n < 2; n++) {
			double x, y;
			json_number(json_array_item(json_get(mask, "size"), n), &x);
			json_number(json_array_item(json_get(b, "size"), n), &y);
			same = same && x == y;
		}
		equal += same;
	}
	ck_assert_int_eq(equal, 200);
	json_free(written);
	json_free(expected);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

START_TEST(export_stops_or_skips)
{
	char in[700], out[700];
	const char *dir = test_tmp_dir("coco_export");
	snprintf(in, sizeof in, "%s/in.json", dir);
	snprintf(out, sizeof out, "%s/out.json", dir);
	write_file(in, "{\"annotations\": [{\"id\": 1, \"image_id\": 1, \"segmentation\": []}, {\"id\": 2, "
		       "\"image_id\": 1, \"segmentation\": "
		       "[0, 0, 1, 1]}, {\"id\": 3, \"image_id\": 9, \"segmentation\": [0, 0, 1, 1]}], "
		       "\"images\": [{\"id\": 1, \"width\": 1, \"height\": 1}]}");
	struct coco_rle_export export = {0};
	ck_assert_int_eq(coco_rle_export(&export, in, out), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "in.json: annotation 1: no polygon"));
	ck_assert_ptr_null(fopen(out, "rb"));
	export.skip_unusable = true;
	ck_assert_int_eq(coco_rle_export(&export, in, out), STATUS_OK);
	ck_assert_int_eq(export.written, 1);
	ck_assert_int_eq(export.left_out, 2);
	ck_assert_int_eq(coco_rle_export(&export, in, in), STATUS_CONFIG);
	snprintf(out, sizeof out, "%s/no/out.json", dir);
	ck_assert_int_eq(coco_rle_export(&export, in, out), STATUS_IO);
	ck_assert_int_eq(coco_rle_export(&export, "no.json", in), STATUS_IO);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("coco");
	TCase *good = tcase_create("reading");
	tcase_set_timeout(good, 60); /* a busy machine, a sanitizer */
	tcase_add_test(good, sections_in_any_order);
	tcase_add_test(good, not_finite_where_nobody_reads);
	tcase_add_test(good, notations_are_told_apart_by_type);
	tcase_add_test(good, junk_parts_cost_no_good_ones);
	tcase_add_test(good, polygons_that_take_too_long);
	tcase_add_test(good, results_lists);
	tcase_add_test(good, records_as_other_tools_write_them);
	tcase_add_test(good, unusable_masks_say_why);
	tcase_add_test(good, what_is_optional_has_defaults);
	tcase_add_test(good, a_callback_can_stop);
	tcase_add_test(good, many_parts_are_united);
	suite_add_tcase(suite, good);
	TCase *bad = tcase_create("damage");
	tcase_set_timeout(bad, 60); /* a busy machine, a sanitizer */
	tcase_add_test(bad, wrong_files_are_refused);
	tcase_add_test(bad, truncated_anywhere_is_refused);
	tcase_add_test(bad, wrong_types_everywhere_do_no_harm);
	tcase_add_test(bad, damaged_bytes_do_no_harm);
	suite_add_tcase(suite, bad);
	TCase *export = tcase_create("export");
	tcase_set_timeout(export, 60); /* a busy machine, a sanitizer */
	tcase_add_test(export, export_equals_the_reference);
	tcase_add_test(export, export_stops_or_skips);
	suite_add_tcase(suite, export);
	return suite;
}

TEST_MAIN(make_suite)
