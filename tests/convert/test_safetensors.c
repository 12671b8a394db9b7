/* safetensors: every header rule of the format broken by itself, damaged files, import by name, export and back; and
 * the ImageNet trunk file where it is there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/quantize.h"
#include "convert/safetensors.h"
#include "core/atomic_file.h"
#include "core/rng.h"
#include "tests/convert/variants.h"
#include "tests/support/test.h"

struct bytes {
	unsigned char *data;
	size_t size;
};

/* A file with this header and `data_size` bytes 0, 1, 2, ... of data. */
static struct bytes make_file(const char *header, size_t data_size)
{
	size_t length = strlen(header);
	struct bytes b = {malloc(8 + length + data_size), 8 + length + data_size};
	for (int i = 0; i < 8; i++)
		b.data[i] = (unsigned char)((unsigned long long)length >> (8 * i));
	memcpy(b.data + 8, header, length);
	for (size_t i = 0; i < data_size; i++)
		b.data[8 + length + i] = (unsigned char)i;
	return b;
}

static enum status parse(struct safetensors *file, const char *header, size_t data_size)
{
	struct bytes b = make_file(header, data_size);
	return safetensors_parse(file, b.data, b.size, "x.safetensors");
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static const struct {
	const char *header;
	int data_size;
	const char *message;
} refused[] = {
	{"", 8, "must begin with '{'"},
	{" {}", 0, "must begin with '{'"},
	{"\xef\xbb\xbf{}", 0, "must begin with '{'"},
	{"[]", 0, "must begin with '{'"},
	{"{", 0, "too few"},
	{"{ ", 0, "expected a key in quotes, found the end"},
	{"{} x", 0, "expected nothing after the text, found 'x'"},
	{"{}{}", 0, "expected nothing after the text, found '{'"},
	{"{" A, 8, "expected ',' or '}', found the end"},
	{"{" A ",}", 8, "expected a key in quotes, found '}'"},
	{"{" A A "}", 8, "expected ',' or '}', found '\"'"},
	{"{" A "," A "}", 8, "\"a\": stands there twice"},
	{"{" A ",\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 8,
	 "\"a\": stands there twice"},
	{"{" A "}", 9, "end at byte 8 of 9"},
	{"{" A "}", 7, "bytes 0 to 8, but the file has data from 0 to 7"},
	{"{}", 1, "end at byte 0 of 1"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12,
	 "begins at byte 4 of the data, expected 0"},
	{"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12,
	 "begins at byte 4 of the data, expected 8"},
	{"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16,
	 "begins at byte 12 of the data, expected 8"},
	{"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}", 8, "a hole or an overlap"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "bytes 8 to 0"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "need 12 bytes, data_offsets give 8"},
	{"{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "\"F33\": unknown dtype"},
	{"{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "expected a dtype in quotes, found 4"},
	{"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "each once"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "each once"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"data_offsets\":[0,8]}}", 8, "each once"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8, "each once"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 0, "is missing"},
	{"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "is missing"},
	{"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "is missing"},
	{"{\"a\":{}}", 0, "\"a\": dtype, shape or data_offsets is missing"},
	{"{\"a\":[]}", 0, "expected an object of dtype, shape and data_offsets, found a list"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "two numbers"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "more than 2 numbers"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
	 "a whole number from 0 that fits 63 bits, found -2"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8,
	 "a whole number from 0 that fits 63 bits, found 2.0"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2e0],\"data_offsets\":[0,8]}}", 8,
	 "a whole number from 0 that fits 63 bits, found 2e0"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[02],\"data_offsets\":[0,8]}}", 8, "'02' is no JSON number"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,8]}}", 8,
	 "fits 63 bits, found 18446744073709551616"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-0],\"data_offsets\":[0,0]}}", 0, "fits 63 bits, found -0"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[NaN],\"data_offsets\":[0,8]}}", 8, "fits 63 bits, found NaN"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
	 "its shape overflows"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
	 "its shape overflows"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, "more than 8 numbers"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,],\"data_offsets\":[0,8]}}", 8, "expected a value, found ']'"},
	{"{\"\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "without a name"},
	{"{\"a\\q\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "after a backslash, found 'q'"},
	{"{\"a\\u0000\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
	 "\\u0000 is not allowed in a text"},
	{"{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "half a surrogate pair"},
	{"{\"\\ud800\\u0041\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "half a surrogate pair"},
	{"{\"\\udc00\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "half a surrogate pair"},
	{"{\"\\u12g4\":{}}", 0, "four hex digits after \\u, found 'g'"},
	{"{\"\x80\":{}}", 0, "UTF-8"},
	{"{\"\xc0\xaf\":{}}", 0, "UTF-8"},
	{"{\"\xed\xa0\x80\":{}}", 0, "UTF-8"},
	{"{\"\xf4\x90\x80\x80\":{}}", 0, "UTF-8"},
	{"{\"\xe2\x82", 0, "UTF-8"},
	{"{\"a\nb\":{}}", 0, "no control character in a string"},
	{"{\"a\\", 0, "after a backslash, found the end"},
	{"{\"__metadata__\":{\"k\":1}," A "}", 8, "expected a string, found 1"},
	{"{\"__metadata__\":{\"k\":\"v\",\"k\":\"w\"}," A "}", 8, "\"k\": stands there twice"},
	{"{\"__metadata__\":{},\"__metadata__\":{}," A "}", 8, "\"__metadata__\": stands there twice"},
	{"{\"__metadata__\":[]," A "}", 8, "expected an object of strings, found a list"},
};

START_TEST(test_refused)
{
	struct safetensors file;
	enum status status = parse(&file, refused[_i].header, (size_t)refused[_i].data_size);
	ck_assert_msg(status == STATUS_FORMAT || status == STATUS_LIMIT, "accepted: %s", refused[_i].header);
	ck_assert_msg(strstr(status_message(), refused[_i].message) != NULL,
		      "header %s: message '%s' should contain '%s'", refused[_i].header, status_message(),
		      refused[_i].message);
	ck_assert_msg(strstr(status_message(), "x.safetensors") != NULL, "no file name in '%s'", status_message());
	ck_assert_ptr_null(file.tensors);
}
END_TEST

START_TEST(test_accepted)
{
	struct safetensors file;
	const char *header =
		"{ \"__metadata__\" : {\"format\":\"pt\", \"q\\\"\":\"\\n\"},\t\"b\":{"
		"\"shape\":[],\"data_offsets\":[8,12],\"dtype\":"
		"\"F32\"},\n" A ",\"e\":{\"dtype\":\"I64\",\"shape\":[3,0,5],\"data_offsets\":[12,12]},"
		"\"\\u00e9\\ud83d\\ude00\":{\"dtype\":\"BOOL\",\"shape\":[1,1],\"data_offsets\":[12,13]}}   ";
	ck_assert_msg(parse(&file, header, 13) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(file.count, 4);
	ck_assert_str_eq(file.tensors[0].name, "a");
	ck_assert_str_eq(file.tensors[1].name, "b");
	ck_assert_int_eq(file.tensors[1].rank, 0);
	ck_assert_uint_eq(file.tensors[1].count, 1);
	ck_assert_uint_eq(file.tensors[2].count, 0);
	ck_assert_str_eq(file.tensors[3].name, "\xc3\xa9\xf0\x9f\x98\x80");
	ck_assert_str_eq(file.tensors[3].dtype, "BOOL");
	safetensors_release(&file);
	ck_assert_int_eq(parse(&file, "{}", 0), STATUS_OK);
	ck_assert_int_eq(file.count, 0);
	safetensors_release(&file);
}
END_TEST

START_TEST(test_header_size)
{
	static const unsigned char sizes[][8] = {
		{255, 255, 255, 255, 255, 255, 255, 255},
		{1, 225, 245, 5},
		{3},
		{0, 0, 0, 0, 0, 0, 0, 128},
	};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct bytes b = make_file("{}", 0);
		memcpy(b.data, sizes[i], 8);
		struct safetensors file;
		ck_assert_int_eq(safetensors_parse(&file, b.data, b.size, "x"), STATUS_FORMAT);
		ck_assert_msg(strstr(status_message(), "a header of") != NULL, "%s", status_message());
	}
}
END_TEST

START_TEST(test_every_cut)
{
	struct bytes b = make_file("{" A ",\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[8,20]}}", 20);
	for (size_t size = 0; size < b.size; size++) {
		unsigned char *cut = malloc(size ? size : 1);
		memcpy(cut, b.data, size);
		struct safetensors file;
		ck_assert_int_eq(safetensors_parse(&file, cut, size, "x"), STATUS_FORMAT);
	}
	free(b.data);
}
END_TEST

START_TEST(test_random_damage)
{
	struct bytes b = make_file("{\"__metadata__\":{\"k\":\"\\u0041\"}," A
				   ",\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[8,20]}}",
				   20);
	struct rng rng = rng_stream(3, 0, 0, RNG_TEST);
	for (int round = 0; round < 20000; round++) {
		unsigned char *copy = malloc(b.size);
		memcpy(copy, b.data, b.size);
		for (uint32_t hits = 1 + rng_below(&rng, 3); hits > 0; hits--)
			copy[rng_below(&rng, (uint32_t)b.size)] = (unsigned char)rng_u32(&rng);
		struct safetensors file;
		if (safetensors_parse(&file, copy, b.size, "x") == STATUS_OK)
			safetensors_release(&file);
	}
	free(b.data);
}
END_TEST

/* --- import and export ---------------------------------------------------- */

static void make_params(struct params *params)
{
	params_init(params);
	params_add(params, "conv.weight", (struct shape){2, 3, 1, 1}, PARAM_TRUNK, PARAM_WEIGHT, PARAM_INIT_HE_NORMAL);
	params_add(params, "conv.bias", (struct shape){2, 1, 1, 1}, PARAM_TRUNK, PARAM_BIAS, PARAM_INIT_ZERO);
	params_add(params, "alone.bias", (struct shape){3, 1, 1, 1}, PARAM_TRUNK, PARAM_BIAS, PARAM_INIT_ONE);
	params_add(params, "decoder.weight", (struct shape){4, 1, 1, 1}, PARAM_DECODER, PARAM_WEIGHT, PARAM_INIT_ONE);
	ck_assert_int_eq(params_alloc(params, 5), STATUS_OK);
}

/* A file on disk; static buffer. */
static const char *write_file(const char *header, const void *data, size_t data_size)
{
	static char path[1100];
	struct bytes b = make_file(header, data_size);
	memcpy(b.data + b.size - data_size, data, data_size);
	snprintf(path, sizeof path, "%s/in.safetensors", test_tmp_dir("safetensors"));
	ck_assert_int_eq(atomic_file_write(path, &(struct file_part){b.data, b.size}, 1), STATUS_OK);
	free(b.data);
	return path;
}

#define WEIGHT "\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[2,3,1,1],\"data_offsets\":[0,24]}"

START_TEST(test_import)
{
	const float weight[6] = {1, 2, 3, 4, 5, 6};
	const uint16_t bias[2] = {half_from_float(0.5f), half_from_float(-3)}, other[2] = {0x3f80, 0xbf80};
	unsigned char data[32];
	memcpy(data, weight, 24);
	memcpy(data + 24, bias, 4);
	memcpy(data + 28, other, 4);
	const char *path =
		write_file("{" WEIGHT ",\"conv.bias\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[24,28]},"
			   "\"conv.other\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[28,32]}}",
			   data, 32);
	struct params params;
	make_params(&params);
	struct safetensors_report report;
	ck_assert_msg(safetensors_import(path, &params, &report) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(report.loaded, 2);
	ck_assert_int_eq(report.ignored, 1);
	ck_assert_int_eq(report.missing, 1); /* alone.bias; the decoder is not expected in a trunk file */
	ck_assert_mem_eq(params.values + params.items[0].offset, weight, 24);
	ck_assert_float_eq(params.values[params.items[1].offset], 0.5f);
	ck_assert_float_eq(params.values[params.items[1].offset + 1], -3);
	ck_assert_float_eq(params.values[params.items[2].offset], 1);
	struct safetensors file;
	float floats[2];
	ck_assert_int_eq(safetensors_read(&file, path), STATUS_OK);
	ck_assert_int_eq(safetensors_floats(&file.tensors[2], floats), STATUS_OK);
	ck_assert_float_eq(floats[1], -1);
	safetensors_release(&file);
	params_release(&params);
}
END_TEST

static const struct {
	const char *header;
	float number;
	const char *message;
} bad_imports[] = {
	{"{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}", 1,
	 "shape (3, 2), the model has (2, 3, 1, 1)"},
	{"{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}", 1, "shape (6), the model has"},
	{"{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[2,3,1,1,1],\"data_offsets\":[0,24]}}", NAN,
	 "number 5 is not finite"},
	{"{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", INFINITY,
	 "number 5 is not finite"},
	{"{\"conv.weight\":{\"dtype\":\"I32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 1,
	 "dtype I32, expected F32, F16 or BF16"},
	{"{\"other\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 1,
	 "none of its 1 tensors has the name"},
};

START_TEST(test_bad_import)
{
	float data[6] = {1, 2, 3, 4, 5, bad_imports[_i].number};
	const char *path = write_file(bad_imports[_i].header, data, sizeof data);
	struct params params;
	make_params(&params);
	float before[15];
	memcpy(before, params.values, sizeof before);
	struct safetensors_report report;
	ck_assert_int_eq(safetensors_import(path, &params, &report), STATUS_FORMAT);
	ck_assert_msg(strstr(status_message(), bad_imports[_i].message) != NULL, "%s", status_message());
	ck_assert_msg(strstr(status_message(), "in.safetensors") != NULL, "no file name in '%s'", status_message());
	ck_assert_mem_eq(before, params.values, sizeof before);
	params_release(&params);
}
END_TEST

START_TEST(test_missing_file)
{
	struct params params;
	make_params(&params);
	struct safetensors_report report;
	ck_assert_int_eq(safetensors_import("build/no/such.safetensors", &params, &report), STATUS_IO);
	params_release(&params);
}
END_TEST

START_TEST(test_export)
{
	struct params params, back;
	make_params(&params);
	make_params(&back);
	memset(back.values, 0, back.total * sizeof(float));
	char first[1100], second[1100];
	const char *dir = test_tmp_dir("export");
	snprintf(first, sizeof first, "%s/a.safetensors", dir);
	snprintf(second, sizeof second, "%s/b.safetensors", dir);
	ck_assert_int_eq(safetensors_export(first, &params, params.values), STATUS_OK);
	struct safetensors_report report;
	ck_assert_msg(safetensors_import(first, &back, &report) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(report.loaded, 4);
	ck_assert_int_eq(report.missing, 0);
	ck_assert_mem_eq(params.values, back.values, params.total * sizeof(float));
	ck_assert_int_eq(safetensors_export(second, &back, back.values), STATUS_OK);
	char *a, *b;
	size_t a_size, b_size;
	ck_assert_int_eq(file_read(first, 1 << 20, &a, &a_size), STATUS_OK);
	ck_assert_int_eq(file_read(second, 1 << 20, &b, &b_size), STATUS_OK);
	ck_assert_uint_eq(a_size, b_size);
	ck_assert_mem_eq(a, b, a_size);
	ck_assert_uint_eq((unsigned char)a[0] % 8, 0); /* the data begin at a multiple of 8 */
	ck_assert_ptr_nonnull(
		strstr(a + 8,
		       "\"alone.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},\"conv.bias\""));
	ck_assert_ptr_nonnull(strstr(a + 8, "\"shape\":[4,1,1,1]"));
	free(a);
	free(b);
	params_release(&params);
	params_release(&back);
}
END_TEST

/* Every kind of model goes out, and what comes back is the same bit by bit; so is a second file. */
START_TEST(test_variants)
{
	struct variant_model m;
	char paths[2][1100], *files[2];
	size_t sizes[2];
	struct safetensors_report report;
	variant_model_init(&m, _i);
	size_t bytes = m.params.total * sizeof(float);
	float *values = malloc(bytes);
	memcpy(values, m.params.values, bytes);
	const char *dir = test_tmp_dir("variants");
	for (int i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof paths[i], "%s/%d.safetensors", dir, i);
		ck_assert_int_eq(safetensors_export(paths[i], &m.params, m.params.values), STATUS_OK);
		memset(m.params.values, 0, bytes);
		ck_assert_msg(safetensors_import(paths[i], &m.params, &report) == STATUS_OK, "%s", status_message());
		ck_assert_int_eq(report.loaded, m.params.count);
		ck_assert_mem_eq(m.params.values, values, bytes);
		ck_assert_int_eq(file_read(paths[i], 1 << 26, &files[i], &sizes[i]), STATUS_OK);
	}
	ck_assert_uint_eq(sizes[0], sizes[1]);
	ck_assert_mem_eq(files[0], files[1], sizes[0]);
	free(files[0]);
	free(files[1]);
	free(values);
	variant_model_release(&m);
}
END_TEST

START_TEST(test_imagenet_trunk)
{
	const char *path = test_shared_data("weights/squeezenet_v1_1_imagenet.safetensors");
	if (!path)
		return;
	struct safetensors file;
	ck_assert_msg(safetensors_read(&file, path) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(file.count, 50);
	size_t numbers = 0;
	for (int i = 0; i < file.count; i++) {
		float *out = malloc(file.tensors[i].count * sizeof *out);
		ck_assert_msg(safetensors_floats(&file.tensors[i], out) == STATUS_OK, "%s", status_message());
		numbers += file.tensors[i].count;
		free(out);
	}
	ck_assert_uint_eq(numbers, 722496);
	safetensors_release(&file);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("safetensors");
	TCase *tcase = tcase_create("safetensors");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_refused, 0, (int)(sizeof refused / sizeof *refused));
	tcase_add_test(tcase, test_accepted);
	tcase_add_test(tcase, test_header_size);
	tcase_add_test(tcase, test_every_cut);
	tcase_add_test(tcase, test_random_damage);
	tcase_add_test(tcase, test_import);
	tcase_add_loop_test(tcase, test_bad_import, 0, (int)(sizeof bad_imports / sizeof *bad_imports));
	tcase_add_test(tcase, test_missing_file);
	tcase_add_test(tcase, test_export);
	tcase_add_loop_test(tcase, test_variants, 0, VARIANT_COUNT);
	tcase_add_test(tcase, test_imagenet_trunk);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
