/* tapcut edit as a user runs it: taps or a mask in, edited photos and masks as files out, and what it says to a wrong
 * command line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "data/rle.h"
#include "infer/tapcut_edit.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

enum { W = 160, H = 120 };

static char dir[1024];

/* A red square on blue stripes, and its mask with a soft edge, once for all tests. */
static void make_files(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_edit"));
	struct image photo, mask;
	ck_assert_int_eq(image_alloc(&photo, W, H, 3), STATUS_OK);
	ck_assert_int_eq(image_alloc(&mask, W, H, 1), STATUS_OK);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int at = y * W + x, in = x >= 50 && x < 110 && y >= 30 && y < 90;
			static const uint8_t red[] = {220, 30, 30}, blue[] = {20, 40, 200}, pale[] = {90, 120, 230};
			memcpy(photo.pixels + 3 * at, in ? red : x / 4 % 2 ? blue : pale, 3);
			mask.pixels[at] = (uint8_t)(in ? x == 50 || x == 109 ? 140 : 255 : 0);
		}
	ck_assert_int_eq(image_write_png(in(dir, "photo.png"), &photo), STATUS_OK);
	ck_assert_int_eq(image_write_png(in(dir, "mask.png"), &mask), STATUS_OK);
	image_release(&photo);
	image_release(&mask);
}

static struct image read_image(const char *name, int channels)
{
	const struct image_read_options read = {.channels = channels, .exif = EXIF_IGNORE};
	struct image image;
	ck_assert_int_eq(image_read(in(dir, name), &read, &image), STATUS_OK);
	ck_assert(image.width == W && image.height == H);
	return image;
}

/* Runs `edit photo.png --mask-in mask.png ARGUMENTS -o OUT`; the picture. */
static struct image edited(const char *arguments, const char *out, int channels)
{
	tapcut_ok("edit %s/photo.png --mask-in %s/mask.png %s -o %s/%s", dir, dir, arguments, dir, out);
	return read_image(out, channels);
}

static const uint8_t *at(const struct image *image, int x, int y)
{
	return image->pixels + (size_t)(y * W + x) * (size_t)image->channels;
}

START_TEST(list_and_help_name_every_filter)
{
	const struct program_result *r = tapcut_ok("edit --list");
	for (int i = 0; i < tapcut_filter_count(); i++)
		ck_assert_msg(strstr(r->out, tapcut_filter(i)->name) != NULL, "no %s", tapcut_filter(i)->name);
}
END_TEST

START_TEST(focus_blurs_the_background_only)
{
	struct image before = read_image("photo.png", 3), after = edited("--focus blur=8", "focus.png", 3);
	ck_assert(memcmp(at(&before, 80, 60), at(&after, 80, 60), 3) == 0);
	ck_assert(memcmp(at(&before, 51, 31), at(&after, 51, 31), 3) == 0);
	/* The stripes become one blue, without a touch of red beside the square. */
	ck_assert_int_lt(abs(at(&after, 20, 60)[1] - at(&after, 24, 60)[1]), 16);
	ck_assert_int_lt(at(&after, 48, 60)[0], 100);
	image_release(&after);
	after = edited("--focus blur=5%,depth=0.5", "focus2.png", 3);
	image_release(&after);
	image_release(&before);
}
END_TEST

START_TEST(edits_in_order)
{
	struct image one = edited("--filter invert=1 --where everywhere --background white", "order1.png", 3);
	ck_assert(at(&one, 80, 60)[0] == 35 && at(&one, 5, 5)[0] == 255 && at(&one, 5, 5)[2] == 255);
	image_release(&one);
	one = edited("--background #102030 --filter invert=1 --where everywhere", "order2.png", 3);
	ck_assert(at(&one, 5, 5)[0] == 239 && at(&one, 5, 5)[1] == 223 && at(&one, 5, 5)[2] == 207);
	image_release(&one);
	one = edited("--filter colour_pop", "pop.jpg", 3);
	ck_assert(abs(at(&one, 5, 5)[0] - at(&one, 5, 5)[2]) < 12 && at(&one, 80, 60)[0] > at(&one, 80, 60)[2] + 100);
	image_release(&one);
	one = edited("--filter duotone --colours #000000,#ffffff", "duo.png", 3);
	ck_assert(at(&one, 5, 5)[0] == at(&one, 5, 5)[2]);
	image_release(&one);
	char picture[1200];
	snprintf(picture, sizeof picture, "--background %s/mask.png", dir);
	one = edited(picture, "picture.png", 3);
	ck_assert(at(&one, 5, 5)[0] == 0 && at(&one, 80, 60)[0] == 220);
	image_release(&one);
}
END_TEST

START_TEST(cutouts_have_alpha)
{
	struct image straight = edited("--background transparent", "cut.png", 4);
	struct image multiplied = edited("--background transparent --premultiplied", "pre.png", 4),
		     mask = read_image("mask.png", 1);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++) {
				ck_assert_int_eq(at(&straight, x, y)[3], *at(&mask, x, y));
				ck_assert_int_eq(at(&multiplied, x, y)[c],
						 (int)floor(at(&straight, x, y)[c] * *at(&mask, x, y) / 255.0 + 0.5));
			}
	image_release(&straight);
	image_release(&multiplied);
	image_release(&mask);
}
END_TEST

static struct json *read_json(const char *name)
{
	struct json *root;
	ck_assert_int_eq(json_read_file(in(dir, name), &root), STATUS_OK);
	return root;
}

/* The mask as RLE and as polygon, read again, is the mask. */
START_TEST(masks_as_files)
{
	tapcut_ok("edit %s/photo.png --mask-in %s/mask.png --mask %s/m.png --alpha %s/a.png --rle %s/m.json --polygon "
		  "%s/p.json",
		  dir, dir, dir, dir, dir, dir);
	ck_assert(!exists("photo-edited.png"));
	struct image mask = read_image("m.png", 1), alpha = read_image("a.png", 1), soft = read_image("mask.png", 1);
	ck_assert(memcmp(alpha.pixels, soft.pixels, W * H) == 0);
	struct json *root = read_json("m.json");
	const char *counts = json_string(json_get(root, "counts"));
	struct rle rle;
	static uint8_t drawn[W * H];
	ck_assert_int_eq(rle_from_string(&rle, counts, strlen(counts), W, H), STATUS_OK);
	rle_to_mask(&rle, drawn);
	rle_release(&rle);
	for (int i = 0; i < W * H; i++)
		ck_assert_int_eq(drawn[i] != 0, mask.pixels[i] != 0);
	json_free(root);
	root = read_json("p.json");
	double area, numbers[64];
	ck_assert(json_number(json_get(root, "area"), &area) == STATUS_OK && area == 60 * 60);
	const struct json *polygon = json_first(json_get(root, "segmentation"));
	int count = 0;
	for (const struct json *v = json_first(polygon); v && count < 64; v = json_next(v))
		json_number(v, &numbers[count++]);
	ck_assert_int_le(count, 20);
	ck_assert_int_eq(rle_from_polygon(&rle, numbers, count, W, H), STATUS_OK);
	ck_assert(rle_area(&rle) > 3500 && rle_area(&rle) <= 3600);
	rle_release(&rle);
	json_free(root);
	image_release(&mask);
	image_release(&alpha);
	image_release(&soft);
}
END_TEST

/* The released network, a tap, a filter. */
START_TEST(taps_select)
{
	const struct program_result *r = tapcut_ok("edit %s/photo.png --tap 80,60 --not 5,5 --feather 3 --graph-cut "
						   "--threads 2 --filter black_and_white --where inside -o %s/tap.png",
						   dir, dir);
	ck_assert(strstr(r->out, "black_and_white 1:") != NULL);
	struct image after = read_image("tap.png", 3);
	ck_assert_int_eq(at(&after, 80, 60)[0], at(&after, 80, 60)[2]);
	ck_assert_int_ne(at(&after, 3, 3)[0], at(&after, 3, 3)[2]);
	image_release(&after);
}
END_TEST

/* The pixels of the whole result that lie in the box of the object and its margin, cut off at the photo's sides. */
START_TEST(crops_to_the_object)
{
	static const struct {
		int margin, x0, y0, x1, y1;
	} crops[] = {{0, 50, 30, 110, 90}, {7, 43, 23, 117, 97}, {35, 15, 0, 145, 120}, {16384, 0, 0, W, H}};
	const struct image_read_options read = {.channels = 3, .exif = EXIF_IGNORE};
	struct image whole = edited("--filter sepia", "whole.png", 3), part;
	for (size_t i = 0; i < sizeof crops / sizeof crops[0]; i++) {
		tapcut_ok("edit %s/photo.png --mask-in %s/mask.png --filter sepia --crop %d -o %s/part.png", dir, dir,
			  crops[i].margin, dir);
		ck_assert_int_eq(image_read(in(dir, "part.png"), &read, &part), STATUS_OK);
		ck_assert_int_eq(part.width, crops[i].x1 - crops[i].x0);
		ck_assert_int_eq(part.height, crops[i].y1 - crops[i].y0);
		for (int y = 0; y < part.height; y++)
			ck_assert_mem_eq(part.pixels + (size_t)(3 * y * part.width),
					 at(&whole, crops[i].x0, crops[i].y0 + y), (size_t)(3 * part.width));
		image_release(&part);
	}
	image_release(&whole);
}
END_TEST

START_TEST(quality_of_a_jpeg)
{
	size_t coarse, fine;
	tapcut_ok("edit %s/photo.png --mask-in %s/mask.png --filter sepia --quality 20 -o %s/20.jpg", dir, dir, dir);
	tapcut_ok("edit %s/photo.png --mask-in %s/mask.png --filter sepia --quality 100 -o %s/100.jpg", dir, dir, dir);
	free(slurp(in(dir, "20.jpg"), &coarse));
	free(slurp(in(dir, "100.jpg"), &fine));
	ck_assert_uint_lt(2 * coarse, fine);
}
END_TEST

/* A script sees by the exit code that a tap found nothing; what was asked for is written all the same. */
START_TEST(nothing_selected)
{
	const char *what = "nothing is selected: tap on another part of the object";
	tapcut_fails(1, what, "edit %s/photo.png --not 80,60 --filter sepia -o %s/nothing.png", dir, dir);
	tapcut_fails(1, what, "cut %s/photo.png --not 80,60 --crop 3 --cutout %s/none.png --mask %s/none-mask.png", dir,
		     dir, dir);
	struct image nothing = read_image("nothing.png", 3), mask = read_image("none-mask.png", 1);
	for (int i = 0; i < W * H; i++)
		ck_assert_int_eq(mask.pixels[i], 0);
	image_release(&nothing);
	image_release(&mask);
	const struct program_result *r =
		tapcut_ok("cut %s/photo.png --tap 80,60 --json --cutout %s/some.png", dir, dir);
	struct json *root;
	ck_assert_int_eq(json_parse(r->out, strlen(r->out), "cut --json", &root), STATUS_OK);
	const struct json *box = json_first(json_get(root, "box"));
	double x = 0, width = 0;
	ck_assert(json_number(box, &x) == STATUS_OK && x > 30 && x < 80);
	ck_assert(json_number(json_next(json_next(box)), &width) == STATUS_OK && x + width > 80 && x + width < 130);
	json_free(root);
}
END_TEST

START_TEST(wrong_command_lines)
{
	static const char *const lines[][2] = {
		{"--tap 1,1 --filter nosuch", "--list"},
		{"--tap 1,1 --filter exposure=3", "-1 to 1"},
		{"--tap 1,1 --filter exposure=x", "-1 to 1"},
		{"--tap 1,1 --focus blur=-1", "0 to 400"},
		{"--tap 1,1 --focus strong", "blur=PIXELS"},
		{"--tap 1,1 --focus blur=3,depth=2", "a depth from 0 to 1, found"},
		{"--tap 1,1 --focus blur=3,deep", "blur=PIXELS"},
		{"--tap 1,1 --background #12345", "#3060c0"},
		{"--tap 1,1 --where inside", "after the edit"},
		{"--tap 1,1 --filter sepia --where here", "--where: expected everywhere, inside or outside, found"},
		{"--tap 1,1 --filter sepia --colours #000000,#ffffff", "duotone"},
		{"--tap 1,1 --filter duotone --colours #000000", "two colours"},
		{"--tap 1,1 --filter sepia -o x.gif", "a name that ends with .png, .jpg or .jpeg, found"},
		{"--tap 1,1 --background transparent -o x.jpg", "JPEG has no transparency"},
		{"--tap 1,1 --filter sepia --premultiplied", "transparent"},
		{"--tap 1,1 --feather 1000 --filter sepia", "0 to 200"},
		{"--tap 1,1 --threads 0 --filter sepia", "1 to 64"},
		{"--tap 1,1", "nothing to do"},
		{"--tap 1,1 --mask-in x.png --filter sepia", "either"},
		{"--filter sepia", "--tap X,Y is missing"},
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		tapcut_fails(2, lines[i][1], "edit %s/photo.png %s", dir, lines[i][0]);
	tapcut_fails(1, "no-such", "edit %s/no-such.png --tap 1,1 --filter sepia", dir);
	tapcut_fails(1, "no-such", "edit %s/photo.png --mask-in %s/mask.png --background no-such -o %s/x.png", dir, dir,
		     dir);
	tapcut_fails(1, "outside the photo", "edit %s/photo.png --tap 999,1 --filter sepia -o %s/x.png", dir, dir);
	tapcut_fails(1, "x.png", "edit %s/photo.png --mask-in %s/mask.png --filter sepia -o %s/no/x.png", dir, dir,
		     dir);
	ck_assert(!exists(in(dir, "x.png")));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli edit");
	TCase *tcase = tcase_create("edit");
	tcase_set_timeout(tcase, 120);
	tcase_add_unchecked_fixture(tcase, make_files, NULL);
	tcase_add_test(tcase, list_and_help_name_every_filter);
	tcase_add_test(tcase, focus_blurs_the_background_only);
	tcase_add_test(tcase, edits_in_order);
	tcase_add_test(tcase, cutouts_have_alpha);
	tcase_add_test(tcase, masks_as_files);
	tcase_add_test(tcase, taps_select);
	tcase_add_test(tcase, crops_to_the_object);
	tcase_add_test(tcase, quality_of_a_jpeg);
	tcase_add_test(tcase, nothing_selected);
	tcase_add_test(tcase, wrong_command_lines);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
