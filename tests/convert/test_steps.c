/* Graph to steps: what is fused, folded, left out and refused. Whether the result computes the same is
 * tests/convert/test_parity.c's question; here it is whether the simplification happens exactly where it may. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "convert/steps.h"
#include "core/ops/ops.h"
#include "tests/support/test.h"

/* A graph under construction: image 3 x 16 x 16 and clicks 2 x 16 x 16. */
struct build {
	struct params params;
	struct graph graph;
	int image, clicks;
	int serial;
};

static void begin(struct build *b)
{
	*b = (struct build){0};
	params_init(&b->params);
	graph_init(&b->graph, &b->params);
	b->image = graph_input(&b->graph, "image", (struct shape){1, 3, 16, 16});
	b->clicks = graph_input(&b->graph, "clicks", (struct shape){1, 2, 16, 16});
}

static void end(struct build *b)
{
	graph_release(&b->graph);
	params_release(&b->params);
}

static int param(struct build *b, struct shape shape, enum param_kind kind, enum param_init init)
{
	char name[64];
	snprintf(name, sizeof name, "p%d", b->serial++);
	return params_add(&b->params, name, shape, PARAM_DECODER, kind, init);
}

static int conv(struct build *b, int x, int out, bool bias)
{
	const struct conv2d_attr attr = {.kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1, .dilation = 1};
	int channels = b->graph.nodes[x].shape.c;
	int p[2] = {param(b, (struct shape){out, channels, 3, 3}, PARAM_WEIGHT, PARAM_INIT_HE_NORMAL)};
	if (bias)
		p[1] = param(b, (struct shape){out, 1, 1, 1}, PARAM_BIAS, PARAM_INIT_ONE);
	return graph_add(&b->graph, &op_conv2d, "conv", &attr, &x, 1, p, 1 + bias);
}

static int upconv(struct build *b, int x, int out)
{
	const struct conv_transpose2d_attr attr = {3, 1, 1};
	int weight = param(b, (struct shape){b->graph.nodes[x].shape.c, out, 3, 3}, PARAM_WEIGHT, PARAM_INIT_HE_NORMAL);
	return graph_add(&b->graph, &op_conv_transpose2d, "upconv", &attr, &x, 1, &weight, 1);
}

static int batch_norm(struct build *b, int x)
{
	const struct batch_norm2d_attr attr = {1e-5f};
	struct shape shape = {b->graph.nodes[x].shape.c, 1, 1, 1};
	int p[4] = {param(b, shape, PARAM_BIAS, PARAM_INIT_ONE), param(b, shape, PARAM_BIAS, PARAM_INIT_ZERO),
		    param(b, shape, PARAM_BUFFER, PARAM_INIT_ZERO), param(b, shape, PARAM_BUFFER, PARAM_INIT_ONE)};
	return graph_add(&b->graph, &op_batch_norm2d, "norm", &attr, &x, 1, p, 4);
}

static int unary(struct build *b, const struct op *op, const void *attr, int x)
{
	return graph_add(&b->graph, op, op->name, attr, &x, 1, NULL, 0);
}

static int binary(struct build *b, const struct op *op, int x, int y)
{
	const int inputs[] = {x, y};
	return graph_add(&b->graph, op, op->name, NULL, inputs, 2, NULL, 0);
}

static int relu(struct build *b, int x)
{
	return unary(b, &op_relu, NULL, x);
}

/* Translates up to `logits` and compares the operators with the list, 0-terminated; negative: with relu flag. */
static struct steps translate(struct build *b, int logits, const int *expected)
{
	struct steps steps;
	ck_assert_msg(b->graph.status == STATUS_OK, "%s", status_message());
	if (!b->params.values)
		ck_assert_int_eq(params_alloc(&b->params, 3), STATUS_OK);
	ck_assert_msg(steps_translate(&steps, &b->graph, b->image, b->clicks, logits, b->params.values) == STATUS_OK,
		      "%s", status_message());
	int count = 0;
	for (; expected[count]; count++) {
		ck_assert_int_lt(count, steps.network.step_count);
		const struct infer_step *step = &steps.network.steps[count];
		int found = step->relu ? -step->op : step->op;
		ck_assert_msg(found == expected[count], "step %d: %d, expected %d", count, found, expected[count]);
	}
	ck_assert_int_eq(steps.network.step_count, count);
	return steps;
}

#define OPS(...) ((const int[]){__VA_ARGS__, 0})

START_TEST(test_relu_fuses)
{
	struct build b;
	begin(&b);
	int x = relu(&b, conv(&b, b.image, 4, true));
	int y = relu(&b, binary(&b, &op_add, x, conv(&b, b.clicks, 4, false)));
	int logits = relu(&b, upconv(&b, y, 1));
	struct steps s = translate(&b, logits,
				   OPS(-INFER_OP_CONV2D, INFER_OP_CONV2D, -INFER_OP_ADD, -INFER_OP_CONV_TRANSPOSE2D));
	ck_assert_int_eq(s.network.steps[1].inputs[0], 1);
	ck_assert_int_eq(s.network.steps[1].tensor[1], -1);
	ck_assert_int_eq(s.network.steps[2].inputs[0], 2);
	ck_assert_int_eq(s.network.steps[2].inputs[1], 3);
	ck_assert_int_eq(s.network.tensor_count, 4);
	ck_assert_str_eq(s.names[1], "p1");
	steps_release(&s);
	end(&b);
}
END_TEST

/* A convolution that somebody else reads before the relu keeps its sign. */
START_TEST(test_relu_stays)
{
	struct build b;
	begin(&b);
	int x = conv(&b, b.image, 1, true);
	int logits = binary(&b, &op_add, x, relu(&b, x));
	struct steps s = translate(&b, logits, OPS(INFER_OP_CONV2D, INFER_OP_RELU, INFER_OP_ADD));
	steps_release(&s);
	/* Read by what is not exported does not count. */
	relu(&b, logits);
	s = translate(&b, x, OPS(INFER_OP_CONV2D));
	steps_release(&s);
	/* A relu of a pool, of an input, of a relu. */
	const struct max_pool2d_attr attr = {3, 1, 1, 0};
	int y = relu(&b, relu(&b, unary(&b, &op_max_pool2d, &attr, relu(&b, b.image))));
	s = translate(&b, y, OPS(INFER_OP_RELU, INFER_OP_MAX_POOL2D, INFER_OP_RELU, INFER_OP_RELU));
	ck_assert_int_eq(s.network.steps[1].args[2], 1);
	steps_release(&s);
	end(&b);
}
END_TEST

START_TEST(test_dropout_vanishes)
{
	const struct dropout_attr attr = {0.5f};
	struct build b;
	begin(&b);
	int x = unary(&b, &op_dropout, &attr, conv(&b, b.image, 2, true));
	int logits = conv(&b, relu(&b, x), 1, true); /* the relu still sees the convolution */
	int of_input = conv(&b, unary(&b, &op_dropout, &attr, b.clicks), 1, false);
	struct steps s = translate(&b, logits, OPS(-INFER_OP_CONV2D, INFER_OP_CONV2D));
	ck_assert_int_eq(s.network.steps[1].inputs[0], 2);
	steps_release(&s);
	s = translate(&b, of_input, OPS(INFER_OP_CONV2D));
	ck_assert_int_eq(s.network.steps[0].inputs[0], 1);
	steps_release(&s);
	end(&b);
}
END_TEST

/* weight 2, bias 3, mean 5, variance 4 - epsilon: y = (x - 5) / 2 * 2 + 3 = x - 2; for channel 1 weight 4: y = 2 x - 7.
 */
static void set_norm(struct build *b, int node)
{
	const int *p = b->graph.nodes[node].params;
	for (int c = 0; c < b->graph.nodes[node].shape.c; c++) {
		b->params.values[b->params.items[p[0]].offset + (size_t)c] = c == 1 ? 4 : 2;
		b->params.values[b->params.items[p[1]].offset + (size_t)c] = 3;
		b->params.values[b->params.items[p[2]].offset + (size_t)c] = 5;
		b->params.values[b->params.items[p[3]].offset + (size_t)c] = 4 - 1e-5f;
	}
}

START_TEST(test_norm_folds)
{
	struct build b;
	begin(&b);
	int x = conv(&b, b.image, 2, false), norm = batch_norm(&b, x);
	int up = upconv(&b, relu(&b, norm), 2), second = batch_norm(&b, up);
	int logits = conv(&b, second, 1, true);
	ck_assert_int_eq(params_alloc(&b.params, 3), STATUS_OK);
	set_norm(&b, norm);
	set_norm(&b, second);
	struct steps s = translate(&b, logits, OPS(-INFER_OP_CONV2D, INFER_OP_CONV_TRANSPOSE2D, INFER_OP_CONV2D));
	/* A bias was made: scale 1, shift -2; scale 2, shift -7. The weights of channel 1 are doubled. */
	const struct infer_network *n = &s.network;
	const float *weight = b.params.values + b.params.items[b.graph.nodes[x].params[0]].offset;
	ck_assert_float_eq_tol(n->tensors[n->steps[0].tensor[1]].data[0], -2, 1e-5f);
	ck_assert_float_eq_tol(n->tensors[n->steps[0].tensor[1]].data[1], -7, 1e-5f);
	ck_assert_float_eq_tol(n->tensors[n->steps[0].tensor[0]].data[0], weight[0], 1e-6f);
	ck_assert_float_eq_tol(n->tensors[n->steps[0].tensor[0]].data[27], 2 * weight[27], 1e-6f);
	/* In a transposed convolution the output channels are the second axis: (2,2,3,3). */
	weight = b.params.values + b.params.items[b.graph.nodes[up].params[0]].offset;
	const float *folded = n->tensors[n->steps[1].tensor[0]].data;
	for (int i = 0; i < 36; i++)
		ck_assert_float_eq_tol(folded[i], weight[i] * (float)(1 + i / 9 % 2), 1e-5f);
	steps_release(&s);
	end(&b);
}
END_TEST

START_TEST(test_norm_stays)
{
	struct build b;
	begin(&b);
	int x = conv(&b, b.image, 2, true), norm = batch_norm(&b, x);
	int sum = binary(&b, &op_add, x, norm); /* x is read twice */
	int logits = conv(&b, relu(&b, batch_norm(&b, sum)), 1, true);
	ck_assert_int_eq(params_alloc(&b.params, 3), STATUS_OK);
	set_norm(&b, norm);
	struct steps s = translate(&b, logits,
				   OPS(INFER_OP_CONV2D, INFER_OP_CHANNEL_AFFINE, INFER_OP_ADD, INFER_OP_CHANNEL_AFFINE,
				       INFER_OP_RELU, INFER_OP_CONV2D));
	const struct infer_network *n = &s.network;
	ck_assert_float_eq_tol(n->tensors[n->steps[1].tensor[0]].data[1], 2, 1e-5f);
	ck_assert_float_eq_tol(n->tensors[n->steps[1].tensor[1]].data[1], -7, 1e-5f);
	ck_assert_str_eq(s.names[n->steps[1].tensor[0]], "norm.scale");
	steps_release(&s);
	end(&b);
}
END_TEST

START_TEST(test_scale)
{
	const struct scale_attr attr = {0.25f};
	struct build b;
	begin(&b);
	int x = unary(&b, &op_scale, &attr, b.image);
	int y = conv(&b, x, 1, true); /* into its weights, not its bias */
	int z = unary(&b, &op_scale, &attr, y);
	struct steps s = translate(&b, z, OPS(INFER_OP_CONV2D, INFER_OP_SCALE));
	ck_assert_float_eq(s.network.tensors[0].data[3], 0.25f * b.params.values[3]);
	ck_assert_float_eq(s.network.tensors[1].data[0], 1);
	ck_assert_float_eq(s.network.steps[1].farg, 0.25f);
	steps_release(&s);
	end(&b);
	begin(&b);
	x = unary(&b, &op_scale, &attr, b.image); /* read twice: stays */
	y = binary(&b, &op_add, conv(&b, x, 3, false), x);
	s = translate(&b, y, OPS(INFER_OP_SCALE, INFER_OP_CONV2D, INFER_OP_ADD));
	steps_release(&s);
	end(&b);
}
END_TEST

/* What a convolution does besides its sums. */
START_TEST(test_fused_conv)
{
	const struct scale_attr scale = {0.25f};
	struct conv2d_attr attr = {.kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = 1, .dilation = 1, .relu = 1};
	struct build b;
	begin(&b);
	int weights[3];
	for (int i = 0; i < 3; i++)
		weights[i] = param(&b, (struct shape){2, i == 1 ? 3 : 2, 3, 3}, PARAM_WEIGHT, PARAM_INIT_HE_NORMAL);
	int x = graph_add(&b.graph, &op_conv2d, "x", &attr, &b.clicks, 1, &weights[0], 1);
	/* An addend's scale is none of the convolution's. */
	const int inputs[] = {b.image, unary(&b, &op_scale, &scale, x)};
	attr.input_scale = 0.5f;
	int y = graph_add(&b.graph, &op_conv2d, "y", &attr, inputs, 2, &weights[1], 1);
	attr.relu = 0;
	const int more[] = {unary(&b, &op_scale, &scale, y), y};
	int z = graph_add(&b.graph, &op_conv2d, "z", &attr, more, 2, &weights[2], 1);
	struct steps s = translate(&b, relu(&b, relu(&b, z)),
				   OPS(-INFER_OP_CONV2D, INFER_OP_SCALE, INFER_OP_CONV2D, -INFER_OP_ADD,
				       INFER_OP_CONV2D, -INFER_OP_ADD, INFER_OP_RELU));
	const struct infer_network *n = &s.network;
	ck_assert_int_eq(n->steps[2].input_count, 1);
	ck_assert_int_eq(n->steps[2].inputs[0], 0);
	ck_assert_int_eq(n->steps[3].inputs[0], INFER_FIRST_STEP_VALUE + 1);
	ck_assert_int_eq(n->steps[3].inputs[1], INFER_FIRST_STEP_VALUE + 2);
	ck_assert_int_eq(n->steps[4].inputs[0], INFER_FIRST_STEP_VALUE + 3);
	const struct param *params = b.params.items;
	ck_assert_float_eq(n->tensors[0].data[5], b.params.values[params[weights[0]].offset + 5]);
	ck_assert_float_eq(n->tensors[1].data[5], 0.5f * b.params.values[params[weights[1]].offset + 5]);
	ck_assert_float_eq(n->tensors[2].data[5], 0.125f * b.params.values[params[weights[2]].offset + 5]);
	steps_release(&s);
	end(&b);
}
END_TEST

START_TEST(test_every_operator)
{
	const struct leaky_relu_attr leaky = {0.2f};
	const struct upsample_attr nearest = {2, UPSAMPLE_NEAREST}, bilinear = {4, UPSAMPLE_BILINEAR};
	const struct max_pool2d_attr pool = {2, 2, 0, 1};
	struct build b;
	begin(&b);
	int x = binary(&b, &op_concat, b.image, b.clicks);
	x = unary(&b, &op_leaky_relu, &leaky, x);
	x = binary(&b, &op_mul, x, unary(&b, &op_sigmoid, NULL, unary(&b, &op_global_avg_pool2d, NULL, x)));
	x = unary(&b, &op_max_pool2d, &pool, unary(&b, &op_upsample, &nearest, x));
	x = unary(&b, &op_upsample, &bilinear, x);
	struct steps s = translate(&b, x,
				   OPS(INFER_OP_CONCAT, INFER_OP_LEAKY_RELU, INFER_OP_GLOBAL_AVG_POOL2D,
				       INFER_OP_SIGMOID, INFER_OP_MUL, INFER_OP_UPSAMPLE_NEAREST, INFER_OP_MAX_POOL2D,
				       INFER_OP_UPSAMPLE_BILINEAR));
	ck_assert_float_eq(s.network.steps[1].farg, 0.2f);
	ck_assert_int_eq(s.network.steps[5].args[0], 2);
	ck_assert_int_eq(s.network.steps[6].args[3], 1);
	ck_assert_int_eq(s.network.steps[7].args[0], 4);
	steps_release(&s);
	end(&b);
}
END_TEST

static void expect_failure(struct build *b, int logits, enum status status, const char *message)
{
	struct steps s;
	ck_assert_int_eq(steps_translate(&s, &b->graph, b->image, b->clicks, logits, b->params.values), status);
	ck_assert_msg(strstr(status_message(), message) != NULL, "'%s' should contain '%s'", status_message(), message);
	ck_assert_ptr_null(s.network.steps);
}

START_TEST(test_refused)
{
	struct build b;
	begin(&b);
	int target = graph_input(&b.graph, "target", (struct shape){1, 1, 16, 16});
	int x = conv(&b, b.image, 1, true);
	int loss = binary(&b, &op_bce_with_logits, x, target), sum = binary(&b, &op_add, x, target);
	ck_assert_int_eq(params_alloc(&b.params, 3), STATUS_OK);
	expect_failure(&b, sum, STATUS_CONFIG, "input target is neither the image nor the clicks");
	expect_failure(&b, b.image, STATUS_CONFIG, "not the last step");
	b.params.values[b.params.items[1].offset] = NAN;
	expect_failure(&b, x, STATUS_FORMAT, "parameter p1: number 0 is nan");
	b.params.values[b.params.items[1].offset] = 0;
	b.graph.nodes[loss].inputs[1] = x; /* so that the loss itself is reached */
	expect_failure(&b, loss, STATUS_CONFIG, "operator bce_with_logits has no deployed form");
	end(&b);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("steps");
	TCase *tcase = tcase_create("steps");
	tcase_add_test(tcase, test_relu_fuses);
	tcase_add_test(tcase, test_relu_stays);
	tcase_add_test(tcase, test_dropout_vanishes);
	tcase_add_test(tcase, test_norm_folds);
	tcase_add_test(tcase, test_norm_stays);
	tcase_add_test(tcase, test_scale);
	tcase_add_test(tcase, test_fused_conv);
	tcase_add_test(tcase, test_every_operator);
	tcase_add_test(tcase, test_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
