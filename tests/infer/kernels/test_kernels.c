/* Every float kernel against plain loops, at shapes that are no multiple of anything, with every instruction set
 * that this processor has. Between the channels of one pixel and the next lie guard floats that must survive;
 * scratch starts as NaN, so that nobody reads what was not written. */
#include "infer/kernels/kernels.h"
#include "infer/kernels/sigmoid.h"
#include "tests/infer/build_network.h"
#include "tests/infer/naive_network.h"
#include "tests/support/test.h"

static const float GUARD_VALUE = 12345.0f;

static size_t floats(struct infer_shape s)
{
	return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static float *random_floats(uint32_t *state, size_t count)
{
	float *data = malloc((count + 1) * sizeof *data);
	for (size_t i = 0; i < count; i++)
		data[i] = 2 * builder_number(state);
	return data;
}

/* Memory of exactly the size, so that AddressSanitizer sees a step beyond it. The rows are done in two halves. */
static void run_kernel(struct infer_call *call)
{
	const struct infer_kernel *kernel = infer_kernel_of(call->step, INFER_ELEMENT_F32);
	size_t scratch = kernel->scratch_bytes ? kernel->scratch_bytes(call) : 0,
	       packed = kernel->packed_bytes ? kernel->packed_bytes(call) : 0;
	int step = kernel->row_step ? kernel->row_step(call) : 1, half = call->out.h / 2 / step * step;
	void *memory = aligned_alloc(64, (scratch + 127) / 64 * 64),
	     *weights = aligned_alloc(64, (packed + 127) / 64 * 64);
	memset(memory, 0xff, scratch); /* NaN */
	if (packed)
		kernel->pack(call, weights);
	call->packed = packed ? weights : NULL;
	kernel->run(call, half, call->out.h, memory);
	if (half)
		kernel->run(call, 0, half, memory);
	free(memory);
	free(weights);
}

/* A map for these planes, inside pixels that are `wider` numbers longer, which hold GUARD_VALUE. */
static struct infer_map new_map(const float *planes, struct infer_shape s, int wider)
{
	struct infer_map map = {.c = s.c, .h = s.h, .w = s.w, .pitch = (size_t)(s.c + wider)};
	float *data = malloc((size_t)s.h * (size_t)s.w * map.pitch * sizeof(float) + 1);
	for (size_t i = 0; i < (size_t)s.h * (size_t)s.w * map.pitch; i++)
		data[i] = GUARD_VALUE;
	map.data = data;
	if (planes)
		naive_to_map(planes, &map);
	return map;
}

static void check_guards(const struct infer_map *map)
{
	const float *data = map->data;
	for (size_t i = 0; i < (size_t)map->h * (size_t)map->w * map->pitch; i++)
		if ((int)(i % map->pitch) >= map->c && data[i] != GUARD_VALUE)
			ck_abort_msg("number %zu of pixel %zu, %d channels, was overwritten", i % map->pitch,
				     i / map->pitch, map->c);
}

/* Largest difference allowed for operators that round differently from the plain loops; 0: the same bits. */
static float tolerance(const struct builder *b)
{
	const struct infer_step *step = &b->network.steps[0];
	switch (step->op) {
	case INFER_OP_CONV2D: return infer_conv2d_f32_is_plain(step, &b->network.tensors[step->tensor[0]]) ? 0 : 1e-4f;
	case INFER_OP_CONV_TRANSPOSE2D:
	case INFER_OP_GLOBAL_AVG_POOL2D:
	case INFER_OP_UPSAMPLE_BILINEAR: return 1e-5f;
	case INFER_OP_SIGMOID: return 2e-7f;
	default: return step->op >= INFER_NAMED_OPS ? 5e-7f : 0;
	}
}

static void compare(const float *got, const float *want, struct infer_shape s, float allowed, const char *what)
{
	for (size_t i = 0; i < floats(s); i++)
		if (!(fabsf(got[i] - want[i]) <= allowed * fmaxf(1, fabsf(want[i]))))
			ck_abort_msg("%s: %zu of (%d,%d,%d) is %.9g, expected %.9g", what, i, s.c, s.h, s.w, got[i],
				     want[i]);
}

/* Step 0 of the builder's network, on inputs of the given shapes, in maps that are `wider` than their channels. */
static void check_layout(const struct builder *b, const struct naive_value *values, const struct naive_value *want,
			 int wider)
{
	const struct infer_step *step = &b->network.steps[0];
	struct infer_call call = {.step = step, .in_scale = 1, .relu = step->relu};
	float *got = malloc(floats(want->shape) * sizeof *got);
	for (int k = 0; k < 2; k++)
		call.tensor[k] = step->tensor[k] < 0 ? NULL : &b->network.tensors[step->tensor[k]];
	for (int k = 0; k < step->input_count; k++)
		call.in[k] = new_map(values[step->inputs[k]].data, values[step->inputs[k]].shape, wider);
	for (int isa = 0; isa < INFER_ISA_COUNT; isa++) {
		if (!infer_isa_available((enum infer_isa)isa))
			continue;
		call.isa = (enum infer_isa)isa;
		call.out = new_map(NULL, want->shape, wider);
		run_kernel(&call);
		check_guards(&call.out);
		naive_from_map(&call.out, got);
		compare(got, want->data, want->shape, tolerance(b), infer_isa_name(call.isa));
		free(call.out.data);
	}
	for (int k = 0; k < step->input_count; k++)
		free(call.in[k].data);
	free(got);
}

static void check_step(struct builder *b, struct infer_shape first, struct infer_shape second, struct infer_shape out)
{
	struct infer_shape shapes[] = {first, second};
	struct naive_value values[2], want = {out, malloc(floats(out) * sizeof(float))};
	for (int k = 0; k < 2; k++)
		values[k] = (struct naive_value){shapes[k], random_floats(&b->state, floats(shapes[k]))};
	naive_step(&b->network.steps[0], &b->network, values, &want);
	check_layout(b, values, &want, 0);
	check_layout(b, values, &want, 7);
	free(want.data);
	free(values[0].data);
	free(values[1].data);
	builder_release(b);
}

static const struct infer_shape none = {0, 0, 0};

static const struct {
	int inputs, outputs, h, w, kernel_h, kernel_w, stride, padding, dilation, bias, relu;
} convs[] = {
	{3, 8, 11, 13, 3, 3, 1, 1, 1, 1, 0},
	{5, 23, 7, 50, 3, 3, 1, 1, 1, 1, 1},
	{1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0},
	{7, 9, 9, 10, 1, 1, 1, 0, 1, 1, 1},
	{16, 12, 33, 17, 3, 3, 2, 1, 1, 1, 0},
	{3, 4, 21, 19, 7, 7, 2, 3, 1, 1, 1},
	{4, 5, 12, 9, 3, 3, 1, 2, 2, 1, 0},
	{4, 8, 12, 9, 3, 3, 1, 4, 4, 0, 0},
	{2, 3, 15, 14, 5, 2, 3, 2, 2, 1, 1},
	{6, 16, 9, 9, 1, 1, 2, 0, 1, 1, 0},
	{3, 8, 8, 8, 3, 3, 4, 3, 1, 1, 0},
	{2, 17, 5, 5, 5, 5, 1, 4, 1, 1, 0},
	{2, 8, 3, 3, 3, 3, 1, 0, 1, 1, 1},
	{9, 8, 2, 300, 3, 3, 1, 1, 1, 1, 0},
	{9, 13, 120, 1, 3, 1, 1, 0, 1, 1, 0},
	{120, 9, 40, 30, 3, 3, 1, 1, 1, 1, 1},
	{3, 2, 9, 8, 2, 3, 5, 1, 3, 1, 0},
	/* One row, one pixel shorter than a tile of each kernel. */
	{2, 8, 1, 47, 3, 3, 1, 1, 1, 1, 0},
	{2, 4, 1, 95, 3, 3, 1, 1, 1, 1, 0},
	{2, 1, 1, 127, 3, 3, 1, 1, 1, 1, 1},
	{2, 4, 1, 23, 3, 3, 1, 1, 1, 1, 0},
	{2, 1, 1, 63, 3, 3, 1, 1, 1, 1, 0},
	{2, 4, 1, 11, 3, 3, 1, 1, 1, 1, 0},
	{2, 1, 1, 31, 3, 3, 1, 1, 1, 1, 0},
	/* Winograd: edges, grids, more tiles than fit its workspace. */
	{16, 16, 4, 4, 3, 3, 1, 1, 1, 1, 0},
	{17, 23, 9, 13, 3, 3, 1, 1, 1, 1, 1},
	{35, 50, 6, 7, 3, 3, 1, 2, 2, 1, 1},
	{16, 65, 13, 14, 3, 3, 1, 3, 3, 0, 0},
	{16, 16, 70, 131, 3, 3, 1, 1, 1, 1, 0},
	{130, 33, 5, 3, 3, 3, 1, 1, 1, 1, 1},
};

START_TEST(test_conv2d)
{
	struct builder b;
	builder_init(&b, (uint32_t)_i + 1);
	b.channels[0] = convs[_i].inputs;
	int kh = convs[_i].kernel_h, kw = convs[_i].kernel_w, s = convs[_i].stride, p = convs[_i].padding,
	    d = convs[_i].dilation;
	struct infer_step step = {.op = INFER_OP_CONV2D,
				  .relu = (uint8_t)convs[_i].relu,
				  .input_count = 1,
				  .args = {kh, kw, s, p, d}};
	step.tensor[0] = builder_tensor(&b, convs[_i].outputs, convs[_i].inputs, kh, kw, 0.5f);
	step.tensor[1] = convs[_i].bias ? builder_tensor(&b, convs[_i].outputs, 1, 1, 1, 1) : -1;
	builder_step(&b, step, convs[_i].outputs);
	struct infer_shape in = {convs[_i].inputs, convs[_i].h, convs[_i].w};
	struct infer_shape out = {convs[_i].outputs, (in.h + 2 * p - d * (kh - 1) - 1) / s + 1,
				  (in.w + 2 * p - d * (kw - 1) - 1) / s + 1};
	check_step(&b, in, none, out);
}
END_TEST

/* relu(conv(scaled) + addend) and relu(conv(a) + conv(b)), which is one chain over both. */
static void check_fused(struct infer_call *call, const float *want, struct infer_shape out)
{
	float *got = malloc(floats(out) * sizeof *got);
	for (int isa = 0; isa < INFER_ISA_COUNT; isa++) {
		call->isa = (enum infer_isa)isa;
		if (!infer_isa_available(call->isa))
			continue;
		call->out = new_map(NULL, out, 5);
		run_kernel(call);
		check_guards(&call->out);
		naive_from_map(&call->out, got);
		compare(got, want, out, 2e-6f, infer_isa_name(call->isa));
		free(call->out.data);
	}
	free(got);
}

/* The same where the other convolution is computed within this one. */
static void check_fused_plus(struct infer_call *call, struct infer_call *plus, const float *want,
			     struct infer_shape out)
{
	float *packed = aligned_alloc(64, (infer_conv2d_f32_packed(plus) + 63) / 64 * 64);
	infer_conv2d_f32_pack(plus, packed);
	plus->packed = packed;
	call->plus = plus;
	check_fused(call, want, out);
	free(packed);
}

START_TEST(test_conv2d_fused)
{
	struct builder b;
	builder_init(&b, 5);
	b.channels[0] = b.channels[1] = 6;
	build_conv2d(&b, build_scale(&b, 0, 0.375f), 21, 3, 2, 1, 1, 0);
	build_conv2d(&b, 1, 21, 5, 2, 2, 1, 0);
	build_binary(&b, INFER_OP_ADD, 3, 4, 1);
	struct infer_shape in = {6, 14, 21}, out = {21, 7, 11};
	struct naive_value values[6] = {{in, random_floats(&b.state, floats(in))},
					{in, random_floats(&b.state, floats(in))}};
	for (int i = 0; i < 4; i++) {
		values[2 + i].shape = i == 0 ? in : out;
		values[2 + i].data = malloc(floats(values[2 + i].shape) * sizeof(float));
		naive_step(&b.network.steps[i], &b.network, values, &values[2 + i]);
	}
	const struct infer_network *n = &b.network;
	struct infer_call call = {.step = &n->steps[1],
				  .tensor = {&n->tensors[0], &n->tensors[1]},
				  .in_scale = 0.375f,
				  .relu = 1,
				  .in = {new_map(values[0].data, in, 3)}};
	struct infer_call plus = {.step = &n->steps[2],
				  .tensor = {&n->tensors[2], &n->tensors[3]},
				  .in_scale = 1,
				  .in = {new_map(values[1].data, in, 0)},
				  .out = {.c = out.c, .h = out.h, .w = out.w}};
	call.addend = new_map(values[4].data, out, 2);
	check_fused(&call, values[5].data, out);
	free(call.addend.data);
	call.addend.data = NULL;
	check_fused_plus(&call, &plus, values[5].data, out);
	free(call.in[0].data);
	free(plus.in[0].data);
	for (int i = 0; i < 6; i++)
		free(values[i].data);
	builder_release(&b);
}
END_TEST

START_TEST(test_conv_transpose2d)
{
	static const int cases[][7] = {
		/* inputs, outputs, h, w, kernel, stride, padding */
		{1, 1, 3, 4, 32, 16, 8}, {3, 5, 4, 7, 4, 2, 1}, {2, 3, 5, 3, 3, 1, 0},
		{2, 2, 3, 3, 2, 3, 0},   {1, 2, 4, 4, 5, 2, 2},
	};
	const int *c = cases[_i];
	struct builder b;
	builder_init(&b, (uint32_t)_i + 3);
	b.channels[0] = c[0];
	build_conv_transpose2d(&b, 0, c[1], c[4], c[5], c[6]);
	b.network.steps[0].relu = (uint8_t)(_i & 1);
	int grow = c[4] - 2 * c[6];
	check_step(&b, (struct infer_shape){c[0], c[2], c[3]}, none,
		   (struct infer_shape){c[1], (c[2] - 1) * c[5] + grow, (c[3] - 1) * c[5] + grow});
}
END_TEST

START_TEST(test_max_pool2d)
{
	static const int cases[][8] = {
		/* h, w, kernel, stride, padding, ceil, out_h, out_w */
		{12, 17, 3, 2, 0, 1, 6, 8},   {12, 18, 3, 2, 0, 1, 6, 9}, {13, 16, 3, 2, 0, 0, 6, 7},
		{32, 48, 16, 16, 0, 0, 2, 3}, {7, 9, 3, 2, 1, 0, 4, 5},   {7, 10, 3, 2, 1, 1, 4, 6},
		{5, 5, 2, 3, 1, 1, 2, 2},     {2, 2, 3, 2, 1, 1, 2, 2},   {1, 3, 1, 1, 0, 0, 1, 3},
	};
	const int *c = cases[_i];
	struct builder b;
	builder_init(&b, (uint32_t)_i + 7);
	build_max_pool2d(&b, 0, c[2], c[3], c[4], c[5]);
	check_step(&b, (struct infer_shape){3, c[0], c[1]}, none, (struct infer_shape){3, c[6], c[7]});
}
END_TEST

START_TEST(test_upsample)
{
	static const int cases[][3] = {{5, 7, 2}, {1, 1, 2}, {4, 1, 2}, {3, 5, 3}, {2, 9, 4}, {6, 6, 1}, {2, 3, 16}};
	const int *c = cases[_i / 2];
	struct builder b;
	builder_init(&b, (uint32_t)_i + 9);
	build_unary(&b, _i & 1 ? INFER_OP_UPSAMPLE_NEAREST : INFER_OP_UPSAMPLE_BILINEAR, 0, c[2], 0, 0, 0, 0);
	check_step(&b, (struct infer_shape){3, c[0], c[1]}, none, (struct infer_shape){3, c[0] * c[2], c[1] * c[2]});
}
END_TEST

START_TEST(test_elementwise)
{
	static const struct {
		int op;
		float farg;
	} cases[] = {{INFER_OP_RELU, 0}, {INFER_OP_LEAKY_RELU, 0.2f}, {INFER_OP_SIGMOID, 0}, {INFER_OP_SCALE, 0.03f}};
	const int named = sizeof cases / sizeof *cases;
	struct builder b;
	struct infer_shape s = {3, 7, 9};
	builder_init(&b, 11);
	int op = _i < named ? cases[_i].op : INFER_NAMED_OPS + _i - named;
	build_unary(&b, op, 0, 0, 0, 0, 0, _i < named ? cases[_i].farg : 0);
	check_step(&b, s, none, s);
}
END_TEST

START_TEST(test_channel_affine_and_mean)
{
	struct builder b;
	struct infer_shape s = {3, 7, 9};
	builder_init(&b, 12);
	build_channel_affine(&b, 0);
	check_step(&b, s, none, s);
	builder_init(&b, 13);
	build_unary(&b, INFER_OP_GLOBAL_AVG_POOL2D, 0, 0, 0, 0, 0, 0);
	check_step(&b, s, none, (struct infer_shape){3, 1, 1});
}
END_TEST

START_TEST(test_two_inputs)
{
	struct infer_shape s = {3, 7, 9};
	static const struct infer_shape seconds[] = {{3, 7, 9}, {3, 1, 1}, {1, 7, 9}};
	for (int k = 0; k < 5; k++) {
		struct builder b;
		builder_init(&b, 14 + (uint32_t)k);
		build_binary(&b, k < 2 ? INFER_OP_ADD : INFER_OP_MUL, 0, 1, k == 0);
		check_step(&b, s, seconds[k < 2 ? k : k - 2], s);
	}
	struct builder b;
	builder_init(&b, 20);
	build_binary(&b, INFER_OP_CONCAT, 1, 0, 0);
	check_step(&b, s, (struct infer_shape){2, 7, 9}, (struct infer_shape){5, 7, 9});
}
END_TEST

START_TEST(test_sigmoid_range)
{
	for (float x = -120; x <= 120; x += 0.0137f) {
		float got;
		infer_sigmoid_array(&x, &got, 1);
		double want = 1 / (1 + exp(-(double)x));
		if (!(fabs(got - want) <= 1.2e-7 && (x < -87 || fabs(got - want) <= 4e-7 * want)))
			ck_abort_msg("sigmoid(%g) = %.9g, expected %.9g", x, got, want);
	}
	float odd[] = {INFINITY, -INFINITY, NAN, 0, -0.0f};
	infer_sigmoid_array(odd, odd, 5);
	ck_assert_float_eq(odd[0], 1);
	ck_assert(odd[1] >= 0 && odd[1] < 1e-37f);
	ck_assert_float_eq(odd[2], 0.5f);
	ck_assert_float_eq(odd[3], 0.5f);
	ck_assert_float_eq(odd[4], 0.5f);
}
END_TEST

START_TEST(test_instruction_sets)
{
	ck_assert(infer_isa_available(INFER_ISA_GENERIC));
	ck_assert(infer_isa_available(infer_isa_best()));
	ck_assert(!infer_isa_available(INFER_ISA_COUNT));
	ck_assert_str_eq(infer_isa_name(INFER_ISA_AVX2), "avx2");
}
END_TEST

static Suite *kernels_suite(void)
{
	Suite *suite = suite_create("infer/kernels");
	TCase *tcase = tcase_create("against plain loops");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_conv2d, 0, sizeof convs / sizeof *convs);
	tcase_add_test(tcase, test_conv2d_fused);
	tcase_add_loop_test(tcase, test_conv_transpose2d, 0, 5);
	tcase_add_loop_test(tcase, test_max_pool2d, 0, 9);
	tcase_add_loop_test(tcase, test_upsample, 0, 14);
	tcase_add_loop_test(tcase, test_elementwise, 0, 4 + infer_op_last() + 1 - INFER_NAMED_OPS);
	tcase_add_test(tcase, test_channel_affine_and_mean);
	tcase_add_test(tcase, test_two_inputs);
	tcase_add_test(tcase, test_sigmoid_range);
	tcase_add_test(tcase, test_instruction_sets);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(kernels_suite)
