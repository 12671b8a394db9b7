/* The shared resampler against a naive loop in double, and the properties training relies on: the identity is exact,
 * flip mirrors exactly, a crop moves everything alike, what lies outside is fill. */
#include "infer/image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static uint32_t noise_state;

static uint32_t noise(void)
{
	noise_state = noise_state * 1664525u + 1013904223u;
	return noise_state >> 8;
}

static uint8_t *noise_image(int w, int h, int channels)
{
	uint8_t *pixels = malloc((size_t)(w * h * channels));
	for (int i = 0; i < w * h * channels; i++)
		pixels[i] = (uint8_t)noise();
	return pixels;
}

/* Exact sizes from malloc, so that AddressSanitizer sees a step beyond the workspace or the result. */
static uint8_t *resized(const uint8_t *src, int sw, int sh, int channels, struct infer_rect rect, int dw, int dh,
			int flip)
{
	static const uint8_t fill[3] = {123, 117, 104};
	uint8_t *dst = malloc((size_t)(dw * dh * channels));
	void *workspace = malloc(infer_resize_workspace(sw, sh, dw, dh));
	memset(dst, 77, (size_t)(dw * dh * channels));
	infer_resize_u8(src, sw, sh, (size_t)(sw * channels), channels, rect, dst, dw, dh, fill, flip, workspace);
	free(workspace);
	return dst;
}

/* The formula of resize.c's head, written down without any thought of speed. NAN outside. */
static double naive(const uint8_t *src, int sw, int sh, int channels, struct infer_rect rect, int dw, int dh, int x,
		    int y, int c)
{
	double sx = (rect.x1 - rect.x0) / dw, sy = (rect.y1 - rect.y0) / dh;
	double cx = rect.x0 + (x + 0.5) * sx, cy = rect.y0 + (y + 0.5) * sy, sum = 0, total = 0;
	if (cx < 0 || cx >= sw || cy < 0 || cy >= sh)
		return NAN;
	for (int j = 0; j < sh; j++) {
		double wy = 1 - fabs(j + 0.5 - cy) / fmax(1, sy);
		for (int i = 0; wy > 0 && i < sw; i++) {
			double wx = 1 - fabs(i + 0.5 - cx) / fmax(1, sx);
			if (wx <= 0)
				continue;
			sum += wx * wy * src[(j * sw + i) * channels + c];
			total += wx * wy;
		}
	}
	return sum / total;
}

static void compare_with_naive(int sw, int sh, int channels, struct infer_rect rect, int dw, int dh)
{
	static const uint8_t fill[3] = {123, 117, 104};
	uint8_t *src = noise_image(sw, sh, channels);
	uint8_t *dst = resized(src, sw, sh, channels, rect, dw, dh, 0);
	for (int i = 0; i < dw * dh * channels; i++) {
		int c = i % channels, x = i / channels % dw, y = i / channels / dw;
		double expected = naive(src, sw, sh, channels, rect, dw, dh, x, y, c);
		if (isnan(expected) ? dst[i] != fill[c] : fabs(dst[i] - expected) >= 0.53)
			ck_abort_msg("%dx%dx%d -> %dx%d at %d,%d,%d: %d, exactly %g", sw, sh, channels, dw, dh, x, y, c,
				     dst[i], expected);
	}
	free(src);
	free(dst);
}

START_TEST(naive_loop)
{
	noise_state = 1;
	compare_with_naive(40, 30, 3, (struct infer_rect){0, 0, 40, 30}, 17, 23);
	compare_with_naive(17, 9, 3, (struct infer_rect){0, 0, 17, 9}, 40, 31);
	compare_with_naive(40, 30, 1, (struct infer_rect){3.25, -4.5, 29.75, 18.125}, 21, 20);
	compare_with_naive(12, 12, 3, (struct infer_rect){-30, -30, 42, 42}, 16, 16);
	compare_with_naive(64, 48, 3, (struct infer_rect){20.1, 30.2, 22.3, 31.4}, 9, 7);
	compare_with_naive(1, 1, 3, (struct infer_rect){-1, -1, 2, 2}, 6, 6);
	compare_with_naive(300, 2, 1, (struct infer_rect){0, 0, 300, 2}, 1, 1);
	for (int i = 0; i < 60; i++) {
		int sw = 1 + (int)(noise() % 50), sh = 1 + (int)(noise() % 50), dw = 1 + (int)(noise() % 30),
		    dh = 1 + (int)(noise() % 30);
		double x = (double)(noise() % 1000) / 10 - 40, y = (double)(noise() % 1000) / 10 - 40;
		double w = 0.1 + (double)(noise() % 1000) / 8, h = 0.1 + (double)(noise() % 1000) / 8;
		compare_with_naive(sw, sh, i % 2 ? 3 : 1, (struct infer_rect){x, y, x + w, y + h}, dw, dh);
	}
}
END_TEST

START_TEST(identity_and_crop_are_exact)
{
	noise_state = 2;
	uint8_t *src = noise_image(37, 21, 3);
	uint8_t *same = resized(src, 37, 21, 3, (struct infer_rect){0, 0, 37, 21}, 37, 21, 0);
	ck_assert_mem_eq(src, same, 37 * 21 * 3);
	uint8_t *crop = resized(src, 37, 21, 3, (struct infer_rect){5, 7, 25, 17}, 20, 10, 0);
	for (int y = 0; y < 10; y++)
		ck_assert_mem_eq(crop + y * 60, src + ((y + 7) * 37 + 5) * 3, 60);
	uint8_t *twice = resized(src, 37, 21, 3, (struct infer_rect){0, 0, 37, 21}, 37, 21, 1);
	uint8_t *back = resized(twice, 37, 21, 3, (struct infer_rect){0, 0, 37, 21}, 37, 21, 1);
	ck_assert_mem_ne(src, twice, 37 * 21 * 3);
	ck_assert_mem_eq(src, back, 37 * 21 * 3);
	free(src), free(same), free(crop), free(twice), free(back);
}
END_TEST

START_TEST(flip_mirrors)
{
	noise_state = 3;
	uint8_t *src = noise_image(50, 40, 3);
	struct infer_rect rect = {-7.3, 4.2, 44.9, 51.5};
	uint8_t *plain = resized(src, 50, 40, 3, rect, 33, 29, 0), *flipped = resized(src, 50, 40, 3, rect, 33, 29, 1);
	for (int y = 0; y < 29; y++)
		for (int x = 0; x < 33; x++)
			ck_assert_mem_eq(plain + (y * 33 + x) * 3, flipped + (y * 33 + 32 - x) * 3, 3);
	free(src), free(plain), free(flipped);
}
END_TEST

START_TEST(flat_stays_flat)
{
	/* Weights that did not add up to exactly one would show at 255 first. */
	for (int value = 0; value <= 255; value += 51) {
		uint8_t *src = malloc(200 * 3);
		memset(src, value, 200 * 3);
		for (int n = 1; n < 90; n++) {
			uint8_t *dst = resized(src, 200, 1, 3, (struct infer_rect){0.3, 0, 199.1, 1}, n, 2, 0);
			for (int i = 0; i < n * 6; i++)
				ck_assert_int_eq(dst[i], value);
			free(dst);
		}
		free(src);
	}
}
END_TEST

START_TEST(extreme_rectangles)
{
	noise_state = 4;
	uint8_t *src = noise_image(30, 20, 3);
	struct infer_rect rects[] = {
		{-1e300, -1e300, 1e300, 1e300},   {1e9, 1e9, 2e9, 2e9},   {-1e9, 0, -1e8, 20},
		{15, 10, 15 + 1e-12, 10 + 1e-12}, {-0.5, -0.5, 1e7, 1e7}, {29.999, 0, 30.001, 20},
	};
	for (size_t i = 0; i < sizeof rects / sizeof *rects; i++) {
		free(resized(src, 30, 20, 3, rects[i], 16, 16, (int)i % 2));
		free(resized(src, 30, 20, 3, rects[i], 1, 1, (int)i % 2));
	}
	uint8_t *outside = resized(src, 30, 20, 3, rects[1], 4, 4, 0);
	ck_assert_int_eq(outside[0], 123);
	ck_assert_int_eq(outside[47], 104);
	free(outside), free(src);
}
END_TEST

START_TEST(stride_skips_padding)
{
	noise_state = 5;
	uint8_t *src = noise_image(10, 8, 3), padded[8 * 40], dst[6 * 6 * 3];
	memset(padded, 1, sizeof padded);
	for (int y = 0; y < 8; y++)
		memcpy(padded + y * 40, src + y * 30, 30);
	void *workspace = malloc(infer_resize_workspace(10, 8, 6, 6));
	infer_resize_u8(padded, 10, 8, 40, 3, (struct infer_rect){0, 0, 10, 8}, dst, 6, 6, src, 0, workspace);
	uint8_t *expected = resized(src, 10, 8, 3, (struct infer_rect){0, 0, 10, 8}, 6, 6, 0);
	ck_assert_mem_eq(dst, expected, sizeof dst);
	free(src), free(expected), free(workspace);
}
END_TEST

/* The same bytes on every machine and in every version: a change here changes every trained network. */
START_TEST(golden_bytes)
{
	noise_state = 6;
	uint8_t *src = noise_image(96, 72, 3);
	uint8_t *dst = resized(src, 96, 72, 3, (struct infer_rect){-3.3, 5.1, 90.7, 80.2}, 64, 64, 1);
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (int i = 0; i < 64 * 64 * 3; i++)
		hash = (hash ^ dst[i]) * 16777619u;
	ck_assert_msg(hash == 0x027c89aeu, "hash is now 0x%08x", hash);
	free(src), free(dst);
}
END_TEST

static float *floats(const float *src, int sw, int sh, struct infer_rect rect, int dw, int dh)
{
	float *dst = malloc((size_t)(dw * dh) * sizeof *dst);
	void *workspace = malloc(infer_resize_workspace(sw, sh, dw, dh));
	infer_resize_f32(src, sw, sh, rect, dst, dw, dh, workspace);
	free(workspace);
	return dst;
}

START_TEST(floats_match_bytes)
{
	noise_state = 7;
	uint8_t *bytes = noise_image(31, 26, 1);
	float src[31 * 26];
	for (int i = 0; i < 31 * 26; i++)
		src[i] = bytes[i];
	struct infer_rect rect = {2.2, 3.3, 30.1, 24.9};
	float *dst = floats(src, 31, 26, rect, 40, 12);
	for (int i = 0; i < 40 * 12; i++)
		ck_assert_double_eq_tol(dst[i], naive(bytes, 31, 26, 1, rect, 40, 12, i % 40, i / 40, 0), 1e-3);
	free(bytes), free(dst);
}
END_TEST

START_TEST(floats_extend_edges)
{
	float src[4] = {1, 2, 3, 4};
	float *dst = floats(src, 2, 2, (struct infer_rect){-10, -10, 12, 12}, 22, 22);
	ck_assert_float_eq(dst[0], 1);
	ck_assert_float_eq(dst[21], 2);
	ck_assert_float_eq(dst[21 * 22], 3);
	ck_assert_float_eq(dst[21 * 22 + 21], 4);
	free(dst);
	free(floats(src, 2, 2, (struct infer_rect){-1e12, 3, 1e12, 1e12}, 9, 9));
	/* Doubling with half-pixel centres: 1/4 and 3/4. */
	dst = floats(src, 2, 2, (struct infer_rect){0, 0, 2, 2}, 4, 4);
	ck_assert_float_eq(dst[0], 1);
	ck_assert_float_eq(dst[1], 1.25f);
	ck_assert_float_eq(dst[2], 1.75f);
	ck_assert_float_eq(dst[3], 2);
	free(dst);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("resize");
	TCase *bytes = tcase_create("bytes");
	tcase_set_timeout(bytes, 60);
	tcase_add_test(bytes, naive_loop);
	tcase_add_test(bytes, identity_and_crop_are_exact);
	tcase_add_test(bytes, flip_mirrors);
	tcase_add_test(bytes, flat_stays_flat);
	tcase_add_test(bytes, extreme_rectangles);
	tcase_add_test(bytes, stride_skips_padding);
	tcase_add_test(bytes, golden_bytes);
	suite_add_tcase(suite, bytes);
	TCase *real = tcase_create("floats");
	tcase_set_timeout(real, 60);
	tcase_add_test(real, floats_match_bytes);
	tcase_add_test(real, floats_extend_edges);
	suite_add_tcase(suite, real);
	return suite;
}

TEST_MAIN(make_suite)
