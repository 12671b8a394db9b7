/* Winograd's convolution against direct sums in double, at shapes that leave parts of tiles, channels, phases and
 * blocks over; and the same bits from every instruction set. */
#include "core/conv2d/winograd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/rng.h"
#include "tests/support/test.h"

struct problem {
	int n, c, o, h, w, dilation;
	int spare; /* floats between pixels of y that belong to somebody else */
	float scale;
	bool from, bias, relu, add;
};

static const struct problem problems[] = {
	/* n  c   o   h   w  d spare */
	{1, 16, 16, 8, 8, 1, 0, 1, false, false, false, false},
	{1, 16, 64, 16, 16, 1, 64, 1, false, true, true, false}, /* a fire module's half of a concatenation */
	{2, 3, 5, 1, 1, 1, 0, 1, false, true, false, true},
	{1, 5, 3, 2, 3, 1, 1, 0.5f, true, false, false, false},
	{3, 17, 19, 5, 7, 1, 3, 2, true, true, true, true},
	{2, 33, 47, 13, 6, 1, 0, 0.25f, false, true, false, true},
	{1, 9, 65, 10, 11, 2, 7, 1, true, true, true, false},
	{2, 20, 33, 9, 18, 4, 0, 1, false, false, true, true},
	{1, 7, 8, 3, 2, 4, 0, 3, true, true, false, false},     /* phases without pixels */
	{2, 31, 16, 45, 61, 1, 0, 1, true, true, false, false}, /* several blocks of tiles */
	{1, 96, 96, 16, 16, 4, 0, 1, false, false, false, true},
	{1, 40, 150, 50, 39, 2, 2, 1, false, true, true, true}, /* several blocks of tiles and of outputs */
};

enum { PROBLEM_COUNT = sizeof problems / sizeof problems[0] };

struct buffers {
	struct conv2d_dims d;
	int from_pitch;
	size_t x_floats, y_floats, from_floats, weight_floats;
	float *x, *weight, *bias, *from, *y, *y_grad, *x_grad, *weight_grad, *prepared, *scratch;
};

static float *random_floats(size_t count, uint64_t purpose)
{
	struct rng rng = rng_stream(3, 0, purpose, RNG_TEST);
	float *data = malloc(count * sizeof *data);
	for (size_t i = 0; i < count; i++)
		data[i] = rng_normal(&rng);
	return data;
}

static struct buffers buffers_new(const struct problem *p)
{
	struct buffers b = {.from_pitch = p->o + 2};
	b.d = (struct conv2d_dims){
		p->n, p->c, p->h, p->w, p->o, p->h, p->w, 3, 3, 1, p->dilation, p->dilation, p->o + p->spare, p->scale};
	size_t pixels = (size_t)p->n * p->h * p->w;
	b.x_floats = pixels * p->c;
	b.y_floats = pixels * b.d.y_pitch;
	b.from_floats = pixels * b.from_pitch;
	b.weight_floats = (size_t)p->o * p->c * 9;
	b.x = random_floats(b.x_floats, 0);
	b.weight = random_floats(b.weight_floats, 1);
	b.bias = random_floats(p->o, 2);
	b.from = random_floats(b.from_floats, 3);
	b.y = random_floats(b.y_floats, 4);
	b.y_grad = random_floats(b.y_floats, 5);
	b.x_grad = random_floats(b.x_floats, 6);
	b.weight_grad = random_floats(b.weight_floats, 7);
	b.prepared = random_floats(winograd_prepared_floats(&b.d), 8);
	b.scratch = random_floats(winograd_scratch_floats(&b.d), 9);
	return b;
}

static void buffers_free(struct buffers *b)
{
	float *all[] = {b->x,      b->weight, b->bias,        b->from,     b->y,
			b->y_grad, b->x_grad, b->weight_grad, b->prepared, b->scratch};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		free(all[i]);
}

static void run(const struct problem *p, struct buffers *b)
{
	struct conv2d_epilogue e = {p->bias ? b->bias : NULL, p->from ? b->from : NULL, b->from_pitch, p->relu};
	winograd_prepare(&b->d, b->weight, b->prepared);
	winograd_forward(&b->d, b->x, b->prepared, &e, b->y, b->scratch);
	struct conv2d_grad grad = {.data = b->y_grad};
	winograd_backward(&b->d, b->x, &grad, b->prepared, b->x_grad, p->add, b->weight_grad, b->scratch);
}

/* The convolution and its gradients by definition. */
struct sums {
	double *y, *x_grad, *weight_grad;
};

static double *to_double(const float *from, size_t count, bool keep)
{
	double *data = calloc(count, sizeof *data);
	for (size_t i = 0; keep && i < count; i++)
		data[i] = from[i];
	return data;
}

/* One tap for one pair of pixels. */
static void add_tap(const struct buffers *b, struct sums *s, size_t x_pixel, size_t y_pixel, int tap)
{
	const struct conv2d_dims *d = &b->d;
	for (int o = 0; o < d->o; o++) {
		size_t y = y_pixel * d->y_pitch + o;
		for (int c = 0; c < d->c; c++) {
			size_t x = x_pixel * d->c + c, w = ((size_t)o * d->c + c) * 9 + tap;
			s->y[y] += (double)d->scale * b->x[x] * b->weight[w];
			s->x_grad[x] += (double)d->scale * b->y_grad[y] * b->weight[w];
			s->weight_grad[w] += (double)d->scale * b->y_grad[y] * b->x[x];
		}
	}
}

static void finish(const struct problem *p, const struct buffers *b, struct sums *s)
{
	for (size_t pixel = 0; pixel < b->y_floats / b->d.y_pitch; pixel++)
		for (int o = 0; o < b->d.o; o++) {
			double *y = &s->y[pixel * b->d.y_pitch + o];
			*y += p->bias ? b->bias[o] : 0;
			*y += p->from ? b->from[pixel * b->from_pitch + o] : 0;
			*y = p->relu && *y < 0 ? 0 : *y;
		}
}

/* Before run(): the gradients are added to. */
static struct sums sums_new(const struct problem *p, const struct buffers *b)
{
	struct sums s = {to_double(b->y, b->y_floats, false), to_double(b->x_grad, b->x_floats, p->add),
			 to_double(b->weight_grad, b->weight_floats, true)};
	for (size_t pixel = 0; pixel < b->y_floats / b->d.y_pitch; pixel++) {
		int y = (int)(pixel / p->w % p->h), x = (int)(pixel % p->w);
		for (int tap = 0; tap < 9; tap++) {
			int down = (tap / 3 - 1) * p->dilation, right = (tap % 3 - 1) * p->dilation;
			if (y + down >= 0 && y + down < p->h && x + right >= 0 && x + right < p->w)
				add_tap(b, &s, pixel + (ptrdiff_t)down * p->w + right, pixel, tap);
		}
	}
	finish(p, b, &s);
	return s;
}

static void sums_free(struct sums *s)
{
	free(s->y);
	free(s->x_grad);
	free(s->weight_grad);
}

/* Differences relative to the root mean square of what is expected. */
struct error {
	double most, mean; /* the largest; root mean square */
};

/* `used` of every `pitch` floats count. */
static struct error error_of(const float *got, const double *expected, size_t count, int used, int pitch)
{
	double most = 0, squares = 0, errors = 0;
	for (size_t i = 0; i < count; i++)
		if ((int)(i % pitch) < used) {
			double difference = fabs(got[i] - expected[i]);
			most = difference <= most ? most : difference;
			errors += difference * difference;
			squares += expected[i] * expected[i];
		}
	double pixels = (double)count / pitch * used;
	return (struct error){most / sqrt(squares / pixels), sqrt(errors / squares)};
}

static void check_error(struct error e)
{
	ck_assert_double_lt(e.mean, 5e-6);
	ck_assert_double_lt(e.most, 6e-5);
}

START_TEST(equals_direct_sums)
{
	const struct problem *p = &problems[_i];
	struct buffers b = buffers_new(p);
	struct sums s = sums_new(p, &b);
	run(p, &b);
	check_error(error_of(b.y, s.y, b.y_floats, p->o, b.d.y_pitch));
	check_error(error_of(b.x_grad, s.x_grad, b.x_floats, p->c, p->c));
	check_error(error_of(b.weight_grad, s.weight_grad, b.weight_floats, 1, 1));
	sums_free(&s);
	buffers_free(&b);
}
END_TEST

/* Floats between the channels of a concatenation's part stay. */
START_TEST(leaves_other_channels_alone)
{
	const struct problem *p = &problems[_i];
	struct buffers b = buffers_new(p);
	float *before = random_floats(b.y_floats, 4);
	run(p, &b);
	for (size_t i = 0; i < b.y_floats; i++)
		if ((int)(i % b.d.y_pitch) >= p->o)
			ck_assert_mem_eq(&b.y[i], &before[i], sizeof *before);
	free(before);
	buffers_free(&b);
}
END_TEST

/* Either gradient alone has the bits that it has beside the other, and y may be what is added to. */
START_TEST(parts_have_the_same_bits)
{
	const struct problem *p = &problems[_i];
	struct buffers b = buffers_new(p), half = buffers_new(p);
	run(p, &b);
	winograd_prepare(&half.d, half.weight, half.prepared);
	struct conv2d_grad grad = {.data = half.y_grad};
	winograd_backward(&half.d, NULL, &grad, half.prepared, half.x_grad, p->add, NULL, half.scratch);
	winograd_backward(&half.d, half.x, &grad, half.prepared, NULL, false, half.weight_grad, half.scratch);
	ck_assert_mem_eq(b.x_grad, half.x_grad, b.x_floats * sizeof(float));
	ck_assert_mem_eq(b.weight_grad, half.weight_grad, b.weight_floats * sizeof(float));

	struct conv2d_epilogue beside = {NULL, b.y_grad, b.d.y_pitch, false};
	struct conv2d_epilogue inside = {NULL, half.y_grad, b.d.y_pitch, false};
	winograd_forward(&b.d, b.x, b.prepared, &beside, b.y, b.scratch);
	winograd_forward(&b.d, b.x, b.prepared, &inside, half.y_grad, b.scratch);
	for (size_t i = 0; i < b.y_floats; i++)
		if ((int)(i % b.d.y_pitch) < p->o)
			ck_assert_mem_eq(&b.y[i], &half.y_grad[i], sizeof(float));
	buffers_free(&b);
	buffers_free(&half);
}
END_TEST

START_TEST(every_set_has_the_same_bits)
{
	const struct problem *p = &problems[_i];
	ck_assert_int_eq(kernels_select("generic"), STATUS_OK);
	struct buffers generic = buffers_new(p);
	run(p, &generic);
	for (const char *const *name = kernels_names; *name; name++) {
		if (!kernels_supported(*name))
			continue;
		ck_assert_int_eq(kernels_select(*name), STATUS_OK);
		struct buffers b = buffers_new(p);
		run(p, &b);
		ck_assert_mem_eq(b.y, generic.y, b.y_floats * sizeof(float));
		ck_assert_mem_eq(b.x_grad, generic.x_grad, b.x_floats * sizeof(float));
		ck_assert_mem_eq(b.weight_grad, generic.weight_grad, b.weight_floats * sizeof(float));
		buffers_free(&b);
	}
	buffers_free(&generic);
}
END_TEST

START_TEST(suits_by_shape)
{
	struct conv2d_dims d = {1, 64, 16, 16, 64, 16, 16, 3, 3, 1, 1, 1, 64, 1};
	ck_assert(winograd_suits(&d));
	d.stride = 2;
	ck_assert(!winograd_suits(&d));
	d.stride = 1;
	d.dilation = 2;
	ck_assert(!winograd_suits(&d));
	d.padding = 2;
	ck_assert(winograd_suits(&d));
	d.kernel_h = 1;
	ck_assert(!winograd_suits(&d));
	d.kernel_h = 3;
	d.c = 3;
	ck_assert(!winograd_suits(&d));
	struct conv2d_dims small = {4, 64, 4, 4, 64, 4, 4, 3, 3, 1, 1, 1, 64, 1};
	ck_assert(!winograd_suits(&small));
	/* 16 phases of 2x2 pixels. */
	struct conv2d_dims scattered = {1, 64, 8, 8, 64, 8, 8, 3, 3, 1, 4, 4, 64, 1};
	ck_assert(!winograd_suits(&scattered));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("winograd");
	TCase *tc = tcase_create("winograd");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, equals_direct_sums, 0, PROBLEM_COUNT);
	tcase_add_loop_test(tc, leaves_other_channels_alone, 0, PROBLEM_COUNT);
	tcase_add_loop_test(tc, parts_have_the_same_bits, 0, PROBLEM_COUNT);
	tcase_add_loop_test(tc, every_set_has_the_same_bits, 0, PROBLEM_COUNT);
	tcase_add_test(tc, suits_by_shape);
	suite_add_tcase(s, tc);
	return s;
}

TEST_MAIN(suite)
