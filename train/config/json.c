/* See json.h. struct json is cJSON's node under another name, so that nobody else needs cJSON's header. */
#include "train/config/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "train/config/json_check.h"
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

enum status json_parse(const char *text, size_t length, const char *name, struct json **root)
{
	*root = NULL;
	if (length > JSON_MAX_BYTES)
		return status_fail(STATUS_LIMIT, "%s: %zu bytes of JSON, at most %d are allowed", name, length,
				   JSON_MAX_BYTES);
	TRY(json_check(text, length, name));
	cJSON *tree = cJSON_ParseWithLength(text, length);
	if (!tree)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for its values", name);
	enum status status = refuse_duplicates(tree, "", name);
	if (status != STATUS_OK) {
		cJSON_Delete(tree);
		return status;
	}
	*root = (struct json *)tree;
	return STATUS_OK;
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
	size_t length = strlen(text);
	if (json_check(text, length, "value") == STATUS_OK)
		return json_parse(text, length, "value", root);
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

/* The object that holds the last part of `key`, made where it is missing; *last is that part. */
static enum status find_parent(cJSON *root, const char *key, cJSON **parent, const char **last)
{
	int depth = 0;
	*parent = root;
	*last = key;
	for (const char *dot; (dot = strchr(*last, '.')); *last = dot + 1) {
		char part[KEY_PATH];
		size_t count = (size_t)(dot - *last);
		if (!count || count >= sizeof part || ++depth >= JSON_MAX_DEPTH)
			return status_fail(STATUS_CONFIG, "%.64s: not a dotted key such as optim.lr", key);
		memcpy(part, *last, count);
		part[count] = '\0';
		cJSON *below = cJSON_GetObjectItemCaseSensitive(*parent, part);
		if (!below && !(below = cJSON_AddObjectToObject(*parent, part)))
			return status_fail(STATUS_NO_MEMORY, "%.64s: no memory", key);
		if (!cJSON_IsObject(below))
			return status_fail(STATUS_CONFIG, "%.64s: %s is no object", key, part);
		*parent = below;
	}
	return **last ? STATUS_OK : status_fail(STATUS_CONFIG, "%.64s: a key must not end with a dot or be empty", key);
}

enum status json_set(struct json *root, const char *dotted_key, const char *text)
{
	if (!cJSON_IsObject(node(root)))
		return status_fail(STATUS_CONFIG, "%.64s: cannot be set in what is no object", dotted_key);
	cJSON *parent;
	const char *last;
	TRY(find_parent((cJSON *)root, dotted_key, &parent, &last));
	struct json *parsed;
	TRY(json_parse_loose(text, &parsed));
	bool there = cJSON_GetObjectItemCaseSensitive(parent, last) != NULL;
	bool done = there ? cJSON_ReplaceItemInObjectCaseSensitive(parent, last, (cJSON *)parsed)
			  : cJSON_AddItemToObject(parent, last, (cJSON *)parsed);
	if (done)
		return STATUS_OK;
	json_free(parsed);
	return status_fail(STATUS_NO_MEMORY, "%.64s: no memory", dotted_key);
}

enum json_type json_type(const struct json *v)
{
	const cJSON *item = node(v);
	if (cJSON_IsBool(item))
		return JSON_BOOL;
	if (cJSON_IsNumber(item))
		return JSON_NUMBER;
	if (cJSON_IsString(item))
		return JSON_STRING;
	if (cJSON_IsArray(item))
		return JSON_ARRAY;
	return cJSON_IsObject(item) ? JSON_OBJECT : JSON_NULL;
}

void json_describe(const struct json *v, char *text, size_t size)
{
	struct text number;
	switch (json_type(v)) {
	case JSON_STRING:
		snprintf(text, size, "the text \"%.40s%s\"", json_string(v), strlen(json_string(v)) > 40 ? "..." : "");
		break;
	case JSON_NUMBER:
		text_init(&number);
		text_add_number(&number, node(v)->valuedouble);
		snprintf(text, size, "%s", number.data ? number.data : "a number");
		text_release(&number);
		break;
	case JSON_BOOL: snprintf(text, size, "%s", cJSON_IsTrue(node(v)) ? "true" : "false"); break;
	case JSON_ARRAY: snprintf(text, size, "a list of %d", json_array_size(v)); break;
	case JSON_OBJECT: snprintf(text, size, "an object"); break;
	case JSON_NULL: snprintf(text, size, "null"); break;
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
	if (!cJSON_IsNumber(node(v))) {
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
