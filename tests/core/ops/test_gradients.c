/* Every operator of op_list against central finite differences, at odd shapes. An operator without a case here fails
 * the suite: a new one adds its lines to the table. */
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define CONV(KH, KW, S, P, D) \
	(&(const struct conv2d_attr){.kernel_h = KH, .kernel_w = KW, .stride = S, .padding = P, .dilation = D})
#define FUSED(K, S, P, RELU, SCALE)                 \
	(&(const struct conv2d_attr){.kernel_h = K, \
				     .kernel_w = K, \
				     .stride = S,   \
				     .padding = P,  \
				     .dilation = 1, \
				     .relu = RELU,  \
				     .input_scale = SCALE})
#define CONV_T(K, S, P) (&(const struct conv_transpose2d_attr){.kernel = K, .stride = S, .padding = P})
#define POOL(K, S, P, CEIL) (&(const struct max_pool2d_attr){.kernel = K, .stride = S, .padding = P, .ceil_mode = CEIL})
#define UPSAMPLE(F, MODE) (&(const struct upsample_attr){.factor = F, .mode = MODE})
#define NFL(A, G) (&(const struct nfl_attr){.alpha = A, .gamma = G, .epsilon = 1e-12f})
#define DICE(S) (&(const struct soft_dice_attr){.smooth = S})
#define MEAN_POOL(K, S, P, COUNT) \
	(&(const struct avg_pool2d_attr){.kernel = K, .stride = S, .padding = P, .count_padding = COUNT})
#define RESHAPE(C, H, W) (&(const struct reshape_attr){C, H, W})
#define CLASSES(IGNORE, COUNT, WEIGHTS) (&(const struct softmax_cross_entropy_attr){IGNORE, COUNT, WEIGHTS})
#define VECTOR(C)          \
	{                  \
		C, 1, 1, 1 \
	}

static const float class_weights[] = {0.5f, 2, 1.25f, 0, 3};

static const struct op_case cases[] = {
	{&op_conv2d, CONV(1, 1, 1, 0, 1), .in = {{1, 3, 1, 1}}, .param = {{1, 3, 1, 1}, VECTOR(1)}},
	{&op_conv2d, CONV(1, 1, 1, 0, 1), .in = {{2, 3, 3, 5}}, .param = {{5, 3, 1, 1}, VECTOR(5)}},
	{&op_conv2d, CONV(1, 1, 2, 0, 1), .in = {{2, 3, 5, 7}}, .param = {{5, 3, 1, 1}}},
	{&op_conv2d, CONV(1, 1, 1, 1, 1), .in = {{1, 2, 3, 5}}, .param = {{3, 2, 1, 1}, VECTOR(3)}},
	{&op_conv2d, CONV(3, 3, 1, 1, 1), .in = {{2, 3, 7, 9}}, .param = {{5, 3, 3, 3}, VECTOR(5)}},
	{&op_conv2d, CONV(3, 3, 1, 1, 1), .in = {{1, 1, 1, 1}}, .param = {{1, 1, 3, 3}, VECTOR(1)}},
	{&op_conv2d, CONV(3, 3, 1, 0, 1), .in = {{1, 3, 3, 5}}, .param = {{5, 3, 3, 3}}},
	{&op_conv2d, CONV(3, 3, 2, 0, 1), .in = {{1, 3, 7, 9}}, .param = {{5, 3, 3, 3}, VECTOR(5)}},
	{&op_conv2d, CONV(3, 3, 2, 1, 1), .in = {{2, 3, 7, 9}}, .param = {{1, 3, 3, 3}, VECTOR(1)}},
	{&op_conv2d, CONV(3, 3, 2, 1, 1), .in = {{1, 3, 8, 6}}, .param = {{2, 3, 3, 3}, VECTOR(2)}},
	{&op_conv2d, CONV(3, 3, 1, 2, 2), .in = {{1, 3, 7, 9}}, .param = {{5, 3, 3, 3}, VECTOR(5)}},
	{&op_conv2d, CONV(3, 3, 1, 4, 4), .in = {{1, 2, 3, 3}}, .param = {{2, 2, 3, 3}, VECTOR(2)}},
	{&op_conv2d, CONV(3, 3, 2, 1, 2), .in = {{1, 1, 7, 9}}, .param = {{3, 1, 3, 3}, VECTOR(3)}},
	{&op_conv2d, CONV(5, 3, 3, 2, 1), .in = {{1, 3, 9, 7}}, .param = {{2, 3, 5, 3}, VECTOR(2)}},
	{&op_conv2d, CONV(1, 3, 1, 1, 1), .in = {{1, 3, 3, 5}}, .param = {{2, 3, 1, 3}, VECTOR(2)}},
	{&op_conv2d, CONV(7, 7, 2, 3, 1), .in = {{1, 1, 5, 3}}, .param = {{1, 1, 7, 7}}},
	/* Steps so small that hardly any output crosses the relu's kink. */
	{&op_conv2d, FUSED(3, 1, 1, 1, 0), .in = {{2, 3, 7, 9}}, .param = {{5, 3, 3, 3}, VECTOR(5)},
	 .step = 1.0 / 4096},
	{&op_conv2d, FUSED(3, 2, 1, 1, 0.5f), .in = {{2, 3, 7, 9}, {2, 5, 4, 5}}, .param = {{5, 3, 3, 3}, VECTOR(5)},
	 .step = 1.0 / 4096},
	{&op_conv2d, FUSED(1, 1, 0, 1, 0), .in = {{1, 3, 3, 5}, {1, 17, 3, 5}}, .param = {{17, 3, 1, 1}},
	 .step = 1.0 / 4096},
	{&op_conv2d, FUSED(3, 1, 1, 0, -3), .in = {{1, 2, 3, 5}, {1, 2, 3, 5}}, .param = {{2, 2, 3, 3}, VECTOR(2)}},
	{&op_conv_transpose2d, CONV_T(1, 1, 0), .in = {{2, 3, 3, 5}}, .param = {{3, 2, 1, 1}, VECTOR(2)}},
	{&op_conv_transpose2d, CONV_T(2, 2, 0), .in = {{1, 3, 3, 5}}, .param = {{3, 1, 2, 2}, VECTOR(1)}},
	{&op_conv_transpose2d, CONV_T(4, 2, 1), .in = {{2, 3, 3, 5}}, .param = {{3, 5, 4, 4}, VECTOR(5)}},
	{&op_conv_transpose2d, CONV_T(3, 1, 1), .in = {{1, 1, 3, 5}}, .param = {{1, 5, 3, 3}}},
	{&op_conv_transpose2d, CONV_T(3, 3, 0), .in = {{1, 2, 1, 1}}, .param = {{2, 2, 3, 3}}},
	{&op_conv_transpose2d, CONV_T(8, 4, 2), .in = {{1, 1, 3, 3}}, .param = {{1, 1, 8, 8}, VECTOR(1)}},
	{&op_relu, .in = {{2, 3, 3, 5}}, .fill = {FILL_SPREAD}},
	{&op_relu, .in = {{1, 1, 1, 1}}, .fill = {FILL_SPREAD}},
	{&op_leaky_relu, &(const struct leaky_relu_attr){0.2f}, .in = {{2, 3, 3, 5}}, .fill = {FILL_SPREAD}},
	{&op_sigmoid, .in = {{2, 3, 3, 5}}, .gain = 4},
	{&op_gelu, .in = {{2, 3, 3, 5}}, .gain = 4},
	{&op_hard_swish, .in = {{2, 3, 3, 5}}, .fill = {FILL_SPREAD}, .gain = 5},
	{&op_tanh, .in = {{2, 3, 3, 5}}, .gain = 2},
	{&op_linear, .in = {{2, 3, 3, 5}}, .param = {{5, 3, 1, 1}, VECTOR(5)}},
	{&op_linear, .in = {{3, 17, 1, 1}}, .param = {{2, 17, 1, 1}}},
	{&op_linear, .in = {{1, 1, 1, 1}}, .param = {{1, 1, 1, 1}, VECTOR(1)}},
	{&op_avg_pool2d, MEAN_POOL(2, 2, 0, 0), .in = {{2, 3, 7, 9}}},
	{&op_avg_pool2d, MEAN_POOL(3, 2, 1, 0), .in = {{1, 5, 6, 5}}},
	{&op_avg_pool2d, MEAN_POOL(3, 2, 1, 1), .in = {{1, 5, 6, 5}}},
	{&op_avg_pool2d, MEAN_POOL(3, 1, 1, 1), .in = {{2, 1, 3, 5}}},
	{&op_avg_pool2d, MEAN_POOL(2, 3, 1, 0), .in = {{1, 1, 7, 9}}},
	{&op_slice, &(const struct slice_attr){0}, .in = {{2, 3, 3, 5}}},
	{&op_slice, &(const struct slice_attr){1, 1, 2, 2, 3, 1}, .in = {{2, 4, 5, 3}}},
	{&op_slice, &(const struct slice_attr){.channel = 2}, .in = {{1, 3, 3, 5}}},
	{&op_reshape, RESHAPE(-1, 1, 1), .in = {{2, 3, 3, 5}}},
	{&op_reshape, RESHAPE(5, 9, -1), .in = {{2, 3, 3, 5}}},
	{&op_reshape, RESHAPE(3, 1, 1), .in = {{2, 3, 1, 1}}},
	{&op_layer_norm, &(const struct layer_norm_attr){1e-5f}, .in = {{2, 5, 3, 5}}, .param = {VECTOR(5), VECTOR(5)},
	 .step = 1.0 / 512, .tolerance = 5e-3},
	{&op_layer_norm, &(const struct layer_norm_attr){0.5f}, .in = {{3, 37, 1, 1}},
	 .param = {VECTOR(37), VECTOR(37)}},
	{&op_max_pool2d, POOL(3, 2, 0, 0), .in = {{2, 3, 7, 9}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(3, 2, 0, 1), .in = {{2, 3, 6, 8}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(3, 2, 1, 0), .in = {{1, 1, 7, 9}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(3, 2, 1, 1), .in = {{1, 5, 4, 5}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(2, 2, 0, 1), .in = {{1, 3, 3, 5}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(3, 1, 1, 0), .in = {{1, 3, 3, 5}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(2, 3, 1, 1), .in = {{1, 1, 7, 9}}, .fill = {FILL_SPREAD}},
	{&op_max_pool2d, POOL(1, 1, 0, 0), .in = {{1, 1, 1, 1}}, .fill = {FILL_SPREAD}},
	{&op_global_avg_pool2d, .in = {{2, 3, 3, 5}}},
	{&op_global_avg_pool2d, .in = {{1, 5, 1, 1}}},
	{&op_upsample, UPSAMPLE(2, UPSAMPLE_BILINEAR), .in = {{2, 3, 3, 5}}},
	{&op_upsample, UPSAMPLE(2, UPSAMPLE_BILINEAR), .in = {{1, 1, 1, 1}}},
	{&op_upsample, UPSAMPLE(2, UPSAMPLE_BILINEAR), .in = {{1, 1, 2, 2}}},
	{&op_upsample, UPSAMPLE(3, UPSAMPLE_BILINEAR), .in = {{1, 1, 3, 5}}},
	{&op_upsample, UPSAMPLE(4, UPSAMPLE_BILINEAR), .in = {{1, 1, 1, 3}}},
	{&op_upsample, UPSAMPLE(1, UPSAMPLE_BILINEAR), .in = {{1, 1, 2, 3}}},
	{&op_upsample, UPSAMPLE(2, UPSAMPLE_NEAREST), .in = {{2, 3, 3, 5}}},
	{&op_upsample, UPSAMPLE(3, UPSAMPLE_NEAREST), .in = {{1, 1, 3, 1}}},
	{&op_concat, .in = {{2, 3, 3, 5}}},
	{&op_concat, .in = {{2, 3, 3, 5}, {2, 1, 3, 5}, {2, 5, 3, 5}, {2, 1, 3, 5}}},
	{&op_add, .in = {{2, 3, 3, 5}, {2, 3, 3, 5}}},
	{&op_add, .in = {{2, 3, 3, 5}, {2, 3, 1, 1}}},
	{&op_add, .in = {{2, 3, 1, 1}, {2, 3, 1, 1}}},
	{&op_mul, .in = {{2, 3, 3, 5}, {2, 3, 3, 5}}},
	{&op_mul, .in = {{2, 3, 3, 5}, {2, 3, 1, 1}}},
	{&op_mul, .in = {{2, 3, 3, 5}, {2, 1, 3, 5}}},
	{&op_mul, .in = {{1, 1, 3, 5}, {1, 1, 1, 1}}},
	{&op_scale, &(const struct scale_attr){-2.5f}, .in = {{2, 3, 3, 5}}},
	{&op_batch_norm2d, &(const struct batch_norm2d_attr){1e-5f}, .in = {{2, 3, 3, 5}},
	 .param = {VECTOR(3), VECTOR(3), VECTOR(3), VECTOR(3)}, .param_fill = {[3] = FILL_POSITIVE},
	 .param_constant = {[2] = true, [3] = true}},
	{&op_batch_norm2d, &(const struct batch_norm2d_attr){1e-3f}, .in = {{2, 3, 3, 5}}, .evaluation = true,
	 .param = {VECTOR(3), VECTOR(3), VECTOR(3), VECTOR(3)}, .param_fill = {[3] = FILL_POSITIVE},
	 .param_constant = {[2] = true, [3] = true}},
	{&op_batch_norm2d, &(const struct batch_norm2d_attr){0.5f}, .in = {{1, 2, 7, 3}},
	 .param = {VECTOR(2), VECTOR(2), VECTOR(2), VECTOR(2)}, .param_fill = {[3] = FILL_POSITIVE},
	 .param_constant = {[2] = true, [3] = true}},
	{&op_dropout, &(const struct dropout_attr){0.3f}, .in = {{2, 3, 3, 5}}},
	{&op_dropout, &(const struct dropout_attr){0.3f}, .in = {{2, 3, 3, 5}}, .evaluation = true},
	{&op_bce_with_logits, .in = {{2, 1, 7, 9}, {2, 1, 7, 9}}, .fill = {FILL_UNIFORM, FILL_TARGET}, .gain = 3},
	{&op_bce_with_logits, .in = {{1, 1, 1, 1}, {1, 1, 1, 1}}, .fill = {FILL_UNIFORM, FILL_TARGET}},
	{&op_soft_dice_loss, DICE(1), .in = {{2, 1, 7, 9}, {2, 1, 7, 9}}, .fill = {FILL_UNIFORM, FILL_TARGET},
	 .gain = 3},
	{&op_soft_dice_loss, DICE(0), .in = {{1, 1, 3, 5}, {1, 1, 3, 5}}, .fill = {FILL_UNIFORM, FILL_MASK}, .gain = 3},
	{&op_soft_iou_loss, DICE(1), .in = {{2, 1, 7, 9}, {2, 1, 7, 9}}, .fill = {FILL_UNIFORM, FILL_TARGET},
	 .gain = 3},
	{&op_soft_iou_loss, DICE(0), .in = {{1, 1, 3, 5}, {1, 1, 3, 5}}, .fill = {FILL_UNIFORM, FILL_MASK}, .gain = 3},
	/* Several channels: each a question of its own. */
	{&op_bce_with_logits, .in = {{2, 3, 5, 3}, {2, 3, 5, 3}}, .fill = {FILL_UNIFORM, FILL_TARGET}, .gain = 3},
	{&op_soft_dice_loss, DICE(1), .in = {{2, 3, 5, 3}, {2, 3, 5, 3}}, .fill = {FILL_UNIFORM, FILL_TARGET},
	 .gain = 3},
	{&op_soft_iou_loss, DICE(0), .in = {{2, 2, 5, 3}, {2, 2, 5, 3}}, .fill = {FILL_UNIFORM, FILL_MASK}, .gain = 3},
	{&op_mean_squared_error, .in = {{2, 3, 5, 3}, {2, 3, 5, 3}}},
	{&op_softmax_cross_entropy, CLASSES(0, 0, NULL), .in = {{2, 3, 7, 9}, {2, 1, 7, 9}},
	 .fill = {FILL_UNIFORM, FILL_LABEL}, .gain = 3},
	{&op_softmax_cross_entropy, CLASSES(2, 5, class_weights), .in = {{2, 5, 3, 5}, {2, 1, 3, 5}},
	 .fill = {FILL_UNIFORM, FILL_LABEL}, .gain = 3},
	{&op_softmax_cross_entropy, CLASSES(0, 0, NULL), .in = {{1, 37, 1, 1}, {1, 1, 1, 1}},
	 .fill = {FILL_UNIFORM, FILL_LABEL}},
	/* Its multiplier is a constant in backward but not in forward, so the difference quotients are taken with it
	 * held fixed: tests/core/ops/test_normalized_focal_loss.c. Without focus (gamma 0) the multiplier is a constant
	 * indeed. */
	{&op_normalized_focal_loss, NFL(0.5f, 0), .in = {{2, 1, 7, 9}, {2, 1, 7, 9}},
	 .fill = {FILL_UNIFORM, FILL_TARGET}, .gain = 3, .step = 1.0 / 256, .tolerance = 5e-3},
	{&op_normalized_focal_loss, NFL(0.25f, 0), .in = {{1, 1, 3, 5}, {1, 1, 3, 5}},
	 .fill = {FILL_UNIFORM, FILL_MASK}, .gain = 3},
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

START_TEST(backward_is_the_derivative)
{
	gradcheck(&cases[_i]);
}
END_TEST

START_TEST(every_operator_has_a_case)
{
	for (int i = 0; op_list[i]; i++) {
		int found = 0;
		for (int j = 0; j < CASE_COUNT; j++)
			found += cases[j].op == op_list[i];
		ck_assert_msg(found > 0, "operator %s has no gradient check", op_list[i]->name);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("gradients");
	TCase *tcase = tcase_create("all operators");
	tcase_set_timeout(tcase, 60); /* naive loops under a sanitizer on a busy machine */
	tcase_add_loop_test(tcase, backward_is_the_derivative, 0, CASE_COUNT);
	tcase_add_test(tcase, every_operator_has_a_case);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
