/* Convolution of bytes against plain loops over real definitions (infer/FORMAT.md, section 3): odd shapes, every
 * instruction set that this processor has, extremes of bytes and weights, sums that an add takes, the photo's bytes,
 * logits. All bytes are equal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "infer/kernels/u8.h"
#include "tests/support/test.h"

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

/* A convolution with everything it needs. */
struct conv {
	struct infer_step step;
	struct infer_tensor weight, bias;
	struct infer_call call;
	struct infer_preprocess pre;
	uint8_t *input;
	void *packed;
};

struct shape {
	int c, h, w, outputs, kernel, stride, padding, dilation, pitch, zero;
};

enum values { RANDOM, LARGEST, SMALLEST };

static void fill_bytes(uint8_t *out, size_t count, struct rng *rng, enum values values)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)(values == RANDOM ? rng_below(rng, 256) : 255);
}

static void make_weight(struct infer_tensor *t, const struct shape *s, struct rng *rng, enum values values)
{
	size_t count = (size_t)s->outputs * (size_t)s->c * (size_t)s->kernel * (size_t)s->kernel;
	*t = (struct infer_tensor){.dims = {s->outputs, s->c, s->kernel, s->kernel}, .type = INFER_TENSOR_INT8};
	t->integers = malloc(count);
	t->scales = malloc((size_t)s->outputs * sizeof *t->scales);
	t->data = malloc(count * sizeof *t->data);
	for (int o = 0; o < s->outputs; o++)
		t->scales[o] = o == 3 ? 0 : 0.001f * (float)(1 + rng_below(rng, 20));
	for (size_t i = 0; i < count; i++) {
		int o = (int)(i / (count / (size_t)s->outputs));
		int w = values == RANDOM ? (int)rng_below(rng, 127) - 63 : values == LARGEST ? 63 : -63;
		t->integers[i] = (int8_t)w;
		t->data[i] = t->scales[o] * (float)w;
	}
}

static void conv_init(struct conv *c, const struct shape *s, struct rng *rng, enum values values)
{
	memset(c, 0, sizeof *c);
	c->step = (struct infer_step){.op = INFER_OP_CONV2D,
				      .input_count = 1,
				      .args = {s->kernel, s->kernel, s->stride, s->padding, s->dilation}};
	make_weight(&c->weight, s, rng, values);
	c->bias = (struct infer_tensor){.dims = {s->outputs, 1, 1, 1},
					.data = malloc((size_t)s->outputs * sizeof(float))};
	for (int o = 0; o < s->outputs; o++)
		c->bias.data[o] = rng_range(rng, -1, 1);
	size_t bytes = (size_t)s->h * (size_t)s->w * (size_t)s->pitch;
	c->input = malloc(bytes); /* of exactly this size: AddressSanitizer sees a step beyond */
	fill_bytes(c->input, bytes, rng, values);
	int room_h = s->h + 2 * s->padding - s->dilation * (s->kernel - 1) - 1,
	    room_w = s->w + 2 * s->padding - s->dilation * (s->kernel - 1) - 1;
	c->call = (struct infer_call){
		.step = &c->step,
		.tensor = {&c->weight, &c->bias},
		.in = {{.data = c->input,
			.c = s->c,
			.h = s->h,
			.w = s->w,
			.pitch = (size_t)s->pitch,
			.element = INFER_ELEMENT_U8,
			.scale = 0.02f,
			.zero = s->zero}},
		.out = {.c = s->outputs,
			.h = room_h / s->stride + 1,
			.w = room_w / s->stride + 1,
			.element = INFER_ELEMENT_U8,
			.scale = 0.05f,
			.zero = 3},
		.in_scale = 1,
	};
	c->call.out.pitch = (size_t)s->outputs + 5;
}

static void conv_pack(struct conv *c)
{
	c->packed = aligned_alloc(64, (infer_conv2d_u8_packed(&c->call) + 63) / 64 * 64);
	infer_conv2d_u8_pack(&c->call, c->packed);
	c->call.packed = c->packed;
}

static void conv_release(struct conv *c)
{
	free(c->weight.integers);
	free(c->weight.scales);
	free(c->weight.data);
	free(c->bias.data);
	free(c->input);
	free(c->packed);
}

/* --- plain loops ---------------------------------------------------------- */

/* The sum of one output, without its zero point: FORMAT.md's "sum". */
static int64_t plain_sum(const struct infer_call *call, int o, int y, int x)
{
	const struct infer_map *in = &call->in[0];
	const int *a = call->step->args;
	const struct infer_tensor *w = call->tensor[0];
	float unit = in->scale * w->scales[o];
	int64_t sum = unit > 0 ? (int64_t)rint((double)call->tensor[1]->data[o] / (double)unit) : 0;
	for (int c = 0; c < in->c; c++)
		for (int ky = 0; ky < a[0]; ky++)
			for (int kx = 0; kx < a[1]; kx++) {
				int iy = y * a[2] - a[3] + ky * a[4], ix = x * a[2] - a[3] + kx * a[4];
				if (iy < 0 || ix < 0 || iy >= in->h || ix >= in->w)
					continue;
				int q = ((const uint8_t *)
						 in->data)[((size_t)iy * (size_t)in->w + (size_t)ix) * in->pitch +
							   (size_t)c];
				int zero = call->image ? (int)call->image->mean[c] : in->zero;
				sum += (q - zero) *
				       w->integers[(((size_t)o * (size_t)in->c + (size_t)c) * (size_t)a[0] +
						    (size_t)ky) *
							   (size_t)a[1] +
						   (size_t)kx];
			}
	return sum;
}

static float clamp(float x, float low, float high)
{
	return fminf(fmaxf(x, low), high);
}

static int plain_byte(const struct infer_call *call, int o, int y, int x)
{
	const struct infer_map *out = &call->out, *add = &call->addend;
	float low = (float)(call->relu ? 0 : -out->zero), high = (float)(255 - out->zero);
	float unit = call->in[0].scale * call->tensor[0]->scales[o];
	if (unit == 0) /* nothing but the bias */
		return (int)clamp(rintf(call->tensor[1]->data[o] / out->scale), low, high) + out->zero;
	if (!call->plus && !add->data)
		return (int)rintf(clamp((float)plain_sum(call, o, y, x) * (unit / out->scale), low, high)) + out->zero;
	long terms = lrintf(clamp((float)plain_sum(call, o, y, x) * (unit * 4096 / out->scale), -0x1p22f, 0x1p22f));
	if (call->plus)
		terms += lrintf(
			clamp((float)plain_sum(call->plus, o, y, x) *
				      (call->plus->in[0].scale * call->plus->tensor[0]->scales[o] * 4096 / out->scale),
			      -0x1p22f, 0x1p22f));
	if (add->data)
		terms += (((const uint8_t *)
				   add->data)[((size_t)y * (size_t)out->w + (size_t)x) * add->pitch + (size_t)o] -
			  add->zero) *
			 lrintf(add->scale / out->scale * 4096);
	return (int)clamp((float)((terms + 2048) >> 12), low, high) + out->zero;
}

/* --- running -------------------------------------------------------------- */

/* Runs the call with each instruction set, each band of rows by itself and the last one first. */
static void check_all(struct infer_call *call, const char *what)
{
	size_t pixels = (size_t)call->out.h * (size_t)call->out.w, bytes = pixels * call->out.pitch;
	uint8_t *memory = malloc(bytes + 2 * GUARD), *out = memory + GUARD;
	void *constants = aligned_alloc(64, (infer_conv2d_u8_constant_bytes(call) + 63) / 64 * 64);
	void *scratch = aligned_alloc(64, (infer_conv2d_u8_scratch(call) + 63) / 64 * 64);
	call->out.data = out;
	infer_conv2d_u8_fill_constants(call, constants);
	call->constants = constants;
	for (int isa = 0; isa <= INFER_ISA_COUNT; isa++) { /* the one behind the last: plain C */
		if (isa < INFER_ISA_COUNT && !infer_isa_available((enum infer_isa)isa))
			continue;
		call->isa = (enum infer_isa)isa;
		memset(memory, GUARD_BYTE, bytes + 2 * GUARD);
		int step = infer_conv2d_u8_row_step(call);
		for (int y = (call->out.h - 1) / step * step; y >= 0; y -= step)
			infer_conv2d_u8(call, y, y + step < call->out.h ? y + step : call->out.h, scratch);
		for (size_t i = 0; i < GUARD; i++)
			ck_assert_msg(memory[i] == GUARD_BYTE && out[bytes + i] == GUARD_BYTE,
				      "%s: a guard was overwritten", what);
		for (size_t i = 0; i < bytes; i++) {
			int pixel = (int)(i / call->out.pitch), o = (int)(i % call->out.pitch);
			int expected = o < call->out.c ? plain_byte(call, o, pixel / call->out.w, pixel % call->out.w)
						       : GUARD_BYTE;
			ck_assert_msg(out[i] == expected, "%s, %s: output %d of pixel %d is %d, expected %d", what,
				      infer_isa_name((enum infer_isa)isa), o, pixel, out[i], expected);
		}
	}
	free(memory);
	free(constants);
	free(scratch);
}

static const struct shape shapes[] = {
	/* c   h   w  out k  s  p  d  pitch zero */
	{16, 7, 9, 16, 1, 1, 0, 1, 16, 0},     {16, 8, 24, 64, 3, 1, 1, 1, 16, 0}, {48, 5, 18, 48, 3, 1, 1, 1, 64, 7},
	{3, 11, 13, 64, 3, 2, 1, 1, 4, 100},   {1, 4, 4, 1, 3, 1, 1, 1, 1, 255},   {5, 6, 3, 33, 1, 1, 0, 1, 7, 9},
	{17, 9, 2, 17, 3, 1, 2, 2, 32, 0},     {96, 6, 6, 96, 3, 1, 4, 4, 96, 30}, {8, 1, 1, 40, 1, 1, 0, 1, 8, 2},
	{12, 10, 31, 20, 5, 3, 4, 1, 12, 128}, {64, 3, 40, 32, 1, 2, 0, 1, 80, 0}, {2, 33, 5, 3, 2, 1, 0, 3, 3, 1},
	{20, 4, 4, 31, 3, 1, 6, 3, 20, 77},    {4, 2, 200, 15, 1, 1, 3, 1, 4, 11},
};

enum { SHAPE_COUNT = sizeof shapes / sizeof *shapes };

START_TEST(test_shapes)
{
	struct rng rng = rng_stream(31, 0, (uint64_t)_i, RNG_TEST);
	char what[64];
	snprintf(what, sizeof what, "shape %d", _i);
	for (int relu = 0; relu < 2; relu++) {
		struct conv c;
		conv_init(&c, &shapes[_i], &rng, RANDOM);
		c.call.relu = relu;
		conv_pack(&c);
		check_all(&c.call, what);
		conv_release(&c);
	}
}
END_TEST

START_TEST(test_sums)
{
	/* Another conv, or bytes, or both are added before rounding. */
	struct rng rng = rng_stream(32, 0, (uint64_t)_i, RNG_TEST);
	const struct shape *s = &shapes[_i];
	struct shape second = {7, s->h, s->w, s->outputs, s->kernel, s->stride, s->padding, s->dilation, 8, 40};
	struct conv a, b;
	conv_init(&a, s, &rng, RANDOM);
	conv_init(&b, &second, &rng, RANDOM);
	a.weight.scales[0] = 0.5f; /* some terms are over the limit */
	if (s->outputs > 3)
		a.weight.scales[3] = b.weight.scales[3] = 0.002f;
	conv_pack(&a);
	conv_pack(&b);
	size_t pixels = (size_t)a.call.out.h * (size_t)a.call.out.w, pitch = (size_t)s->outputs + 2;
	uint8_t *addend = malloc(pixels * pitch);
	fill_bytes(addend, pixels * pitch, &rng, RANDOM);
	for (int i = 0; i < s->h / 2 * s->w * second.pitch;
	     i++) /* windows that hold nothing, and some that hold little */
		b.input[i] = i % 301 == 0;
	for (int way = 1; way < 4; way++) {
		a.call.plus = way & 1 ? &b.call : NULL;
		a.call.addend = (struct infer_map){.data = way & 2 ? addend : NULL,
						   .c = way & 2 ? s->outputs : 0,
						   .h = a.call.out.h,
						   .w = a.call.out.w,
						   .pitch = pitch,
						   .element = INFER_ELEMENT_U8,
						   .scale = 0.03f,
						   .zero = 50};
		a.call.relu = way == 2;
		check_all(&a.call, way == 1 ? "plus" : way == 2 ? "addend" : "both");
	}
	free(addend);
	conv_release(&a);
	conv_release(&b);
}
END_TEST

START_TEST(test_extremes)
{
	/* The largest sums there are: 32768 products of 255 and 63, which 16 bits between would not hold. */
	static const struct shape largest = {4096, 1, 5, 17, 1, 1, 0, 1, 4096, 0},
				  wide = {1024, 4, 5, 16, 5, 1, 2, 1, 1024, 255};
	for (int i = 0; i < 4; i++) {
		struct rng rng = rng_stream(33, 0, (uint64_t)i, RNG_TEST);
		struct conv c;
		conv_init(&c, i & 1 ? &wide : &largest, &rng, i & 2 ? LARGEST : SMALLEST);
		c.call.out.scale = 40;
		c.call.out.zero = i & 2 ? 0 : 255;
		conv_pack(&c);
		check_all(&c.call, "extremes");
		conv_release(&c);
	}
}
END_TEST

START_TEST(test_image)
{
	/* The photo's bytes: a zero for each channel. */
	static const struct shape s = {3, 13, 21, 35, 3, 2, 1, 1, 4, 0};
	struct rng rng = rng_stream(34, 0, 0, RNG_TEST);
	struct conv c;
	conv_init(&c, &s, &rng, RANDOM);
	c.pre = (struct infer_preprocess){.mean = {104, 117, 255}, .scale = {0.02f, 0.02f, 0.02f}};
	c.call.image = &c.pre;
	conv_pack(&c);
	check_all(&c.call, "image");
	conv_release(&c);
}
END_TEST

/* Runs c.call, whose output is floats, with one instruction set. */
static void check_logits(struct conv *c, enum infer_isa isa, float *logits, size_t count, void *scratch)
{
	const struct infer_map *out = &c->call.out;
	c->call.isa = isa;
	memset(logits, 0xff, count * sizeof *logits);
	infer_conv2d_u8(&c->call, 0, out->h, scratch);
	for (size_t k = 0; k < count; k++) {
		int o = (int)(k % out->pitch), pixel = (int)(k / out->pitch);
		float unit = c->call.in[0].scale * c->weight.scales[o];
		float expected = (float)plain_sum(&c->call, o, pixel / out->w, pixel % out->w) * unit;
		ck_assert_msg(logits[k] == expected, "isa %d: logit %zu is %g, expected %g", (int)isa, k,
			      (double)logits[k], (double)expected);
	}
}

/* Sums leave as floats: (float)sum x unit. */
START_TEST(test_logits)
{
	static const struct shape some[] = {{16, 9, 13, 1, 3, 1, 1, 1, 16, 5}, {16, 6, 4, 1, 5, 1, 2, 1, 16, 0},
					    {32, 5, 9, 1, 1, 1, 0, 1, 32, 9},  {16, 7, 3, 1, 3, 1, 1, 1, 16, 77},
					    {7, 8, 8, 1, 3, 1, 2, 2, 8, 1},    {16, 9, 9, 1, 3, 1, 2, 2, 16, 3},
					    {16, 8, 12, 3, 3, 1, 1, 1, 16, 0}};
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		struct rng rng = rng_stream(35, 0, i, RNG_TEST);
		struct conv c;
		conv_init(&c, &some[i], &rng, RANDOM);
		conv_pack(&c);
		struct infer_map *out = &c.call.out;
		size_t pitch = (size_t)some[i].outputs, count = (size_t)out->h * (size_t)out->w * pitch;
		*out = (struct infer_map){.c = some[i].outputs, .h = out->h, .w = out->w, .pitch = pitch};
		float *logits = malloc(count * sizeof *logits);
		void *constants = aligned_alloc(64, 1024),
		     *scratch = aligned_alloc(64, (infer_conv2d_u8_scratch(&c.call) + 63) / 64 * 64);
		out->data = logits;
		infer_conv2d_u8_fill_constants(&c.call, constants);
		c.call.constants = constants;
		for (int isa = 0; isa <= INFER_ISA_COUNT; isa++)
			if (isa == INFER_ISA_COUNT || infer_isa_available((enum infer_isa)isa))
				check_logits(&c, (enum infer_isa)isa, logits, count, scratch);
		free(logits);
		free(constants);
		free(scratch);
		conv_release(&c);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("conv2d_u8");
	TCase *tcase = tcase_create("conv2d_u8");
	tcase_add_loop_test(tcase, test_shapes, 0, SHAPE_COUNT);
	tcase_add_loop_test(tcase, test_sums, 0, SHAPE_COUNT);
	tcase_add_test(tcase, test_image);
	tcase_add_test(tcase, test_logits);
	tcase_add_test(tcase, test_extremes);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
