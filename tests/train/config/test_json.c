/* JSON as a tree: strict, and clear about where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_stream.h"
#include "core/rng.h"
#include "tests/support/test.h"
#include "train/config/json.h"

static enum status parse(const char *text)
{
	struct json *root;
	enum status status = json_parse(text, strlen(text), "x.json", &root);
	if (status != STATUS_OK)
		ck_assert_ptr_null(root);
	json_free(root);
	return status;
}

START_TEST(accepts_json)
{
	static const char *const good[] = {
		"null",
		" true ",
		"\n[]\t",
		"{}",
		"-0",
		"0.5e-3",
		"1E+2",
		"\"\"",
		"\"\\u00e4\\ud83d\\ude00\\n\"",
		"\"\xc3\xa4\xf0\x9f\x98\x80\"",
		"{\"a\": [1, {\"b\": {}}], \"c\": \"\\\\\"}",
		"[[[[]]]]",
		"{\"a\":{\"k\":1},\"b\":{\"k\":1}}",
		"[{\"k\":1},{\"k\":1}]",
		"\xef\xbb\xbf{}",
		"{\"unread\": [NaN, Infinity, -Infinity, 1e999]}",
		"1.0000000000000000000000000000000000000000000000000000000000000000000",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(parse(good[i]) == STATUS_OK, "%s: %s", good[i], status_message());
}
END_TEST

static const char *const no_json[] = {
	"",
	" ",
	"{",
	"[",
	"[1,]",
	"{\"a\":1,}",
	"{a:1}",
	"{'a':1}",
	"{\"a\" 1}",
	"[1 2]",
	"01",
	"1.",
	".5",
	"+1",
	"-",
	"1e",
	"1e+",
	"nan",
	"truex",
	"tru",
	"[1]x",
	"{} {}",
	"[1]]",
	"\"a",
	"\"\n\"",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\\u0000\"",
	"\"\\ud800\"",
	"\"\\ud800\\u0041\"",
	"\"\\udc00\"",
	"\"\xff\"",
	"\"\xc0\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xe4\"",
	"// c\n{}",
	"0x10",
	"[1,,2]",
	"{\"a\":}",
	"{:1}",
	"{1:2}",
};

START_TEST(refuses_what_is_no_json)
{
	for (size_t i = 0; i < sizeof no_json / sizeof *no_json; i++) {
		ck_assert_msg(parse(no_json[i]) == STATUS_FORMAT, "accepted: %s", no_json[i]);
		ck_assert_msg(strncmp(status_message(), "x.json: line ", 13) == 0, "%s", status_message());
	}
	struct json *root;
	ck_assert_int_eq(json_parse("[1]\0", 4, "x.json", &root), STATUS_FORMAT);
	ck_assert_int_eq(json_parse("\"a\0b\"", 5, "x.json", &root), STATUS_FORMAT);
}
END_TEST

START_TEST(says_where)
{
	parse("{\n  \"a\": 1,\n  \"b\": x\n}");
	ck_assert_str_eq(status_message(), "x.json: line 3, column 8 (byte 19): expected a value, found 'x'");
	parse("[1, 2] 3");
	ck_assert_str_eq(status_message(),
			 "x.json: line 1, column 8 (byte 7): expected nothing after the text, found '3'");
	parse("{\"a\": 1");
	ck_assert_str_eq(status_message(), "x.json: line 1, column 8 (byte 7): expected ',' or '}', found the end");
}
END_TEST

START_TEST(refuses_duplicate_keys)
{
	ck_assert_int_eq(parse("{\"a\":1,\"b\":2,\"a\":3}"), STATUS_FORMAT);
	ck_assert_str_eq(status_message(), "x.json: key a is there twice");
	ck_assert_int_eq(parse("{\"optim\":{\"lr\":1,\"name\":2,\"lr\":3}}"), STATUS_FORMAT);
	ck_assert_str_eq(status_message(), "x.json: key optim.lr is there twice");
	ck_assert_int_eq(parse("[{\"a\":[{\"b\":1,\"\\u0062\":2}]}]"), STATUS_FORMAT);
	ck_assert_int_eq(parse("{\"a\":1,\"A\":2}"), STATUS_OK);
}
END_TEST

static char *repeat(const char *unit, size_t count)
{
	size_t length = strlen(unit);
	char *text = malloc(length * count + 1);
	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, unit, length);
	text[length * count] = '\0';
	return text;
}

START_TEST(bounds_depth_and_size)
{
	static const char *const units[] = {"[", "{\"a\":", "[{\"a\":"};
	for (int i = 0; i < 3; i++) {
		char *deep = repeat(units[i], 1000000);
		ck_assert_int_eq(parse(deep), STATUS_LIMIT);
		free(deep);
	}
	char *many = repeat("1,", 4000001);
	many[0] = '[';
	many[1] = ' ';
	ck_assert_int_eq(parse(many), STATUS_LIMIT);
	free(many);
	struct json *root;
	ck_assert_int_eq(json_parse("1", (size_t)JSON_MAX_BYTES + 1, "x.json", &root), STATUS_LIMIT);
}
END_TEST

START_TEST(every_cut_of_a_text_is_refused)
{
	static const char text[] = "{\"a\": [1.5e3, true, null, \"x\\u00e4\xc3\xa4\"], \"b\": {\"c\": false}}";
	for (size_t length = 0; length + 1 < sizeof text; length++) {
		struct json *root;
		char *copy = malloc(length + 1); /* exact size, so that a sanitizer sees a read beyond it */
		memcpy(copy, text, length);
		ck_assert_int_eq(json_parse(copy, length, "x.json", &root), STATUS_FORMAT);
		free(copy);
	}
}
END_TEST

/* Members of all containers of a tree, and their keys' bytes. */
static size_t tree_size(const struct json *value)
{
	size_t size = 1;
	for (const struct json *member = json_first(value); member; member = json_next(member))
		size += strlen(json_key(member)) + tree_size(member);
	return size;
}

/* The same from the scanner's tokens. */
static size_t token_size(const char *text, size_t length)
{
	struct json_stream s;
	size_t size = 0;
	json_stream_open_memory(&s, text, length, "again");
	while (json_stream_next(&s) == STATUS_OK && s.token != JSON_END_OF_TEXT) {
		bool begins = s.token != JSON_KEY && s.token != JSON_OBJECT_END && s.token != JSON_ARRAY_END;
		size += s.token == JSON_KEY ? s.text_length : begins;
	}
	json_stream_close(&s);
	return size;
}

/* Random damage: refused, or the tree has all that the tokens have. */
START_TEST(damaged_texts)
{
	static const char seed_text[] =
		"{\"a\": [1.5e3, -0.25, true, null, \"x\\u00e4\\ud83d\\ude00\xc3\xa4\\n\"], \"b\": {\"c\": [], "
		"\"d\": {}}}";
	static const char bytes[] = "{}[]:,\"\\\\ue0123456789+-.Etrufalsn \n\x80\xff";
	struct rng rng = rng_stream(2, 0, 0, RNG_TEST);
	int good = 0;
	for (int i = 0; i < 40000; i++) {
		size_t length = sizeof seed_text - 1;
		char *text = malloc(length);
		memcpy(text, seed_text, length);
		for (uint32_t edits = 1 + rng_below(&rng, 3); edits > 0; edits--)
			text[rng_below(&rng, (uint32_t)length)] = bytes[rng_below(&rng, sizeof bytes - 1)];
		struct json *root;
		enum status status = json_parse(text, length, "x.json", &root);
		bool whole = status == STATUS_OK ? tree_size(root) == token_size(text, length)
						 : status == STATUS_FORMAT && !root;
		if (!whole)
			ck_abort_msg("%.*s: %s", (int)length, text, status_message());
		good += status == STATUS_OK;
		json_free(root);
		free(text);
	}
	ck_assert_int_gt(good, 1000);
}
END_TEST

START_TEST(reads_files)
{
	struct json *root;
	ck_assert_int_ne(json_read_file("no/such/file.json", &root), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), "no/such/file.json"));
	ck_assert_int_ne(json_read_file("/", &root), STATUS_OK);
	ck_assert_ptr_null(root);

	char path[1200];
	snprintf(path, sizeof path, "%s/large.json", test_tmp_dir("json"));
	FILE *file = fopen(path, "wb");
	ck_assert_int_eq(fseek(file, JSON_MAX_BYTES, SEEK_SET), 0); /* sparse: one byte over the limit */
	fputc('1', file);
	fclose(file);
	ck_assert_int_eq(json_read_file(path, &root), STATUS_LIMIT);
	ck_assert_ptr_nonnull(strstr(status_message(), path));
	file = fopen(path, "wb");
	fputs("{\"a\": 1}\n", file);
	fclose(file);
	ck_assert_int_eq(json_read_file(path, &root), STATUS_OK);
	json_free(root);
	remove(path);
}
END_TEST

START_TEST(prints_what_it_read)
{
	static const char text[] =
		"{\n  \"a\": {\n    \"b\": 2.5,\n    \"c\": [\n      1e-07,\n      true,\n      \"x\\n\"\n"
		"    ]\n  },\n  \"e\": null,\n  \"f\": []\n}\n";
	struct json *root;
	ck_assert_int_eq(json_parse(text, sizeof text - 1, "x", &root), STATUS_OK);
	char *printed = json_print(root);
	ck_assert_str_eq(printed, text);
	free(printed);
	json_free(root);
}
END_TEST

START_TEST(numbers_read_back)
{
	static const char *const texts[] = {"0.1", "-1e-300", "3.141592653589793", "1e+22", "0.30000000000000004",
					    "-0"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct json *root;
		double number, expected = strtod(texts[i], NULL);
		ck_assert_int_eq(json_parse(texts[i], strlen(texts[i]), "x", &root), STATUS_OK);
		ck_assert_int_eq(json_number(root, &number), STATUS_OK);
		ck_assert_mem_eq(&number, &expected, sizeof number);
		json_free(root);
	}
}
END_TEST

/* They are there, but nobody gets one for a number. */
START_TEST(numbers_that_are_not_finite)
{
	static const char *const texts[] = {"NaN", "Infinity", "-Infinity", "1e999"};
	static const char *const found[] = {"NaN", "Infinity", "-Infinity", "Infinity"};
	for (int i = 0; i < 4; i++) {
		struct json *root;
		double number;
		char text[80], message[80];
		snprintf(text, sizeof text, "[%s]", texts[i]);
		snprintf(message, sizeof message, "expected a number, found %s", found[i]);
		ck_assert_int_eq(json_parse(text, strlen(text), "x", &root), STATUS_OK);
		ck_assert_int_eq(json_number(json_first(root), &number), STATUS_FORMAT);
		ck_assert_str_eq(status_message(), message);
		json_free(root);
		/* With --set it is a word, as a name may be. */
		ck_assert_int_eq(json_parse_loose(texts[i], &root), STATUS_OK);
		ck_assert_str_eq(json_string(root), texts[i]);
		json_free(root);
	}
}
END_TEST

START_TEST(gives_access)
{
	static const char text[] = "{\"list\": [1, \"two\", false], \"n\": 7}";
	struct json *root;
	double number;
	bool boolean;
	ck_assert_int_eq(json_parse(text, strlen(text), "x", &root), STATUS_OK);
	const struct json *list = json_get(root, "list");
	ck_assert_int_eq(json_array_size(list), 3);
	ck_assert_int_eq(json_array_size(root), -1);
	ck_assert_str_eq(json_string(json_array_item(list, 1)), "two");
	ck_assert_ptr_null(json_string(json_array_item(list, 0)));
	ck_assert_ptr_null(json_array_item(list, 3));
	ck_assert_ptr_null(json_array_item(list, -1));
	ck_assert_ptr_null(json_array_item(NULL, 0));
	ck_assert_ptr_null(json_get(list, "n"));
	ck_assert_ptr_null(json_get(root, "N"));
	ck_assert_int_eq(json_number(json_get(root, "n"), &number), STATUS_OK);
	ck_assert(number == 7);
	ck_assert_int_eq(json_number(list, &number), STATUS_FORMAT);
	ck_assert_str_eq(status_message(), "expected a number, found a list of 3");
	ck_assert_int_eq(json_number(NULL, &number), STATUS_FORMAT);
	ck_assert_int_eq(json_bool(json_array_item(list, 2), &boolean), STATUS_OK);
	ck_assert(!boolean);
	int count = 0;
	for (const struct json *member = json_first(root); member; member = json_next(member))
		ck_assert_str_eq(json_key(member), count++ ? "n" : "list");
	ck_assert_int_eq(count, 2);
	json_free(root);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");
	tcase_add_test(tcase, accepts_json);
	tcase_add_test(tcase, refuses_what_is_no_json);
	tcase_add_test(tcase, says_where);
	tcase_add_test(tcase, refuses_duplicate_keys);
	tcase_add_test(tcase, bounds_depth_and_size);
	tcase_add_test(tcase, every_cut_of_a_text_is_refused);
	tcase_add_test(tcase, damaged_texts);
	tcase_add_test(tcase, reads_files);
	tcase_add_test(tcase, prints_what_it_read);
	tcase_add_test(tcase, numbers_read_back);
	tcase_add_test(tcase, numbers_that_are_not_finite);
	tcase_add_test(tcase, gives_access);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
