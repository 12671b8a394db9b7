/* Fuzz target: JSON as a tree. What is accepted has, in the tree, all values and keys that the scanner gives out, and a
 * scanner that skips everything accepts it too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_stream.h"
#include "train/config/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Members of all containers, and the bytes of their keys. */
static size_t size_of_tree(const struct json *value)
{
	size_t size = 1;
	for (const struct json *member = json_first(value); member; member = json_next(member))
		size += strlen(json_key(member)) + size_of_tree(member);
	return size;
}

static size_t size_of_tokens(const uint8_t *data, size_t size)
{
	struct json_stream s;
	size_t sum = 0;
	json_stream_open_memory(&s, data, size, "tokens");
	for (;;) {
		must(json_stream_next(&s) == STATUS_OK);
		if (s.token == JSON_END_OF_TEXT)
			break;
		bool begins = s.token != JSON_KEY && s.token != JSON_OBJECT_END && s.token != JSON_ARRAY_END;
		sum += s.token == JSON_KEY ? s.text_length : begins;
	}
	json_stream_close(&s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *root;
	char found[40];
	if (json_parse((const char *)data, size, "input", &root) != STATUS_OK) {
		must(!root && strncmp(status_message(), "input: ", 7) == 0);
		return 0;
	}
	must(size_of_tree(root) == size_of_tokens(data, size));
	json_describe(root, found, sizeof found);
	json_free(root);
	struct json_stream s;
	json_stream_open_memory(&s, data, size, "skipped");
	must(json_stream_next(&s) == STATUS_OK && json_stream_skip(&s) == STATUS_OK);
	must(json_stream_next(&s) == STATUS_OK && s.token == JSON_END_OF_TEXT);
	json_stream_close(&s);
	return 0;
}
