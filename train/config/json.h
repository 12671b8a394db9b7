/* JSON for configs and small files. The only file that knows cJSON, and strict where cJSON is lenient
 * (json_check.h): trailing text, duplicate keys, invalid numbers and texts, deep nesting are errors that name the
 * file and the line or key. */
#ifndef TRAIN_JSON_H
#define TRAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct json; /* one value; opaque */

enum { JSON_MAX_BYTES = 100 * 1000 * 1000 };

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* --- in and out ----------------------------------------------------------- */

/* `name` is used in messages. *root is NULL on failure. */
enum status json_parse(const char *text, size_t length, const char *name, struct json **root);
enum status json_read_file(const char *path, struct json **root);
/* What `--set key=TEXT` means: TEXT's value if it is JSON, else TEXT itself as a string. */
enum status json_parse_loose(const char *text, struct json **root);
void json_free(struct json *root);
/* Returned text, caller frees; indented. NULL when memory is out. */
char *json_print(const struct json *root);

/* Sets "a.b" to the value whose text is given, as json_parse_loose reads it. Makes missing objects. */
enum status json_set(struct json *root, const char *dotted_key, const char *text);

/* --- looking at it -------------------------------------------------------- */

enum json_type json_type(const struct json *value);
/* For messages: `the text "abc"`, `3.5`, `true`, `a list`, `an object`, `null`. */
void json_describe(const struct json *value, char *text, size_t size);

/* Members of a list or an object, in the file's order: for (v = json_first(list); v; v = json_next(v)). Constant
 * time each. */
const struct json *json_first(const struct json *container); /* NULL: empty, or no container */
const struct json *json_next(const struct json *member);
const char *json_key(const struct json *member); /* of a member of an object; borrowed */

/* Access to elements. NULL / failure where absent or of another type. json_array_item walks from the start. */
int json_array_size(const struct json *value); /* -1 if it is no array */
const struct json *json_array_item(const struct json *value, int index);
const struct json *json_get(const struct json *object, const char *key);
const char *json_string(const struct json *value); /* borrowed */
enum status json_number(const struct json *value, double *number);
enum status json_bool(const struct json *value, bool *boolean);

#endif
