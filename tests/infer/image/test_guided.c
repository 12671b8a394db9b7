/* The guided filter against its formula in double precision, and what it is for: edges of the guide. */
#include <math.h>
#include <stdlib.h>

#include "infer/image/guided.h"
#include "tests/support/test.h"

enum { MAX_W = 60, MAX_H = 50 };

static uint8_t guide[3 * MAX_W * MAX_H], input[MAX_W * MAX_H], got[MAX_W * MAX_H];
static double functions[MAX_W * MAX_H][4];

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void run_filter(int w, int h, int radius, double epsilon)
{
	struct infer_guided g = {.guide = guide, .input = input, .w = w, .h = h, .radius = radius, .epsilon = epsilon};
	void *workspace = malloc(infer_guided_workspace(w, radius));
	infer_guided_start(&g, workspace);
	for (int y = 0; y < h; y++) {
		const float *row = infer_guided_next(&g);
		infer_guided_apply(row, row, 0, w, guide + (size_t)y * 3 * (size_t)w, got + (size_t)y * (size_t)w, w,
				   NULL);
	}
	free(workspace);
}

/* Gauss, for (covariance + epsilon) a = v. */
static void solve(double m[3][3], double v[3])
{
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 3; i++) {
			if (i == k)
				continue;
			double f = m[i][k] / m[k][k];
			for (int j = 0; j < 3; j++)
				m[i][j] -= f * m[k][j];
			v[i] -= f * v[k];
		}
	for (int i = 0; i < 3; i++)
		v[i] /= m[i][i];
}

static void naive_function(int cx, int cy, int w, int h, int radius, double epsilon, double out[4])
{
	double n = 0, mean[3] = {0}, p = 0, m[3][3] = {{0}}, v[3] = {0};
	for (int pass = 0; pass < 2; pass++) {
		for (int y = cy - radius; y <= cy + radius; y++)
			for (int x = cx - radius; x <= cx + radius; x++) {
				if (x < 0 || y < 0 || x >= w || y >= h)
					continue;
				const uint8_t *c = guide + 3 * (y * w + x);
				double in = input[y * w + x];
				n += pass == 0;
				p += pass == 0 ? in : 0;
				for (int i = 0; i < 3; i++) {
					mean[i] += pass == 0 ? c[i] : 0;
					v[i] += pass == 0 ? 0 : (c[i] - mean[i]) * (in - p) / n;
					for (int j = 0; j < 3; j++)
						m[i][j] += pass == 0 ? 0 : (c[i] - mean[i]) * (c[j] - mean[j]) / n;
				}
			}
		if (pass == 0) {
			p /= n;
			for (int i = 0; i < 3; i++)
				mean[i] /= n;
		}
	}
	for (int i = 0; i < 3; i++)
		m[i][i] += epsilon;
	solve(m, v);
	out[3] = p;
	for (int i = 0; i < 3; i++) {
		out[i] = v[i];
		out[3] -= v[i] * mean[i];
	}
}

static double naive_value(int cx, int cy, int w, int h, int radius)
{
	double n = 0, f[4] = {0};
	for (int y = cy - radius; y <= cy + radius; y++)
		for (int x = cx - radius; x <= cx + radius; x++)
			if (x >= 0 && y >= 0 && x < w && y < h) {
				n++;
				for (int i = 0; i < 4; i++)
					f[i] += functions[y * w + x][i];
			}
	const uint8_t *c = guide + 3 * (cy * w + cx);
	double value = (f[0] * c[0] + f[1] * c[1] + f[2] * c[2] + f[3]) / n;
	return value < 0 ? 0 : value > 255 ? 255 : value;
}

START_TEST(test_same_as_formula)
{
	static const struct {
		int w, h, radius;
		double epsilon;
	} cases[] = {{60, 50, 4, 20},  {33, 41, 1, 100}, {5, 50, 8, 20},
		     {60, 3, 16, 400}, {1, 1, 2, 20},    {47, 20, 3, 50}};
	int w = cases[_i].w, h = cases[_i].h, radius = cases[_i].radius;
	uint32_t state = 3 + (uint32_t)_i;
	for (int i = 0; i < w * h; i++) {
		for (int c = 0; c < 3; c++)
			guide[3 * i + c] = (uint8_t)next_random(&state);
		/* Areas of one value too, which take a shorter way. */
		input[i] = i % w < w / 3 ? 0 : i % w > w - w / 3 ? 255 : (uint8_t)next_random(&state);
	}
	run_filter(w, h, radius, cases[_i].epsilon);
	for (int i = 0; i < w * h; i++)
		naive_function(i % w, i / w, w, h, radius, cases[_i].epsilon, functions[i]);
	for (int i = 0; i < w * h; i++) {
		double want = naive_value(i % w, i / w, w, h, radius);
		if (fabs(want - got[i]) > 1)
			ck_abort_msg("%d,%d: %d, not %g", i % w, i / w, got[i], want);
	}
}
END_TEST

/* The input's edge is wrong by up to two pixels; the result's is the guide's. */
START_TEST(test_follows_the_guide)
{
	for (int i = 0; i < MAX_W * MAX_H; i++) {
		int x = i % MAX_W, y = i / MAX_W, edge = MAX_W / 2 + y / 10, wrong = edge + _i - 2;
		memset(guide + 3 * i, x < edge ? 60 : 180, 3);
		input[i] = x < wrong ? 0 : 255;
	}
	run_filter(MAX_W, MAX_H, 6, 20);
	for (int i = 0; i < MAX_W * MAX_H; i++) {
		int x = i % MAX_W, y = i / MAX_W, edge = MAX_W / 2 + y / 10;
		if ((got[i] >= 128) != (x >= edge))
			ck_abort_msg("%d,%d: %d, the edge is at %d", x, y, got[i], edge);
	}
}
END_TEST

/* Nothing to follow: a mean of means. */
START_TEST(test_constant_guide_smooths)
{
	int radius = 3;
	uint32_t state = 9;
	memset(guide, 77, sizeof guide);
	for (int i = 0; i < MAX_W * MAX_H; i++)
		input[i] = next_random(&state) & 1 ? 255 : 0;
	run_filter(MAX_W, MAX_H, radius, 20);
	for (int i = 0; i < MAX_W * MAX_H; i++)
		naive_function(i % MAX_W, i / MAX_W, MAX_W, MAX_H, radius, 1e12, functions[i]);
	for (int i = 0; i < MAX_W * MAX_H; i++)
		ck_assert(fabs(naive_value(i % MAX_W, i / MAX_W, MAX_W, MAX_H, radius) - got[i]) <= 1);
}
END_TEST

/* Each pixel of a larger picture lies at its place between the functions. */
START_TEST(test_apply_interpolates)
{
	enum { W = 7, LARGE = 61 };
	float above[4 * W], below[4 * W], mixed[4 * W];
	uint8_t rgb[3 * LARGE], out[LARGE];
	uint32_t state = 21;
	for (int i = 0; i < 4 * W; i++) {
		above[i] = (float)(next_random(&state) % 100) / (i < 3 * W ? 300 : 1);
		below[i] = (float)(next_random(&state) % 100) / (i < 3 * W ? 300 : 1);
	}
	for (int i = 0; i < 3 * LARGE; i++)
		rgb[i] = (uint8_t)next_random(&state);
	int out_w = _i == 0 ? LARGE : _i == 1 ? 8 : _i == 2 ? 14 : W;
	float down = _i == 2 ? 0 : 0.3f;
	infer_guided_apply(above, below, down, W, rgb, out, out_w, mixed);
	for (int x = 0; x < out_w; x++) {
		double at = fmin(fmax((x + 0.5) * W / out_w - 0.5, 0), W - 1), want = 0;
		int i = (int)at, j = i + 1 < W ? i + 1 : i;
		for (int k = 0; k < 4; k++) {
			double left = above[k * W + i] + (below[k * W + i] - above[k * W + i]) * down;
			double right = above[k * W + j] + (below[k * W + j] - above[k * W + j]) * down;
			want += (left + (right - left) * (at - i)) * (k < 3 ? rgb[3 * x + k] : 1);
		}
		ck_assert_msg(fabs(want - out[x]) <= 0.51, "%d of %d: %d, not %g", x, out_w, out[x], want);
	}
}
END_TEST

static Suite *guided_suite(void)
{
	Suite *suite = suite_create("infer/guided");
	TCase *tcase = tcase_create("guided");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_same_as_formula, 0, 6);
	tcase_add_loop_test(tcase, test_follows_the_guide, 0, 5);
	tcase_add_test(tcase, test_constant_guide_smooths);
	tcase_add_loop_test(tcase, test_apply_interpolates, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(guided_suite)
