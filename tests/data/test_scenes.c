/* The generated data set: the same bytes again, whole COCO, masks that agree with the pictures, and the property it
 * exists for: no answer that ignores the click can be right. */
#include "data/scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/dataset_open.h"
#include "data/image_io.h"
#include "data/scenes_parts.h"
#include "tests/support/test.h"

enum { W = 160, H = 120 };

/* --- outlines ------------------------------------------------------------- */

static void mask_of(const char *text, int width, int height, uint8_t *mask)
{
	for (int i = 0; i < width * height; i++)
		mask[i] = text[i] == '#';
}

static const struct {
	const char *text;
	int simple;
} simple_cases[] = {
	{"......"
	 ".####."
	 ".####."
	 "......",
	 1},
	{"######"
	 "######"
	 "######"
	 "######",
	 1},
	{"######"
	 "#....#"
	 "######"
	 "......",
	 0},
	{"##...."
	 "##..##"
	 "....##"
	 "......",
	 0},
	{"##...."
	 "##...." /* a corner does not hold together */
	 "..##.."
	 "......",
	 0},
	{"......"
	 "......"
	 "......"
	 "......",
	 0},
	{"###..."
	 "#.#..." /* open at a corner, where the outline goes in and out */
	 "#..#.."
	 "####..",
	 1},
	{"#....."
	 "......"
	 "......"
	 "......",
	 1},
};

START_TEST(simple_masks)
{
	for (size_t i = 0; i < sizeof simple_cases / sizeof *simple_cases; i++) {
		uint8_t mask[24];
		int simple = -1;
		mask_of(simple_cases[i].text, 6, 4, mask);
		ck_assert_int_eq(mask_is_simple(mask, 6, 4, &simple), STATUS_OK);
		ck_assert_msg(simple == simple_cases[i].simple, "case %zu: %d", i, simple);
	}
}
END_TEST

START_TEST(specks_go)
{
	uint8_t mask[24], expected[24];
	mask_of("##...#"
		"##..#."
		"....##"
		"......",
		6, 4, mask);
	mask_of("##...."
		"##...."
		"......"
		"......",
		6, 4, expected);
	ck_assert_int_eq(mask_remove_specks(mask, 6, 4, 4), STATUS_OK);
	ck_assert_mem_eq(mask, expected, 24);
}
END_TEST

static double overlap(const uint8_t *a, const uint8_t *b, int count)
{
	int both = 0, either = 0;
	for (int i = 0; i < count; i++) {
		both += a[i] && b[i];
		either += a[i] || b[i];
	}
	return either ? (double)both / either : 1;
}

/* Polygons of real outlines, rasterised as COCO does, give the mask back but for a thin edge. */
START_TEST(polygons_follow_the_mask)
{
	double worst = 1, sum = 0;
	int count = 0;
	for (uint64_t n = 0; n < 8; n++) {
		struct scene scene;
		ck_assert_int_eq(scene_render(&scene, 3, n, 320, 240), STATUS_OK);
		for (int i = 0; i < scene.object_count; i++) {
			int simple, points;
			double *xy;
			struct rle rle;
			uint8_t *back = malloc(320 * 240);
			ck_assert_int_eq(mask_is_simple(scene.masks[i], 320, 240, &simple), STATUS_OK);
			if (simple) {
				ck_assert_int_eq(mask_trace(scene.masks[i], 320, 240, 0.7, &xy, &points), STATUS_OK);
				ck_assert_int_ge(points, 6);
				ck_assert_int_le(points, 400);
				ck_assert_int_eq(rle_from_polygon(&rle, xy, points, 320, 240), STATUS_OK);
				rle_to_mask(&rle, back);
				double iou = overlap(back, scene.masks[i], 320 * 240);
				worst = iou < worst ? iou : worst;
				sum += iou;
				count++;
				rle_release(&rle);
				free(xy);
			}
			free(back);
		}
		scene_release(&scene);
	}
	ck_assert_int_gt(count, 10);
	ck_assert_msg(worst > 0.93 && sum / count > 0.97, "worst %g, mean %g of %d", worst, sum / count, count);
}
END_TEST

START_TEST(trace_of_nothing_and_of_one_pixel)
{
	uint8_t mask[24] = {0};
	double *xy;
	int count;
	ck_assert_int_eq(mask_trace(mask, 6, 4, 0.7, &xy, &count), STATUS_OK);
	ck_assert_int_eq(count, 0);
	free(xy);
	mask[23] = 1;
	ck_assert_int_eq(mask_trace(mask, 6, 4, 0.1, &xy, &count), STATUS_OK);
	ck_assert_int_eq(count, 8);
	free(xy);
}
END_TEST

/* --- scenes --------------------------------------------------------------- */

START_TEST(several_separate_objects)
{
	int total = 0, kinds[SHAPE_KINDS] = {0}, all_kinds = 0;
	for (uint64_t n = 0; n < 30; n++) {
		struct scene scene;
		static uint8_t taken[W * H];
		memset(taken, 0, sizeof taken);
		ck_assert_int_eq(scene_render(&scene, 7, n, W, H), STATUS_OK);
		ck_assert_int_ge(scene.object_count, 2);
		ck_assert_int_le(scene.object_count, SCENE_MAX_OBJECTS);
		total += scene.object_count;
		for (int i = 0; i < scene.object_count; i++) {
			int area = 0;
			kinds[scene.kinds[i]]++;
			for (int p = 0; p < W * H; p++) {
				if (scene.masks[i][p] && taken[p])
					ck_abort_msg("scene %d: pixel %d belongs to two objects", (int)n, p);
				taken[p] |= scene.masks[i][p];
				area += scene.masks[i][p];
			}
			ck_assert_int_ge(area, W * H / 250);
			ck_assert_int_le(area, W * H / 2);
		}
		scene_release(&scene);
	}
	ck_assert_int_gt(total, 30 * 3);
	for (int k = 0; k < SHAPE_KINDS; k++)
		all_kinds += kinds[k] > 0;
	ck_assert_int_eq(all_kinds, SHAPE_KINDS);
}
END_TEST

/* The best single mask per photo, were it known, against each of its objects in turn: IoU is 1 at most for one of
 * them. */
START_TEST(ignoring_the_click_fails)
{
	double sum = 0;
	int count = 0;
	for (uint64_t n = 0; n < 16; n++) {
		struct scene scene;
		ck_assert_int_eq(scene_render(&scene, 11, n, W, H), STATUS_OK);
		double best = 0;
		for (int guess = -1; guess < scene.object_count; guess++) {
			static uint8_t answer[W * H];
			double mean = 0;
			memset(answer, 0, sizeof answer);
			for (int i = 0; i < scene.object_count; i++)
				for (int p = 0; p < W * H; p++)
					answer[p] |= (guess < 0 || guess == i) && scene.masks[i][p];
			for (int i = 0; i < scene.object_count; i++)
				mean += overlap(answer, scene.masks[i], W * H) / scene.object_count;
			best = mean > best ? mean : best;
		}
		sum += best * scene.object_count;
		count += scene.object_count;
		scene_release(&scene);
	}
	ck_assert_msg(sum / count < 0.5, "mean IoU %g without looking at the click", sum / count);
}
END_TEST

/* Objects are there: their colours differ from the photo's around them, but thresholds on colour would not find
 * them. */
START_TEST(objects_share_colours_with_the_ground)
{
	int shared = 0, scenes = 16;
	for (uint64_t n = 0; n < (uint64_t)scenes; n++) {
		struct scene scene;
		static int histogram[2][4096];
		memset(histogram, 0, sizeof histogram);
		ck_assert_int_eq(scene_render(&scene, 13, n, W, H), STATUS_OK);
		int object_pixels = 0, common = 0;
		for (int p = 0; p < W * H; p++) {
			const uint8_t *c = scene.photo.pixels + 3 * p;
			int on = 0;
			for (int i = 0; i < scene.object_count; i++)
				on |= scene.masks[i][p];
			histogram[on][(c[0] >> 4) << 8 | (c[1] >> 4) << 4 | c[2] >> 4]++;
			object_pixels += on;
		}
		for (int i = 0; i < 4096; i++)
			common += histogram[0][i] ? histogram[1][i] : 0;
		shared += common * 3 > object_pixels;
		scene_release(&scene);
	}
	ck_assert_msg(shared * 2 > scenes, "colours are shared in %d of %d scenes only", shared, scenes);
}
END_TEST

/* --- files ---------------------------------------------------------------- */

static char first_dir[1100], second_dir[1100];

static struct scenes_options options_for(const char *dir, int count)
{
	struct scenes_options options;
	scenes_options_init(&options);
	options.out_dir = dir;
	options.count = count;
	options.seed = 5;
	options.width = W;
	options.height = H;
	return options;
}

static void write_set(const char *dir, int count)
{
	struct scenes_options options = options_for(dir, count);
	ck_assert_msg(scenes_write(&options) == STATUS_OK, "%s", status_message());
}

static void make_dirs(void)
{
	const char *tmp = test_tmp_dir("scenes");
	snprintf(first_dir, sizeof first_dir, "%s/deep/first", tmp);
	snprintf(second_dir, sizeof second_dir, "%s/second", tmp);
}

static char *slurp(const char *dir, const char *name, size_t *size)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s", path);
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	char *data = calloc(*size + 1, 1);
	ck_assert_uint_eq(fread(data, 1, *size, file), *size);
	fclose(file);
	return data;
}

static void assert_same_file(const char *a_dir, const char *b_dir, const char *name)
{
	size_t a_size, b_size;
	char *a = slurp(a_dir, name, &a_size), *b = slurp(b_dir, name, &b_size);
	ck_assert_uint_eq(a_size, b_size);
	ck_assert_mem_eq(a, b, a_size);
	free(a), free(b);
}

START_TEST(same_options_same_bytes)
{
	make_dirs();
	write_set(first_dir, 6);
	write_set(second_dir, 9);
	/* Photos do not depend on how many there are. */
	assert_same_file(first_dir, second_dir, "images/000006.jpg");
	write_set(second_dir, 6);
	assert_same_file(first_dir, second_dir, "instances.json");
	for (int i = 1; i <= 6; i++) {
		char name[32];
		snprintf(name, sizeof name, "images/%06d.jpg", i);
		assert_same_file(first_dir, second_dir, name);
	}
}
END_TEST

START_TEST(set_reads_back)
{
	make_dirs();
	write_set(first_dir, 12);
	char json[1200];
	snprintf(json, sizeof json, "%s/instances.json", first_dir);
	struct dataset dataset;
	struct dataset_filter filter = {0};
	ck_assert_msg(dataset_open(&dataset, json, NULL, &filter) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(dataset.photo_count, 12);
	ck_assert_int_gt(dataset.object_count, 30);
	ck_assert_int_eq(dataset.skips.bad_segmentation + dataset.skips.missing_file + dataset.skips.unknown_photo, 0);
	/* The masks that were rendered, polygons approximately; scene n is photo n. */
	int object = 0;
	for (int n = 0; n < 12; n++) {
		struct scene scene;
		struct image photo;
		ck_assert_int_eq(scene_render(&scene, 5, (uint64_t)n, W, H), STATUS_OK);
		ck_assert_int_eq(dataset_read_photo(&dataset, n, &photo), STATUS_OK);
		long difference = 0;
		for (int i = 0; i < W * H * 3; i++)
			difference += labs((long)photo.pixels[i] - scene.photo.pixels[i]);
		ck_assert_int_lt(difference, 9 * W * H * 3);
		for (int i = 0; i < scene.object_count; i++, object++) {
			static uint8_t mask[W * H];
			ck_assert_int_eq(dataset.objects[object].photo, n);
			ck_assert_int_eq(dataset.objects[object].category, (int)scene.kinds[i] + 1);
			rle_to_mask(&dataset.objects[object].mask, mask);
			double iou = overlap(mask, scene.masks[i], W * H);
			ck_assert_msg(iou > (object % 3 == 0 ? 0.88 : 0.9999), "object %d: %g", object, iou);
		}
		image_release(&photo);
		scene_release(&scene);
	}
	ck_assert_int_eq(object, dataset.object_count);
	dataset_release(&dataset);
}
END_TEST

static int occurrences(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

START_TEST(all_three_forms)
{
	make_dirs();
	write_set(first_dir, 20);
	size_t size;
	char *json = slurp(first_dir, "instances.json", &size);
	ck_assert_int_gt(occurrences(json, "\"segmentation\": [["), 8);
	ck_assert_int_gt(occurrences(json, "\"counts\": \""), 16);
	ck_assert_int_gt(occurrences(json, "\"counts\": ["), 16);
	ck_assert_int_eq(occurrences(json, "\"file_name\""), 20);
	ck_assert_int_eq(occurrences(json, "\"supercategory\""), SHAPE_KINDS);
	free(json);
}
END_TEST

START_TEST(impossible_requests)
{
	make_dirs();
	struct scenes_options options = options_for(first_dir, 0);
	ck_assert_int_eq(scenes_write(&options), STATUS_CONFIG);
	options = options_for(first_dir, 1);
	options.width = 10;
	ck_assert_int_eq(scenes_write(&options), STATUS_CONFIG);
	options.width = 1 << 30;
	ck_assert_int_eq(scenes_write(&options), STATUS_CONFIG);
	options = options_for(first_dir, 1);
	options.quality = 101;
	ck_assert_int_eq(scenes_write(&options), STATUS_CONFIG);
	/* A file where the folder should be. */
	options = options_for(second_dir, 1);
	FILE *file = fopen(second_dir, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(scenes_write(&options), STATUS_IO);
	ck_assert_ptr_nonnull(strstr(status_message(), "second"));
}
END_TEST

/* The same pixels from every compiler and on every machine. A change of the generator changes this number,
 * knowingly. */
START_TEST(golden_scene)
{
	struct scene scene;
	uint32_t hash = 2166136261u; /* FNV-1a */
	ck_assert_int_eq(scene_render(&scene, 1, 5, W, H), STATUS_OK);
	for (int i = 0; i < W * H * 3; i++)
		hash = (hash ^ scene.photo.pixels[i]) * 16777619u;
	for (int i = 0; i < W * H; i++)
		hash = (hash ^ scene.masks[0][i]) * 16777619u;
	scene_release(&scene);
	ck_assert_msg(hash == 0xf39f5b36u, "hash is now 0x%08x", hash);
}
END_TEST

/* Small and odd sizes. */
START_TEST(any_size)
{
	static const int sizes[][2] = {{48, 48}, {49, 200}, {333, 51}};
	for (int i = 0; i < 3; i++)
		for (uint64_t n = 0; n < 5; n++) {
			struct scene scene;
			ck_assert_int_eq(scene_render(&scene, 1, n, sizes[i][0], sizes[i][1]), STATUS_OK);
			ck_assert_int_ge(scene.object_count, 1);
			scene_release(&scene);
		}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("scenes");
	TCase *outlines = tcase_create("outlines");
	tcase_set_timeout(outlines, 60);
	tcase_add_test(outlines, simple_masks);
	tcase_add_test(outlines, specks_go);
	tcase_add_test(outlines, polygons_follow_the_mask);
	tcase_add_test(outlines, trace_of_nothing_and_of_one_pixel);
	suite_add_tcase(suite, outlines);
	TCase *scenes = tcase_create("scenes");
	tcase_set_timeout(scenes, 60);
	tcase_add_test(scenes, several_separate_objects);
	tcase_add_test(scenes, ignoring_the_click_fails);
	tcase_add_test(scenes, objects_share_colours_with_the_ground);
	tcase_add_test(scenes, golden_scene);
	tcase_add_test(scenes, any_size);
	suite_add_tcase(suite, scenes);
	TCase *files = tcase_create("files");
	tcase_set_timeout(files, 60);
	tcase_add_test(files, same_options_same_bytes);
	tcase_add_test(files, set_reads_back);
	tcase_add_test(files, all_three_forms);
	tcase_add_test(files, impossible_requests);
	suite_add_tcase(suite, files);
	return suite;
}

TEST_MAIN(make_suite)
