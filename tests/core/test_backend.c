/* Every backend, with every instruction set, against double loops that say no more than the formula; and the native
 * one's bits, which are the same for all sets. */
#include "core/backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/blas.h"
#include "core/kernels.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

struct form {
	int n, c, h, w, o, kernel_h, kernel_w, stride, padding, dilation;
	int extra_pitch;
	float scale;
};

static const struct form forms[] = {
	{1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1},           {2, 5, 3, 5, 3, 1, 1, 1, 0, 1, 2, 1},
	{1, 70, 17, 9, 37, 1, 1, 1, 0, 1, 0, 0.03125f}, {1, 64, 24, 24, 16, 1, 1, 1, 0, 1, 16, 1},
	{2, 3, 7, 9, 5, 3, 3, 1, 1, 1, 0, 1},           {1, 3, 33, 30, 64, 3, 3, 2, 1, 1, 0, 1},
	{1, 16, 21, 18, 48, 3, 3, 1, 1, 1, 48, 0.5f},   {2, 32, 8, 8, 32, 3, 3, 1, 1, 1, 0, 1},
	{1, 24, 5, 3, 17, 3, 3, 1, 1, 1, 1, 1},         {1, 20, 16, 16, 24, 3, 3, 1, 2, 2, 0, 1},
	{2, 20, 13, 11, 24, 3, 3, 1, 4, 4, 0, 1},       {1, 40, 4, 4, 16, 3, 3, 1, 3, 3, 0, 1},
	{1, 16, 12, 12, 1, 3, 3, 1, 1, 1, 0, 1},        {1, 3, 17, 13, 4, 7, 7, 2, 3, 1, 0, 1},
	{2, 2, 11, 14, 3, 3, 5, 3, 2, 2, 0, 1},         {1, 1, 64, 64, 1, 32, 32, 16, 8, 1, 0, 1},
	{1, 16, 9, 9, 16, 3, 3, 1, 0, 1, 0, 1},
};

enum { FORM_COUNT = sizeof forms / sizeof forms[0] };

static struct conv2d_dims dims_of(const struct form *f)
{
	struct conv2d_dims d = {
		.n = f->n,
		.c = f->c,
		.h = f->h,
		.w = f->w,
		.o = f->o,
		.kernel_h = f->kernel_h,
		.kernel_w = f->kernel_w,
		.stride = f->stride,
		.padding = f->padding,
		.dilation = f->dilation,
		.y_pitch = f->o + f->extra_pitch,
		.scale = f->scale,
	};
	d.out_h = (d.h + 2 * d.padding - d.dilation * (d.kernel_h - 1) - 1) / d.stride + 1;
	d.out_w = (d.w + 2 * d.padding - d.dilation * (d.kernel_w - 1) - 1) / d.stride + 1;
	return d;
}

/* All that goes in and comes out. */
struct run {
	struct conv2d_dims d;
	size_t x_count, y_count, w_count;
	float *x, *weight, *bias, *from, *y, *y_grad, *x_grad, *weight_grad, *prepared, *scratch;
	double *x_sum, *y_sum, *w_sum;
};

static float *floats(size_t count, unsigned seed)
{
	float *f = aligned_alloc(64, (count * sizeof *f + 63) / 64 * 64 + 64);
	ck_assert_ptr_nonnull(f);
	test_fill(f, count, FILL_UNIFORM, seed);
	return f;
}

static void run_init(struct run *r, const struct form *f)
{
	struct conv2d_dims d = dims_of(f);
	*r = (struct run){.d = d};
	r->x_count = (size_t)d.n * (size_t)d.h * (size_t)d.w * (size_t)d.c;
	r->y_count = (size_t)d.n * (size_t)d.out_h * (size_t)d.out_w * (size_t)d.y_pitch;
	r->w_count = (size_t)d.o * (size_t)d.c * (size_t)d.kernel_h * (size_t)d.kernel_w;
	r->x = floats(r->x_count, 1);
	r->weight = floats(r->w_count, 2);
	r->bias = floats((size_t)d.o, 3);
	r->from = floats(r->y_count, 4);
	r->y = floats(r->y_count, 5);
	r->y_grad = floats(r->y_count, 6);
	r->x_grad = floats(r->x_count, 7);
	r->weight_grad = floats(r->w_count, 8);
	r->x_sum = calloc(r->x_count, sizeof(double));
	r->y_sum = calloc(r->y_count, sizeof(double));
	r->w_sum = calloc(r->w_count, sizeof(double));
	r->prepared = floats(backend_current()->conv2d_prepared_floats(&d), 9);
	r->scratch = floats(backend_current()->conv2d_scratch_floats(&d), 10);
	backend_current()->conv2d_prepare(&d, r->weight, r->prepared);
}

static void run_release(struct run *r)
{
	void *all[] = {r->x,           r->weight,   r->bias,    r->from,  r->y,     r->y_grad, r->x_grad,
		       r->weight_grad, r->prepared, r->scratch, r->x_sum, r->y_sum, r->w_sum};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

static void add_output(struct run *r, int n, int o, int i, int j)
{
	const struct conv2d_dims *d = &r->d;
	size_t y = (((size_t)n * (size_t)d->out_h + (size_t)i) * (size_t)d->out_w + (size_t)j) * (size_t)d->y_pitch +
		   (size_t)o;
	for (int c = 0; c < d->c; c++)
		for (int ky = 0; ky < d->kernel_h; ky++)
			for (int kx = 0; kx < d->kernel_w; kx++) {
				int row = i * d->stride - d->padding + ky * d->dilation;
				int column = j * d->stride - d->padding + kx * d->dilation;
				if (row < 0 || row >= d->h || column < 0 || column >= d->w)
					continue;
				int x = ((n * d->h + row) * d->w + column) * d->c + c;
				int w = ((o * d->c + c) * d->kernel_h + ky) * d->kernel_w + kx;
				double s = d->scale;
				r->y_sum[y] += s * (double)r->x[x] * (double)r->weight[w];
				r->x_sum[x] += s * (double)r->y_grad[y] * (double)r->weight[w];
				r->w_sum[w] += s * (double)r->y_grad[y] * (double)r->x[x];
			}
}

static void run_loops(struct run *r)
{
	for (int n = 0; n < r->d.n; n++)
		for (int o = 0; o < r->d.o; o++)
			for (int i = 0; i < r->d.out_h; i++)
				for (int j = 0; j < r->d.out_w; j++)
					add_output(r, n, o, i, j);
}

/* Every element as near as 1e-5 of the largest. */
static void check_near(const float *got, const double *sum, size_t count, const char *what)
{
	double largest = 1e-3;
	for (size_t i = 0; i < count; i++)
		largest = fabs(sum[i]) > largest ? fabs(sum[i]) : largest;
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(fabs((double)got[i] - sum[i]) <= 1e-5 * largest,
			      "%s, %s: %s %zu: expected %.9g, found %.9g", backend_current()->name, kernels()->isa,
			      what, i, sum[i], (double)got[i]);
}

static void check_forward(struct run *r)
{
	const struct conv2d_dims *d = &r->d;
	for (int form = 0; form < 4; form++) {
		struct conv2d_epilogue e = {form & 1 ? r->bias : NULL, form & 2 ? r->from : NULL, d->y_pitch,
					    form == 3};
		double *expected = malloc(r->y_count * sizeof *expected);
		for (size_t i = 0; i < r->y_count; i++) {
			size_t o = i % (size_t)d->y_pitch;
			r->y[i] = 7;
			expected[i] = r->y_sum[i] + (e.bias ? (double)e.bias[o < (size_t)d->o ? o : 0] : 0) +
				      (e.from ? (double)e.from[i] : 0);
			if (e.relu && expected[i] < 0)
				expected[i] = 0;
			if (o >= (size_t)d->o)
				expected[i] = 7; /* between the pixels: not ours */
		}
		backend_current()->conv2d_forward(d, r->x, r->prepared, &e, r->y, r->scratch);
		check_near(r->y, expected, r->y_count, "y");
		free(expected);
	}
}

static void check_backward(struct run *r)
{
	const struct conv2d_dims *d = &r->d;
	struct conv2d_grad grad = {.data = r->y_grad};
	memset(r->weight_grad, 0, r->w_count * sizeof(float));
	backend_current()->conv2d_backward(d, r->x, &grad, r->prepared, r->x_grad, false, r->weight_grad, r->scratch);
	check_near(r->x_grad, r->x_sum, r->x_count, "x_grad");
	check_near(r->weight_grad, r->w_sum, r->w_count, "weight_grad");
	backend_current()->conv2d_backward(d, NULL, &grad, r->prepared, r->x_grad, true, NULL, r->scratch);
	backend_current()->conv2d_backward(d, r->x, &grad, r->prepared, NULL, false, r->weight_grad, r->scratch);
	for (size_t i = 0; i < r->x_count; i++)
		r->x_sum[i] *= 2;
	for (size_t i = 0; i < r->w_count; i++)
		r->w_sum[i] *= 2;
	check_near(r->x_grad, r->x_sum, r->x_count, "x_grad, added");
	check_near(r->weight_grad, r->w_sum, r->w_count, "weight_grad, added");
}

static void check_backend(const struct form *f)
{
	struct run r;
	run_init(&r, f);
	run_loops(&r);
	check_forward(&r);
	check_backward(&r);
	run_release(&r);
}

START_TEST(equals_loops)
{
	if (test_has_openblas()) {
		ck_assert_int_eq(backend_select("openblas"), STATUS_OK);
		check_backend(&forms[_i]);
	}
	ck_assert_int_eq(backend_select("native"), STATUS_OK);
	for (int i = 0; kernels_names[i]; i++) {
		if (!kernels_supported(kernels_names[i]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[i]), STATUS_OK);
		check_backend(&forms[_i]);
	}
}
END_TEST

START_TEST(sets_have_the_same_bits)
{
	struct run first, next;
	ck_assert_int_eq(kernels_select("generic"), STATUS_OK);
	run_init(&first, &forms[_i]);
	struct conv2d_grad grad = {.data = first.y_grad};
	struct conv2d_epilogue e = {first.bias, first.from, first.d.y_pitch, true};
	backend_current()->conv2d_forward(&first.d, first.x, first.prepared, &e, first.y, first.scratch);
	backend_current()->conv2d_backward(&first.d, first.x, &grad, first.prepared, first.x_grad, true,
					   first.weight_grad, first.scratch);
	for (int i = 1; kernels_names[i]; i++) {
		if (!kernels_supported(kernels_names[i]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[i]), STATUS_OK);
		run_init(&next, &forms[_i]);
		grad.data = next.y_grad;
		backend_current()->conv2d_forward(&next.d, next.x, next.prepared, &e, next.y, next.scratch);
		backend_current()->conv2d_backward(&next.d, next.x, &grad, next.prepared, next.x_grad, true,
						   next.weight_grad, next.scratch);
		ck_assert_msg(memcmp(first.y, next.y, first.y_count * sizeof(float)) == 0, "%s: other y",
			      kernels()->isa);
		ck_assert_msg(memcmp(first.x_grad, next.x_grad, first.x_count * sizeof(float)) == 0, "%s: other x_grad",
			      kernels()->isa);
		ck_assert_msg(memcmp(first.weight_grad, next.weight_grad, first.w_count * sizeof(float)) == 0,
			      "%s: other weight_grad", kernels()->isa);
		run_release(&next);
	}
	run_release(&first);
}
END_TEST

START_TEST(backend_by_name)
{
	ck_assert_str_eq(backend_current()->name, "native");
	ck_assert_int_eq(backend_select("abacus"), STATUS_CONFIG);
	ck_assert(strstr(status_message(), "\"abacus\""));
	ck_assert_str_eq(backend_current()->name, "native");
	if (!test_has_openblas())
		return;
	ck_assert_int_eq(backend_select("openblas"), STATUS_OK);
	ck_assert_str_eq(backend_current()->core_name(), blas_core_name());
	ck_assert_int_eq(backend_select("native"), STATUS_OK);
}
END_TEST

START_TEST(set_by_name)
{
	ck_assert_int_eq(kernels_select("abacus"), STATUS_CONFIG);
	ck_assert(strstr(status_message(), "\"abacus\""));
	ck_assert_int_eq(kernels_select("generic"), STATUS_OK);
	ck_assert_str_eq(backend_current()->core_name(), "generic");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("backend");
	TCase *tcase = tcase_create("backend");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, equals_loops, 0, FORM_COUNT);
	tcase_add_loop_test(tcase, sets_have_the_same_bits, 0, FORM_COUNT);
	tcase_add_test(tcase, backend_by_name);
	tcase_add_test(tcase, set_by_name);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
