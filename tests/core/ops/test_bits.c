/* Operators that do not go through the BLAS have the same bits on every machine: a hash of their outputs and gradients
 * must equal the number committed here, whatever the compiler, the optimisation level and the instruction set, with
 * each set of kernels that this processor has (make test T=bits; the same with CFLAGS="-O3 -march=native"
 * BUILD=build/native). A deliberate change of a formula changes its number: say so in the commit. */
#include "core/kernels.h"
#include "core/ops/ops.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

#define VECTOR(C)          \
	{                  \
		C, 1, 1, 1 \
	}
#define MAP                  \
	{                    \
		2, 5, 13, 37 \
	}
#define WIDE                \
	{                   \
		1, 43, 5, 7 \
	} /* whole vectors of channels, and a rest */
#define FLAT                 \
	{                    \
		2, 1, 13, 37 \
	}
#define LOSS(OP, ATTR)                                                                                           \
	{                                                                                                        \
		OP, ATTR, .in = {{2, 1, 29, 37}, {2, 1, 29, 37}}, .fill = {FILL_UNIFORM, FILL_TARGET}, .gain = 9 \
	}

static const float class_weights[43] = {0.5f, 2, 1.25f};

static const struct {
	struct op_case c;
	uint64_t hash;
} cases[] = {
	{{&op_relu, .in = {MAP}}, 0x352be36d3c4dc25fu},
	{{&op_leaky_relu, &(const struct leaky_relu_attr){0.1f}, .in = {MAP}}, 0x02c73e5396bd16f0u},
	{{&op_sigmoid, .in = {MAP}, .gain = 20}, 0x8eff199e724eb322u},
	{{&op_gelu, .in = {MAP}, .gain = 20}, 0x5ea6aa3b99079c0fu},
	{{&op_hard_swish, .in = {MAP}, .gain = 20}, 0x49b32017de552aeeu},
	{{&op_tanh, .in = {MAP}, .gain = 10}, 0x5e23e5055eb28a80u},
	{{&op_linear, .in = {WIDE}, .param = {{21, 43, 1, 1}, VECTOR(21)}}, 0x6fa470d7dc5b4cb2u},
	{{&op_avg_pool2d, &(const struct avg_pool2d_attr){3, 2, 1, 0}, .in = {MAP}}, 0x395641ac768cc4a7u},
	{{&op_avg_pool2d, &(const struct avg_pool2d_attr){3, 2, 1, 1}, .in = {WIDE}}, 0x82d7cfd3162df365u},
	{{&op_slice, &(const struct slice_attr){1, 2, 3, 3, 9, 0}, .in = {MAP}}, 0x5c313c4295f5eb83u},
	{{&op_reshape, &(const struct reshape_attr){-1, 1, 37}, .in = {MAP}}, 0xfcbc1b9cde69ac4eu},
	{{&op_layer_norm, &(const struct layer_norm_attr){1e-5f}, .in = {MAP}, .param = {VECTOR(5), VECTOR(5)}},
	 0xccb74dc6858b8814u},
	{{&op_layer_norm, &(const struct layer_norm_attr){1e-5f}, .in = {WIDE}, .param = {VECTOR(43), VECTOR(43)}},
	 0xf732b41c59c65119u},
	{{&op_max_pool2d, &(const struct max_pool2d_attr){3, 2, 0, 1}, .in = {MAP}}, 0x61c09fbc51d706a4u},
	{{&op_max_pool2d, &(const struct max_pool2d_attr){4, 3, 1, 0}, .in = {MAP}}, 0xd990e1013fa83407u},
	{{&op_max_pool2d, &(const struct max_pool2d_attr){3, 2, 0, 1}, .in = {WIDE}}, 0x4daea7c259de7593u},
	{{&op_max_pool2d, &(const struct max_pool2d_attr){3, 2, 0, 1}, .in = {{1, 64, 9, 8}}}, 0x4fa6989208b7c11cu},
	{{&op_global_avg_pool2d, .in = {WIDE}}, 0x8be4ebcbfcf81860u},
	{{&op_global_avg_pool2d, .in = {MAP}}, 0x6530fc2b86752256u},
	{{&op_upsample, &(const struct upsample_attr){2, UPSAMPLE_BILINEAR}, .in = {MAP}}, 0xf99e13947f6677e2u},
	{{&op_upsample, &(const struct upsample_attr){2, UPSAMPLE_BILINEAR}, .in = {WIDE}}, 0x145064ab91847642u},
	{{&op_upsample, &(const struct upsample_attr){2, UPSAMPLE_BILINEAR}, .in = {FLAT}}, 0xca227373ff15e11au},
	{{&op_upsample, &(const struct upsample_attr){3, UPSAMPLE_BILINEAR}, .in = {WIDE}}, 0x06289e23457a6d34u},
	{{&op_upsample, &(const struct upsample_attr){3, UPSAMPLE_BILINEAR}, .in = {MAP}}, 0x9439ce4188ddcb1du},
	{{&op_upsample, &(const struct upsample_attr){2, UPSAMPLE_NEAREST}, .in = {MAP}}, 0x410b4a233834b7e5u},
	{{&op_upsample, &(const struct upsample_attr){2, UPSAMPLE_NEAREST}, .in = {WIDE}}, 0xab5d4aacea4fbc4au},
	{{&op_concat, .in = {MAP, {2, 3, 13, 37}}}, 0x6f238bb913087322u},
	{{&op_add, .in = {MAP, MAP}}, 0x993e893875ec61f2u},
	{{&op_add, .in = {MAP, {2, 5, 1, 1}}}, 0xd19a72caf73aa045u},
	{{&op_mul, .in = {MAP, MAP}}, 0x608054b6fb020e79u},
	{{&op_mul, .in = {MAP, {2, 1, 13, 37}}}, 0xd40de786612c272cu},
	{{&op_mul, .in = {WIDE, {1, 43, 1, 1}}}, 0xadaa956b7ffd5f33u},
	{{&op_scale, &(const struct scale_attr){0.3f}, .in = {MAP}}, 0xd970cac7acfd569du},
	{{&op_batch_norm2d, &(const struct batch_norm2d_attr){1e-5f}, .in = {MAP},
	  .param = {VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5)}, .param_fill = {[3] = FILL_POSITIVE}},
	 0xcf9cf8d28efe92f2u},
	{{&op_batch_norm2d, &(const struct batch_norm2d_attr){1e-5f}, .in = {WIDE},
	  .param = {VECTOR(43), VECTOR(43), VECTOR(43), VECTOR(43)}, .param_fill = {[3] = FILL_POSITIVE}},
	 0xda641675e5d5b08au},
	{{&op_dropout, &(const struct dropout_attr){0.3f}, .in = {MAP}}, 0x18bf33eea3b4ebd4u},
	{LOSS(&op_bce_with_logits, NULL), 0xa8d8b78e9d9b4048u},
	{LOSS(&op_normalized_focal_loss, (&(const struct nfl_attr){0.5f, 2, 1e-12f})), 0x85e44e8ea978ecf1u},
	{LOSS(&op_normalized_focal_loss, (&(const struct nfl_attr){0.25f, 1.5f, 1e-6f})), 0x553a54295501f5c4u},
	{LOSS(&op_soft_dice_loss, (&(const struct soft_dice_attr){1})), 0x19ab32595277e261u},
	{LOSS(&op_soft_iou_loss, (&(const struct soft_dice_attr){1})), 0x066aa555279fbdf3u},
	{{&op_soft_dice_loss, &(const struct soft_dice_attr){1}, .in = {MAP, MAP}, .fill = {FILL_UNIFORM, FILL_TARGET}},
	 0x7b9d483a1e01f4b6u},
	{{&op_mean_squared_error, .in = {MAP, MAP}}, 0x7cff35547af06ef5u},
	{{&op_softmax_cross_entropy, &(const struct softmax_cross_entropy_attr){0}, .in = {MAP, FLAT},
	  .fill = {FILL_UNIFORM, FILL_LABEL}, .gain = 9},
	 0x9ec409ae4861e9d2u},
	{{&op_softmax_cross_entropy, &(const struct softmax_cross_entropy_attr){1, 43, class_weights},
	  .in = {WIDE, {1, 1, 5, 7}}, .fill = {FILL_UNIFORM, FILL_LABEL}, .gain = 9},
	 0x5f238d784041b625u},
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

/* FNV-1a over the floats' bits. */
static uint64_t hash_floats(uint64_t hash, const float *values, size_t count)
{
	const unsigned char *bytes = (const unsigned char *)values;
	for (size_t i = 0; i < count * sizeof *values; i++)
		hash = (hash ^ bytes[i]) * 1099511628211u;
	return hash;
}

static float *floats(size_t count)
{
	float *values = malloc(count * sizeof *values);
	ck_assert_ptr_nonnull(values);
	return values;
}

static uint64_t hash_case(const struct op_case *c)
{
	struct op_run run;
	op_run_init(&run, c);
	struct op_call *call = &run.call;
	size_t out_count = shape_count(call->out.shape);
	float *out_grad = floats(out_count);
	test_fill(out_grad, out_count, FILL_UNIFORM, 31);
	call->out_grad = out_grad;
	for (int i = 0; i < call->input_count - ((c->op->flags & OP_LOSS) != 0); i++)
		call->in_grad[i] = floats(shape_count(call->in[i].shape));
	op_run_forward(&run);
	c->op->backward(call);
	uint64_t hash = hash_floats(14695981039346656037u, call->out.data, out_count);
	for (int i = 0; i < call->input_count; i++)
		if (call->in_grad[i])
			hash = hash_floats(hash, call->in_grad[i], shape_count(call->in[i].shape));
	for (int i = 0; i < call->param_count; i++)
		hash = hash_floats(hash, call->param_grad[i], shape_count(call->param[i].shape));
	for (int i = 0; i < call->input_count; i++)
		free(call->in_grad[i]);
	free(out_grad);
	op_run_release(&run);
	return hash;
}

START_TEST(same_bits_everywhere)
{
	for (int k = 0; kernels_names[k]; k++) {
		if (!kernels_supported(kernels_names[k]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[k]), STATUS_OK);
		uint64_t found = hash_case(&cases[_i].c);
		ck_assert_msg(found == cases[_i].hash,
			      "case %d, %s, %s: expected 0x%016" PRIx64 ", found 0x%016" PRIx64, _i,
			      cases[_i].c.op->name, kernels_names[k], cases[_i].hash, found);
	}
}
END_TEST

START_TEST(every_operator_without_blas_has_a_case)
{
	for (int i = 0; op_list[i]; i++) {
		bool found = op_list[i] == &op_conv2d || op_list[i] == &op_conv_transpose2d;
		for (int j = 0; j < CASE_COUNT; j++)
			found |= cases[j].c.op == op_list[i];
		ck_assert_msg(found, "operator %s has no case", op_list[i]->name);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("bits");
	TCase *tcase = tcase_create("bits");
	tcase_add_loop_test(tcase, same_bits_everywhere, 0, CASE_COUNT);
	tcase_add_test(tcase, every_operator_without_blas_has_a_case);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
