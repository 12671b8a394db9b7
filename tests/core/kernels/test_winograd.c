/* Winograd's transforms are adjoint to their partners, its products are the chains they promise, and all have the same
 * bits from every instruction set. tests/core/test_winograd.c says whether they make a convolution. */
#include "core/kernels/winograd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/rng.h"
#include "tests/support/test.h"

enum { FREQUENCIES = WINOGRAD_FREQUENCIES };

static float *random_floats(size_t count, uint64_t purpose)
{
	struct rng rng = rng_stream(5, 0, purpose, RNG_TEST);
	float *data = malloc(count * sizeof *data);
	for (size_t i = 0; i < count; i++)
		data[i] = rng_normal(&rng);
	return data;
}

static double dot(const float *a, const float *b, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static void check_close(double a, double b)
{
	ck_assert_double_lt(fabs(a - b), 1e-4 * (1 + fabs(a)));
}

/* One tile in a map of 6x6 pixels of `channels`, of which the tile's patch covers all. */
enum { SIDE = 6, PIXELS = SIDE * SIDE, PITCH = 48 };

static const struct winograd_tile tile = {.pixel = SIDE + 1, .row_end = SIDE, .col_end = SIDE};
static const struct winograd_tile corner = {.pixel = SIDE + 1, .row_begin = 1, .row_end = 4, .col_end = 5};

static struct winograd_map map_of(int channels)
{
	return (struct winograd_map){channels, channels, (ptrdiff_t)SIDE * channels, channels};
}

/* Both directions of a pair on random data: <T x, v> = <x, T' v>. */
static void check_adjoint(const struct winograd_tile *t, int channels, bool input)
{
	const struct kernels *k = kernels();
	struct winograd_map map = map_of(channels);
	struct winograd_epilogue none = {.relu = false};
	size_t floats = (size_t)PIXELS * channels;
	float *x = random_floats(floats, 1), *v = random_floats(FREQUENCIES * PITCH, 2);
	float *to_v = calloc(FREQUENCIES * PITCH, sizeof *to_v), *to_x = calloc(floats, sizeof *to_x);
	struct winograd_matrices from = {v, PITCH, PITCH}, to = {to_v, PITCH, PITCH};
	if (input) {
		k->winograd_input(&map, x, t, 1, &to);
		k->winograd_input_adjoint(&map, &from, t, 1, false, to_x);
	} else {
		k->winograd_output_adjoint(&map, x, t, 1, &to);
		k->winograd_output(&map, &from, t, 1, &none, to_x);
	}
	double sum = 0;
	for (int f = 0; f < FREQUENCIES; f++)
		sum += dot(to_v + f * PITCH, v + f * PITCH, channels);
	check_close(sum, dot(x, to_x, floats));
	ck_assert_double_gt(fabs(sum), 0);
	float *all[] = {x, v, to_v, to_x};
	for (int i = 0; i < 4; i++)
		free(all[i]);
}

START_TEST(transforms_are_adjoint)
{
	for (const char *const *name = kernels_names; *name; name++)
		if (kernels_supported(*name)) {
			kernels_select(*name);
			static const int channels[] = {1, 4, 7, 16, 35, 48};
			for (int i = 0; i < 6; i++) {
				check_adjoint(&tile, channels[i], true);
				check_adjoint(&tile, channels[i], false);
				check_adjoint(&corner, channels[i], true);
				check_adjoint(&corner, channels[i], false);
			}
		}
}
END_TEST

/* Element (k, j) of a matrix in panels. */
static size_t packed_at(int depth, int cols, int k, int j)
{
	int panel = kernels()->gemm_panel(), lanes = kernels()->lanes, column = j / panel * panel;
	int width = cols - column > lanes ? panel : lanes;
	return (size_t)column * depth + (size_t)k * width + j - column;
}

static size_t packed_floats(int depth, int cols)
{
	int lanes = kernels()->lanes;
	return (size_t)depth * ((cols + lanes - 1) / lanes * lanes);
}

/* <scale G g G^T, u> = <g, scale G^T u G>, with u in panels on one side and row by row on the other. */
static void check_filters(int rows, int cols)
{
	const struct kernels *k = kernels();
	int pitch = (cols + 15) / 16 * 16;
	size_t packed = packed_floats(rows, cols), taps = (size_t)rows * cols * 9;
	float *g = random_floats(taps, 3), *u = random_floats((size_t)FREQUENCIES * rows * pitch, 4);
	float *to_u = random_floats(FREQUENCIES * packed, 5), *to_g = calloc(taps, sizeof *to_g);
	struct winograd_filters filters = {rows, cols, g, 9 * cols, 9, 0.5f};
	k->winograd_filter(&filters, to_u, packed);
	k->winograd_filter_adjoint(u, (ptrdiff_t)rows * pitch, rows, cols, pitch, 0.5f, to_g);
	double sum = 0;
	for (int f = 0; f < FREQUENCIES; f++)
		for (int i = 0; i < rows; i++)
			for (int j = 0; j < cols; j++)
				sum += (double)to_u[f * packed + packed_at(rows, cols, i, j)] *
				       u[(f * rows + i) * pitch + j];
	check_close(sum, dot(g, to_g, taps));
	float *all[] = {g, u, to_u, to_g};
	for (int i = 0; i < 4; i++)
		free(all[i]);
}

START_TEST(filters_are_adjoint)
{
	for (const char *const *name = kernels_names; *name; name++)
		if (kernels_supported(*name)) {
			kernels_select(*name);
			static const int cols[] = {1, 5, 16, 18, 40};
			for (int i = 0; i < 5; i++)
				check_filters(3, cols[i]);
		}
}
END_TEST

/* A product of frequency f, by its definition; b as it lies. */
static float chain(const struct winograd_products *p, const float *b, int b_pitch, int f, int i, int j)
{
	float sum = p->add ? p->c[f * p->c_frequency + i * p->c_pitch + j] : 0;
	for (int k = 0; k < p->depth; k++) {
		ptrdiff_t at = p->transposed ? k * p->a_pitch + i : i * p->a_pitch + k;
		sum = fmaf(p->a[f * p->a_frequency + at], b[(f * p->depth + k) * b_pitch + j], sum);
	}
	return sum;
}

static void check_products(int rows, int cols, int depth, bool transposed, bool add)
{
	const struct kernels *k = kernels();
	int panel = k->gemm_panel(), pitch = (cols + 15) / 16 * 16;
	size_t packed_size = packed_floats(depth, cols);
	float *a = random_floats((size_t)FREQUENCIES * rows * depth, 6);
	float *b = random_floats((size_t)FREQUENCIES * depth * pitch, 7);
	float *c = random_floats((size_t)FREQUENCIES * rows * pitch, 8), *expected = random_floats(rows * pitch, 9);
	float *packed = calloc(FREQUENCIES * packed_size, sizeof *packed);
	for (int i = 0; i < FREQUENCIES * depth; i++)
		for (int j = 0; j < cols; j++)
			packed[i / depth * packed_size + packed_at(depth, cols, i % depth, j)] = b[i * pitch + j];
	struct winograd_products p = {rows,
				      cols,
				      depth,
				      transposed,
				      a,
				      transposed ? rows : depth,
				      rows * depth,
				      transposed ? b : packed,
				      transposed ? pitch : panel * depth,
				      transposed ? (size_t)depth * pitch : packed_size,
				      0,
				      c,
				      pitch,
				      rows * pitch,
				      add};
	int f = (rows + cols + depth) % FREQUENCIES;
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < cols; j++)
			expected[i * pitch + j] = chain(&p, b, pitch, f, i, j);
	k->winograd_products(&p);
	for (int i = 0; i < rows; i++)
		ck_assert_mem_eq(c + (f * rows + i) * pitch, expected + i * pitch, cols * sizeof *c);
	float *all[] = {a, b, c, expected, packed};
	for (int i = 0; i < 5; i++)
		free(all[i]);
}

START_TEST(products_are_chains)
{
	static const int cols[] = {1, 8, 16, 17, 32, 50}, depths[] = {1, 4, 7, 16};
	for (const char *const *name = kernels_names; *name; name++)
		if (kernels_supported(*name)) {
			kernels_select(*name);
			for (int rows = 1; rows <= 29; rows++)
				for (int i = 0; i < 24; i++) {
					check_products(rows, cols[i / 4], depths[i % 4], false, rows & 1);
					check_products(rows, cols[i / 4], depths[i % 4], true, rows & 1);
				}
		}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("kernels/winograd");
	TCase *tc = tcase_create("winograd");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, transforms_are_adjoint);
	tcase_add_test(tc, filters_are_adjoint);
	tcase_add_test(tc, products_are_chains);
	suite_add_tcase(s, tc);
	return s;
}

TEST_MAIN(suite)
