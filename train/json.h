/* JSON for configs and small files. The only file that knows cJSON, and strict where cJSON is lenient: trailing text, duplicate
 * keys, unknown keys (with "did you mean"), NaN and out-of-range numbers are errors that name the file and the key. */
#ifndef TRAIN_JSON_H
#define TRAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct json; /* one value; opaque */

/* `name` is used in messages. */
enum status json_parse(const char *text, size_t length, const char *name, struct json **root);
enum status json_read_file(const char *path, struct json **root);
void json_free(struct json *root);
/* Returned text, caller frees; indented. */
char *json_print(const struct json *root);

/* Sets "a.b" to the value whose text is given: JSON if it parses as JSON, else a string. Makes missing objects. */
enum status json_set(struct json *root, const char *dotted_key, const char *text);

/* Access to elements, e.g. of PAIRS.json. NULL / failure where absent or of another type. */
int json_array_size(const struct json *value); /* -1 if it is no array */
const struct json *json_array_item(const struct json *value, int index);
const struct json *json_get(const struct json *object, const char *key);
const char *json_string(const struct json *value); /* borrowed */
enum status json_number(const struct json *value, double *number);

#endif
