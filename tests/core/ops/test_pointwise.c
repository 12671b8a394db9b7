/* The operators that need no more than one line to define (relu, leaky_relu, sigmoid, gelu, hard_swish, tanh, scale,
 * add, mul, concat, global_avg_pool2d, dropout), each against that line; and what their shape rules refuse. */
#include "core/ops/ops.h"

#include <math.h>
#include <string.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

static const struct shape shapes[] = {{1, 1, 1, 1}, {2, 3, 3, 5}, {1, 5, 7, 9}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void each_value(const struct op *op, const void *attr, struct shape shape, double (*expected)(double x),
		       double tolerance)
{
	const struct op_case c = {op, attr, .in = {shape}, .gain = 8};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	for (size_t i = 0; i < shape_count(shape); i++) {
		double want = expected(run.call.in[0].data[i]), found = run.call.out.data[i];
		ck_assert_msg(fabs(want - found) <= tolerance * fabs(want), "%s(%g): expected %.9g, found %.9g",
			      op->name, (double)run.call.in[0].data[i], want, found);
	}
	op_run_release(&run);
}

static double relu(double x)
{
	return x > 0 ? x : 0;
}

static double leaky_relu(double x)
{
	return x > 0 ? x : 0.25 * x;
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double gelu(double x)
{
	return x / (1 + exp(-2 * sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x)));
}

static double hard_swish(double x)
{
	return x * fmin(fmax(x + 3, 0), 6) / 6;
}

static double scale(double x)
{
	return -1.5 * x;
}

START_TEST(one_input)
{
	each_value(&op_relu, NULL, shapes[_i], relu, 0);
	each_value(&op_leaky_relu, &(struct leaky_relu_attr){0.25f}, shapes[_i], leaky_relu, 0);
	each_value(&op_sigmoid, NULL, shapes[_i], sigmoid, 3e-7);
	each_value(&op_tanh, NULL, shapes[_i], tanh, 3e-7);
	each_value(&op_gelu, NULL, shapes[_i], gelu, 2e-5);
	each_value(&op_hard_swish, NULL, shapes[_i], hard_swish, 1e-6);
	each_value(&op_scale, &(struct scale_attr){-1.5f}, shapes[_i], scale, 1e-7);
}
END_TEST

START_TEST(sigmoid_at_the_ends)
{
	const struct op_case c = {&op_sigmoid, .in = {{1, 1, 1, 5}}};
	const float inputs[] = {-INFINITY, -1000, 1000, INFINITY, NAN};
	struct op_run run;
	op_run_init(&run, &c);
	memcpy(run.call.in[0].data, inputs, sizeof inputs);
	op_run_forward(&run);
	ck_assert(run.call.out.data[0] < 2e-38f && run.call.out.data[1] < 2e-38f);
	ck_assert(run.call.out.data[2] == 1 && run.call.out.data[3] == 1);
	ck_assert(isnan(run.call.out.data[4]));
	op_run_release(&run);
}
END_TEST

START_TEST(tanh_near_0_and_at_the_ends)
{
	const struct op_case c = {&op_tanh, .in = {{1, 1, 1, 10}}};
	const float inputs[] = {-INFINITY, -1000, 1000, INFINITY, 1e-30f, -3e-4f, 0.4999f, 0.5f, 12, NAN};
	struct op_run run;
	op_run_init(&run, &c);
	memcpy(run.call.in[0].data, inputs, sizeof inputs);
	op_run_forward(&run);
	for (int i = 0; i < 9; i++) {
		double want = tanh((double)inputs[i]);
		ck_assert_double_eq_tol(run.call.out.data[i] / want, 1, 3e-7);
	}
	ck_assert(isnan(run.call.out.data[9]));
	op_run_release(&run);
}
END_TEST

START_TEST(relu_shows_a_nan)
{
	const struct op_case c = {&op_relu, .in = {{1, 1, 1, 40}}};
	struct op_run run;
	op_run_init(&run, &c);
	run.call.in[0].data[7] = run.call.in[0].data[39] = NAN;
	op_run_forward(&run);
	ck_assert(isnan(run.call.out.data[7]) && isnan(run.call.out.data[39]));
	op_run_release(&run);
}
END_TEST

/* in[1] at in[0]'s element i, for the shapes that are broadcast. */
static float broadcast(const struct op_call *call, size_t i)
{
	struct shape a = call->in[0].shape, b = call->in[1].shape;
	int c = (int)i % a.c, x = (int)i / a.c % a.w, y = (int)i / a.c / a.w % a.h, n = (int)i / a.c / a.w / a.h;
	return call->in[1].data[shape_offset(b, n, b.c == 1 ? 0 : c, b.h == 1 ? 0 : y, b.w == 1 ? 0 : x)];
}

static void check_two(const struct op *op, struct shape a, struct shape b, bool product)
{
	const struct op_case c = {op, .in = {a, b}};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	for (size_t i = 0; i < shape_count(a); i++) {
		float x = run.call.in[0].data[i], y = broadcast(&run.call, i);
		ck_assert(run.call.out.data[i] == (product ? x * y : x + y));
	}
	op_run_release(&run);
}

START_TEST(two_inputs)
{
	struct shape s = shapes[_i], channels = {s.n, s.c, 1, 1}, plane = {s.n, 1, s.h, s.w};
	check_two(&op_add, s, s, false);
	check_two(&op_add, s, channels, false);
	check_two(&op_mul, s, s, true);
	check_two(&op_mul, s, channels, true);
	check_two(&op_mul, s, plane, true);
}
END_TEST

START_TEST(two_inputs_refuse)
{
	struct shape out, bad[] = {{2, 3, 4, 5}, {2, 3, 5, 4}}, samples[] = {{2, 3, 4, 5}, {1, 3, 1, 1}};
	struct shape plane[] = {{2, 3, 4, 5}, {2, 1, 4, 5}};
	ck_assert_int_eq(op_add.shape(NULL, bad, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "add: input 1: expected shape (2, 3, 4, 5), found (2, 3, 5, 4)");
	ck_assert_int_eq(op_mul.shape(NULL, bad, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_add.shape(NULL, samples, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_mul.shape(NULL, samples, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_add.shape(NULL, plane, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_mul.shape(NULL, plane, 2, NULL, 0, &out), STATUS_OK);
	ck_assert_int_eq(op_add.shape(NULL, bad, 1, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

/* x + x and x * x as one node twice: the second input's gradient is added to the first's. */
START_TEST(the_same_input_twice)
{
	const struct op *ops[] = {&op_add, &op_mul};
	for (int k = 0; k < 2; k++) {
		const struct op_case c = {ops[k], .in = {{1, 2, 3, 5}, {1, 2, 3, 5}}};
		struct op_run run;
		op_run_init(&run, &c);
		float grad[30], out_grad[30], *own = run.call.in[1].data;
		test_fill(out_grad, 30, FILL_UNIFORM, 4);
		run.call.in[1].data = run.call.in[0].data;
		run.call.out_grad = out_grad;
		run.call.in_grad[0] = run.call.in_grad[1] = grad;
		run.call.in_grad_add[1] = true;
		op_run_forward(&run);
		ops[k]->backward(&run.call);
		for (int i = 0; i < 30; i++)
			ck_assert_float_eq_tol(grad[i], 2 * out_grad[i] * (k ? run.call.in[0].data[i] : 1), 1e-6f);
		run.call.in[1].data = own;
		op_run_release(&run);
	}
}
END_TEST

START_TEST(concat)
{
	const struct op_case c = {&op_concat, .in = {{2, 3, 3, 5}, {2, 1, 3, 5}, {2, 5, 3, 5}}};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	ck_assert(shape_equal(run.call.out.shape, (struct shape){2, 9, 3, 5}));
	for (size_t i = 0; i < shape_count(run.call.out.shape); i++) {
		size_t pixel = i / 9, channel = i % 9, first = channel < 3 ? 0 : channel < 4 ? 3 : 4;
		const struct tensor *from = &run.call.in[channel < 3 ? 0 : channel < 4 ? 1 : 2];
		ck_assert(run.call.out.data[i] == from->data[pixel * (size_t)from->shape.c + channel - first]);
	}
	op_run_release(&run);
	struct shape out, in[] = {{2, 3, 3, 5}, {2, 3, 3, 4}, {1, 3, 3, 5}, {1, 3, 3, 5}, {1, 3, 3, 5}};
	ck_assert_int_eq(op_concat.shape(NULL, in, 2, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_concat.shape(NULL, in + 2, 0, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_concat.shape(NULL, in, 5, NULL, 0, &out), STATUS_CONFIG);
	in[1] = in[2];
	ck_assert_int_eq(op_concat.shape(NULL, in, 2, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

START_TEST(global_avg_pool2d)
{
	const struct op_case c = {&op_global_avg_pool2d, .in = {shapes[_i]}};
	struct op_run run;
	op_run_init(&run, &c);
	op_run_forward(&run);
	size_t plane = (size_t)shapes[_i].h * (size_t)shapes[_i].w, channels = (size_t)shapes[_i].c;
	for (size_t i = 0; i < shape_count(run.call.out.shape); i++) {
		double sum = 0;
		for (size_t j = 0; j < plane; j++)
			sum += (double)run.call.in[0].data[(i / channels * plane + j) * channels + i % channels];
		ck_assert_double_eq_tol(run.call.out.data[i], sum / (double)plane, 1e-7);
	}
	op_run_release(&run);
}
END_TEST

START_TEST(dropout)
{
	const struct op_case c = {&op_dropout, &(const struct dropout_attr){0.25f}, .in = {{1, 4, 50, 50}}};
	struct op_run run;
	op_run_init(&run, &c);
	size_t count = shape_count(run.call.out.shape), dropped = 0;
	op_run_forward(&run);
	for (size_t i = 0; i < count; i++) {
		float x = run.call.in[0].data[i], y = run.call.out.data[i];
		dropped += y == 0;
		ck_assert(y == 0 || fabsf(y - x / 0.75f) <= 1e-6f);
	}
	ck_assert_double_eq_tol((double)dropped / (double)count, 0.25, 0.015); /* 3.5 standard deviations */
	float first = run.call.out.data[0], last = run.call.out.data[count - 1];
	op_run_forward(&run); /* the call's stream is not used up */
	ck_assert(first == run.call.out.data[0] && last == run.call.out.data[count - 1]);
	run.call.training = false;
	op_run_forward(&run);
	ck_assert(memcmp(run.call.out.data, run.call.in[0].data, count * sizeof(float)) == 0);
	op_run_release(&run);
}
END_TEST

START_TEST(attributes_are_checked)
{
	struct shape in = {1, 1, 2, 2}, out;
	ck_assert_int_eq(op_dropout.shape(&(struct dropout_attr){1}, &in, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_dropout.shape(&(struct dropout_attr){-0.1f}, &in, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_leaky_relu.shape(&(struct leaky_relu_attr){0}, &in, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_scale.shape(&(struct scale_attr){NAN}, &in, 1, NULL, 0, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_relu.shape(NULL, &in, 1, &in, 1, &out), STATUS_CONFIG);
	ck_assert_int_eq(op_sigmoid.shape(NULL, &in, 0, NULL, 0, &out), STATUS_CONFIG);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("pointwise");
	TCase *tcase = tcase_create("pointwise");
	tcase_add_loop_test(tcase, one_input, 0, SHAPES);
	tcase_add_loop_test(tcase, two_inputs, 0, SHAPES);
	tcase_add_loop_test(tcase, global_avg_pool2d, 0, SHAPES);
	tcase_add_test(tcase, tanh_near_0_and_at_the_ends);
	tcase_add_test(tcase, sigmoid_at_the_ends);
	tcase_add_test(tcase, relu_shows_a_nan);
	tcase_add_test(tcase, two_inputs_refuse);
	tcase_add_test(tcase, the_same_input_twice);
	tcase_add_test(tcase, concat);
	tcase_add_test(tcase, dropout);
	tcase_add_test(tcase, attributes_are_checked);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
