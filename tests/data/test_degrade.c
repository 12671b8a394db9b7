/* Grey, blur, noise and JPEG's artefacts: against their formulas, and their bytes against a committed hash. */
#include "data/degrade.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sha256.h"
#include "data/image_io.h"
#include "tests/support/test.h"

enum { W = 45, H = 37 };

static uint8_t rgb[W * H * 3], scratch[W * H * 3];

static void fill_random(int seed)
{
	struct rng rng = rng_stream(1, 0, (uint64_t)seed, RNG_TEST);
	for (size_t i = 0; i < sizeof rgb; i++)
		rgb[i] = (uint8_t)rng_below(&rng, 256);
}

/* Waves and an edge: more like a photo than noise is. */
static void fill_smooth(void)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++)
				rgb[3 * (y * W + x) + c] =
					(uint8_t)(128 + 50 * sin(0.2 * x + c) + 40 * cos(0.15 * y - c) +
						  (x > 20 && c == 0 ? 30 : 0));
}

static double mean_difference(const uint8_t *a, const uint8_t *b)
{
	double sum = 0;
	for (size_t i = 0; i < sizeof rgb; i++)
		sum += abs(a[i] - b[i]);
	return sum / sizeof rgb;
}

START_TEST(grey)
{
	static uint8_t before[sizeof rgb];
	fill_random(1);
	memcpy(before, rgb, sizeof rgb);
	degrade_grey(rgb, W * H);
	for (int i = 0; i < W * H; i++) {
		double luma = 0.299 * before[3 * i] + 0.587 * before[3 * i + 1] + 0.114 * before[3 * i + 2];
		ck_assert(rgb[3 * i] == rgb[3 * i + 1] && rgb[3 * i] == rgb[3 * i + 2]);
		if (fabs(rgb[3 * i] - luma) > 1.5)
			ck_abort_msg("pixel %d: %d instead of %g", i, rgb[3 * i], luma);
	}
}
END_TEST

/* A point becomes the Gaussian; what is flat stays flat, at the edges too. */
START_TEST(blur)
{
	double sigma = 1.7;
	memset(rgb, 0, sizeof rgb);
	int x0 = 22, y0 = 18;
	rgb[3 * (y0 * W + x0) + 1] = 255;
	degrade_blur(rgb, W, H, sigma, scratch);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double r2 = (x - x0) * (x - x0) + (y - y0) * (y - y0);
			double expected = 255 * exp(-r2 / (2 * sigma * sigma)) / (2 * 3.14159265 * sigma * sigma);
			if (fabs(rgb[3 * (y * W + x) + 1] - expected) > 1)
				ck_abort_msg("%d,%d: %d instead of %g", x, y, rgb[3 * (y * W + x) + 1], expected);
			if (rgb[3 * (y * W + x)] || rgb[3 * (y * W + x) + 2])
				ck_abort_msg("another channel");
		}
	memset(rgb, 201, sizeof rgb);
	degrade_blur(rgb, W, H, DEGRADE_MAX_SIGMA, scratch);
	for (size_t i = 0; i < sizeof rgb; i++)
		if (rgb[i] != 201)
			ck_abort_msg("byte %zu: %d", i, rgb[i]);
}
END_TEST

START_TEST(noise)
{
	struct rng rng = rng_stream(1, 0, 0, RNG_TEST);
	double sum = 0, squares = 0, deviation = 12;
	memset(rgb, 128, sizeof rgb);
	degrade_noise(rgb, W * H, deviation, &rng);
	for (size_t i = 0; i < sizeof rgb; i++) {
		sum += rgb[i] - 128;
		squares += (rgb[i] - 128) * (rgb[i] - 128);
	}
	ck_assert_double_lt(fabs(sum / sizeof rgb), 0.6);
	ck_assert_double_lt(fabs(sqrt(squares / sizeof rgb) - deviation), 0.6);
}
END_TEST

/* The better the quality, the nearer; and about as near as what libjpeg leaves. */
START_TEST(jpeg_is_like_libjpeg)
{
	static uint8_t before[sizeof rgb];
	float *floats = malloc(degrade_jpeg_floats(W, H) * sizeof *floats);
	double last = 0;
	char path[1100];
	snprintf(path, sizeof path, "%s/x.jpg", test_tmp_dir("degrade"));
	for (int quality = 95; quality >= 15; quality -= 20) {
		fill_smooth();
		memcpy(before, rgb, sizeof rgb);
		degrade_jpeg(rgb, W, H, quality, floats);
		double ours = mean_difference(before, rgb);
		struct image image = {.width = W, .height = H, .channels = 3, .pixels = before}, decoded;
		struct image_read_options options = {.channels = 3, .exif = EXIF_MATCH, .width = W, .height = H};
		ck_assert_int_eq(image_write_jpeg(path, &image, quality, NULL), STATUS_OK);
		ck_assert_msg(image_read(path, &options, &decoded) == STATUS_OK, "%s", status_message());
		double theirs = mean_difference(before, decoded.pixels);
		image_release(&decoded);
		ck_assert_msg(ours < 1.5 * theirs + 0.5 && ours > 0.5 * theirs - 0.5, "quality %d: %g, libjpeg %g",
			      quality, ours, theirs);
		ck_assert_double_gt(ours, last);
		last = ours;
	}
	free(floats);
}
END_TEST

/* What is flat on 8x8 blocks passes unchanged but for rounding. */
START_TEST(jpeg_keeps_flat_pictures)
{
	float *floats = malloc(degrade_jpeg_floats(W, H) * sizeof *floats);
	for (int i = 0; i < W * H; i++)
		memcpy(rgb + 3 * i, (uint8_t[]){90, 140, 60}, 3);
	degrade_jpeg(rgb, W, H, 100, floats);
	for (int i = 0; i < W * H; i++)
		if (abs(rgb[3 * i] - 90) > 1 || abs(rgb[3 * i + 1] - 140) > 1 || abs(rgb[3 * i + 2] - 60) > 1)
			ck_abort_msg("pixel %d: %d %d %d", i, rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
	free(floats);
}
END_TEST

/* The same on every processor: what trained weights depend on. */
START_TEST(known_bytes)
{
	struct rng rng = rng_stream(1, 0, 3, RNG_TEST);
	float *floats = malloc(degrade_jpeg_floats(W, H) * sizeof *floats);
	struct sha256 sha;
	uint8_t digest[32];
	char hex[65];
	fill_random(2);
	sha256_init(&sha);
	for (int i = 1; i <= 8; i++) {
		degrade_blur(rgb, W, H, 0.3 * i, scratch);
		degrade_noise(rgb, W * H, 4 * i, &rng);
		degrade_jpeg(rgb, W, H, 11 * i, floats);
		sha256_update(&sha, rgb, sizeof rgb);
	}
	degrade_grey(rgb, W * H);
	sha256_update(&sha, rgb, sizeof rgb);
	sha256_final(&sha, digest);
	sha256_hex(digest, hex);
	ck_assert_str_eq(hex, "89817fd07450bf55779adc8841bc5b4538df61a53c64d06a630424ae125ad4e3");
	free(floats);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("degrade");
	TCase *tcase = tcase_create("degrade");
	tcase_add_test(tcase, grey);
	tcase_add_test(tcase, blur);
	tcase_add_test(tcase, noise);
	tcase_add_test(tcase, jpeg_is_like_libjpeg);
	tcase_add_test(tcase, jpeg_keeps_flat_pictures);
	tcase_add_test(tcase, known_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
