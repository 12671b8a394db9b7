/* See json.h. struct json is cJSON's node under another name, so that nobody else needs cJSON's header. */
#include "train/config/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "core/json_stream.h"
#include "core/text.h"

enum { KEY_PATH = 200 };

static const cJSON *node(const struct json *value)
{
	return (const cJSON *)value;
}

static const struct json *value(const cJSON *item)
{
	return (const struct json *)item;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first key that occurs twice in `object`, in *duplicate, else NULL. Sorted, because an object may have a
 * million keys. */
static enum status find_duplicate(const cJSON *object, const char **duplicate)
{
	*duplicate = NULL;
	size_t count = 0;
	for (const cJSON *item = object->child; item; item = item->next)
		count++;
	if (count < 2)
		return STATUS_OK;
	const char **keys = malloc(count * sizeof *keys);
	if (!keys)
		return status_fail(STATUS_NO_MEMORY, "no memory for %zu keys", count);
	count = 0;
	for (const cJSON *item = object->child; item; item = item->next)
		keys[count++] = item->string;
	qsort(keys, count, sizeof *keys, compare_keys);
	for (size_t i = 1; i < count && !*duplicate; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			*duplicate = keys[i];
	free(keys);
	return STATUS_OK;
}

/* `path` is where `item` is, "" at the top. Recursion is bounded by JSON_MAX_DEPTH. */
static enum status refuse_duplicates(const cJSON *item, const char *path, const char *name)
{
	if (cJSON_IsObject(item)) {
		const char *duplicate;
		TRY(find_duplicate(item, &duplicate));
		if (duplicate)
			return status_fail(STATUS_FORMAT, "%s: key %s%s%.64s is there twice", name, path,
					   *path ? "." : "", duplicate);
	}
	for (const cJSON *child = item->child; child; child = child->next) {
		if (!child->child)
			continue;
		char below[KEY_PATH];
		snprintf(below, sizeof below, "%s%s%.64s", path, *path ? "." : "",
			 child->string ? child->string : "[]");
		TRY(refuse_duplicates(child, below, name));
	}
	return STATUS_OK;
}

/* The tree as it grows: the containers that are open, and the last member of each, behind which the next one goes. (Not
 * cJSON_AddItemToArray, which walks the list in old versions.) */
struct tree {
	cJSON *root;
	cJSON *open[JSON_MAX_DEPTH], *last[JSON_MAX_DEPTH];
	int depth;
	long values;
	char *key; /* of the next value; owned, from cJSON_malloc */
};

static cJSON *new_node(const struct json_stream *s)
{
	cJSON *number;
	switch (s->token) {
	case JSON_OBJECT_BEGIN: return cJSON_CreateObject();
	case JSON_ARRAY_BEGIN: return cJSON_CreateArray();
	case JSON_STRING: return cJSON_CreateString(s->text);
	case JSON_NUMBER:
	case JSON_NOT_FINITE:
		number = cJSON_CreateNumber(0); /* which would also make an int of a NaN */
		if (number)
			number->valuedouble = s->number;
		return number;
	case JSON_TRUE: return cJSON_CreateTrue();
	case JSON_FALSE: return cJSON_CreateFalse();
	default: return cJSON_CreateNull();
	}
}

static enum status no_memory(const struct json_stream *s)
{
	return status_fail(STATUS_NO_MEMORY, "%s: no memory for its values", s->name);
}

static enum status keep_key(struct tree *tree, const struct json_stream *s)
{
	tree->key = cJSON_malloc(s->text_length + 1);
	if (!tree->key)
		return no_memory(s);
	memcpy(tree->key, s->text, s->text_length + 1);
	return STATUS_OK;
}

static enum status add_value(struct tree *tree, const struct json_stream *s)
{
	if (++tree->values > JSON_MAX_VALUES)
		return status_fail(STATUS_LIMIT, "%s: more than %d values", s->name, JSON_MAX_VALUES);
	cJSON *node = new_node(s);
	if (!node)
		return no_memory(s);
	node->string = tree->key;
	tree->key = NULL;
	int level = tree->depth - 1;
	if (level < 0) {
		tree->root = node;
	} else if (!tree->last[level]) {
		tree->open[level]->child = node;
	} else {
		tree->last[level]->next = node;
		node->prev = tree->last[level];
	}
	if (level >= 0) {
		tree->last[level] = node;
		tree->open[level]->child->prev = node; /* cJSON finds the end of a list there */
	}
	if (s->token == JSON_OBJECT_BEGIN || s->token == JSON_ARRAY_BEGIN) {
		tree->open[tree->depth] = node;
		tree->last[tree->depth++] = NULL;
	}
	return STATUS_OK;
}

/* On failure too, tree->root is what there is so far. */
static enum status read_tree(struct json_stream *s, struct tree *tree)
{
	for (;;) {
		TRY(json_stream_next(s));
		switch (s->token) {
		case JSON_END_OF_TEXT: return STATUS_OK;
		case JSON_KEY: TRY(keep_key(tree, s)); break;
		case JSON_OBJECT_END:
		case JSON_ARRAY_END: tree->depth--; break;
		default: TRY(add_value(tree, s));
		}
	}
}

enum status json_parse(const char *text, size_t length, const char *name, struct json **root)
{
	*root = NULL;
	if (length > JSON_MAX_BYTES)
		return status_fail(STATUS_LIMIT, "%s: %zu bytes of JSON, at most %d are allowed", name, length,
				   JSON_MAX_BYTES);
	struct json_stream stream;
	struct tree tree = {0};
	json_stream_open_memory(&stream, text, length, name);
	stream.strict = true;
	enum status status = read_tree(&stream, &tree);
	json_stream_close(&stream);
	cJSON_free(tree.key);
	if (status == STATUS_OK)
		status = refuse_duplicates(tree.root, "", name);
	if (status == STATUS_OK)
		*root = (struct json *)tree.root;
	else
		cJSON_Delete(tree.root);
	return status;
}

enum status json_read_file(const char *path, struct json **root)
{
	*root = NULL;
	char *text;
	size_t length;
	TRY(file_read(path, JSON_MAX_BYTES, &text, &length));
	enum status status = json_parse(text, length, path, root);
	free(text);
	return status;
}

enum status json_parse_loose(const char *text, struct json **root)
{
	enum status status = json_parse(text, strlen(text), "value", root);
	if (status == STATUS_OK && cJSON_IsNumber(node(*root)) && !isfinite(node(*root)->valuedouble)) {
		json_free(*root); /* a word, such as a name may be */
		status = STATUS_FORMAT;
	}
	if (status == STATUS_OK || status == STATUS_NO_MEMORY)
		return status;
	*root = (struct json *)cJSON_CreateString(text);
	return *root ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for the text \"%.64s\"", text);
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)root);
}

/* cJSON's own printer rounds numbers to where they are "equal" within an epsilon; here they read back exactly. */
static void print_value(struct text *text, const cJSON *item, int depth)
{
	if (cJSON_IsString(item)) {
		text_add_json_string(text, item->valuestring);
	} else if (cJSON_IsNumber(item)) {
		text_add_number(text, item->valuedouble);
	} else if (!cJSON_IsArray(item) && !cJSON_IsObject(item)) {
		text_add(text, "%s", cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null");
	} else {
		bool object = cJSON_IsObject(item);
		text_add(text, object ? "{" : "[");
		for (const cJSON *child = item->child; child; child = child->next) {
			text_add(text, "%s\n%*s", child == item->child ? "" : ",", 2 * depth + 2, "");
			if (object) {
				text_add_json_string(text, child->string);
				text_add(text, ": ");
			}
			print_value(text, child, depth + 1);
		}
		if (item->child)
			text_add(text, "\n%*s", 2 * depth, "");
		text_add(text, object ? "}" : "]");
	}
}

char *json_print(const struct json *root)
{
	struct text text;
	text_init(&text);
	print_value(&text, node(root), 0);
	text_add(&text, "\n");
	return text_take(&text);
}

enum json_type json_type(const struct json *v)
{
	const cJSON *item = node(v);
	if (cJSON_IsBool(item))
		return JSON_TYPE_BOOL;
	if (cJSON_IsNumber(item))
		return JSON_TYPE_NUMBER;
	if (cJSON_IsString(item))
		return JSON_TYPE_STRING;
	if (cJSON_IsArray(item))
		return JSON_TYPE_ARRAY;
	return cJSON_IsObject(item) ? JSON_TYPE_OBJECT : JSON_TYPE_NULL;
}

void json_describe(const struct json *v, char *text, size_t size)
{
	double value;
	struct text number;
	switch (json_type(v)) {
	case JSON_TYPE_STRING:
		snprintf(text, size, "the text \"%.40s%s\"", json_string(v), strlen(json_string(v)) > 40 ? "..." : "");
		break;
	case JSON_TYPE_NUMBER:
		value = node(v)->valuedouble;
		text_init(&number);
		if (isfinite(value))
			text_add_number(&number, value);
		else
			text_add(&number, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
		snprintf(text, size, "%s", number.data ? number.data : "a number");
		text_release(&number);
		break;
	case JSON_TYPE_BOOL: snprintf(text, size, "%s", cJSON_IsTrue(node(v)) ? "true" : "false"); break;
	case JSON_TYPE_ARRAY: snprintf(text, size, "a list of %d", json_array_size(v)); break;
	case JSON_TYPE_OBJECT: snprintf(text, size, "an object"); break;
	case JSON_TYPE_NULL: snprintf(text, size, "null"); break;
	}
	/* A terminal shall not obey what a file says. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

const struct json *json_first(const struct json *container)
{
	return container ? value(node(container)->child) : NULL;
}

const struct json *json_next(const struct json *member)
{
	return value(node(member)->next);
}

const char *json_key(const struct json *member)
{
	return node(member)->string ? node(member)->string : "";
}

int json_array_size(const struct json *v)
{
	return cJSON_IsArray(node(v)) ? cJSON_GetArraySize(node(v)) : -1;
}

const struct json *json_array_item(const struct json *v, int index)
{
	return cJSON_IsArray(node(v)) ? value(cJSON_GetArrayItem(node(v), index)) : NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
	return cJSON_IsObject(node(object)) ? value(cJSON_GetObjectItemCaseSensitive(node(object), key)) : NULL;
}

const char *json_string(const struct json *v)
{
	return cJSON_GetStringValue(node(v));
}

enum status json_number(const struct json *v, double *number)
{
	if (!cJSON_IsNumber(node(v)) || !isfinite(node(v)->valuedouble)) {
		char found[80] = "nothing";
		if (v)
			json_describe(v, found, sizeof found);
		return status_fail(STATUS_FORMAT, "expected a number, found %s", found);
	}
	*number = node(v)->valuedouble;
	return STATUS_OK;
}

enum status json_bool(const struct json *v, bool *boolean)
{
	if (!cJSON_IsBool(node(v))) {
		char found[80] = "nothing";
		if (v)
			json_describe(v, found, sizeof found);
		return status_fail(STATUS_FORMAT, "expected true or false, found %s", found);
	}
	*boolean = cJSON_IsTrue(node(v));
	return STATUS_OK;
}
