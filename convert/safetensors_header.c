/* The header of a safetensors file: an object of tensors, each an object of "dtype", "shape" and "data_offsets", plus
 * one "__metadata__" of strings. core/json_stream.h scans, in its strict form; here is what may stand in it. */
#include "convert/safetensors_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_stream.h"

struct scan {
	struct json_stream stream;
	const char *name; /* of the file, for messages */
	struct safetensors *file;
	const unsigned char *data;
	size_t data_size;
};

static enum status fail_found(const struct scan *scan, const char *expected)
{
	return json_stream_fail(&scan->stream, "safetensors header: expected %s, found %s", expected,
				json_stream_found(&scan->stream));
}

static enum status fail_key(const struct scan *scan, const char *key, const char *what)
{
	return status_fail(STATUS_FORMAT, "%s: safetensors header: \"%.200s\": %s", scan->name, key, what);
}

/* The next token must be this one. */
static enum status expect(struct scan *scan, enum json_token token, const char *expected)
{
	TRY(json_stream_next(&scan->stream));
	return scan->stream.token == token ? STATUS_OK : fail_found(scan, expected);
}

/* The key of the object's next member, or that the object ends. */
static enum status next_key(struct scan *scan, bool *end)
{
	TRY(json_stream_next(&scan->stream));
	*end = scan->stream.token == JSON_OBJECT_END;
	return STATUS_OK;
}

/* The current string or key; caller frees. */
static enum status copy_text(const struct scan *scan, char **text)
{
	*text = strdup(scan->stream.text);
	return *text ? STATUS_OK
		     : status_fail(STATUS_NO_MEMORY, "%s: no memory for a name of %zu bytes", scan->name,
				   scan->stream.text_length);
}

static bool text_is(const struct scan *scan, const char *text)
{
	return strcmp(scan->stream.text, text) == 0;
}

/* --- a tensor ------------------------------------------------------------- */

/* The list of whole numbers that comes next. */
static enum status scan_sizes(struct scan *scan, size_t *sizes, int room, int *count)
{
	struct json_stream *s = &scan->stream;
	TRY(expect(scan, JSON_ARRAY_BEGIN, "a list of numbers"));
	for (*count = 0;; ++*count) {
		TRY(json_stream_next(s));
		if (s->token == JSON_ARRAY_END)
			return STATUS_OK;
		/* As written: neither -0 nor 2.0 nor 2e0. */
		if (s->token != JSON_NUMBER || !s->is_integer || s->digits[0] == '-')
			return fail_found(scan, "a whole number from 0 that fits 63 bits");
		if (*count == room)
			return json_stream_fail(s, "safetensors header: more than %d numbers", room);
		if ((uint64_t)s->integer > SIZE_MAX)
			return fail_found(scan, "a size that this machine can address");
		sizes[*count] = (size_t)s->integer;
	}
}

static const struct {
	const char *name;
	size_t bytes;
} dtypes[] = {
	{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},     {"U64", 8},     {"I32", 4},  {"U32", 4},
	{"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},   {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"BOOL", 1}, {"C64", 8},
};

/* What was seen of a tensor's object. */
struct entry {
	int dtype; /* -1: not seen */
	bool has_shape, has_offsets;
	size_t offsets[2];
};

static enum status scan_dtype(struct scan *scan, struct entry *entry)
{
	TRY(expect(scan, JSON_STRING, "a dtype in quotes"));
	for (int i = 0; i < (int)(sizeof dtypes / sizeof *dtypes); i++)
		if (text_is(scan, dtypes[i].name))
			entry->dtype = i;
	return entry->dtype < 0 ? fail_key(scan, scan->stream.text, "unknown dtype") : STATUS_OK;
}

/* The member whose key is the current token. */
static enum status scan_field(struct scan *scan, struct safetensors_tensor *tensor, struct entry *entry)
{
	if (text_is(scan, "dtype") && entry->dtype < 0)
		return scan_dtype(scan, entry);
	if (text_is(scan, "shape") && !entry->has_shape) {
		entry->has_shape = true;
		return scan_sizes(scan, tensor->dims, SAFETENSORS_MAX_RANK, &tensor->rank);
	}
	if (text_is(scan, "data_offsets") && !entry->has_offsets) {
		int count;
		entry->has_offsets = true;
		TRY(scan_sizes(scan, entry->offsets, 2, &count));
		return count == 2 ? STATUS_OK : fail_key(scan, tensor->name, "data_offsets must be two numbers");
	}
	return fail_key(scan, scan->stream.text, "expected dtype, shape and data_offsets, each once");
}

/* Numbers and bytes of a shape; false when they overflow. */
static bool measure(struct safetensors_tensor *tensor, size_t number_bytes)
{
	tensor->count = 1;
	for (int i = 0; i < tensor->rank; i++)
		if (tensor->dims[i] == 0)
			tensor->count = 0;
	for (int i = 0; i < tensor->rank && tensor->count; i++) {
		if (tensor->count > SIZE_MAX / number_bytes / tensor->dims[i])
			return false;
		tensor->count *= tensor->dims[i];
	}
	tensor->bytes = tensor->count * number_bytes;
	return true;
}

static enum status check_entry(const struct scan *scan, struct safetensors_tensor *tensor, const struct entry *entry)
{
	size_t begin = entry->offsets[0], end = entry->offsets[1];
	if (entry->dtype < 0 || !entry->has_shape || !entry->has_offsets)
		return fail_key(scan, tensor->name, "dtype, shape or data_offsets is missing");
	tensor->dtype = dtypes[entry->dtype].name;
	if (begin > end || end > scan->data_size)
		return status_fail(STATUS_FORMAT,
				   "%s: tensor %.200s: bytes %zu to %zu, but the file has data from 0 to %zu",
				   scan->name, tensor->name, begin, end, scan->data_size);
	if (!measure(tensor, dtypes[entry->dtype].bytes))
		return fail_key(scan, tensor->name, "its shape overflows");
	if (tensor->bytes != end - begin)
		return status_fail(STATUS_FORMAT,
				   "%s: tensor %.200s: shape and %s need %zu bytes, data_offsets give %zu", scan->name,
				   tensor->name, tensor->dtype, tensor->bytes, end - begin);
	tensor->data = scan->data + begin;
	return STATUS_OK;
}

static enum status scan_tensor(struct scan *scan, struct safetensors_tensor *tensor)
{
	struct entry entry = {.dtype = -1};
	bool end;
	TRY(expect(scan, JSON_OBJECT_BEGIN, "an object of dtype, shape and data_offsets"));
	for (;;) {
		TRY(next_key(scan, &end));
		if (end)
			return check_entry(scan, tensor, &entry);
		TRY(scan_field(scan, tensor, &entry));
	}
}

/* --- the whole ------------------------------------------------------------ */

/* Strings that must all differ: of the metadata's keys. */
struct keys {
	char **items;
	size_t count;
};

/* Room for one more in an array that grows in powers of two; NULL when memory is out. */
static void *grow(void *items, size_t count, size_t size)
{
	return count & (count - 1) ? items : realloc(items, (count ? 2 * count : 1) * size);
}

static enum status scan_metadata_items(struct scan *scan, struct keys *keys)
{
	bool end;
	for (;;) {
		TRY(next_key(scan, &end));
		if (end)
			return STATUS_OK;
		char **items = grow(keys->items, keys->count, sizeof *items);
		if (!items)
			return status_fail(STATUS_NO_MEMORY, "%s: no memory for metadata", scan->name);
		keys->items = items;
		keys->items[keys->count] = NULL;
		TRY(copy_text(scan, &keys->items[keys->count]));
		keys->count++; /* it is the caller's to free, whatever follows */
		TRY(expect(scan, JSON_STRING, "a string"));
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status check_keys(const struct scan *scan, struct keys *keys)
{
	if (keys->count)
		qsort(keys->items, keys->count, sizeof *keys->items, compare_keys);
	for (size_t i = 1; i < keys->count; i++)
		if (strcmp(keys->items[i - 1], keys->items[i]) == 0)
			return fail_key(scan, keys->items[i], "stands there twice");
	return STATUS_OK;
}

/* { "key": "value", ... } */
static enum status scan_metadata(struct scan *scan)
{
	struct keys keys = {0};
	TRY(expect(scan, JSON_OBJECT_BEGIN, "an object of strings"));
	enum status status = scan_metadata_items(scan, &keys);
	if (status == STATUS_OK)
		status = check_keys(scan, &keys);
	for (size_t i = 0; i < keys.count; i++)
		free(keys.items[i]);
	free(keys.items);
	return status;
}

/* Makes room for the next tensor, which takes the name. */
static enum status add_tensor(const struct scan *scan, struct safetensors *file, char *name)
{
	if (file->count == SAFETENSORS_MAX_TENSORS) {
		free(name);
		return status_fail(STATUS_LIMIT, "%s: more than %d tensors", scan->name, SAFETENSORS_MAX_TENSORS);
	}
	struct safetensors_tensor *tensors = grow(file->tensors, (size_t)file->count, sizeof *tensors);
	if (!tensors) {
		free(name);
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %d tensors", scan->name, file->count + 1);
	}
	file->tensors = tensors;
	file->tensors[file->count++] = (struct safetensors_tensor){.name = name};
	return *name ? STATUS_OK : status_fail(STATUS_FORMAT, "%s: a tensor without a name", scan->name);
}

/* The member whose key is the current token. */
static enum status scan_member(struct scan *scan, bool *has_metadata)
{
	if (text_is(scan, "__metadata__")) {
		if (*has_metadata)
			return fail_key(scan, scan->stream.text, "stands there twice");
		*has_metadata = true;
		return scan_metadata(scan);
	}
	char *name;
	TRY(copy_text(scan, &name));
	TRY(add_tensor(scan, scan->file, name));
	return scan_tensor(scan, &scan->file->tensors[scan->file->count - 1]);
}

static enum status check_names(const struct scan *scan, const struct safetensors *file)
{
	struct keys keys = {malloc((size_t)(file->count + 1) * sizeof *keys.items), (size_t)file->count};
	if (!keys.items)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %d names", scan->name, file->count);
	for (int i = 0; i < file->count; i++)
		keys.items[i] = file->tensors[i].name;
	enum status status = check_keys(scan, &keys);
	free(keys.items);
	return status;
}

static enum status scan_header(struct scan *scan)
{
	bool has_metadata = false, end;
	TRY(expect(scan, JSON_OBJECT_BEGIN, "an object of tensors"));
	for (;;) {
		TRY(next_key(scan, &end));
		if (end)
			break;
		TRY(scan_member(scan, &has_metadata));
	}
	TRY(json_stream_next(&scan->stream)); /* nothing but spaces may follow */
	return check_names(scan, scan->file);
}

enum status safetensors_header_parse(struct safetensors *file, const char *text, size_t size, const unsigned char *data,
				     size_t data_size, const char *name)
{
	if (size == 0 || *text != '{') /* the format allows no space before it */
		return status_fail(STATUS_FORMAT, "%s: safetensors header: it must begin with '{'", name);
	struct scan scan = {.name = name, .file = file, .data = data, .data_size = data_size};
	json_stream_open_memory(&scan.stream, text, size, name);
	scan.stream.strict = true;
	scan.stream.text_limit = size;
	enum status status = scan_header(&scan);
	json_stream_close(&scan.stream);
	return status;
}
