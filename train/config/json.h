/* JSON documents as trees: configs and other small files. core/json_stream.h scans, in its strict form; cJSON's nodes
 * hold the tree, and json.c is the only file that knows them. Refused beside what the scanner refuses: more than
 * JSON_MAX_BYTES or JSON_MAX_VALUES (STATUS_LIMIT), and a key that stands twice in an object. NaN and infinities are
 * numbers of the tree that json_number refuses, so that they harm nobody who does not read them. */
#ifndef TRAIN_JSON_H
#define TRAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct json; /* one value; opaque */

/* The second bounds memory: a value takes some 80 bytes. */
enum { JSON_MAX_BYTES = 100 * 1000 * 1000, JSON_MAX_VALUES = 4 * 1000 * 1000 };

enum json_type {
	JSON_TYPE_NULL,
	JSON_TYPE_BOOL,
	JSON_TYPE_NUMBER,
	JSON_TYPE_STRING,
	JSON_TYPE_ARRAY,
	JSON_TYPE_OBJECT,
};

/* --- in and out ----------------------------------------------------------- */

/* `name` is used in messages. *root is NULL on failure. */
enum status json_parse(const char *text, size_t length, const char *name, struct json **root);
enum status json_read_file(const char *path, struct json **root);
/* What `--set key=TEXT` means: TEXT's value if it is JSON, else TEXT itself as a string. */
enum status json_parse_loose(const char *text, struct json **root);
void json_free(struct json *root);
/* Returned text, caller frees; indented. NULL when memory is out. A number that is not finite is printed as null. */
char *json_print(const struct json *root);
/* --- looking at it -------------------------------------------------------- */

enum json_type json_type(const struct json *value);
/* For messages: `the text "abc"`, `3.5`, `true`, `a list`, `an object`, `null`. */
void json_describe(const struct json *value, char *text, size_t size);

/* Members of a list or an object, in the file's order: for (v = json_first(list); v; v = json_next(v)). Constant
 * time each. */
const struct json *json_first(const struct json *container); /* NULL: empty, or no container */
const struct json *json_next(const struct json *member);
const char *json_key(const struct json *member); /* of a member of an object; borrowed */

/* Access to elements. NULL, or a failure, where the element is absent or of another type. json_array_item walks from
 * the start. */
int json_array_size(const struct json *value); /* -1 if it is no array */
const struct json *json_array_item(const struct json *value, int index);
const struct json *json_get(const struct json *object, const char *key);
const char *json_string(const struct json *value);                 /* borrowed */
enum status json_number(const struct json *value, double *number); /* finite */
enum status json_bool(const struct json *value, bool *boolean);

#endif
