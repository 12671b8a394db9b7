/* See json_stream.h. The grammar is a small state machine: what may come next, and a bit per open container. */
#include "core/json_stream.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { BUFFER_SIZE = 1 << 16 };
#define DEPTH_TEXT "64"
_Static_assert(JSON_MAX_DEPTH == 64, "DEPTH_TEXT; and struct json_place has a bit per level");

/* What may come next. */
enum {
	EXPECT_VALUE,
	EXPECT_FIRST_VALUE, /* or ] */
	EXPECT_KEY,
	EXPECT_FIRST_KEY, /* or } */
	EXPECT_COMMA,     /* or the container's end */
	EXPECT_END,
};

static void start(struct json_stream *s, const char *name)
{
	memset(s, 0, sizeof *s);
	s->name = name;
	s->text_limit = JSON_TEXT_LIMIT;
	s->place.expected = EXPECT_VALUE;
}

enum status json_stream_open(struct json_stream *s, const char *path)
{
	start(s, path);
	s->file = fopen(path, "rb");
	if (!s->file)
		return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
	setvbuf(s->file, NULL, _IONBF, 0); /* the buffer is ours */
	s->buffer = malloc(BUFFER_SIZE);
	if (s->buffer)
		return STATUS_OK;
	json_stream_close(s);
	return status_fail(STATUS_NO_MEMORY, "%s: no memory to read it", path);
}

void json_stream_open_memory(struct json_stream *s, const void *data, size_t size, const char *name)
{
	start(s, name);
	s->buffer = (unsigned char *)data; /* never written to */
	s->end = size;
}

void json_stream_close(struct json_stream *s)
{
	if (s->file) {
		fclose(s->file);
		free(s->buffer);
	}
	free(s->text);
	memset(s, 0, sizeof *s);
}

static enum status fail_here(const struct json_stream *s, enum status code, const char *text)
{
	uint64_t byte = s->base + s->at;
	return status_fail(code, "%s: line %llu, column %llu (byte %llu): %s", s->name,
			   (unsigned long long)s->place.line + 1, (unsigned long long)(byte - s->place.line_start) + 1,
			   (unsigned long long)byte, text);
}

enum status json_stream_fail(const struct json_stream *s, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return fail_here(s, STATUS_FORMAT, text);
}

const char *json_stream_found(const struct json_stream *s)
{
	static const char *const names[] = {
		[JSON_END_OF_TEXT] = "the end",
		[JSON_OBJECT_BEGIN] = "an object",
		[JSON_OBJECT_END] = "the end of an object",
		[JSON_ARRAY_BEGIN] = "a list",
		[JSON_ARRAY_END] = "the end of a list",
		[JSON_KEY] = "a key",
		[JSON_STRING] = "a string",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};
	return s->token == JSON_NUMBER || s->token == JSON_NOT_FINITE ? s->digits : names[s->token];
}

static bool fill(struct json_stream *s)
{
	if (!s->file)
		return false;
	s->base += s->end;
	s->at = 0;
	s->end = fread(s->buffer, 1, BUFFER_SIZE, s->file);
	if (s->end == 0 && ferror(s->file))
		s->read_error = errno;
	return s->end > 0;
}

/* The next byte, not consumed; -1 at the end. */
static inline int peek(struct json_stream *s)
{
	if (s->at == s->end && !fill(s))
		return -1;
	return s->buffer[s->at];
}

static enum status unexpected(struct json_stream *s, int c, const char *expected)
{
	if (s->read_error)
		return status_fail(STATUS_IO, "%s: %s", s->name, strerror(s->read_error));
	if (c < 0)
		return json_stream_fail(s, "expected %s, found the end", expected);
	if (c < 0x20 || c > 0x7e)
		return json_stream_fail(s, "expected %s, found byte 0x%02x", expected, (unsigned)c);
	return json_stream_fail(s, "expected %s, found '%c'", expected, c);
}

/* Newlines are counted here alone: a correct text has them nowhere else. Returns the byte after the space. */
static int skip_space(struct json_stream *s)
{
	for (;;) {
		int c = peek(s);
		if (c == '\n') {
			s->place.line++;
			s->place.line_start = s->base + s->at + 1;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return c;
		}
		s->at++;
	}
}

/* Strings. */

static enum status text_room(struct json_stream *s, size_t more)
{
	if (more > s->text_limit || s->text_length > s->text_limit - more)
		return json_stream_fail(s, "string of more than %zu bytes", s->text_limit);
	size_t needed = s->text_length + more + 1;
	if (needed <= s->text_capacity)
		return STATUS_OK;
	size_t capacity = needed < 128 ? 256 : needed * 2;
	char *text = realloc(s->text, capacity);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a string of %zu bytes", s->name, needed);
	s->text = text;
	s->text_capacity = capacity;
	return STATUS_OK;
}

static enum status text_add(struct json_stream *s, const void *bytes, size_t count)
{
	if (s->skipping)
		return STATUS_OK;
	TRY(text_room(s, count));
	memcpy(s->text + s->text_length, bytes, count);
	s->text_length += count;
	return STATUS_OK;
}

static enum status text_add_code_point(struct json_stream *s, unsigned code)
{
	unsigned char utf8[4];
	size_t length;
	if (code < 0x80) {
		utf8[0] = (unsigned char)code;
		length = 1;
	} else if (code < 0x800) {
		utf8[0] = (unsigned char)(0xc0 | code >> 6);
		utf8[1] = (unsigned char)(0x80 | (code & 0x3f));
		length = 2;
	} else if (code < 0x10000) {
		utf8[0] = (unsigned char)(0xe0 | code >> 12);
		utf8[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		utf8[2] = (unsigned char)(0x80 | (code & 0x3f));
		length = 3;
	} else {
		utf8[0] = (unsigned char)(0xf0 | code >> 18);
		utf8[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
		utf8[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		utf8[3] = (unsigned char)(0x80 | (code & 0x3f));
		length = 4;
	}
	return text_add(s, utf8, length);
}

static enum status read_hex4(struct json_stream *s, unsigned *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++) {
		int c = peek(s);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return unexpected(s, c, "four hex digits after \\u");
		*value = *value << 4 | (unsigned)digit;
		s->at++;
	}
	return STATUS_OK;
}

/* UTF-16 halves. */
enum { HIGH_HALF = 0xd800, LOW_HALF = 0xdc00, AFTER_HALVES = 0xe000, REPLACEMENT = 0xfffd };

/* One without its other half. */
static enum status lone_half(struct json_stream *s)
{
	if (s->strict)
		return json_stream_fail(s, "half a surrogate pair (\\ud800 to \\udfff) without its other half");
	return text_add_code_point(s, REPLACEMENT);
}

/* *high is the first half that waits for its second, or 0. */
static enum status flush_high(struct json_stream *s, unsigned *high)
{
	if (!*high)
		return STATUS_OK;
	*high = 0;
	return lone_half(s);
}

/* After "\u". */
static enum status read_unicode(struct json_stream *s, unsigned *high)
{
	unsigned code;
	TRY(read_hex4(s, &code));
	if (*high && code >= LOW_HALF && code < AFTER_HALVES) {
		code = 0x10000 + ((*high - HIGH_HALF) << 10) + (code - LOW_HALF);
		*high = 0;
		return text_add_code_point(s, code);
	}
	TRY(flush_high(s, high));
	if (code >= HIGH_HALF && code < LOW_HALF) {
		*high = code;
		return STATUS_OK;
	}
	if (code >= LOW_HALF && code < AFTER_HALVES)
		return lone_half(s);
	if (code == 0 && s->strict)
		return json_stream_fail(s, "\\u0000 is not allowed in a text");
	return text_add_code_point(s, code);
}

/* After the backslash. */
static enum status read_escape(struct json_stream *s, unsigned *high)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	int c = peek(s);
	const char *found = c > 0 ? strchr(letters, c) : NULL;
	if (c != 'u' && !found)
		return unexpected(s, c, "one of \"\\/bfnrtu after a backslash");
	s->at++;
	if (c == 'u')
		return read_unicode(s, high);
	TRY(flush_high(s, high));
	return text_add(s, &meanings[found - letters], 1);
}

/* How a UTF-8 sequence of 2 to 4 bytes begins: shortest form, no surrogates, up to U+10FFFF (RFC 3629; Unicode 15,
 * table 3-7). NULL if none begins with this byte. */
struct utf8_form {
	unsigned char first_low, first_high, second_low, second_high, length;
};
static const struct utf8_form *utf8_form_of(int first)
{
	static const struct utf8_form forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (first >= forms[i].first_low && first <= forms[i].first_high)
			return &forms[i];
	return NULL;
}

/* One character above U+007F, byte by byte, because it may lie across the buffer's end. */
static enum status read_utf8(struct json_stream *s)
{
	unsigned char bytes[4];
	const struct utf8_form *form = utf8_form_of(peek(s));
	if (!form)
		return unexpected(s, peek(s), "UTF-8");
	for (int i = 0; i < form->length; i++) {
		int c = peek(s), low = i == 1 ? form->second_low : 0x80, high = i == 1 ? form->second_high : 0xbf;
		if (i > 0 && (c < low || c > high))
			return unexpected(s, c, "UTF-8");
		bytes[i] = (unsigned char)c;
		s->at++;
	}
	return text_add(s, bytes, form->length);
}

/* The bytes up to the next one that must be looked at: quote, backslash, control character, in strict texts also what
 * is not ASCII. */
static enum status read_plain(struct json_stream *s, unsigned *high)
{
	int most = s->strict ? 0x7f : 0xff;
	size_t from = s->at;
	while (s->at < s->end && s->buffer[s->at] >= 0x20 && s->buffer[s->at] != '"' && s->buffer[s->at] != '\\' &&
	       s->buffer[s->at] <= most)
		s->at++;
	if (s->at == from)
		return STATUS_OK;
	TRY(flush_high(s, high));
	return text_add(s, s->buffer + from, s->at - from);
}

/* From the byte after the opening quote to the byte after the closing one. */
static enum status read_string(struct json_stream *s)
{
	unsigned high = 0;
	s->text_length = 0;
	if (!s->skipping)
		TRY(text_room(s, 0));
	for (;;) {
		if (peek(s) < 0)
			return unexpected(s, -1, "the closing quote of a string");
		TRY(read_plain(s, &high));
		if (s->at == s->end)
			continue;
		int c = s->buffer[s->at];
		if (c < 0x20)
			return unexpected(s, c, "no control character in a string");
		if (c > 0x7f && s->strict) {
			TRY(flush_high(s, &high));
			TRY(read_utf8(s));
			continue;
		}
		s->at++;
		if (c == '"')
			break;
		TRY(read_escape(s, &high));
	}
	TRY(flush_high(s, &high));
	if (!s->skipping)
		s->text[s->text_length] = '\0';
	return STATUS_OK;
}

/* Numbers. */

/* The parts of a number as written. */
struct digits {
	uint64_t value; /* of the first 19 digits */
	int count;      /* digits that are in value or behind it, without leading zeros */
	int point;      /* digits after the point */
	long exponent;
	bool negative, whole; /* whole: no point, no exponent */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *at, struct digits *d)
{
	for (; is_digit(*at); at++) {
		if (d->count == 0 && *at == '0')
			continue;
		if (d->count++ < 19)
			d->value = d->value * 10 + (uint64_t)(*at - '0');
	}
	return at;
}

/* number = [-] (0 | 1-9 digits) [. digits] [e [+-] digits]. False if the text is none. */
static bool scan_number(const char *at, struct digits *d)
{
	*d = (struct digits){.whole = true};
	if (*at == '-') {
		d->negative = true;
		at++;
	}
	if (!is_digit(*at) || (*at == '0' && is_digit(at[1])))
		return false;
	at = scan_digits(at, d);
	if (*at == '.') {
		const char *from = ++at;
		at = scan_digits(at, d);
		d->point = (int)(at - from);
		d->whole = false;
		if (at == from)
			return false;
	}
	if (*at == 'e' || *at == 'E') {
		bool minus = *++at == '-';
		at += *at == '-' || *at == '+';
		const char *from = at;
		for (; is_digit(*at); at++)
			if (d->exponent < 100000)
				d->exponent = d->exponent * 10 + (*at - '0');
		d->exponent = minus ? -d->exponent : d->exponent;
		d->whole = false;
		if (at == from)
			return false;
	}
	return *at == '\0';
}

/* The nearest double, or an infinity. With at most 15 digits and a power of ten up to 22 both are exact and one
 * multiplication or division rounds once (Clinger, PLDI 1990); the rare rest goes to strtod. */
static double to_double(const char *text, const struct digits *d)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
					1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	long power = d->exponent - d->point;
	if (d->count <= 15 && power >= -22 && power <= 22) {
		double value = (double)d->value;
		value = power < 0 ? value / powers[-power] : value * powers[power];
		return d->negative ? -value : value;
	}
	return strtod(text, NULL);
}

static enum status read_word(struct json_stream *s, const char *word)
{
	for (const char *c = word; *c; c++) {
		int found = peek(s);
		if (found != *c)
			return unexpected(s, found, word);
		s->at++;
	}
	return STATUS_OK;
}

/* At the N of NaN or the I of Infinity, behind a minus if `digits` begins with one. */
static enum status read_not_finite(struct json_stream *s)
{
	bool nan = peek(s) == 'N', minus = !nan && s->digits[0] == '-';
	TRY(read_word(s, nan ? "NaN" : "Infinity"));
	snprintf(s->digits, sizeof s->digits, "%s%s", minus ? "-" : "", nan ? "NaN" : "Infinity");
	s->number = nan ? (double)NAN : minus ? -HUGE_VAL : HUGE_VAL;
	s->token = JSON_NOT_FINITE;
	return STATUS_OK;
}

static enum status read_number(struct json_stream *s)
{
	char *text = s->digits;
	size_t length = 0;
	for (int c = peek(s); is_digit((char)c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
	     c = peek(s)) {
		if (length == JSON_MAX_NUMBER)
			return json_stream_fail(s, "number of more than %d characters", JSON_MAX_NUMBER);
		text[length++] = (char)c;
		s->at++;
	}
	text[length] = '\0';
	struct digits d;
	if (strcmp(text, "-") == 0 && peek(s) == 'I')
		return read_not_finite(s);
	if (!scan_number(text, &d))
		return json_stream_fail(s, "'%s' is no JSON number", text);
	if (s->skipping)
		return STATUS_OK;
	uint64_t most = (uint64_t)INT64_MAX + d.negative;
	s->is_integer = d.whole && d.count <= 19 && d.value <= most;
	if (s->is_integer)
		s->integer = d.negative ? (int64_t)(0 - d.value) : (int64_t)d.value;
	s->number = to_double(text, &d);
	s->token = isfinite(s->number) ? JSON_NUMBER : JSON_NOT_FINITE;
	return STATUS_OK;
}

bool json_stream_integer(const struct json_stream *s, int64_t *value)
{
	const double exact = 9007199254740992.0; /* 2^53: doubles below have all whole numbers */
	if (s->token != JSON_NUMBER)
		return false;
	if (s->is_integer)
		*value = s->integer;
	else if (fabs(s->number) < exact && floor(s->number) == s->number)
		*value = (int64_t)s->number;
	else
		return false;
	return true;
}

/* Tokens. */

static bool in_object(const struct json_stream *s)
{
	return s->place.nesting >> (s->place.depth - 1) & 1;
}

static enum status open_container(struct json_stream *s, bool object)
{
	struct json_place *p = &s->place;
	if (p->depth == JSON_MAX_DEPTH)
		return fail_here(s, STATUS_LIMIT, "nested more than " DEPTH_TEXT " levels deep");
	uint64_t bit = (uint64_t)1 << p->depth++;
	p->nesting = object ? p->nesting | bit : p->nesting & ~bit;
	p->expected = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
	s->token = object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
	s->at++;
	return STATUS_OK;
}

static enum status close_container(struct json_stream *s)
{
	s->token = in_object(s) ? JSON_OBJECT_END : JSON_ARRAY_END;
	s->place.depth--;
	s->place.expected = s->place.depth ? EXPECT_COMMA : EXPECT_END;
	s->at++;
	return STATUS_OK;
}

static enum status read_value(struct json_stream *s, int c)
{
	if (c == '{' || c == '[')
		return open_container(s, c == '{');
	s->place.expected = s->place.depth ? EXPECT_COMMA : EXPECT_END;
	switch (c) {
	case '"':
		s->at++;
		s->token = JSON_STRING;
		return read_string(s);
	case 't': s->token = JSON_TRUE; return read_word(s, "true");
	case 'f': s->token = JSON_FALSE; return read_word(s, "false");
	case 'n': s->token = JSON_NULL; return read_word(s, "null");
	case 'N':
	case 'I': s->digits[0] = '\0'; return read_not_finite(s);
	default:
		if (!is_digit((char)c) && c != '-')
			return unexpected(s, c, "a value");
		s->token = JSON_NUMBER;
		return read_number(s);
	}
}

static enum status read_key(struct json_stream *s, int c)
{
	if (c != '"')
		return unexpected(s, c, "a key in quotes");
	s->at++;
	s->token = JSON_KEY;
	TRY(read_string(s));
	int colon = skip_space(s);
	if (colon != ':')
		return unexpected(s, colon, "':' after a key");
	s->at++;
	s->place.expected = EXPECT_VALUE;
	return STATUS_OK;
}

/* Some editors begin a file with the bytes EF BB BF. */
static void skip_byte_order_mark(struct json_stream *s)
{
	if (peek(s) == 0xef && s->end - s->at >= 3 && s->buffer[s->at + 1] == 0xbb && s->buffer[s->at + 2] == 0xbf)
		s->at += 3;
}

enum status json_stream_next(struct json_stream *s)
{
	if (s->base + s->at == 0)
		skip_byte_order_mark(s);
	int c = skip_space(s);
	switch (s->place.expected) {
	case EXPECT_END:
		if (c >= 0 || s->read_error)
			return unexpected(s, c, "nothing after the text");
		s->token = JSON_END_OF_TEXT;
		return STATUS_OK;
	case EXPECT_COMMA:
		if (c == (in_object(s) ? '}' : ']'))
			return close_container(s);
		if (c != ',')
			return unexpected(s, c, in_object(s) ? "',' or '}'" : "',' or ']'");
		s->at++;
		c = skip_space(s);
		return in_object(s) ? read_key(s, c) : read_value(s, c);
	case EXPECT_FIRST_KEY: return c == '}' ? close_container(s) : read_key(s, c);
	case EXPECT_FIRST_VALUE: return c == ']' ? close_container(s) : read_value(s, c);
	default: return read_value(s, c);
	}
}

static enum status skip_container(struct json_stream *s)
{
	int depth = s->place.depth;
	while (s->place.depth >= depth)
		TRY(json_stream_next(s));
	return STATUS_OK;
}

enum status json_stream_skip(struct json_stream *s)
{
	enum status status = STATUS_OK;
	s->skipping = true;
	if (s->token == JSON_KEY)
		status = json_stream_next(s);
	if (status == STATUS_OK && (s->token == JSON_OBJECT_BEGIN || s->token == JSON_ARRAY_BEGIN))
		status = skip_container(s);
	s->skipping = false;
	return status;
}

struct json_place json_stream_place(const struct json_stream *s)
{
	struct json_place place = s->place;
	place.byte = s->base + s->at;
	return place;
}

enum status json_stream_return(struct json_stream *s, const struct json_place *place)
{
	if (!s->file) {
		s->at = (size_t)place->byte;
	} else {
		if (place->byte > INT64_MAX || fseeko(s->file, (off_t)place->byte, SEEK_SET) != 0)
			return status_fail(STATUS_IO, "%s: cannot go back to byte %llu: %s", s->name,
					   (unsigned long long)place->byte, strerror(errno));
		s->base = place->byte;
		s->at = s->end = 0;
	}
	s->place = *place;
	return STATUS_OK;
}
