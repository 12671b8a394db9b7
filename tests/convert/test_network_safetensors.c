/* Weights files as safetensors and back: the same bytes for every way to store and every model; what does not fit
 * together is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/network_safetensors.h"
#include "convert/weights_file.h"
#include "core/atomic_file.h"
#include "tests/convert/variants.h"
#include "tests/support/test.h"

static char path[1100];

static void setup(void)
{
	snprintf(path, sizeof path, "%s/m.safetensors", test_tmp_dir("network_safetensors"));
}

static unsigned char *make_file(int variant, enum export_weights weights, size_t *size)
{
	struct variant_model m;
	unsigned char *data;
	variant_model_init(&m, variant);
	m.options.weights = weights;
	ck_assert_msg(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, size) == STATUS_OK, "%s",
		      status_message());
	variant_model_release(&m);
	return data;
}

static void check_round_trip(const unsigned char *data, size_t size)
{
	struct safetensors file;
	unsigned char *back;
	size_t back_size;
	ck_assert_msg(network_safetensors_export(data, size, path) == STATUS_OK, "%s", status_message());
	ck_assert_msg(safetensors_read(&file, path) == STATUS_OK, "%s", status_message());
	ck_assert(network_safetensors_is(&file));
	ck_assert_msg(network_safetensors_import(&file, &back, &back_size) == STATUS_OK, "%s", status_message());
	ck_assert_uint_eq(back_size, size);
	ck_assert_mem_eq(back, data, size);
	free(back);
	safetensors_release(&file);
}

START_TEST(test_weights)
{
	size_t size;
	unsigned char *data = make_file(0, (enum export_weights)_i, &size);
	check_round_trip(data, size);
	free(data);
}
END_TEST

/* Folded and unfolded normalisations, transposed convolutions, another trunk. */
START_TEST(test_variants)
{
	static const int some[] = {2, 6, 9};
	size_t size;
	unsigned char *data = make_file(some[_i], EXPORT_F16, &size);
	check_round_trip(data, size);
	free(data);
}
END_TEST

/* Files made from FORMAT.md by a script: ranges, tensors in planes and not, stored and packed. Their zlib streams need
 * not be ours, so contents are compared. */
START_TEST(test_golden)
{
	static const char *const names[] = {"f32", "f16", "int8", "codebook", "8bit"};
	char golden[128], *data;
	unsigned char *back, *content[2];
	size_t size, back_size, content_size[2];
	struct safetensors file;
	snprintf(golden, sizeof golden, "tests/infer/golden/tiny_%s.tapcut", names[_i]);
	ck_assert_int_eq(file_read(golden, 1 << 16, &data, &size), STATUS_OK);
	ck_assert_int_eq(network_safetensors_export((unsigned char *)data, size, path), STATUS_OK);
	ck_assert_int_eq(safetensors_read(&file, path), STATUS_OK);
	ck_assert_msg(network_safetensors_import(&file, &back, &back_size) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(weights_file_unpack((unsigned char *)data, size, &content[0], &content_size[0]), STATUS_OK);
	ck_assert_int_eq(weights_file_unpack(back, back_size, &content[1], &content_size[1]), STATUS_OK);
	ck_assert_uint_eq(content_size[0], content_size[1]);
	ck_assert_mem_eq(content[0], content[1], content_size[0]);
	ck_assert_int_eq(back[8], data[8]);
	free(content[0]);
	free(content[1]);
	free(back);
	free(data);
	safetensors_release(&file);
}
END_TEST

static void expect_refused(const struct safetensors *file, const char *message)
{
	unsigned char *data;
	size_t size;
	ck_assert_int_ne(network_safetensors_import(file, &data, &size), STATUS_OK);
	ck_assert_msg(strstr(status_message(), message) != NULL, "'%s' lacks '%s'", status_message(), message);
}

static struct safetensors_tensor *tensor_named(const struct safetensors *file, const char *name)
{
	for (int i = 0; i < file->count; i++)
		if (!strcmp(file->tensors[i].name, name))
			return &file->tensors[i];
	ck_abort_msg("no %s", name);
	return NULL;
}

START_TEST(test_refused)
{
	size_t size;
	unsigned char *data = make_file(0, EXPORT_INT8, &size);
	struct safetensors file;
	ck_assert_int_eq(network_safetensors_export(data, size, path), STATUS_OK);
	ck_assert_int_eq(safetensors_read(&file, path), STATUS_OK);
	struct safetensors_tensor *records = tensor_named(&file, "tapcut.records"),
				  *weight = tensor_named(&file, "step0.weight");
	ck_assert_str_eq(weight->dtype, "I8");
	weight->name[0] = 'x';
	expect_refused(&file, "tensor step0.weight is missing");
	weight->name[0] = 's';
	weight->dtype = "U8";
	expect_refused(&file, "step0.weight: expected 1728 numbers as I8, found 1728 as U8");
	weight->dtype = "I8";
	/* The file's bytes are ours to change. */
	unsigned char *bytes = file.file + (records->data - file.file);
	bytes[114] = 1;
	expect_refused(&file, "too short for the counts");
	bytes[114] = 0;
	bytes[112]--;
	expect_refused(&file, "");
	bytes[112]++;
	bytes[0] = 0;
	expect_refused(&file, "architecture");
	bytes[0] = 's';
	records->bytes = 100;
	expect_refused(&file, "too short");
	safetensors_release(&file);
	ck_assert_int_ne(network_safetensors_export(data, size - 1, path), STATUS_OK);
	free(data);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("network_safetensors");
	TCase *tcase = tcase_create("network_safetensors");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, test_weights, EXPORT_F32, EXPORT_CODEBOOK256 + 1);
	tcase_add_loop_test(tcase, test_variants, 0, 3);
	tcase_add_loop_test(tcase, test_golden, 0, 5);
	tcase_add_test(tcase, test_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
