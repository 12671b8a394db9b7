/* The plug-in for GIMP as its users get it: installed by make into settings of the test's own, run by GIMP's
 * batch mode. What is selected then is, byte for byte, the alpha of libtapcut; what fails says why.
 * tests/ports/gimp_test.scm has the calls. What the plug-in does without GIMP (infer/packaging/gimp/select.h) is tested
 * everywhere. */
#include <limits.h>
#include <math.h>

#include "data/image_io.h"
#include "infer/packaging/gimp/select.h"
#include "infer/tapcut.h"
#include "tests/ports/photo.h"
#include "tests/ports/shell.h"
#include "tests/support/program.h"

enum { W = 320, H = 240, RECT_X = 100, RECT_Y = 60, RECT_W = 70, RECT_H = 90 };

#define BASE "infer/models/base.tapcut"
#define OTHER "infer/models/fast.tapcut"

static char dir[1024], message[SELECT_MESSAGE];
static uint8_t rgb[3 * W * H], alpha[W * H], want[W * H];

/* --- points to taps ---------------------------------------------------------------------------------------------- */

START_TEST(names)
{
	static const char *const negative[] = {"-",          "- tail",     "background", "Background #2",
					       "BACKGROUND", "backgrounds"};
	static const char *const positive[] = {"", "Path", "my background", "back", "Backgroun", " -", "\xc3\xa4-"};
	for (size_t i = 0; i < sizeof negative / sizeof *negative; i++)
		ck_assert_msg(select_name_is_negative(negative[i]), "%s", negative[i]);
	for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
		ck_assert_msg(!select_name_is_negative(positive[i]), "%s", positive[i]);
}
END_TEST

static void must_say(const char *part)
{
	ck_assert_msg(strstr(message, part) != NULL, "expected \"%s\" in \"%s\"", part, message);
}

START_TEST(anchors)
{
	const double numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9.5, 10, 11, 12};
	struct select_taps taps = {0};
	ck_assert(select_add_anchors(&taps, numbers, 12, true, message));
	ck_assert(select_add_anchors(&taps, numbers, 6, false, message));
	ck_assert(select_add_anchors(&taps, NULL, 0, false, message));
	ck_assert_int_eq(taps.count, 3);
	ck_assert_int_eq(taps.positive, 2);
	ck_assert(taps.at[0].x == 3 && taps.at[0].y == 4 && taps.at[0].positive);
	ck_assert(taps.at[1].x == 9.5 && taps.at[1].y == 10 && taps.at[1].positive);
	ck_assert(taps.at[2].x == 3 && taps.at[2].y == 4 && !taps.at[2].positive);
	ck_assert(!select_add_anchors(&taps, numbers, 8, true, message));
	must_say("8 numbers");
}
END_TEST

START_TEST(triples)
{
	const double good[] = {1, 2, 1, 3.5, 4, 0}, label[] = {1, 2, 0.5}, nan[] = {1, NAN, 1};
	struct select_taps taps = {0};
	ck_assert(select_add_triples(&taps, good, 6, message));
	ck_assert_int_eq(taps.count, 2);
	ck_assert_int_eq(taps.positive, 1);
	ck_assert(taps.at[1].x == 3.5 && taps.at[1].y == 4 && !taps.at[1].positive);
	ck_assert(!select_add_triples(&taps, good, 5, message));
	must_say("found 5");
	ck_assert(!select_add_triples(&taps, good, -3, message));
	must_say("found -3");
	ck_assert(!select_add_triples(&taps, label, 3, message));
	must_say("Tap 3: expected a label of 1 (on the object) or 0 (not), found 0.5");
	ck_assert(!select_add_triples(&taps, nan, 3, message));
	must_say("finite");
	ck_assert_int_eq(taps.count, 2);
	while (taps.count < TAPCUT_MAX_CLICKS)
		ck_assert(select_add_tap(&taps, 1, 1, true, message));
	ck_assert(!select_add_tap(&taps, 1, 1, true, message));
	must_say("more than 64 taps");
}
END_TEST

/* As the program reads a photo with alpha. */
START_TEST(over_white)
{
	struct image image, read;
	const char *path = in(test_tmp_dir("gimp_white"), "rgba.png");
	ck_assert_int_eq(image_alloc(&image, 256, 256, 4), STATUS_OK);
	for (int i = 0; i < 256 * 256; i++) {
		uint8_t pixel[4] = {(uint8_t)i, (uint8_t)(255 - i % 256), (uint8_t)(i * 7), (uint8_t)(i / 256)};
		memcpy(image.pixels + 4 * i, pixel, 4);
	}
	ck_assert_int_eq(image_write_png(path, &image), STATUS_OK);
	ck_assert_int_eq(image_read(path, &(struct image_read_options){.channels = 3, .exif = EXIF_APPLY}, &read),
			 STATUS_OK);
	uint8_t *got = malloc(3 * 256 * 256);
	ck_assert_ptr_nonnull(got);
	select_over_white(image.pixels, got, 256 * 256);
	ck_assert_mem_eq(got, read.pixels, 3 * 256 * 256);
	free(got);
	image_release(&image);
	image_release(&read);
}
END_TEST

/* --- photo and taps to a mask ------------------------------------------------------------------------------------ */

/* What libtapcut gives for x, y, label of each tap: into `alpha`. */
static void alpha_of(const char *path, const uint8_t *photo, const int (*taps)[3], int count, float feather)
{
	struct tapcut_model *model;
	struct tapcut_session *session;
	ck_assert_int_eq(tapcut_model_load_file(path, &model, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_new(model, NULL, &session, NULL), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_image(session, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_set_feather(session, feather), TAPCUT_OK);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(tapcut_session_click(session, taps[i][0], taps[i][1], taps[i][2]), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_alpha(session, alpha, W), TAPCUT_OK);
	tapcut_session_free(session);
	tapcut_model_free(model);
	int soft = 0;
	for (int i = 0; i < W * H; i++)
		soft += alpha[i] > 0 && alpha[i] < 255;
	ck_assert_ptr_nonnull(memchr(alpha, 255, W * H));
	ck_assert_msg(soft > 20, "%d soft pixels: the test photo has no soft edge", soft);
}

static const int one[][3] = {{160, 120, 1}}, three[][3] = {{160, 120, 1}, {185, 140, 1}, {20, 20, 0}};

static double last_progress;

static void note_progress(double done)
{
	ck_assert(done > last_progress && done <= 1);
	last_progress = done;
}

START_TEST(mask)
{
	const struct select_options options = {BASE, 3, 2, note_progress};
	struct select_photo photo = {rgb, -7, 11, W, H};
	struct select_taps taps = {0};
	photo_fill(rgb, W, H, 1);
	alpha_of(BASE, rgb, three, 3, 3);
	for (int i = 0; i < 3; i++)
		ck_assert(select_add_tap(&taps, three[i][0] - 7 + 0.9, three[i][1] + 11, three[i][2], message));
	last_progress = 0;
	ck_assert_msg(select_alpha(&photo, &taps, &options, want, message), "%s", message);
	ck_assert_mem_eq(want, alpha, W * H);
	ck_assert(last_progress == 1);
}
END_TEST

static void must_refuse(const struct select_photo *photo, const struct select_options *options, double x, double y,
			bool positive, const char *part)
{
	struct select_taps taps = {0};
	ck_assert(select_add_tap(&taps, x, y, positive, message));
	ck_assert(!select_alpha(photo, &taps, options, want, message));
	must_say(part);
}

START_TEST(refused)
{
	struct select_photo photo = {rgb, 10, 20, W, H};
	struct select_options options = {BASE, 0, 1, NULL};
	struct select_taps none = {0};
	photo_fill(rgb, W, H, 1);
	ck_assert(!select_alpha(&photo, &none, &options, want, message));
	must_say("There is no tap");
	must_refuse(&photo, &options, 50, 50, false, "No tap is on the object");
	must_refuse(&photo, &options, 9.9, 50, true, "outside the photo");
	must_refuse(&photo, &options, 50, 19.9, true, "outside the photo");
	must_refuse(&photo, &options, 10 + W, 50, true, "outside the photo");
	must_refuse(&photo, &options, 50, 1e300, true, "outside the photo");
	options.feather = 201;
	must_refuse(&photo, &options, 50, 50, true, "feather must be 0 to 200");
	options.model = "no/such.tapcut";
	must_refuse(&photo, &options, 50, 50, true, "cannot be loaded. no/such.tapcut: No such file");
	options.model = "LICENSE";
	must_refuse(&photo, &options, 50, 50, true, "LICENSE: not a weights file");
	photo.width = 16385;
	ck_assert(!select_check_size(&photo, message));
	must_say("found 16385 x 240");
	photo.width = INT_MAX, photo.height = 0;
	ck_assert(!select_check_size(&photo, message));
	photo.width = 16384, photo.height = 6103;
	ck_assert(select_check_size(&photo, message));
}
END_TEST

/* --- in GIMP ----------------------------------------------------------------------------------------------------- */

static bool has_gimp(void)
{
	int code;
	if (!shell_has("gimp", "the plug-in in GIMP"))
		return false;
	const char *version = shell_try(&code, "gimp --version");
	if (!strstr(version, " 2.10")) {
		test_skip("the plug-in in GIMP: it is for GIMP 2.10, here is %.*s", (int)strcspn(version, "\n"),
			  version);
		return false;
	}
	shell_try(&code, "pkg-config --exists gimpui-2.0");
	if (code != 0) {
		test_skip("the plug-in in GIMP: libgimp2.0-dev is not installed");
		return false;
	}
	if (exists(in(shell_plain(), "gimp/tapcut/tapcut")))
		return true;
	test_skip("the plug-in in GIMP: it is not built (make gimp)");
	return false;
}

#define MAKE "make --no-print-directory -o gimp BUILD=\"${PLAIN:-build}\""
/* The settings, caches and everything else of GIMP in the test's folder; nothing of the user's is read or written. */
#define SETTINGS                                                                                                \
	"D=\"$(realpath %s)\" && export HOME=\"$D\" XDG_CONFIG_HOME=\"$D/config\" XDG_CACHE_HOME=\"$D/cache\" " \
	"XDG_DATA_HOME=\"$D/data\" && unset GIMP2_DIRECTORY DISPLAY WAYLAND_DISPLAY TAPCUT_MODEL && "

static void set_up(const char *name)
{
	struct image photo;
	snprintf(dir, sizeof dir, "%s", test_tmp_dir(name));
	photo_fill(rgb, W, H, 1);
	ck_assert_int_eq(image_alloc(&photo, W, H, 3), STATUS_OK);
	memcpy(photo.pixels, rgb, sizeof rgb);
	ck_assert_int_eq(image_write_png(in(dir, "photo.png"), &photo), STATUS_OK);
	image_release(&photo);
	shell(SETTINGS MAKE " install-gimp", dir);
	ck_assert(exists(in(dir, "config/GIMP/2.10/plug-ins/tapcut/base.tapcut")));
}

/* What GIMP says; `calls`: -b and a command, once or several times. */
static const char *gimp(const char *environment, const char *calls)
{
	int code;
	const char *said = shell_try(&code,
				     SETTINGS "%s S='(load \"'\"$PWD\"'/tests/ports/gimp_test.scm\")' && "
					      "timeout 1800 gimp -i -d -f %s -b '(gimp-quit 1)' </dev/null",
				     dir, environment, calls);
	ck_assert_msg(code == 0, "GIMP ended with %d:\n%s", code, said);
	return said;
}

/* got-NAME.png is `want`. */
static void is_wanted(const char *name, const char *said)
{
	struct image got;
	char file[64];
	snprintf(file, sizeof file, "got-%s.png", name);
	ck_assert_msg(exists(in(dir, file)), "%s was not written:\n%s", file, said);
	ck_assert_int_eq(image_read_mask(in(dir, file), &got), STATUS_OK);
	ck_assert(got.width == W && got.height == H);
	for (int i = 0; i < W * H; i++)
		ck_assert_msg(got.pixels[i] == want[i], "%s: pixel %d, %d is %d, expected %d", name, i % W, i / W,
			      got.pixels[i], want[i]);
	image_release(&got);
}

static void is_alpha(const char *name, const char *said)
{
	memcpy(want, alpha, W * H);
	is_wanted(name, said);
}

static bool in_rect(int i)
{
	int x = i % W - RECT_X, y = i / W - RECT_Y;
	return x >= 0 && x < RECT_W && y >= 0 && y < RECT_H;
}

/* Of one tap, with the rectangle that was selected before. */
static void check_operations(const char *said)
{
	alpha_of(BASE, rgb, one, 1, 0);
	for (int i = 0; i < W * H; i++)
		want[i] = in_rect(i) ? 255 : alpha[i];
	is_wanted("add", said);
	for (int i = 0; i < W * H; i++)
		want[i] = in_rect(i) ? 255 - alpha[i] : 0;
	is_wanted("subtract", said);
	for (int i = 0; i < W * H; i++)
		want[i] = in_rect(i) ? alpha[i] : 0;
	is_wanted("intersect", said);
	ck_assert_msg(strstr(said, "clean add") && strstr(said, "clean subtract") && strstr(said, "clean intersect"),
		      "a channel is left behind, or another layer is active:\n%s", said);
}

/* The layer is 40 pixels further left and 30 further down: what the image does not show of it is lost. */
static void check_moved(const char *said)
{
	alpha_of(BASE, rgb, one, 1, 0);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			want[y * W + x] = y >= 30 && x < W - 40 ? alpha[(y - 30) * W + x + 40] : 0;
	is_wanted("moved", said);
}

/* The photo that GIMP made of photo.png and has written. */
static void check_converted(const char *name, const char *said)
{
	struct image photo;
	char file[64];
	snprintf(file, sizeof file, "photo-%s.png", name);
	ck_assert_msg(exists(in(dir, file)), "%s was not written:\n%s", file, said);
	ck_assert_int_eq(image_read(in(dir, file), &(struct image_read_options){.channels = 3, .exif = EXIF_APPLY},
				    &photo),
			 STATUS_OK);
	ck_assert(photo.width == W && photo.height == H);
	alpha_of(BASE, photo.pixels, one, 1, 0);
	image_release(&photo);
	is_alpha(name, said);
}

START_TEST(selections)
{
	static const int path_not_active[][3] = {{160, 120, 1}, {185, 140, 1}, {300, 20, 0}, {20, 20, 0}};
	static const char *const converted[] = {"grey", "indexed", "deep", "clear"};
	if (!has_gimp())
		return;
	set_up("gimp");
	const char *said = gimp("", "-b \"(begin $S (select-all-ways \\\"$D\\\"))\"");
	alpha_of(BASE, rgb, one, 1, 0);
	is_alpha("visible", said);
	is_alpha("linear", said);
	alpha_of(BASE, rgb, three, 3, 12);
	is_alpha("feather", said);
	alpha_of(BASE, rgb, three, 3, 0);
	is_alpha("path", said);
	alpha_of(BASE, rgb, path_not_active, 4, 0);
	is_alpha("path-not-active", said);
	check_operations(said);
	check_moved(said);
	for (size_t i = 0; i < sizeof converted / sizeof *converted; i++)
		check_converted(converted[i], said);
	ck_assert_msg(!strstr(said, "execution error"), "%s", said);
	shell(SETTINGS MAKE " uninstall-gimp && ! test -e \"$XDG_CONFIG_HOME/GIMP/2.10/plug-ins/tapcut\"", dir);
}
END_TEST

/* A call of gimp_test.scm each, and what GIMP then says. Arguments of refuse: taps, operation, feather. */
static const struct {
	const char *call, *sentence;
} refusals[] = {
	{"refuse D #() 2 0", "No path says where the object is"},
	{"refuse D #(10 10 0) 2 0", "No tap is on the object"},
	{"refuse D #(10 240 1) 2 0", "outside the photo, which has 320 x 240 pixels"},
	{"refuse D #(1 2 1 3) 2 0", "a multiple of 3 numbers, found 4"},
	{"refuse D #(1 2 7) 2 0", "expected a label of 1"},
	{"refuse D #(160 120 1) 4 0", "Operation: expected 0 to 3"},
	{"refuse D #(160 120 1) 2 300", "feather must be 0 to 200"},
	{"refuse-paths D", "No path says where the object is"},
	{"select-by-other-model D", ""},
	{"refuse D #(160 120 1) 2 0", "/model.tapcut: No such file or directory"},
	{"still-selected D", ""},
};

START_TEST(errors)
{
	char calls[4096] = "";
	if (!has_gimp())
		return;
	set_up("gimp_errors");
	shell("cp " OTHER " %s/model.tapcut", dir);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		size_t length = strlen(calls);
		snprintf(calls + length, sizeof calls - length, "-b \"(begin $S (define D \\\"$D\\\") (%s))\" ",
			 refusals[i].call);
	}
	const char *said = gimp("export TAPCUT_MODEL=\"$D/model.tapcut\" && ", calls), *rest = said;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		rest = strstr(rest, refusals[i].sentence);
		ck_assert_msg(rest != NULL, "expected \"%s\", found\n%s", refusals[i].sentence, said);
		rest += strlen(refusals[i].sentence);
	}
	alpha_of(OTHER, rgb, one, 1, 0);
	is_alpha("other-model", said);
	for (int i = 0; i < W * H; i++)
		want[i] = in_rect(i) ? 255 : 0;
	is_wanted("still", said);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("gimp");
	TCase *alone = tcase_create("without GIMP"), *inside = tcase_create("in GIMP");
	tcase_add_test(alone, names);
	tcase_add_test(alone, anchors);
	tcase_add_test(alone, triples);
	tcase_add_test(alone, over_white);
	tcase_add_test(alone, mask);
	tcase_add_test(alone, refused);
	tcase_set_timeout(inside, 300);
	tcase_add_test(inside, selections);
	tcase_add_test(inside, errors);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, inside);
	return suite;
}

TEST_MAIN(make_suite)
