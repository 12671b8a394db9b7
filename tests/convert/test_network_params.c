/* From a weights file back to parameters: every variant of the model comes back as it was, or says why it cannot. */
#include <stdlib.h>
#include <string.h>

#include "convert/export.h"
#include "convert/file_kind.h"
#include "convert/network_params.h"
#include "infer/tapcut.h"
#include "tests/convert/variants.h"
#include "tests/support/test.h"

static void export_and_parse(struct variant_model *m, struct infer_network *network)
{
	unsigned char *data;
	size_t size;
	char message[TAPCUT_MESSAGE_SIZE];
	m->options.weights = EXPORT_F32;
	ck_assert_msg(export_memory(&m->model, &m->config, m->params.values, &m->options, &data, &size) == STATUS_OK,
		      "%s", status_message());
	ck_assert_msg(infer_network_parse(data, size, network, message) == TAPCUT_OK, "%s", message);
	free(data);
}

/* Each decoder, with and without normalisation; the others would only take time. */
static const int chosen[] = {1, 3, 4, 5};
enum { CHOSEN_COUNT = sizeof chosen / sizeof *chosen };

START_TEST(comes_back)
{
	struct variant_model m;
	struct infer_network network;
	int variant = chosen[_i];
	variant_model_init(&m, variant);
	export_and_parse(&m, &network);
	float *before = malloc(m.params.total * sizeof *before);
	memcpy(before, m.params.values, m.params.total * sizeof *before);
	enum status status = network_params_import(&network, &m.model, &m.params);
	if (m.config.batch_norm) { /* its statistics went into the convolutions: that way is closed */
		ck_assert_int_eq(status, STATUS_CONFIG);
		ck_assert_ptr_nonnull(strstr(status_message(), "normalisation"));
	} else {
		ck_assert_msg(status == STATUS_OK, "%s: %s", variants[variant].name, status_message());
		for (size_t i = 0; i < m.params.total; i++)
			ck_assert_msg(m.params.values[i] >=
						      before[i] - 1e-6f * (before[i] < 0 ? -before[i] : before[i]) &&
					      m.params.values[i] <=
						      before[i] + 1e-6f * (before[i] < 0 ? -before[i] : before[i]),
				      "%s: number %zu is %g, not %g", variants[variant].name, i,
				      (double)m.params.values[i], (double)before[i]);
	}
	free(before);
	infer_network_release(&network);
	variant_model_release(&m);
}
END_TEST

START_TEST(another_network_is_told)
{
	struct variant_model a, b;
	struct infer_network network;
	variant_model_init(&a, 0);
	export_and_parse(&a, &network);
	variant_model_init(&b, 1);
	ck_assert_int_eq(network_params_import(&network, &b.model, &b.params), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "section model"));
	ck_assert_ptr_nonnull(strstr(status_message(), "step "));
	infer_network_release(&network);
	variant_model_release(&a);
	variant_model_release(&b);
}
END_TEST

START_TEST(kinds_of_files)
{
	ck_assert_int_eq(file_kind_of("TAPCKPT1....", 12), FILE_CHECKPOINT);
	ck_assert_int_eq(file_kind_of("\x89TAPCUT\n....", 12), FILE_WEIGHTS);
	ck_assert_int_eq(file_kind_of("PK\x03\x04....", 8), FILE_TORCH);
	ck_assert_int_eq(file_kind_of("PK", 2), FILE_UNKNOWN);
	ck_assert_int_eq(file_kind_of("", 0), FILE_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(file_kind_describe("PK\x03\x04....", 8), "safetensors.torch.save_file"));
	ck_assert_ptr_null(file_kind_describe("\x10\0\0\0\0\0\0\0{", 9));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("network_params");
	TCase *tcase = tcase_create("network_params");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, comes_back, 0, CHOSEN_COUNT);
	tcase_add_test(tcase, another_network_is_told);
	tcase_add_test(tcase, kinds_of_files);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
