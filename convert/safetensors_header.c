/* A scanner for exactly the JSON that a safetensors header may be: an object of tensors, each an object of "dtype",
 * "shape" and "data_offsets", plus one "__metadata__" of strings. It is stricter and smaller than a general JSON
 * reader, sees duplicate keys, and cannot recurse. */
#include "convert/safetensors_header.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	const char *at, *begin, *end;
	const char *name; /* of the file, for messages */
};

static enum status fail_at(const struct scan *scan, const char *expected)
{
	char found[32] = "the end";
	if (scan->at < scan->end) {
		unsigned char c = (unsigned char)*scan->at;
		snprintf(found, sizeof found, c >= 32 && c < 127 ? "'%c'" : "byte 0x%02x", c);
	}
	return status_fail(STATUS_FORMAT, "%s: safetensors header, byte %zu: expected %s, found %s", scan->name,
			   (size_t)(scan->at - scan->begin), expected, found);
}

static enum status fail_key(const struct scan *scan, const char *key, const char *what)
{
	return status_fail(STATUS_FORMAT, "%s: safetensors header: \"%.200s\": %s", scan->name, key, what);
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\n\r", *scan->at) && *scan->at)
		scan->at++;
}

/* Whether the next character is this one; it is then consumed. */
static bool take(struct scan *scan, char c)
{
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static enum status expect(struct scan *scan, char c)
{
	char expected[] = {'\'', c, '\'', '\0'};
	return take(scan, c) ? STATUS_OK : fail_at(scan, expected);
}

/* --- strings -------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p, 0 if it is none (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high;
		size_t length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (p[0] < forms[i].first_low || p[0] > forms[i].first_high || left < forms[i].length)
			continue;
		if (p[1] < forms[i].second_low || p[1] > forms[i].second_high)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if (p[k] < 0x80 || p[k] > 0xbf)
				return 0;
		return forms[i].length;
	}
	return 0;
}

/* The four hex digits of a \u escape. */
static enum status scan_hex4(struct scan *scan, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = scan->at < scan->end && *scan->at ? strchr(digits, *scan->at) : NULL;
		if (!digit)
			return fail_at(scan, "a hex digit");
		*code = *code * 16 + (uint32_t)(digit - digits) % 16;
		scan->at++;
	}
	return STATUS_OK;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	*out++ = (char)(lead[more] | code >> (6 * more));
	while (more-- > 0)
		*out++ = (char)(0x80 | (code >> (6 * more) & 0x3f));
	return out;
}

/* After \u: one code point, which may need a second escape (a surrogate pair). */
static enum status scan_code_point(struct scan *scan, char **out)
{
	uint32_t code, low;
	TRY(scan_hex4(scan, &code));
	if (code >= 0xd800 && code < 0xdc00) {
		if (scan->end - scan->at < 2 || scan->at[0] != '\\' || scan->at[1] != 'u')
			return fail_at(scan, "the second half of a surrogate pair");
		scan->at += 2;
		TRY(scan_hex4(scan, &low));
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(scan, "the second half of a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code == 0 || (code >= 0xdc00 && code <= 0xdfff)) {
		return fail_at(scan, "a character other than NUL and half a surrogate pair");
	}
	*out = put_utf8(*out, code);
	return STATUS_OK;
}

static enum status scan_escape(struct scan *scan, char **out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	if (scan->at < scan->end && *scan->at == 'u') {
		scan->at++;
		return scan_code_point(scan, out);
	}
	const char *letter = scan->at < scan->end && *scan->at ? strchr(letters, *scan->at) : NULL;
	if (!letter)
		return fail_at(scan, "an escape");
	*(*out)++ = meanings[letter - letters];
	scan->at++;
	return STATUS_OK;
}

static enum status scan_characters(struct scan *scan, char *out)
{
	while (scan->at < scan->end && *scan->at != '"') {
		unsigned char c = (unsigned char)*scan->at;
		if (c == '\\') {
			scan->at++;
			TRY(scan_escape(scan, &out));
			continue;
		}
		size_t length = utf8_length((const unsigned char *)scan->at, (size_t)(scan->end - scan->at));
		if (c < 32 || length == 0)
			return fail_at(scan, "UTF-8 without control characters");
		memcpy(out, scan->at, length);
		out += length;
		scan->at += length;
	}
	*out = '\0';
	return expect(scan, '"');
}

/* A string without its quotes and escapes; caller frees. An escape is never shorter than what it stands for. */
static enum status scan_string(struct scan *scan, char **string)
{
	*string = NULL;
	TRY(expect(scan, '"'));
	size_t room = 1;
	for (const char *p = scan->at; p < scan->end && *p != '"'; p += 1 + (*p == '\\'))
		room += 1 + (*p == '\\');
	char *out = malloc(room);
	if (!out)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a name of %zu bytes", scan->name, room);
	enum status status = scan_characters(scan, out);
	if (status != STATUS_OK)
		free(out);
	else
		*string = out;
	return status;
}

/* --- numbers -------------------------------------------------------------- */

/* An integer from 0 that fits a size_t; no sign, fraction, exponent or leading zero. */
static enum status scan_size(struct scan *scan, size_t *value)
{
	skip_space(scan);
	const char *first = scan->at;
	*value = 0;
	for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
		size_t digit = (size_t)(*scan->at - '0');
		if (*value > (SIZE_MAX - digit) / 10 || (scan->at > first && *first == '0'))
			return fail_at(scan, "an integer that fits 64 bits and has no leading zero");
		*value = *value * 10 + digit;
	}
	return scan->at > first ? STATUS_OK : fail_at(scan, "an integer");
}

/* [a, b, ...] of at most `limit` integers. */
static enum status scan_sizes(struct scan *scan, size_t *values, int limit, int *count)
{
	*count = 0;
	TRY(expect(scan, '['));
	if (take(scan, ']'))
		return STATUS_OK;
	do {
		if (*count == limit)
			return status_fail(STATUS_LIMIT, "%s: safetensors header, byte %zu: more than %d numbers",
					   scan->name, (size_t)(scan->at - scan->begin), limit);
		TRY(scan_size(scan, &values[(*count)++]));
	} while (take(scan, ','));
	return expect(scan, ']');
}

/* --- tensors -------------------------------------------------------------- */

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
	char *dtype;
	TRY(scan_string(scan, &dtype));
	for (int i = 0; i < (int)(sizeof dtypes / sizeof *dtypes); i++)
		if (strcmp(dtypes[i].name, dtype) == 0)
			entry->dtype = i;
	enum status status = entry->dtype < 0 ? fail_key(scan, dtype, "unknown dtype") : STATUS_OK;
	free(dtype);
	return status;
}

static enum status scan_field(struct scan *scan, const char *key, struct safetensors_tensor *tensor,
			      struct entry *entry)
{
	if (strcmp(key, "dtype") == 0 && entry->dtype < 0)
		return scan_dtype(scan, entry);
	if (strcmp(key, "shape") == 0 && !entry->has_shape) {
		entry->has_shape = true;
		return scan_sizes(scan, tensor->dims, SAFETENSORS_MAX_RANK, &tensor->rank);
	}
	if (strcmp(key, "data_offsets") == 0 && !entry->has_offsets) {
		int count;
		entry->has_offsets = true;
		TRY(scan_sizes(scan, entry->offsets, 2, &count));
		return count == 2 ? STATUS_OK : fail_key(scan, tensor->name, "data_offsets must be two numbers");
	}
	return fail_key(scan, key, "expected dtype, shape and data_offsets, each once");
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

static enum status check_entry(const struct scan *scan, struct safetensors_tensor *tensor, const struct entry *entry,
			       const unsigned char *data, size_t data_size)
{
	size_t begin = entry->offsets[0], end = entry->offsets[1];
	if (entry->dtype < 0 || !entry->has_shape || !entry->has_offsets)
		return fail_key(scan, tensor->name, "dtype, shape or data_offsets is missing");
	tensor->dtype = dtypes[entry->dtype].name;
	if (begin > end || end > data_size)
		return status_fail(STATUS_FORMAT,
				   "%s: tensor %.200s: bytes %zu to %zu, but the file has data from 0 to %zu",
				   scan->name, tensor->name, begin, end, data_size);
	if (!measure(tensor, dtypes[entry->dtype].bytes))
		return fail_key(scan, tensor->name, "its shape overflows");
	if (tensor->bytes != end - begin)
		return status_fail(STATUS_FORMAT,
				   "%s: tensor %.200s: shape and %s need %zu bytes, data_offsets give %zu", scan->name,
				   tensor->name, tensor->dtype, tensor->bytes, end - begin);
	tensor->data = data + begin;
	return STATUS_OK;
}

static enum status scan_tensor(struct scan *scan, struct safetensors_tensor *tensor, const unsigned char *data,
			       size_t data_size)
{
	struct entry entry = {.dtype = -1};
	TRY(expect(scan, '{'));
	do {
		char *key;
		TRY(scan_string(scan, &key));
		enum status status = expect(scan, ':');
		if (status == STATUS_OK)
			status = scan_field(scan, key, tensor, &entry);
		free(key);
		TRY(status);
	} while (take(scan, ','));
	TRY(expect(scan, '}'));
	return check_entry(scan, tensor, &entry, data, data_size);
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
	do {
		char **items = grow(keys->items, keys->count, sizeof *items), *value;
		if (!items)
			return status_fail(STATUS_NO_MEMORY, "%s: no memory for metadata", scan->name);
		keys->items = items;
		TRY(scan_string(scan, &keys->items[keys->count]));
		keys->count++;
		TRY(expect(scan, ':'));
		TRY(scan_string(scan, &value));
		free(value);
	} while (take(scan, ','));
	return expect(scan, '}');
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
	TRY(expect(scan, '{'));
	if (take(scan, '}'))
		return STATUS_OK;
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

static enum status scan_member(struct scan *scan, struct safetensors *file, const unsigned char *data, size_t data_size,
			       bool *has_metadata)
{
	char *key;
	TRY(scan_string(scan, &key));
	if (strcmp(key, "__metadata__") == 0) {
		enum status status = *has_metadata ? fail_key(scan, key, "stands there twice") : expect(scan, ':');
		free(key);
		TRY(status);
		*has_metadata = true;
		return scan_metadata(scan);
	}
	TRY(add_tensor(scan, file, key));
	TRY(expect(scan, ':'));
	return scan_tensor(scan, &file->tensors[file->count - 1], data, data_size);
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

enum status safetensors_header_parse(struct safetensors *file, const char *text, size_t size, const unsigned char *data,
				     size_t data_size, const char *name)
{
	struct scan scan = {text, text, text + size, name};
	bool has_metadata = false;
	if (size == 0 || *text != '{')
		return fail_at(&scan, "'{'");
	scan.at++;
	if (!take(&scan, '}')) {
		do
			TRY(scan_member(&scan, file, data, data_size, &has_metadata));
		while (take(&scan, ','));
		TRY(expect(&scan, '}'));
	}
	skip_space(&scan);
	if (scan.at != scan.end)
		return fail_at(&scan, "nothing but spaces");
	return check_names(&scan, file);
}
