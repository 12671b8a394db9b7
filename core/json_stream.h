/* The one JSON scanner of the tree (RFC 8259). It hands out one token at a time, so that files too large to hold can be
 * read: instances_train2017.json has 450 MB. Memory is one read buffer and the current string, whatever the size of the
 * file. Documents that are wanted as a tree (configs and other small files) are made of its tokens by
 * train/config/json.h; the header of a safetensors file by convert/safetensors_header.h.
 *
 *	struct json_stream s;
 *	TRY(json_stream_open(&s, path));
 *	while ((status = json_stream_next(&s)) == STATUS_OK && s.token != JSON_END_OF_TEXT)
 *		...
 *	json_stream_close(&s);
 *
 * The grammar is checked on the way: after STATUS_OK the tokens so far are the beginning of a correct text. Refused
 * beside wrong syntax: nesting over JSON_MAX_DEPTH (STATUS_LIMIT), strings kept over text_limit bytes, numbers over
 * JSON_MAX_NUMBER characters, anything after the text. Messages name file, line, column and byte.
 *
 * Two things that are no JSON are read over, because files have them and it is the reader of a value who knows whether
 * it matters: a byte order mark at the beginning (some editors write it), and NaN, Infinity and -Infinity (Python's
 * json.dump writes them), which come as JSON_NOT_FINITE, as does a number beyond a double such as 1e999. */
#ifndef CORE_JSON_STREAM_H
#define CORE_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"

enum { JSON_MAX_DEPTH = 64, JSON_MAX_NUMBER = 127, JSON_TEXT_LIMIT = 16 << 20 };

enum json_token {
	JSON_END_OF_TEXT,
	JSON_OBJECT_BEGIN,
	JSON_OBJECT_END,
	JSON_ARRAY_BEGIN,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_NOT_FINITE, /* NaN, Infinity, -Infinity, 1e999 */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

/* Where the reader stands, to come back to. */
struct json_place {
	uint64_t byte, line, line_start; /* line counts from 0; line_start is the byte after the last newline */
	uint64_t nesting;                /* bit d: the container at depth d is an object */
	int depth;
	int expected;
};

struct json_stream {
	/* The current token; text, digits, number and integer belong to it alone and change with the next call. */
	enum json_token token;
	char *text; /* JSON_KEY, JSON_STRING: decoded UTF-8, NUL-terminated (and may hold NULs: \u0000) */
	size_t text_length;
	char digits[JSON_MAX_NUMBER + 1]; /* JSON_NUMBER, JSON_NOT_FINITE: as written */
	double number;                    /* JSON_NUMBER; JSON_NOT_FINITE: NaN or an infinity */
	int64_t integer;                  /* JSON_NUMBER with is_integer */
	bool is_integer;                  /* written without point and exponent, and fits */

	/* May be changed after opening. */
	size_t text_limit; /* JSON_TEXT_LIMIT at first */
	bool strict; /* false at first. Strings must be UTF-8 and hold no NUL, and UTF-16 halves in escapes come in
			    * pairs. Else bytes are taken as they are and a half without its other is U+FFFD: both
			    * stand in comments and captions that nobody needs. */

	/* Private. */
	const char *name;
	FILE *file; /* NULL where the text lies in memory */
	unsigned char *buffer;
	size_t at, end; /* in buffer */
	uint64_t base;  /* byte of buffer[0] in the file */
	size_t text_capacity;
	struct json_place place; /* byte is filled in by json_stream_place only */
	bool skipping;
	int read_error; /* errno */
};

/* `path` (borrowed) must outlive the stream. */
enum status json_stream_open(struct json_stream *s, const char *path);
/* `data` and `name` are borrowed. */
void json_stream_open_memory(struct json_stream *s, const void *data, size_t size, const char *name);
void json_stream_close(struct json_stream *s);

enum status json_stream_next(struct json_stream *s);
/* After JSON_OBJECT_BEGIN or JSON_ARRAY_BEGIN: goes to the matching end, storing nothing. After JSON_KEY: reads over
 * its value. After any other token: nothing. */
enum status json_stream_skip(struct json_stream *s);

/* The place after the current token, and back to it. */
struct json_place json_stream_place(const struct json_stream *s);
enum status json_stream_return(struct json_stream *s, const struct json_place *place);

/* The current token as a whole number: also 7.0 and 7e0, as some tools write ids. False if it is none. */
bool json_stream_integer(const struct json_stream *s, int64_t *value);
/* What the current token is, for messages: "a string", "a list", the number as written. */
const char *json_stream_found(const struct json_stream *s);
/* Stores "NAME: line L, column C (byte B): ..." and returns STATUS_FORMAT. */
enum status json_stream_fail(const struct json_stream *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
