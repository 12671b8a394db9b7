/* See json_check.h. One function per rule of RFC 8259's grammar. */
#include "train/config/json_check.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 60 }; /* cJSON keeps 63 characters of a number */

struct scan {
	const char *name;
	const char *begin, *at, *end;
	long values;
};

static enum status fail_at(const struct scan *scan, enum status code, const char *what)
{
	size_t line = 1;
	const char *line_begin = scan->begin;
	for (const char *c = scan->begin; c < scan->at; c++)
		if (*c == '\n') {
			line++;
			line_begin = c + 1;
		}
	return status_fail(code, "%s: line %zu, column %zu: %s", scan->name, line, (size_t)(scan->at - line_begin) + 1,
			   what);
}

static enum status expected(const struct scan *scan, const char *what)
{
	char text[160];
	if (scan->at >= scan->end)
		snprintf(text, sizeof text, "expected %s, found the end", what);
	else if (*scan->at > ' ' && *scan->at < 0x7f)
		snprintf(text, sizeof text, "expected %s, found '%c'", what, *scan->at);
	else
		snprintf(text, sizeof text, "expected %s, found byte 0x%02x", what, (unsigned char)*scan->at);
	return fail_at(scan, STATUS_FORMAT, text);
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

static bool next_is(const struct scan *scan, char c)
{
	return scan->at < scan->end && *scan->at == c;
}

static bool take(struct scan *scan, char c)
{
	if (!next_is(scan, c))
		return false;
	scan->at++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits after \u; -1 if they are not there. */
static int take_hex4(struct scan *scan)
{
	if (scan->end - scan->at < 4)
		return -1;
	int value = 0;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(scan->at[i]);
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	scan->at += 4;
	return value;
}

/* After the backslash. */
static enum status check_escape(struct scan *scan)
{
	if (scan->at < scan->end && *scan->at && strchr("\"\\/bfnrt", *scan->at)) {
		scan->at++;
		return STATUS_OK;
	}
	if (!take(scan, 'u'))
		return expected(scan, "one of \" \\ / b f n r t u after a backslash");
	int unit = take_hex4(scan);
	if (unit < 0)
		return expected(scan, "four hexadecimal digits after \\u");
	if (unit == 0)
		return fail_at(scan, STATUS_FORMAT, "\\u0000 is not allowed in a text");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail_at(scan, STATUS_FORMAT, "a low surrogate without a high one before it");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		int low = take(scan, '\\') && take(scan, 'u') ? take_hex4(scan) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(scan, STATUS_FORMAT, "a high surrogate without a low one after it");
	}
	return STATUS_OK;
}

/* One character of two to four bytes, shortest form, no surrogates, up to U+10FFFF (Unicode 15, table 3-7). */
static enum status check_utf8(struct scan *scan)
{
	const unsigned char *c = (const unsigned char *)scan->at;
	size_t left = (size_t)(scan->end - scan->at);
	size_t count = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	bool valid = c[0] >= 0xc2 && c[0] <= 0xf4 && left >= count;
	for (size_t i = 1; valid && i < count; i++)
		valid = (c[i] & 0xc0) == 0x80;
	if (valid && ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
		      (c[0] == 0xf4 && c[1] > 0x8f)))
		valid = false;
	if (!valid)
		return expected(scan, "UTF-8");
	scan->at += count;
	return STATUS_OK;
}

static enum status check_string(struct scan *scan)
{
	if (!take(scan, '"'))
		return expected(scan, "a text in double quotes");
	for (;;) {
		if (scan->at >= scan->end || (unsigned char)*scan->at < 0x20)
			return expected(scan, "the closing quote of a text");
		if (take(scan, '"'))
			return STATUS_OK;
		if (take(scan, '\\'))
			TRY(check_escape(scan));
		else if ((unsigned char)*scan->at >= 0x80)
			TRY(check_utf8(scan));
		else
			scan->at++;
	}
}

static enum status take_digits(struct scan *scan)
{
	if (scan->at >= scan->end || *scan->at < '0' || *scan->at > '9')
		return expected(scan, "a digit");
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return STATUS_OK;
}

static enum status check_number(struct scan *scan)
{
	const char *begin = scan->at;
	take(scan, '-');
	if (!take(scan, '0'))
		TRY(take_digits(scan));
	if (take(scan, '.'))
		TRY(take_digits(scan));
	if (take(scan, 'e') || take(scan, 'E')) {
		if (!take(scan, '+'))
			take(scan, '-');
		TRY(take_digits(scan));
	}
	char digits[NUMBER_MAX + 1];
	size_t count = (size_t)(scan->at - begin);
	if (count > NUMBER_MAX)
		return fail_at(scan, STATUS_FORMAT, "a number of more than 60 characters");
	memcpy(digits, begin, count);
	digits[count] = '\0';
	if (!isfinite(strtod(digits, NULL)))
		return fail_at(scan, STATUS_FORMAT, "a number too large for a double");
	return STATUS_OK;
}

static enum status check_value(struct scan *scan, int depth);

/* After the opening bracket of a list, or brace of an object. */
static enum status check_members(struct scan *scan, int depth, bool object)
{
	char close = object ? '}' : ']';
	skip_space(scan);
	if (take(scan, close))
		return STATUS_OK;
	for (;;) {
		skip_space(scan);
		if (object) {
			if (!next_is(scan, '"'))
				return expected(scan, "a key in double quotes");
			TRY(check_string(scan));
			skip_space(scan);
			if (!take(scan, ':'))
				return expected(scan, "':' after a key");
		}
		TRY(check_value(scan, depth + 1));
		skip_space(scan);
		if (take(scan, close))
			return STATUS_OK;
		if (!take(scan, ','))
			return expected(scan, object ? "',' or '}'" : "',' or ']'");
	}
}

static bool take_word(struct scan *scan, const char *word)
{
	size_t count = strlen(word);
	if ((size_t)(scan->end - scan->at) < count || memcmp(scan->at, word, count) != 0)
		return false;
	scan->at += count;
	return true;
}

static enum status check_value(struct scan *scan, int depth)
{
	if (depth > JSON_MAX_DEPTH)
		return fail_at(scan, STATUS_LIMIT, "nested more than 64 levels deep");
	if (++scan->values > JSON_MAX_VALUES)
		return fail_at(scan, STATUS_LIMIT, "more than 4,000,000 values");
	skip_space(scan);
	if (take(scan, '{'))
		return check_members(scan, depth, true);
	if (take(scan, '['))
		return check_members(scan, depth, false);
	if (next_is(scan, '"'))
		return check_string(scan);
	if (next_is(scan, '-') || (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'))
		return check_number(scan);
	if (take_word(scan, "true") || take_word(scan, "false") || take_word(scan, "null"))
		return STATUS_OK;
	return expected(scan, "a value");
}

enum status json_check(const char *text, size_t length, const char *name)
{
	struct scan scan = {.name = name, .begin = text, .at = text, .end = text + length};
	TRY(check_value(&scan, 0));
	skip_space(&scan);
	return scan.at == scan.end ? STATUS_OK : expected(&scan, "nothing after the value");
}
