/* tapcut cut and edit with what photos bring beside their colours (EXIF, resolution, transparency, 16 bits), and
 * tapcut cut with a list of photos. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/config/json.h"

enum { W = 120, H = 80, THUMBNAIL = 62, THUMBNAIL_BYTES = 4 };

static char dir[1024];

/* Orientation 6, a camera's name, and a thumbnail in the second directory. */
static const uint8_t exif[] = {'I',
			       'I',
			       42,
			       0,
			       8,
			       0,
			       0,
			       0,
			       /* 8 */ 1,
			       0,
			       0x12,
			       1,
			       3,
			       0,
			       1,
			       0,
			       0,
			       0,
			       6,
			       0,
			       0,
			       0,
			       /* 22: the second directory is at 26 */ 26,
			       0,
			       0,
			       0,
			       /* 26 */ 2,
			       0,
			       1,
			       2,
			       4,
			       0,
			       1,
			       0,
			       0,
			       0,
			       THUMBNAIL,
			       0,
			       0,
			       0,
			       2,
			       2,
			       4,
			       0,
			       1,
			       0,
			       0,
			       0,
			       THUMBNAIL_BYTES,
			       0,
			       0,
			       0,
			       0,
			       0,
			       0,
			       0,
			       /* 56 */ 'C',
			       'a',
			       'm',
			       'e',
			       'r',
			       'a',
			       0xff,
			       0xd8,
			       0xff,
			       0xd9};

static void draw(struct image *photo)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			uint8_t *pixel = photo->pixels + (y * W + x) * photo->channels;
			int inside = x >= 40 && x < 80 && y >= 20 && y < 60;
			pixel[0] = (uint8_t)(inside ? 220 : 30);
			pixel[1] = (uint8_t)(inside ? 30 : 90 + x % 32);
			pixel[2] = (uint8_t)(inside ? 40 : 200);
			if (photo->channels == 4)
				pixel[3] = (uint8_t)(x < 60 ? 255 : 100); /* half of the square lets light through */
		}
}

static void make_files(void)
{
	struct image photo, clear;
	struct image_metadata metadata = {(uint8_t *)exif, sizeof exif, 11811, 5906};
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_cut"));
	ck_assert_int_eq(image_alloc(&photo, W, H, 3), STATUS_OK);
	ck_assert_int_eq(image_alloc(&clear, W, H, 4), STATUS_OK);
	draw(&photo);
	draw(&clear);
	ck_assert_int_eq(image_write_jpeg(in(dir, "turned.jpg"), &photo, 95, &metadata), STATUS_OK);
	ck_assert_int_eq(image_write_png_with(in(dir, "turned.png"), &photo, &metadata), STATUS_OK);
	ck_assert_int_eq(image_write_png(in(dir, "plain.png"), &photo), STATUS_OK);
	ck_assert_int_eq(image_write_png(in(dir, "clear.png"), &clear), STATUS_OK);
	image_release(&photo);
	image_release(&clear);
}

static struct image read_back(const char *name, int channels, struct image_metadata *metadata)
{
	struct image_read_options read = {.channels = channels, .exif = EXIF_APPLY, .metadata = metadata};
	struct image image;
	ck_assert_msg(image_read(in(dir, name), &read, &image) == STATUS_OK, "%s", status_message());
	return image;
}

/* --- EXIF and resolution -------------------------------------------------- */

START_TEST(metadata_goes_along)
{
	static const char *const photos[] = {"turned.jpg", "turned.png"};
	static const char *const results[] = {"out.jpg", "out.png", "cut.png"};
	for (int p = 0; p < 2; p++) {
		tapcut_ok("edit %s/%s --tap 40,60 --filter exposure=0.1 -o %s/out.jpg", dir, photos[p], dir);
		tapcut_ok("edit %s/%s --tap 40,60 --filter exposure=0.1 -o %s/out.png", dir, photos[p], dir);
		tapcut_ok("cut %s/%s --tap 40,60 --cutout %s/cut.png", dir, photos[p], dir);
		for (int r = 0; r < 3; r++) {
			struct image_metadata metadata;
			struct image image = read_back(results[r], 3, &metadata);
			ck_assert_msg(image.width == H && image.height == W, "%s is turned twice", results[r]);
			ck_assert_uint_eq(metadata.exif_size, sizeof exif);
			ck_assert_int_eq(metadata.exif[18], 1);
			ck_assert(memcmp(metadata.exif + 56, "Camera\0\0\0\0", 10) == 0);
			ck_assert_msg(metadata.exif[22] == 0, "a thumbnail of the old picture");
			/* Turned by a quarter: the two resolutions change places. In JPEG they are dots per inch. */
			ck_assert_uint_eq(metadata.per_metre_x, 5906);
			ck_assert_uint_eq(metadata.per_metre_y, 11811);
			image_metadata_release(&metadata);
			image_release(&image);
		}
	}
}
END_TEST

/* Any block, cut anywhere, is kept or left out, and nothing outside it is touched. */
START_TEST(broken_exif)
{
	struct image photo = read_back("plain.png", 3, NULL);
	for (size_t size = 0; size <= sizeof exif; size++)
		for (size_t damage = 0; damage < size; damage += 5) {
			uint8_t *block = malloc(size);
			memcpy(block, exif, size);
			block[damage] ^= 0xff;
			struct image_metadata metadata = {block, size, 0, 0}, back;
			ck_assert_int_eq(image_write_jpeg(in(dir, "odd.jpg"), &photo, 30, &metadata), STATUS_OK);
			free(block);
			struct image image = read_back("odd.jpg", 3, &back);
			ck_assert(back.exif_size == 0 || back.exif_size == size);
			image_metadata_release(&back);
			image_release(&image);
		}
	image_release(&photo);
}
END_TEST

/* --- transparency --------------------------------------------------------- */

static const uint8_t *at(const struct image *image, int x, int y)
{
	return image->pixels + (size_t)(y * image->width + x) * (size_t)image->channels;
}

START_TEST(transparency_is_kept)
{
	tapcut_ok("edit %s/clear.png --tap 60,40 --filter exposure=0 -o %s/kept.png", dir, dir);
	struct image before = read_back("clear.png", 4, NULL), after = read_back("kept.png", 4, NULL);
	for (int y = 0; y < H; y += 7)
		for (int x = 0; x < W; x += 7)
			ck_assert_msg(memcmp(at(&before, x, y), at(&after, x, y), 4) == 0, "at %d,%d", x, y);
	image_release(&after);

	const struct program_result *r =
		tapcut_ok("edit %s/clear.png --tap 60,40 --filter exposure=0 -o %s/flat.jpg", dir, dir);
	ck_assert_ptr_nonnull(strstr(r->out, "laid on white"));
	r = tapcut_ok("edit %s/clear.png --tap 60,40 --background white -o %s/white.png", dir, dir);
	ck_assert_ptr_nonnull(strstr(r->out, "laid on white"));
	after = read_back("white.png", 4, NULL);
	ck_assert_int_eq(at(&after, 100, 40)[3], 255);
	image_release(&after);
	image_release(&before);
}
END_TEST

/* A cutout lets through what the selection leaves out and what the photo let through itself. */
START_TEST(a_cutout_of_a_cutout)
{
	struct image mask = read_back("plain.png", 1, NULL);
	memset(mask.pixels, 0, W * H);
	for (int y = 20; y < 60; y++)
		memset(mask.pixels + y * W + 40, 255, 40);
	ck_assert_int_eq(image_write_png(in(dir, "mask.png"), &mask), STATUS_OK);
	image_release(&mask);
	tapcut_ok("edit %s/clear.png --mask-in %s/mask.png --background transparent -o %s/both.png", dir, dir, dir);
	struct image both = read_back("both.png", 4, NULL);
	ck_assert_int_eq(at(&both, 50, 40)[3], 255);
	ck_assert_int_eq(at(&both, 70, 40)[3], 100);
	ck_assert_int_eq(at(&both, 10, 10)[3], 0);
	ck_assert_int_eq(at(&both, 70, 40)[0], 220);
	image_release(&both);
	tapcut_ok("edit %s/clear.png --mask-in %s/mask.png --background transparent --premultiplied -o %s/both.png",
		  dir, dir, dir);
	both = read_back("both.png", 4, NULL);
	ck_assert_int_eq(at(&both, 70, 40)[0], (220 * 100 + 127) / 255);
	image_release(&both);
}
END_TEST

/* --- --batch -------------------------------------------------------------- */

static void put_list(const char *json)
{
	FILE *file = fopen(in(dir, "list.json"), "w");
	ck_assert_ptr_nonnull(file);
	fputs(json, file);
	fclose(file);
}

/* The list's photos lie beside it; files go to --out-dir, and are those that one command each would write. */
START_TEST(a_list_of_photos)
{
	put_list("[{\"photo\": \"plain.png\", \"taps\": [[60, 40], [5, 5, \"not\"]], "
		 "\"mask\": \"m.png\", \"cutout\": \"c.png\", \"crop\": 3}, "
		 "{\"photo\": \"turned.jpg\", \"taps\": [{\"x\": 40, \"y\": 60, \"positive\": true}]}]");
	const struct program_result *r = tapcut_ok("cut --batch %s/list.json --out-dir %s/out --json", dir, dir);
	struct json *root;
	ck_assert_int_eq(json_parse(r->out, strlen(r->out), "cut --batch", &root), STATUS_OK);
	const struct json *photos = json_get(root, "photos");
	ck_assert_int_eq(json_array_size(photos), 2);
	ck_assert_int_eq(json_array_size(json_get(json_array_item(photos, 0), "taps")), 2);
	json_free(root);
	tapcut_ok("cut %s/plain.png --tap 60,40 --not 5,5 --mask %s/m.png --cutout %s/c.png --crop 3", dir, dir, dir);
	tapcut_ok("cut %s/turned.jpg --tap 40,60 --cutout %s/t.png", dir, dir);
	static const char *const pairs[][2] = {{"m.png", "out/m.png"},
					       {"c.png", "out/c.png"},
					       {"t.png", "out/turned-cutout.png"}};
	for (int i = 0; i < 3; i++) {
		struct image a = read_back(pairs[i][0], 4, NULL), b = read_back(pairs[i][1], 4, NULL);
		ck_assert(a.width == b.width && a.height == b.height);
		ck_assert(memcmp(a.pixels, b.pixels, 4 * (size_t)a.width * (size_t)a.height) == 0);
		image_release(&a);
		image_release(&b);
	}
}
END_TEST

START_TEST(a_photo_that_fails_does_not_stop_the_others)
{
	put_list("[{\"photo\": \"absent.png\", \"taps\": [[1, 1]]}, {\"photo\": \"plain.png\", \"taps\": [[60, 40]]}]");
	const struct program_result *r = tapcut("cut --batch %s/list.json --out-dir %s/some --json", dir, dir);
	ck_assert_int_eq(r->code, 1);
	ck_assert_ptr_nonnull(strstr(r->err, "1 of 2 photos failed"));
	ck_assert_ptr_nonnull(strstr(r->err, "absent.png: cannot open"));
	ck_assert_ptr_nonnull(strstr(r->out, "\"error\""));
	struct image cutout = read_back("some/plain-cutout.png", 4, NULL);
	image_release(&cutout);
}
END_TEST

static const struct {
	const char *list, *message;
} wrong_lists[] = {
	{"{}", "expected a list"},
	{"[]", "expected a list"},
	{"[3]", "item 1: all of it: expected an object"},
	{"[{\"taps\": [[1, 1]]}]", "item 1: photo: expected a file's name, found nothing"},
	{"[{\"photo\": \"plain.png\"}]", "item 1: taps: expected a list such as"},
	{"[{\"photo\": \"plain.png\", \"taps\": []}]", "item 1: taps: expected a list such as"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1]]}]", "expected [X, Y]"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, -1]]}]", "expected [X, Y]"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1.5]]}]", "expected [X, Y]"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1, \"yes\"]]}]", "expected [X, Y]"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1]], \"tap\": 1}]", "unknown key \"tap\""},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1]], \"mask\": \"m.jpg\"}]", "ends with .png"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1]], \"crop\": -1}]", "crop: expected"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1]]}, {\"photo\": \"./plain.png\", \"taps\": [[1, 1]]}]",
	 "items 1 and 2"},
	{"[{\"photo\": \"plain.png\", \"taps\": [[1, 1]], \"mask\": \"a.png\", \"cutout\": \"./a.png\"}]",
	 "overwritten"},
};

START_TEST(wrong_list)
{
	put_list(wrong_lists[_i].list);
	tapcut_fails(1, wrong_lists[_i].message, "cut --batch %s/list.json", dir);
}
END_TEST

/* A photo that another item would overwrite. */
START_TEST(photos_are_not_overwritten)
{
	char list[4000];
	snprintf(list, sizeof list,
		 "[{\"photo\": \"%s/plain.png\", \"taps\": [[1, 1]], \"mask\": \"%s/clear.png\"}, "
		 "{\"photo\": \"%s/clear.png\", \"taps\": [[1, 1]]}]",
		 dir, dir, dir);
	put_list(list);
	tapcut_fails(1, "would be overwritten", "cut --batch %s/list.json", dir);
	tapcut_fails(2, "--batch", "cut --batch %s/list.json --tap 1,1", dir);
	tapcut_fails(2, "--out-dir", "cut %s/plain.png --tap 1,1 --out-dir x", dir);
	tapcut_fails(2, "PHOTO is missing", "cut --tap 1,1");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli_cut");
	TCase *photos = tcase_create("photos"), *batch = tcase_create("batch");
	tcase_add_unchecked_fixture(photos, make_files, NULL);
	tcase_add_test(photos, metadata_goes_along);
	tcase_add_test(photos, broken_exif);
	tcase_add_test(photos, transparency_is_kept);
	tcase_add_test(photos, a_cutout_of_a_cutout);
	suite_add_tcase(suite, photos);
	tcase_add_unchecked_fixture(batch, make_files, NULL);
	tcase_add_test(batch, a_list_of_photos);
	tcase_add_test(batch, a_photo_that_fails_does_not_stop_the_others);
	tcase_add_loop_test(batch, wrong_list, 0, sizeof wrong_lists / sizeof *wrong_lists);
	tcase_add_test(batch, photos_are_not_overwritten);
	suite_add_tcase(suite, batch);
	return suite;
}

TEST_MAIN(make_suite)
