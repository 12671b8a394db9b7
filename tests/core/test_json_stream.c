/* The streaming JSON reader: tokens, numbers to the last bit, escapes, places, and everything a file can do wrong. */
#include "core/json_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "tests/support/test.h"

/* Reads to the end; `dump` gets a letter per token, and keys, strings and numbers. */
static enum status read_all(struct json_stream *s, char *dump, size_t size)
{
	static const char letters[] = ".{}[]ksnitfz";
	size_t used = 0;
	for (;;) {
		TRY(json_stream_next(s));
		if (s->token == JSON_END_OF_TEXT)
			return STATUS_OK;
		if (!dump)
			continue;
		bool text = s->token == JSON_KEY || s->token == JSON_STRING;
		int n = text ? snprintf(dump + used, size - used, "%c%s ", letters[s->token], s->text)
			: s->token == JSON_NUMBER ? snprintf(dump + used, size - used, "n%.17g ", s->number)
			: s->token == JSON_NOT_FINITE
				? snprintf(dump + used, size - used, "i%s=%g ", s->digits, s->number)
				: snprintf(dump + used, size - used, "%c ", letters[s->token]);
		used += (size_t)n;
		ck_assert_uint_lt(used, size);
	}
}

static enum status read_text(const char *text, size_t length, char *dump, size_t size)
{
	struct json_stream s;
	json_stream_open_memory(&s, text, length, "test");
	enum status status = read_all(&s, dump, size);
	json_stream_close(&s);
	return status;
}

static void check_tokens(const char *text, const char *expected)
{
	char dump[512] = "";
	ck_assert_msg(read_text(text, strlen(text), dump, sizeof dump) == STATUS_OK, "%s: %s", text, status_message());
	ck_assert_str_eq(dump, expected);
}

START_TEST(tokens)
{
	check_tokens("{}", "{ } ");
	check_tokens(" [ ] \n", "[ ] ");
	check_tokens("7", "n7 ");
	check_tokens("\"x\"", "sx ");
	check_tokens("[1,\"a\",true,false,null,[],{}]", "[ n1 sa t f z [ ] { } ] ");
	check_tokens("{\"a\":1,\"b\":{\"c\":[-0.5]}}", "{ ka n1 kb { kc [ n-0.5 ] } } ");
	check_tokens("{\"\" : \"\"}", "{ k s } ");
	check_tokens("\xef\xbb\xbf[1]", "[ n1 ] ");
	check_tokens("\t[\r\n1 ,\n 2\t]  ", "[ n1 n2 ] ");
}
END_TEST

START_TEST(strings)
{
	check_tokens("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s\"\\/\b\f\n\r\t ");
	check_tokens("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "sA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 ");
	/* halves that stand alone */
	check_tokens("\"\\ud83d\"", "s\xef\xbf\xbd ");
	check_tokens("\"\\ude00x\"", "s\xef\xbf\xbdx ");
	check_tokens("\"\\ud83dx\"", "s\xef\xbf\xbdx ");
	check_tokens("\"\\ud83d\\n\"", "s\xef\xbf\xbd\n ");
	check_tokens("\"\\ud83d\\u0041\"", "s\xef\xbf\xbd"
					   "A ");
	check_tokens("\"\\ud83d\\ud83d\\ude00\"", "s\xef\xbf\xbd\xf0\x9f\x98\x80 ");
	check_tokens("\"caf\xc3\xa9 \x7f\"", "scaf\xc3\xa9 \x7f ");

	struct json_stream s;
	json_stream_open_memory(&s, "\"a\\u0000b\"", 10, "test");
	ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
	ck_assert_uint_eq(s.text_length, 3);
	ck_assert(memcmp(s.text, "a\0b", 4) == 0);
	json_stream_close(&s);
}
END_TEST

/* What is no JSON, but harms only who reads it: a byte order mark, and numbers that are not finite. */
START_TEST(read_over)
{
	check_tokens("\xef\xbb\xbf{\"a\":1}", "{ ka n1 } ");
	check_tokens("[NaN,Infinity,-Infinity]", "[ iNaN=nan iInfinity=inf i-Infinity=-inf ] ");
	check_tokens("[1e999,-1e999,1]", "[ i1e999=inf i-1e999=-inf n1 ] ");
	struct json_stream s;
	int64_t integer;
	const char *text = "{\"area\": [NaN, {\"x\": -Infinity}, 1e999], \"id\": NaN}";
	json_stream_open_memory(&s, text, strlen(text), "test");
	json_stream_next(&s);
	json_stream_next(&s);
	ck_assert_int_eq(json_stream_skip(&s), STATUS_OK);
	json_stream_next(&s);
	ck_assert_str_eq(s.text, "id");
	ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
	ck_assert(!json_stream_integer(&s, &integer));
	ck_assert_str_eq(json_stream_found(&s), "NaN");
	json_stream_close(&s);
}
END_TEST

static enum status read_strictly(const char *text, char *dump, size_t size)
{
	struct json_stream s;
	json_stream_open_memory(&s, text, strlen(text), "test");
	s.strict = true;
	enum status status = read_all(&s, dump, size);
	json_stream_close(&s);
	return status;
}

START_TEST(strict_strings)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"\"\\u0000\"", "\\u0000 is not allowed"},
		{"\"\\ud800\"", "without its other half"},
		{"\"\\ud800x\"", "without its other half"},
		{"\"\\ud800\xc3\xa4\"", "without its other half"},
		{"\"\\ud800\\u0041\"", "without its other half"},
		{"\"\\udc00\"", "without its other half"},
		{"\"\xff\"", "column 2 (byte 1): expected UTF-8, found byte 0xff"},
		{"\"a\x80\"", "expected UTF-8, found byte 0x80"},
		{"\"\xc0\x80\"", "expected UTF-8"},
		{"\"\xe0\x9f\xbf\"", "expected UTF-8"},
		{"\"\xed\xa0\x80\"", "expected UTF-8"},
		{"\"\xf0\x8f\xbf\xbf\"", "expected UTF-8"},
		{"\"\xf4\x90\x80\x80\"", "expected UTF-8"},
		{"\"\xe4\"", "expected UTF-8, found '\"'"},
		{"\"\xe2\x82", "expected UTF-8, found the end"},
	};
	char dump[200];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(read_strictly(cases[i].text, dump, sizeof dump), STATUS_FORMAT);
		ck_assert_msg(strstr(status_message(), cases[i].message) != NULL, "%s: %s", cases[i].text,
			      status_message());
	}
	ck_assert_int_eq(read_strictly("{\"\xc3\xa4\": \"\xe2\x82\xac\xf0\x9f\x98\x80\\ud83d\\ude00\x7f\"}", dump,
				       sizeof dump),
			 STATUS_OK);
	ck_assert_str_eq(dump, "{ k\xc3\xa4 s\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80\x7f } ");
}
END_TEST

static void check_number(const char *text)
{
	struct json_stream s;
	json_stream_open_memory(&s, text, strlen(text), "test");
	double expected = strtod(text, NULL);
	bool same = json_stream_next(&s) == STATUS_OK && s.token == JSON_NUMBER &&
		    memcmp(&s.number, &expected, sizeof expected) == 0;
	if (!same)
		ck_abort_msg("%s: %.17g, not %.17g", text, s.number, expected);
	json_stream_close(&s);
}

START_TEST(numbers_to_the_last_bit)
{
	static const char *const texts[] = {"0",
					    "-0",
					    "0.0",
					    "-0.0",
					    "1e5",
					    "1E+5",
					    "1e-5",
					    "123456789012345",
					    "1234567890123456789",
					    "0.1",
					    "0.30000000000000004",
					    "5e-324",
					    "2.2250738585072011e-308",
					    "1.7976931348623157e308",
					    "9007199254740993",
					    "1e22",
					    "1e23",
					    "8.41e21",
					    "0.000001",
					    "100000000000000000000000",
					    "1e-400",
					    "0.5",
					    "123456789.123456789"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check_number(texts[i]);
	for (int round = 0; round < 8000; round++) {
		struct rng rng = rng_stream(5, (uint32_t)round, 0, RNG_TEST);
		char text[64];
		double value = (rng_float(&rng) - 0.5) * pow(10, (int)rng_below(&rng, 40) - 20);
		snprintf(text, sizeof text, "%.*g", 1 + (int)rng_below(&rng, 17), value);
		check_number(text);
		snprintf(text, sizeof text, "%.2f", value);
		check_number(text);
	}
}
END_TEST

static bool integer_of(const char *text, int64_t *value)
{
	struct json_stream s;
	json_stream_open_memory(&s, text, strlen(text), "test");
	ck_assert_msg(json_stream_next(&s) == STATUS_OK, "%s", status_message());
	bool is = json_stream_integer(&s, value);
	json_stream_close(&s);
	return is;
}

START_TEST(integers)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{"0", 0},
		{"-0", 0},
		{"900100284445", 900100284445},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
		{"7.0", 7},
		{"7e2", 700},
		{"-1.5e1", -15},
		{"9007199254740993", 9007199254740993},
	};
	static const char *const bad[] = {"9223372036854775808",
					  "-9223372036854775809",
					  "99999999999999999999",
					  "0.5",
					  "1e300",
					  "1e16",
					  "\"7\"",
					  "true",
					  "null"};
	int64_t value;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(integer_of(good[i].text, &value), "%s", good[i].text);
		ck_assert_int_eq(value, good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!integer_of(bad[i], &value), "%s", bad[i]);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong_texts[] = {
	{"", "line 1, column 1 (byte 0): expected a value, found the end"},
	{"   ", "found the end"},
	{"[1,]", "expected a value, found ']'"},
	{"[,1]", "expected a value, found ','"},
	{"[1 2]", "expected ',' or ']', found '2'"},
	{"[1}", "expected ',' or ']', found '}'"},
	{"{\"a\":1]", "expected ',' or '}', found ']'"},
	{"{\"a\" 1}", "expected ':' after a key, found '1'"},
	{"{\"a\":}", "expected a value, found '}'"},
	{"{\"a\":1,}", "expected a key in quotes, found '}'"},
	{"{a:1}", "expected a key in quotes, found 'a'"},
	{"{1:1}", "expected a key in quotes, found '1'"},
	{"{'a':1}", "expected a key in quotes, found '''"},
	{"[1]x", "expected nothing after the text, found 'x'"},
	{"[1][2]", "expected nothing after the text"},
	{"]", "expected a value, found ']'"},
	{"nul", "expected null, found the end"},
	{"nulL", "expected null, found 'L'"},
	{"True", "expected a value, found 'T'"},
	{"nan", "expected null, found 'a'"},
	{"NaM", "expected NaN, found 'M'"},
	{"Inf", "expected Infinity, found the end"},
	{"-NaN", "'-' is no JSON number"},
	{"-1Infinity", "expected nothing after the text, found 'I'"},
	{"01", "'01' is no JSON number"},
	{"-01", "'-01' is no JSON number"},
	{"1.", "'1.' is no JSON number"},
	{".5", "found '.'"},
	{"+1", "found '+'"},
	{"1e", "'1e' is no JSON number"},
	{"1e+", "'1e+' is no JSON number"},
	{"1.5.5", "'1.5.5' is no JSON number"},
	{"1-2", "'1-2' is no JSON number"},
	{"--1", "'--1' is no JSON number"},
	{"\"a", "expected the closing quote of a string, found the end"},
	{"\"a\nb\"", "no control character in a string, found byte 0x0a"},
	{"\"\\x\"", "after a backslash, found 'x'"},
	{"\"\\u12g4\"", "four hex digits after \\u, found 'g'"},
	{"\"\\u12\"", "four hex digits"},
	{"\"\\", "after a backslash, found the end"},
	{"[1,\n  2,\n  x]", "line 3, column 3 (byte 11): expected a value, found 'x'"},
	{"/* c */ 1", "found '/'"},
};

START_TEST(wrong_texts_are_refused)
{
	for (size_t i = 0; i < sizeof wrong_texts / sizeof *wrong_texts; i++) {
		enum status status = read_text(wrong_texts[i].text, strlen(wrong_texts[i].text), NULL, 0);
		ck_assert_msg(status == STATUS_FORMAT, "accepted: %s", wrong_texts[i].text);
		ck_assert_msg(strstr(status_message(), wrong_texts[i].message) != NULL, "%s: %s", wrong_texts[i].text,
			      status_message());
		ck_assert_msg(strncmp(status_message(), "test: line ", 11) == 0, "%s", status_message());
	}
	ck_assert_int_eq(read_text("\"a\0b\"", 5, NULL, 0), STATUS_FORMAT);
	ck_assert_int_eq(read_text("[1\0]", 4, NULL, 0), STATUS_FORMAT);
}
END_TEST

START_TEST(nesting_is_limited)
{
	enum { DEEP = 1000000 };
	char *text = malloc(DEEP);
	memset(text, '[', DEEP);
	ck_assert_int_eq(read_text(text, DEEP, NULL, 0), STATUS_LIMIT);
	ck_assert_ptr_nonnull(strstr(status_message(), "nested more than 64 levels deep"));
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	ck_assert_int_eq(read_text(text, 2 * JSON_MAX_DEPTH, NULL, 0), STATUS_OK);
	for (int i = 0; i + 5 <= DEEP; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	ck_assert_int_eq(read_text(text, DEEP, NULL, 0), STATUS_LIMIT);
	ck_assert_ptr_nonnull(strstr(status_message(), "nested more than 64 levels deep"));
	/* and when skipped */
	memset(text, '[', DEEP);
	struct json_stream s;
	json_stream_open_memory(&s, text, DEEP, "test");
	ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
	ck_assert_int_eq(json_stream_skip(&s), STATUS_LIMIT);
	json_stream_close(&s);
	free(text);
}
END_TEST

START_TEST(long_strings_and_numbers_are_refused)
{
	struct json_stream s;
	char text[300];
	json_stream_open_memory(&s, "[\"1234567890\", \"12345678901\"]", 29, "test");
	s.text_limit = 10;
	ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
	ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
	ck_assert_str_eq(s.text, "1234567890");
	ck_assert_int_eq(json_stream_next(&s), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "more than 10 bytes"));
	json_stream_close(&s);
	memset(text, '1', sizeof text);
	ck_assert_int_eq(read_text(text, JSON_MAX_NUMBER, NULL, 0), STATUS_OK);
	ck_assert_int_eq(read_text(text, JSON_MAX_NUMBER + 1, NULL, 0), STATUS_FORMAT);
}
END_TEST

static const char sample[] =
	"{\"a\": [1, -2.5e3, \"x\\u00e9\\n\", {\"b\": null}], \"c\": true, \"d\": {\"e\": [[], [false]]}}";

START_TEST(truncated_anywhere_is_refused)
{
	ck_assert_int_eq(read_text(sample, strlen(sample), NULL, 0), STATUS_OK);
	for (size_t length = 0; length < strlen(sample); length++) {
		char *exact = malloc(length + 1); /* so that a sanitizer sees a byte too far */
		exact = realloc(exact, length ? length : 1);
		memcpy(exact, sample, length);
		ck_assert_int_eq(read_text(exact, length, NULL, 0), STATUS_FORMAT);
		free(exact);
	}
}
END_TEST

/* What is accepted when skipped is accepted when read, and the other way round; nothing crashes. */
START_TEST(damaged_texts_do_no_harm)
{
	for (int round = 0; round < 5000; round++) {
		struct rng rng = rng_stream(6, (uint32_t)round, 0, RNG_TEST);
		static const char bytes[] = "[]{},:\"\\019-.eEtfnu \n\x01\xff";
		char text[sizeof sample], dump[1024];
		memcpy(text, sample, sizeof sample);
		for (int i = 1 + (int)rng_below(&rng, 3); i > 0; i--)
			text[rng_below(&rng, sizeof sample - 1)] = bytes[rng_below(&rng, sizeof bytes - 1)];
		enum status read = read_text(text, sizeof sample - 1, dump, sizeof dump);
		struct json_stream s;
		json_stream_open_memory(&s, text, sizeof sample - 1, "test");
		enum status skipped = json_stream_next(&s);
		if (skipped == STATUS_OK)
			skipped = json_stream_skip(&s);
		if (skipped == STATUS_OK)
			skipped = json_stream_next(&s);
		ck_assert_msg((read == STATUS_OK) == (skipped == STATUS_OK), "%.*s: %s", (int)sizeof sample - 1, text,
			      status_message());
		json_stream_close(&s);
	}
}
END_TEST

START_TEST(skip_goes_to_the_end_of_the_value)
{
	struct json_stream s;
	json_stream_open_memory(&s, sample, strlen(sample), "test");
	json_stream_next(&s);
	json_stream_next(&s);
	ck_assert_str_eq(s.text, "a");
	ck_assert_int_eq(json_stream_skip(&s), STATUS_OK); /* after a key */
	json_stream_next(&s);
	ck_assert_str_eq(s.text, "c");
	ck_assert_int_eq(json_stream_skip(&s), STATUS_OK); /* a plain value */
	json_stream_next(&s);
	ck_assert_str_eq(s.text, "d");
	json_stream_next(&s);
	ck_assert_int_eq(s.token, JSON_OBJECT_BEGIN);
	ck_assert_int_eq(json_stream_skip(&s), STATUS_OK); /* from within */
	json_stream_next(&s);
	ck_assert_int_eq(s.token, JSON_OBJECT_END);
	json_stream_next(&s);
	ck_assert_int_eq(s.token, JSON_END_OF_TEXT);
	json_stream_close(&s);
}
END_TEST

/* Larger than the reader's buffer, so that every kind of token falls across its end somewhere. */
static char *big_text(size_t *length)
{
	size_t size = 400000, used = 0;
	char *text = malloc(size + 200);
	text[used++] = '[';
	for (int i = 0; used < size; i++)
		used += (size_t)sprintf(text + used,
					"%s\n{\"key%d\": [%d.%d, -%d, \"s\\u00e9\\ud83d\\ude00\\\\%d\", true, null]}",
					i ? "," : "", i, i, i % 97, i, i * 7);
	text[used++] = ']';
	*length = used;
	return text;
}

static uint64_t hash_tokens(struct json_stream *s)
{
	uint64_t hash = 1469598103934665603u;
	for (;;) {
		if (json_stream_next(s) != STATUS_OK)
			ck_abort_msg("%s", status_message()); /* an assertion that holds costs a system call in Check */
		if (s->token == JSON_END_OF_TEXT)
			return hash;
		hash = (hash ^ (uint64_t)s->token) * 1099511628211u;
		for (size_t i = 0; (s->token == JSON_KEY || s->token == JSON_STRING) && i < s->text_length; i++)
			hash = (hash ^ (uint64_t)(unsigned char)s->text[i]) * 1099511628211u;
		if (s->token == JSON_NUMBER)
			hash = (hash ^ (uint64_t)(int64_t)(s->number * 1000)) * 1099511628211u;
	}
}

START_TEST(files_read_as_memory_does)
{
	size_t length;
	char *text = big_text(&length), path[600];
	snprintf(path, sizeof path, "%s/big.json", test_tmp_dir("json_stream"));
	for (int shift = 0; shift < 48; shift += 5) { /* moves all tokens against the buffer's end */
		FILE *file = fopen(path, "wb");
		fprintf(file, "%*s", shift, "");
		fwrite(text, 1, length, file);
		fclose(file);
		struct json_stream s, m;
		ck_assert_int_eq(json_stream_open(&s, path), STATUS_OK);
		json_stream_open_memory(&m, text, length, "test");
		ck_assert_uint_eq(hash_tokens(&s), hash_tokens(&m));
		ck_assert_uint_eq(json_stream_place(&s).byte, length + (size_t)shift);
		ck_assert_uint_eq(json_stream_place(&s).line, json_stream_place(&m).line);
		json_stream_close(&s);
		json_stream_close(&m);
	}
	free(text);
}
END_TEST

START_TEST(places_can_be_returned_to)
{
	size_t length;
	char *text = big_text(&length), path[600];
	snprintf(path, sizeof path, "%s/big.json", test_tmp_dir("json_stream"));
	FILE *file = fopen(path, "wb");
	fwrite(text, 1, length, file);
	fclose(file);
	for (int memory = 0; memory < 2; memory++) {
		struct json_stream s;
		struct json_place place = {0};
		if (memory)
			json_stream_open_memory(&s, text, length, "test");
		else
			ck_assert_int_eq(json_stream_open(&s, path), STATUS_OK);
		for (int keys = 0; keys < 10; keys += s.token == JSON_KEY)
			ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
		place = json_stream_place(&s);
		ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
		ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
		double number = s.number;
		hash_tokens(&s);
		ck_assert_int_eq(json_stream_return(&s, &place), STATUS_OK);
		ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
		ck_assert_int_eq(s.token, JSON_ARRAY_BEGIN);
		ck_assert_int_eq(json_stream_next(&s), STATUS_OK);
		ck_assert_double_eq(s.number, number);
		ck_assert_uint_eq(json_stream_place(&s).line, 10);
		hash_tokens(&s);
		json_stream_close(&s);
	}
	free(text);
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	struct json_stream s;
	ck_assert_int_eq(json_stream_open(&s, "no/such/file.json"), STATUS_IO);
	ck_assert_ptr_nonnull(strstr(status_message(), "no/such/file.json"));
	ck_assert_int_eq(json_stream_open(&s, "/"), STATUS_OK); /* opens, but reading fails */
	ck_assert_int_eq(json_stream_next(&s), STATUS_IO);
	json_stream_close(&s);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("json_stream");
	TCase *good = tcase_create("reading");
	tcase_set_timeout(good, 60); /* a busy machine, a sanitizer */
	tcase_add_test(good, tokens);
	tcase_add_test(good, strings);
	tcase_add_test(good, read_over);
	tcase_add_test(good, numbers_to_the_last_bit);
	tcase_add_test(good, integers);
	tcase_add_test(good, skip_goes_to_the_end_of_the_value);
	tcase_add_test(good, files_read_as_memory_does);
	tcase_add_test(good, places_can_be_returned_to);
	suite_add_tcase(suite, good);
	TCase *bad = tcase_create("damage");
	tcase_set_timeout(bad, 60); /* a busy machine, a sanitizer */
	tcase_add_test(bad, wrong_texts_are_refused);
	tcase_add_test(bad, strict_strings);
	tcase_add_test(bad, nesting_is_limited);
	tcase_add_test(bad, long_strings_and_numbers_are_refused);
	tcase_add_test(bad, truncated_anywhere_is_refused);
	tcase_add_test(bad, damaged_texts_do_no_harm);
	tcase_add_test(bad, files_that_cannot_be_read);
	suite_add_tcase(suite, bad);
	return suite;
}

TEST_MAIN(make_suite)
