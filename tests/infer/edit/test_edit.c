/* Edits through a mask: what must hold for any photo, and composites against doubles. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "infer/tapcut_edit.h"
#include "tests/support/test.h"

enum { W = 93, H = 71 };

static uint8_t photo[H][W][3], before[H][W][3], alpha[H][W];

static unsigned random_state;
static unsigned random_byte(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 24;
}

/* Noise on slopes, and a disc with a soft edge. */
static void make_photo(void)
{
	random_state = 1;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			for (int c = 0; c < 3; c++)
				photo[y][x][c] = (uint8_t)((random_byte() + 2 * (unsigned)x + (unsigned)(y * c)) & 255);
			double d = 20 - sqrt((x - 40) * (x - 40) + (y - 34) * (y - 34));
			alpha[y][x] = (uint8_t)(85 * (d < 0 ? 0 : d > 3 ? 3 : d)); /* sqrt has one answer everywhere */
		}
	memcpy(before, photo, sizeof photo);
}

static struct tapcut_photo canvas(void)
{
	return (struct tapcut_photo){&photo[0][0][0], 3 * W, &alpha[0][0], W, W, H};
}

static void apply(const struct tapcut_edit *edit)
{
	struct tapcut_photo p = canvas();
	char message[TAPCUT_MESSAGE_SIZE] = "";
	ck_assert_msg(tapcut_edit_apply(edit, 1, &p, NULL, message) == TAPCUT_OK, "%s", message);
}

static struct tapcut_edit edit_of(const char *name)
{
	struct tapcut_edit edit;
	ck_assert_int_ge(tapcut_filter_find(name), 0);
	tapcut_edit_init(&edit, tapcut_filter_find(name));
	return edit;
}

START_TEST(the_list_is_whole)
{
	ck_assert_int_ge(tapcut_filter_count(), 14);
	for (int i = 0; i < tapcut_filter_count(); i++) {
		const struct tapcut_filter *f = tapcut_filter(i);
		ck_assert_int_eq(tapcut_filter_find(f->name), i);
		ck_assert_int_gt(strlen(f->help), 5);
		ck_assert_int_gt(strlen(f->label), 2);
		ck_assert(f->min <= 0 && f->max > 0 && f->initial >= f->min && f->initial <= f->max && f->initial != 0);
		ck_assert_int_eq(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(f->name));
	}
	ck_assert_ptr_null(tapcut_filter(-1));
	ck_assert_ptr_null(tapcut_filter(tapcut_filter_count()));
	ck_assert_int_eq(tapcut_filter_find("no such"), -1);
}
END_TEST

START_TEST(amount_0_changes_nothing)
{
	make_photo();
	struct tapcut_edit edit;
	tapcut_edit_init(&edit, _i);
	edit.amount = 0;
	edit.where = TAPCUT_EVERYWHERE;
	apply(&edit);
	ck_assert(memcmp(photo, before, sizeof photo) == 0);
}
END_TEST

/* And what is left of nothing: the smallest amounts change little. */
START_TEST(amounts_begin_at_0)
{
	make_photo();
	struct tapcut_edit edit;
	tapcut_edit_init(&edit, _i);
	const char *name = tapcut_filter(_i)->name;
	if (!strcmp(name, "pixelate") || !strcmp(name, "posterize") || !strcmp(name, "focus"))
		return; /* these have steps, or take the soft edge apart */
	edit.amount = 0.01f;
	apply(&edit);
	for (int i = 0; i < W * H * 3; i++)
		ck_assert_int_le(abs((&photo[0][0][0])[i] - (&before[0][0][0])[i]), 8);
}
END_TEST

START_TEST(the_default_changes_something)
{
	make_photo();
	struct tapcut_edit edit;
	tapcut_edit_init(&edit, _i);
	apply(&edit);
	ck_assert(memcmp(photo, before, sizeof photo) != 0);
}
END_TEST

/* Inside leaves what is outside, and the other way round, byte for byte. */
START_TEST(the_mask_is_respected)
{
	for (int where = TAPCUT_INSIDE; where <= TAPCUT_OUTSIDE; where++) {
		make_photo();
		struct tapcut_edit edit;
		tapcut_edit_init(&edit, _i);
		edit.where = (enum tapcut_where)where;
		apply(&edit);
		uint8_t untouched = where == TAPCUT_INSIDE ? 0 : 255;
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				if (alpha[y][x] == untouched)
					ck_assert_msg(memcmp(photo[y][x], before[y][x], 3) == 0, "%d,%d of %s", x, y,
						      tapcut_filter(_i)->name);
	}
}
END_TEST

/* Photos smaller than any border, strips of any height, memory of the caller's, other strides: the same bytes. */
START_TEST(strips_are_the_whole)
{
	static const int heights[] = {1, 7, 32, H};
	struct tapcut_edit edit;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	make_photo();
	tapcut_edit_init(&edit, _i);
	if (edit.amount > 1)
		edit.amount = 23.7f; /* cells of 2 x 2 */
	apply(&edit);
	tapcut_edit_measure(&edit, alpha[0], W, W, H);
	for (int i = 0; i < 4; i++) {
		static uint8_t out[H][W + 2][3];
		int border = tapcut_edit_border(&edit, W, H);
		void *workspace = malloc(tapcut_edit_rows_workspace(&edit, W, H, heights[i]));
		for (int y = 0; y < H; y += heights[i]) {
			int count = H - y < heights[i] ? H - y : heights[i];
			int low = y > border ? y - border : 0, high = y + count + border < H ? y + count + border : H;
			/* Only the rows that are asked for, so that the sanitizer sees a look beyond. */
			size_t bytes = (size_t)(high - low) * W;
			uint8_t *rgb = malloc(3 * bytes), *mask = malloc(bytes);
			memcpy(rgb, before[low], 3 * bytes);
			memcpy(mask, alpha[low], bytes);
			struct tapcut_rows in = {rgb, mask, 3 * W, W, low, high - low};
			ck_assert_msg(tapcut_edit_rows(&edit, W, H, &in, y, count, out[y][0], sizeof out[0], workspace,
						       message) == TAPCUT_OK,
				      "%s", message);
			free(rgb);
			free(mask);
		}
		free(workspace);
		for (int y = 0; y < H; y++)
			ck_assert_msg(memcmp(out[y], photo[y], 3 * W) == 0, "row %d, strips of %d: %s", y, heights[i],
				      tapcut_filter(_i)->name);
	}
}
END_TEST

START_TEST(whole_photos_of_all_sizes)
{
	static const int sizes[][2] = {{1, 1}, {1, 60}, {60, 1}, {3, 2}, {17, 200}};
	for (int i = 0; i < 5; i++) {
		int w = sizes[i][0], h = sizes[i][1];
		uint8_t *rgb = calloc((size_t)(w * h), 3), *mask = calloc((size_t)(w * h), 1);
		for (int p = 0; p < w * h; p++)
			mask[p] = (uint8_t)(p * 37);
		struct tapcut_edit edit;
		tapcut_edit_init(&edit, _i);
		edit.depth = 0.5f;
		struct tapcut_photo p = {rgb, 3 * (size_t)w, mask, (size_t)w, w, h};
		void *workspace = malloc(tapcut_edit_workspace(&edit, 1, w, h));
		ck_assert_int_eq(tapcut_edit_apply(&edit, 1, &p, workspace, NULL), TAPCUT_OK);
		free(workspace);
		free(rgb);
		free(mask);
	}
}
END_TEST

/* --- focus ---------------------------------------------------------------- */

START_TEST(blur_of_a_constant_is_constant)
{
	static const float radii[] = {0.4f, 1, 3.5f, 15.9f, 16, 40, 200};
	for (int i = 0; i < 7; i++)
		for (int level = 0; level < 256; level += i == 1 ? 1 : 51) {
			make_photo();
			for (int p = 0; p < W * H; p++) {
				(&photo[0][0][0])[3 * p] = (uint8_t)level;
				(&photo[0][0][0])[3 * p + 1] = (uint8_t)(255 - level);
				(&photo[0][0][0])[3 * p + 2] = (uint8_t)(level / 2);
			}
			memcpy(before, photo, sizeof photo);
			struct tapcut_edit edit = edit_of("focus");
			edit.amount = radii[i];
			apply(&edit);
			ck_assert_msg(memcmp(photo, before, sizeof photo) == 0, "radius %g, level %d", (double)radii[i],
				      level);
		}
}
END_TEST

/* A red disc on blue: nothing red gets into the background, and the soft edge stays the mix that it was; less exactly
 * where the blur hardly reaches over the edge. */
START_TEST(nothing_bleeds)
{
	static const float radii[] = {2, 6, 12, 33};
	static const uint8_t red[3] = {230, 10, 20}, blue[3] = {10, 20, 220};
	for (int i = 0; i < 4; i++) {
		make_photo();
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				for (int c = 0; c < 3; c++)
					photo[y][x][c] =
						(uint8_t)((red[c] * alpha[y][x] + blue[c] * (255 - alpha[y][x]) + 127) /
							  255);
		struct tapcut_edit edit = edit_of("focus");
		edit.amount = radii[i];
		apply(&edit);
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				for (int c = 0; c < 3; c++) {
					int expected =
						(red[c] * alpha[y][x] + blue[c] * (255 - alpha[y][x]) + 127) / 255;
					ck_assert_msg(abs(photo[y][x][c] - expected) <=
							      (alpha[y][x] == 0 ? 1 : 4) * (radii[i] < 4 ? 5 : 1),
						      "%d,%d radius %g: %d, expected %d", x, y, (double)radii[i],
						      photo[y][x][c], expected);
				}
	}
}
END_TEST

/* A bright point becomes an even disc of the radius asked for. */
START_TEST(points_become_discs)
{
	memset(photo, 40, sizeof photo);
	memset(alpha, 0, sizeof alpha);
	memset(photo[35][46], 255, 3);
	struct tapcut_edit edit = edit_of("focus");
	edit.amount = 10;
	apply(&edit);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double d = sqrt((x - 46) * (x - 46) + (y - 35) * (y - 35));
			if (d <= 9)
				ck_assert_int_eq(photo[y][x][1], photo[35][46][1]);
			if (d >= 11)
				ck_assert_int_eq(photo[y][x][1], 40);
		}
	ck_assert_int_gt(photo[35][46][1], 41);
}
END_TEST

/* With depth the ground at the feet stays sharp, far above all is blurred as without. */
START_TEST(depth_spares_the_ground)
{
	make_photo();
	struct tapcut_edit edit = edit_of("focus");
	edit.amount = 6;
	edit.depth = 0;
	apply(&edit);
	static uint8_t even[H][W][3];
	memcpy(even, photo, sizeof photo);
	memcpy(photo, before, sizeof photo);
	edit.depth = 1;
	apply(&edit);
	ck_assert(memcmp(photo[54][80], before[54][80], 3) == 0); /* the disc ends at row 54 */
	ck_assert(memcmp(photo[5], even[5], sizeof photo[5]) == 0);
}
END_TEST

/* --- backgrounds and cutouts ---------------------------------------------- */

static void cut(uint8_t rgba[H][W][4], int premultiplied)
{
	struct tapcut_rows in = {&photo[0][0][0], &alpha[0][0], 3 * W, W, 0, H};
	void *workspace = malloc(tapcut_cutout_workspace(W, H));
	for (int y = 0; y < H; y += 10)
		ck_assert_int_eq(tapcut_cutout_rows(W, H, &in, y, H - y < 10 ? H - y : 10, premultiplied, rgba[y][0],
						    4 * W, workspace, NULL),
				 TAPCUT_OK);
	free(workspace);
}

/* The cutout over a colour, in doubles, is what "background" makes of that colour; premultiplied and straight say the
 * same. */
START_TEST(composites_are_exact)
{
	static uint8_t straight[H][W][4], multiplied[H][W][4];
	static const uint8_t behind[3] = {12, 200, 90};
	make_photo();
	cut(straight, 0);
	cut(multiplied, 1);
	struct tapcut_edit edit = edit_of("background");
	memcpy(edit.colours[0], behind, 3);
	apply(&edit);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++) {
				double a = alpha[y][x] / 255.0, own = straight[y][x][c];
				ck_assert_int_eq(straight[y][x][3], alpha[y][x]);
				ck_assert_int_eq(photo[y][x][c], (int)(a * own + (1 - a) * behind[c] + 0.5));
				ck_assert_int_eq(multiplied[y][x][c], (int)(a * own + 0.5));
				if (alpha[y][x] == 255)
					ck_assert_int_eq(straight[y][x][c], before[y][x][c]);
				if (alpha[y][x] == 0)
					ck_assert_int_eq(straight[y][x][c], 0);
				/* Premultiplied back to straight: as near as alpha's steps allow. */
				if (alpha[y][x] > 0)
					ck_assert(fabs(multiplied[y][x][c] * 255.0 / alpha[y][x] - own) <=
						  127.5 / alpha[y][x] + 1e-9);
			}
}
END_TEST

/* Of a mix of two colours the cutout has the object's alone. */
START_TEST(edges_lose_the_old_background)
{
	static uint8_t rgba[H][W][4];
	static const uint8_t own[3] = {200, 120, 40}, old[3] = {20, 90, 250};
	make_photo();
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++)
				photo[y][x][c] =
					(uint8_t)((own[c] * alpha[y][x] + old[c] * (255 - alpha[y][x]) + 127) / 255);
	cut(rgba, 0);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3 && alpha[y][x] > 10; c++)
				ck_assert_msg(abs(rgba[y][x][c] - own[c]) * alpha[y][x] <= 3 * 255, "%d,%d: %d", x, y,
					      rgba[y][x][c]);
}
END_TEST

START_TEST(pictures_cover_the_background)
{
	static uint8_t picture[40][100][3];
	for (int y = 0; y < 40; y++)
		for (int x = 0; x < 100; x++)
			picture[y][x][0] = (uint8_t)(2 * x), picture[y][x][1] = (uint8_t)(5 * y), picture[y][x][2] = 7;
	make_photo();
	memset(alpha, 0, sizeof alpha);
	struct tapcut_edit edit = edit_of("background");
	edit.picture.rgb = picture[0][0];
	edit.picture.width = 100;
	edit.picture.height = 40;
	edit.picture.stride = sizeof picture[0];
	apply(&edit);
	/* Scaled by 71 / 40, the middle 52 columns: from 23.8 on. */
	for (int y = 3; y < H - 3; y++)
		for (int x = 0; x < W; x++) {
			double sx = 50 + (x + 0.5 - W / 2.0) * 40 / H - 0.5, sy = (y + 0.5) * 40 / H - 0.5;
			ck_assert(fabs(photo[y][x][0] - 2 * sx) < 1.5 && fabs(photo[y][x][1] - 5 * sy) < 1.5);
		}
}
END_TEST

/* --- filters against what their names say --------------------------------- */

static int luma(const uint8_t rgb[3])
{
	return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000;
}

START_TEST(gray_is_luma_and_stays_gray)
{
	make_photo();
	struct tapcut_edit edit = edit_of("black_and_white");
	apply(&edit);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++)
				ck_assert_int_le(abs(photo[y][x][c] - luma(before[y][x])), 1);
	memcpy(before, photo, sizeof photo);
	static const char *const keep_gray[] = {"saturation", "vibrance", "hue", "colour_pop"};
	for (int i = 0; i < 4; i++)
		for (float amount = -1; amount <= 1; amount += 0.125f) {
			edit = edit_of(keep_gray[i]);
			edit.where = TAPCUT_EVERYWHERE;
			edit.amount = amount < tapcut_filter(edit.filter)->min ? 0 : amount;
			apply(&edit);
			for (int y = 0; y < H; y++)
				for (int x = 0; x < W; x++)
					ck_assert_int_le(abs(photo[y][x][0] - before[y][x][0]) +
								 abs(photo[y][x][2] - before[y][x][2]),
							 2);
			memcpy(photo, before, sizeof photo);
		}
}
END_TEST

/* Curves rise everywhere: no filter turns a brighter gray into a darker one. */
START_TEST(curves_rise)
{
	static const char *const names[] = {"exposure", "contrast", "highlights", "shadows", "fade",
					    "warmth",   "tint",     "posterize",  "sepia"};
	for (int i = 0; i < 9; i++)
		for (float amount = -1; amount <= 1; amount += 0.25f) {
			uint8_t ramp[256][3], zero[256] = {0};
			for (int v = 0; v < 256; v++)
				memset(ramp[v], v, 3);
			struct tapcut_edit edit = edit_of(names[i]);
			edit.where = TAPCUT_EVERYWHERE;
			edit.amount = amount < tapcut_filter(edit.filter)->min ? 1 : amount;
			struct tapcut_photo p = {ramp[0], sizeof ramp, zero, sizeof zero, 256, 1};
			ck_assert_int_eq(tapcut_edit_apply(&edit, 1, &p, NULL, NULL), TAPCUT_OK);
			for (int v = 1; v < 256; v++)
				for (int c = 0; c < 3; c++)
					ck_assert_msg(ramp[v][c] >= ramp[v - 1][c], "%s %g at %d", names[i],
						      (double)amount, v);
		}
}
END_TEST

START_TEST(squares_hide)
{
	make_photo();
	struct tapcut_edit edit = edit_of("pixelate");
	edit.where = TAPCUT_EVERYWHERE;
	edit.amount = 8 * 10.5f / W; /* squares of 10 */
	apply(&edit);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			ck_assert(memcmp(photo[y][x], photo[y / 10 * 10][x / 10 * 10], 3) == 0);
	for (int c = 0; c < 3; c++) {
		double sum = 0;
		for (int y = 20; y < 30; y++)
			for (int x = 30; x < 40; x++)
				sum += before[y][x][c];
		ck_assert_int_eq(photo[25][35][c], (int)(sum / 100 + 0.5));
	}
}
END_TEST

/* Several edits are one after the other. */
START_TEST(edits_follow_each_other)
{
	struct tapcut_edit edits[3] = {edit_of("exposure"), edit_of("focus"), edit_of("sepia")};
	struct tapcut_photo p = canvas();
	make_photo();
	for (int i = 0; i < 3; i++)
		apply(&edits[i]);
	memcpy(before, photo, sizeof photo);
	make_photo();
	static uint8_t expected[H][W][3];
	for (int i = 0; i < 3; i++)
		apply(&edits[i]);
	memcpy(expected, photo, sizeof photo);
	make_photo();
	ck_assert_int_eq(tapcut_edit_apply(edits, 3, &p, NULL, NULL), TAPCUT_OK);
	ck_assert(memcmp(photo, expected, sizeof photo) == 0);
}
END_TEST

/* What all filters make of the photo, as one number (FNV-1a): the same with every compiler, on every processor. Where a
 * filter is meant to change, it changes. */
START_TEST(the_same_bytes_everywhere)
{
	uint64_t hash = 14695981039346656037u;
	for (int i = 0; i < tapcut_filter_count(); i++) {
		make_photo();
		struct tapcut_edit edit;
		tapcut_edit_init(&edit, i);
		apply(&edit);
		const uint8_t *bytes = &photo[0][0][0];
		for (size_t b = 0; b < sizeof photo; b++)
			hash = (hash ^ bytes[b]) * 1099511628211u;
	}
	ck_assert_msg(hash == 0xb38effa8f3b173ce, "%llx", (unsigned long long)hash);
}
END_TEST

/* Of a photo of 50 megapixels, which with its alpha has 200 MB. */
START_TEST(large_photos_need_little_more)
{
	struct tapcut_edit edit;
	tapcut_edit_init(&edit, _i);
	edit.amount = tapcut_filter(_i)->max;
	size_t bytes = tapcut_edit_workspace(&edit, 1, 8660, 5774);
	ck_assert_msg(bytes > 0 && bytes < 100 * 1000 * 1000, "%s: %zu bytes", tapcut_filter(_i)->name, bytes);
	ck_assert_uint_lt(tapcut_cutout_workspace(8660, 5774), 1000 * 1000);
}
END_TEST

/* --- refusals ------------------------------------------------------------- */

static void refused(const struct tapcut_edit *edit, const struct tapcut_photo *p, enum tapcut_status expected,
		    const char *part)
{
	char message[TAPCUT_MESSAGE_SIZE] = "";
	ck_assert_int_eq(tapcut_edit_apply(edit, 1, p, NULL, message), expected);
	ck_assert_msg(strstr(message, part) != NULL, "%s", message);
	ck_assert_int_eq(tapcut_edit_apply(edit, 1, p, NULL, NULL), expected);
	ck_assert(memcmp(photo, before, sizeof photo) == 0);
}

START_TEST(wrong_arguments)
{
	make_photo();
	struct tapcut_photo p = canvas();
	struct tapcut_edit edit = edit_of("contrast");
	edit.amount = 1.5f;
	refused(&edit, &p, TAPCUT_ARGUMENT, "-1 to 1");
	ck_assert_uint_eq(tapcut_edit_workspace(&edit, 1, W, H), 0);
	edit.amount = NAN;
	refused(&edit, &p, TAPCUT_ARGUMENT, "contrast");
	edit = edit_of("contrast");
	edit.where = (enum tapcut_where)7;
	refused(&edit, &p, TAPCUT_ARGUMENT, "inside");
	tapcut_edit_init(&edit, 1000);
	refused(&edit, &p, TAPCUT_ARGUMENT, "1000");
	edit = edit_of("focus");
	edit.depth = 2;
	refused(&edit, &p, TAPCUT_ARGUMENT, "depth");
	edit = edit_of("background");
	edit.picture.rgb = photo[0][0];
	refused(&edit, &p, TAPCUT_ARGUMENT, "picture");
	edit = edit_of("contrast");
	p.width = 20000;
	refused(&edit, &p, TAPCUT_LIMIT, "20000");
	p = canvas();
	p.rgb_stride = 3 * W - 1;
	refused(&edit, &p, TAPCUT_ARGUMENT, "stride");
	p = canvas();
	p.alpha = NULL;
	refused(&edit, &p, TAPCUT_ARGUMENT, "alpha");
}
END_TEST

START_TEST(wrong_rows)
{
	make_photo();
	static uint8_t out[H][W][3];
	struct tapcut_edit edit = edit_of("focus");
	struct tapcut_rows in = {photo[20][0], alpha[20], 3 * W, W, 20, 30};
	char message[TAPCUT_MESSAGE_SIZE] = "";
	void *workspace = malloc(tapcut_edit_rows_workspace(&edit, W, H, 10));
	ck_assert_int_eq(tapcut_edit_rows(&edit, W, H, &in, 30, 10, out[0][0], 3 * W, workspace, message),
			 TAPCUT_ARGUMENT);
	ck_assert_msg(strstr(message, "needed"), "%s", message);
	in = (struct tapcut_rows){photo[0][0], alpha[0], 3 * W, W, 0, H};
	ck_assert_int_eq(tapcut_edit_rows(&edit, W, H, &in, 70, 10, out[0][0], 3 * W, workspace, message),
			 TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_edit_rows(&edit, W, H, &in, 0, 10, out[0][0], 3 * W, NULL, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_edit_rows(&edit, W, H, &in, 0, 10, out[0][0], W, workspace, message), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_cutout_rows(W, H, &in, 0, 10, 0, out[0][0], 3 * W, workspace, message),
			 TAPCUT_ARGUMENT);
	free(workspace);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("edit");
	TCase *tcase = tcase_create("edit");
	int filters = tapcut_filter_count();
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, the_list_is_whole);
	tcase_add_loop_test(tcase, amount_0_changes_nothing, 0, filters);
	tcase_add_loop_test(tcase, amounts_begin_at_0, 0, filters);
	tcase_add_loop_test(tcase, the_default_changes_something, 0, filters);
	tcase_add_loop_test(tcase, the_mask_is_respected, 0, filters);
	tcase_add_loop_test(tcase, strips_are_the_whole, 0, filters);
	tcase_add_loop_test(tcase, whole_photos_of_all_sizes, 0, filters);
	tcase_add_test(tcase, blur_of_a_constant_is_constant);
	tcase_add_test(tcase, nothing_bleeds);
	tcase_add_test(tcase, points_become_discs);
	tcase_add_test(tcase, depth_spares_the_ground);
	tcase_add_test(tcase, composites_are_exact);
	tcase_add_test(tcase, edges_lose_the_old_background);
	tcase_add_test(tcase, pictures_cover_the_background);
	tcase_add_test(tcase, gray_is_luma_and_stays_gray);
	tcase_add_test(tcase, curves_rise);
	tcase_add_test(tcase, squares_hide);
	tcase_add_test(tcase, edits_follow_each_other);
	tcase_add_test(tcase, the_same_bytes_everywhere);
	tcase_add_loop_test(tcase, large_photos_need_little_more, 0, filters);
	tcase_add_test(tcase, wrong_arguments);
	tcase_add_test(tcase, wrong_rows);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
