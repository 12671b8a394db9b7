/* epilogue_grad against its definition, to the bit, with every instruction set: all widths of vectors, with and
 * without a relu, apart and in place. */
#include "core/kernels.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { ROWS = 3, WIDTH = 5, MOST = 131, PITCH = 137, G_PITCH = 135, FLOATS = ROWS * WIDTH * PITCH };

static float y[FLOATS], y_grad[FLOATS], g[FLOATS], expected_g[FLOATS], bias_grad[MOST], expected_bias[MOST];

static void expect(const struct epilogue_grad *e)
{
	for (int c = 0; c < e->channels; c++) {
		float total = 1;
		for (int row = 0; row < ROWS; row++) {
			float sum = 0;
			for (int x = 0; x < WIDTH; x++) {
				int pixel = row * WIDTH + x;
				float found = y_grad[pixel * PITCH + c];
				found = e->y && !(y[pixel * PITCH + c] > 0) ? 0 : found;
				expected_g[pixel * e->g_pitch + c] = found;
				sum += found;
			}
			total += sum;
		}
		expected_bias[c] = total;
	}
}

static void fill(void)
{
	test_fill(y, FLOATS, FILL_UNIFORM, 1);
	test_fill(y_grad, FLOATS, FILL_UNIFORM, 2);
	y[1] = 0;
	y[2] = -0.0f;
	y[3] = NAN;
	for (int i = 0; i < FLOATS; i++)
		g[i] = expected_g[i] = 7;
	for (int i = 0; i < MOST; i++)
		bias_grad[i] = 1;
}

static void check(int channels, bool relu, bool in_place, const char *isa)
{
	fill();
	struct epilogue_grad e = {
		.rows = ROWS,
		.width = WIDTH,
		.channels = channels,
		.y = relu ? y : NULL,
		.y_grad = y_grad,
		.pitch = PITCH,
		.g = in_place ? y_grad : g,
		.g_pitch = in_place ? PITCH : G_PITCH,
		.bias_grad = bias_grad,
	};
	if (in_place)
		memcpy(expected_g, y_grad, sizeof y_grad);
	expect(&e);
	struct epilogue_grad rest = e;
	e.rows = 1; /* in two calls, as if in one */
	kernels()->epilogue_grad(&e);
	rest.rows--;
	rest.y = relu ? y + WIDTH * PITCH : NULL;
	rest.y_grad += WIDTH * PITCH;
	rest.g += WIDTH * rest.g_pitch;
	kernels()->epilogue_grad(&rest);
	ck_assert_msg(memcmp(e.g, expected_g, sizeof g) == 0, "%s, %d channels: gradient", isa, channels);
	ck_assert_msg(memcmp(bias_grad, expected_bias, (size_t)channels * sizeof *bias_grad) == 0,
		      "%s, %d channels: bias", isa, channels);
	for (int c = channels; c < MOST; c++)
		ck_assert_msg(bias_grad[c] == 1, "%s, %d channels: bias %d", isa, channels, c);
}

START_TEST(equals_its_definition)
{
	static const int channels[] = {1, 3, 8, 15, 16, 31, 48, 64, 65, 96, 128, MOST};
	for (int k = 0; kernels_names[k]; k++) {
		if (!kernels_supported(kernels_names[k]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
		for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
			for (int mode = 0; mode < 4; mode++)
				check(channels[i], mode & 1, mode & 2, kernels_names[k]);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("epilogue_grad");
	TCase *tcase = tcase_create("epilogue_grad");
	tcase_add_test(tcase, equals_its_definition);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
