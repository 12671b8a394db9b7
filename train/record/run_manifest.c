/* See run_manifest.h. One table of members drives writing and reading. */
#include "train/record/run_manifest.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/atomic_file.h"
#include "core/numerics.h"
#include "core/sha256.h"
#include "train/config/config_file.h"
#include "train/config/json.h"

enum { PATH_SIZE = 1100 };

enum member_type { MEMBER_TEXT, MEMBER_INT, MEMBER_COUNT, MEMBER_SECONDS };

/* clang-format off: a table, a row each */
static const struct member {
	const char *section; /* NULL: at the top */
	const char *key;
	enum member_type type;
	size_t offset, size;
	bool optional; /* not written where it is empty or 0 */
} members[] = {
#define MEMBER(f) offsetof(struct run_manifest, f), sizeof(((struct run_manifest *)0)->f)
	{NULL, "config_sha256", MEMBER_TEXT, MEMBER(config_sha256), false},
	{NULL, "seed", MEMBER_COUNT, MEMBER(seed), false},
	{NULL, "numerics", MEMBER_INT, MEMBER(numerics), false},
	{NULL, "commit", MEMBER_TEXT, MEMBER(commit), false},
	{NULL, "step", MEMBER_COUNT, MEMBER(step), false},
	{NULL, "samples", MEMBER_COUNT, MEMBER(samples), false},
	{NULL, "started", MEMBER_TEXT, MEMBER(started), false},
	{NULL, "written", MEMBER_TEXT, MEMBER(written), false},
	{NULL, "seconds", MEMBER_SECONDS, MEMBER(seconds), false},
	{NULL, "machine", MEMBER_TEXT, MEMBER(machine), false},
	{"data", "annotations_sha256", MEMBER_TEXT, MEMBER(annotations_sha256), false},
	{"data", "objects", MEMBER_INT, MEMBER(objects), false},
	{"data", "photos", MEMBER_INT, MEMBER(photos), false},
	{"data", "photos_sha256", MEMBER_TEXT, MEMBER(photos_sha256), false},
	{"init", "file", MEMBER_TEXT, MEMBER(init_file), true},
	{"init", "sha256", MEMBER_TEXT, MEMBER(init_sha256), true},
	{"result", "file", MEMBER_TEXT, MEMBER(result_file), true},
	{"result", "bytes", MEMBER_COUNT, MEMBER(result_bytes), true},
	{"result", "sha256", MEMBER_TEXT, MEMBER(result_sha256), true},
#undef MEMBER
};
/* clang-format on */
enum { MEMBERS = sizeof members / sizeof *members };

static void now_as_text(char text[32])
{
	time_t now = time(NULL);
	struct tm utc;
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

void run_manifest_init(struct run_manifest *manifest)
{
	*manifest = (struct run_manifest){.numerics = NUMERICS_VERSION};
	now_as_text(manifest->started);
	memcpy(manifest->written, manifest->started, sizeof manifest->written);
}

void run_manifest_stamp(struct run_manifest *manifest)
{
	now_as_text(manifest->written);
}

void run_manifest_release(struct run_manifest *manifest)
{
	free(manifest->history);
	manifest->history = NULL;
}

/* --- weights -------------------------------------------------------------- */

void run_manifest_add_weights(struct run_manifest *manifest, uint64_t step, const float *values, size_t count)
{
	struct sha256 sha;
	uint8_t digest[32];
	while (manifest->weights_count && manifest->weights[manifest->weights_count - 1].step >= step)
		manifest->weights_count--;
	if (manifest->weights_count == MANIFEST_MAX_WEIGHTS)
		return;
	sha256_init(&sha);
	sha256_update(&sha, values, count * sizeof *values);
	sha256_final(&sha, digest);
	struct manifest_weights *weights = &manifest->weights[manifest->weights_count++];
	weights->step = step;
	sha256_hex(digest, weights->sha256);
}

const struct manifest_weights *run_manifest_find_weights(const struct run_manifest *manifest, uint64_t step)
{
	for (int i = 0; i < manifest->weights_count; i++)
		if (manifest->weights[i].step == step)
			return &manifest->weights[i];
	return NULL;
}

/* --- out ------------------------------------------------------------------ */

static bool is_empty(const struct member *member, const void *from)
{
	return member->optional && (member->type == MEMBER_TEXT ? !*(const char *)from : !*(const uint64_t *)from);
}

static void add_member(struct text *text, const struct member *member, const void *from)
{
	text_add(text, "\"%s\": ", member->key);
	switch (member->type) {
	case MEMBER_TEXT: text_add_json_string(text, from); break;
	case MEMBER_INT: text_add(text, "%d", *(const int *)from); break;
	case MEMBER_COUNT: text_add(text, "%llu", (unsigned long long)*(const uint64_t *)from); break;
	case MEMBER_SECONDS: text_add(text, "%.1f", *(const double *)from); break;
	}
}

/* The members of a section, with commas between. */
static int add_section(struct text *text, const struct run_manifest *manifest, const char *section)
{
	int count = 0;
	for (int i = 0; i < MEMBERS; i++) {
		const void *from = (const char *)manifest + members[i].offset;
		bool here =
			section ? members[i].section && strcmp(members[i].section, section) == 0 : !members[i].section;
		if (!here || is_empty(&members[i], from))
			continue;
		text_add(text, count++ ? ", " : section ? "{" : "");
		add_member(text, &members[i], from);
	}
	return count;
}

static void add_sections(struct text *text, const struct run_manifest *manifest)
{
	static const char *const sections[] = {"data", "init", "result"};
	add_section(text, manifest, NULL);
	for (int i = 0; i < 3; i++) {
		struct text part;
		text_init(&part);
		if (add_section(&part, manifest, sections[i]))
			text_add(text, ", \"%s\": %s}", sections[i], part.data ? part.data : "{");
		text->failed |= part.failed;
		text_release(&part);
	}
	text_add(text, ", \"changes\": [%s]", manifest->history ? manifest->history : "");
}

void run_manifest_add_short(struct text *text, const struct run_manifest *manifest)
{
	text_add(text, "{");
	add_sections(text, manifest);
	text_add(text, "}");
}

static void add_weights(struct text *text, const struct run_manifest *manifest)
{
	text_add(text, "[");
	for (int i = 0; i < manifest->weights_count; i++)
		text_add(text, "%s{\"step\": %llu, \"sha256\": \"%s\"}", i ? ", " : "",
			 (unsigned long long)manifest->weights[i].step, manifest->weights[i].sha256);
	text_add(text, "]");
}

/* Indented by way of the tree, which also proves that it is JSON. */
static enum status write_text(const struct text *text, const char *path)
{
	struct json *root;
	TRY(text_status(text));
	TRY(json_parse(text->data, text->length, path, &root));
	char *pretty = json_print(root);
	json_free(root);
	if (!pretty)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory to write it", path);
	enum status status = atomic_file_write(path, &(struct file_part){pretty, strlen(pretty)}, 1);
	free(pretty);
	return status;
}

enum status run_manifest_write(const struct run_manifest *manifest, const struct config *config, const char *dir)
{
	char path[PATH_SIZE];
	struct text text;
	char *config_text = config_to_json(config);
	text_init(&text);
	text_add(&text, "{");
	add_sections(&text, manifest);
	text_add(&text, ", \"weights\": ");
	add_weights(&text, manifest);
	text_add(&text, ", \"config\": %s}", config_text ? config_text : "null");
	snprintf(path, sizeof path, "%s/manifest.json", dir);
	enum status status = config_text ? write_text(&text, path)
					 : status_fail(STATUS_NO_MEMORY, "%s: no memory to write it", path);
	text_release(&text);
	free(config_text);
	return status;
}

/* --- in ------------------------------------------------------------------- */

static void read_member(const struct json *value, const struct member *member, void *to)
{
	double number = 0;
	const char *text = json_string(value);
	if (member->type == MEMBER_TEXT) {
		snprintf(to, member->size, "%s", text ? text : "");
		return;
	}
	if (json_number(value, &number) != STATUS_OK || number < 0 || number > 9e15)
		number = 0;
	if (member->type == MEMBER_INT)
		*(int *)to = number <= 2147483647 ? (int)number : 0;
	else if (member->type == MEMBER_COUNT)
		*(uint64_t *)to = (uint64_t)number;
	else
		*(double *)to = number;
}

static void read_weights(struct run_manifest *manifest, const struct json *list)
{
	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		double step = 0;
		const char *hex = json_string(json_get(item, "sha256"));
		if (manifest->weights_count == MANIFEST_MAX_WEIGHTS || !hex || strlen(hex) != 64 ||
		    json_number(json_get(item, "step"), &step) != STATUS_OK || step < 1)
			continue;
		struct manifest_weights *weights = &manifest->weights[manifest->weights_count++];
		weights->step = (uint64_t)step;
		memcpy(weights->sha256, hex, sizeof weights->sha256);
	}
}

/* "{...}, {...}", as the state of a run keeps it. */
static enum status read_history(struct run_manifest *manifest, const struct json *list, const char *path)
{
	struct text text;
	text_init(&text);
	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		char *printed = json_print(item);
		text_add(&text, "%s%s", text.length ? ", " : "", printed ? printed : "");
		text.failed |= !printed;
		free(printed);
	}
	enum status status = text_status(&text);
	if (status == STATUS_OK && text.length)
		manifest->history = text_take(&text);
	text_release(&text);
	return status ? status_wrap(status, "%s", path) : STATUS_OK;
}

static enum status read_all(struct run_manifest *manifest, const struct json *root, const char *path,
			    char **config_text)
{
	for (int i = 0; i < MEMBERS; i++) {
		const struct json *section = members[i].section ? json_get(root, members[i].section) : root;
		read_member(json_get(section, members[i].key), &members[i], (char *)manifest + members[i].offset);
	}
	const struct json *config = json_get(root, "config");
	if (strlen(manifest->config_sha256) != 64 || json_type(root) != JSON_TYPE_OBJECT)
		return status_fail(STATUS_FORMAT, "%s: expected a manifest.json of a run, found no config_sha256",
				   path);
	if (config_text && (!config || !(*config_text = json_print(config))))
		return status_fail(STATUS_FORMAT, "%s: config: expected the config of a run, found none", path);
	read_weights(manifest, json_get(root, "weights"));
	return read_history(manifest, json_get(root, "changes"), path);
}

enum status run_manifest_read(struct run_manifest *manifest, const char *path, char **config_text)
{
	struct json *root;
	*manifest = (struct run_manifest){0};
	if (config_text)
		*config_text = NULL;
	TRY(json_read_file(path, &root));
	enum status status = read_all(manifest, root, path, config_text);
	json_free(root);
	if (status != STATUS_OK && config_text) {
		free(*config_text);
		*config_text = NULL;
	}
	return status;
}
