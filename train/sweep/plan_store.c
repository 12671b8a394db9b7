/* The sweep in its folder: what is there is what goes on, whatever has become of the files it was made from. See
 * plan.h. */
#define _XOPEN_SOURCE 700 /* realpath */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/folder.h"
#include "train/config/config_file.h"
#include "train/config/config_keys.h"
#include "train/sweep/plan.h"

static enum status dir_path(const char *dir, const char *name, char path[SWEEP_PATH])
{
	if (snprintf(path, SWEEP_PATH, "%s/%s", dir, name) >= SWEEP_PATH)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	return STATUS_OK;
}

static void make_one_absolute(char *path, size_t size)
{
	char full[PATH_MAX];
	if (*path && realpath(path, full) && strlen(full) < size)
		memcpy(path, full, strlen(full) + 1);
}

/* Workers on this and other machines start in folders of their own: paths of the base are absolute. */
static void make_absolute(struct config *config)
{
	for (int i = 0; i < config_key_count; i++)
		if (config_keys[i].path && config_keys[i].type == KEY_TEXT)
			make_one_absolute((char *)config + config_keys[i].offset, config_keys[i].size);
	for (int i = 0; i < config->data.train_count; i++) {
		make_one_absolute(config->data.train[i].path, sizeof config->data.train[i].path);
		make_one_absolute(config->data.train[i].images, sizeof config->data.train[i].images);
	}
}

/* The base with "set" in it, as JSON. */
static enum status base_text(const struct sweep_plan *plan, char **json)
{
	struct config config;
	TRY(config_load(&config, plan->base, (const char *const *)plan->set, plan->set_count));
	make_absolute(&config);
	*json = config_to_json(&config);
	return *json ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for the config");
}

/* --- comparison ----------------------------------------------------------- */

static enum status different(const char *dir, const char *what, const char *before, const char *now)
{
	return status_fail(STATUS_CONFIG,
			   "%s holds another sweep: %s: expected %.120s, with which it was begun, found %.120s. "
			   "Another --out begins a new one",
			   dir, what, before, now);
}

/* The first line in which the two configs differ names the key. */
static enum status compare_base(const char *dir, const char *before, const char *now)
{
	while (*before || *now) {
		size_t a = strcspn(before, "\n"), b = strcspn(now, "\n");
		if (a != b || memcmp(before, now, a) != 0) {
			char lines[2][160];
			const char *starts[] = {before, now};
			size_t lengths[] = {a, b};
			for (int i = 0; i < 2; i++) {
				size_t skip = strspn(starts[i], "\t ");
				skip = skip < lengths[i] ? skip : lengths[i];
				size_t length = lengths[i] - skip;
				if (length && starts[i][skip + length - 1] == ',')
					length--;
				snprintf(lines[i], sizeof lines[i], "%.*s", (int)length, starts[i] + skip);
			}
			return different(dir, "its base config", lines[0], lines[1]);
		}
		before += a + (before[a] == '\n');
		now += b + (now[b] == '\n');
	}
	return STATUS_OK;
}

static bool may_differ(const char *key)
{
	static const char *const free_keys[] = {"name", "base",           "set",       "trials", "seeds",
						"keep", "equal_failures", "subject_to"};
	for (size_t i = 0; i < sizeof free_keys / sizeof *free_keys; i++)
		if (strcmp(free_keys[i], key) == 0)
			return true;
	return false;
}

/* A member as text, "nothing" where it is missing. */
static enum status member_text(const struct json *root, const char *key, struct text *text)
{
	text_init(text);
	if (json_get(root, key))
		space_add_json(text, json_get(root, key));
	else
		text_add(text, "nothing");
	return text_status(text);
}

static enum status compare_member(const char *dir, const struct json *before, const struct json *now, const char *key)
{
	struct text a, b;
	enum status status = member_text(before, key, &a);
	if (status == STATUS_OK)
		status = member_text(now, key, &b);
	else
		text_init(&b);
	if (status == STATUS_OK && !may_differ(key) && strcmp(a.data, b.data) != 0)
		status = different(dir, key, a.data, b.data);
	text_release(&a);
	text_release(&b);
	return status;
}

static enum status compare_roots(const char *dir, const struct json *before, const struct json *now)
{
	for (const struct json *member = json_first(before); member; member = json_next(member))
		TRY(compare_member(dir, before, now, json_key(member)));
	for (const struct json *member = json_first(now); member; member = json_next(member))
		TRY(compare_member(dir, before, now, json_key(member)));
	return STATUS_OK;
}

static enum status compare_growth(const char *dir, const struct sweep_plan *before, const struct sweep_plan *now)
{
	char a[40], b[40];
	if (now->trials < before->trials) {
		snprintf(a, sizeof a, "at least %d", before->trials);
		snprintf(b, sizeof b, "%d", now->trials);
		return different(dir, "trials", a, b);
	}
	for (int i = 0; i < before->seed_count; i++)
		if (i >= now->seed_count || before->seeds[i] != now->seeds[i]) {
			snprintf(a, sizeof a, "%llu as seed %d", (unsigned long long)before->seeds[i], i + 1);
			snprintf(b, sizeof b, i < now->seed_count ? "%llu" : "none", (unsigned long long)now->seeds[i]);
			return different(dir, "seeds", a, b);
		}
	return STATUS_OK;
}

static enum status compare(const struct sweep_plan *plan, const char *dir, const char *base)
{
	char path[SWEEP_PATH];
	char *old;
	struct config config;
	struct json *before = NULL, *now = NULL;
	struct sweep_plan stored;
	TRY(dir_path(dir, "base.json", path));
	TRY(config_load(&config, path, NULL, 0)); /* keys that are newer than the sweep have their defaults */
	if (!(old = config_to_json(&config)))
		return status_fail(STATUS_NO_MEMORY, "no memory for the config");
	enum status status = compare_base(dir, old, base);
	free(old);
	TRY(status);
	TRY(sweep_plan_open(&stored, dir));
	status = json_parse(stored.text, strlen(stored.text), dir, &before);
	if (status == STATUS_OK)
		status = json_parse(plan->text, strlen(plan->text), plan->path, &now);
	if (status == STATUS_OK)
		status = compare_roots(dir, before, now);
	if (status == STATUS_OK)
		status = compare_growth(dir, &stored, plan);
	json_free(before);
	json_free(now);
	sweep_plan_release(&stored);
	return status;
}

/* --- life ----------------------------------------------------------------- */

/* sweep.json comes last: who finds it finds the rest. */
enum status sweep_plan_store(const struct sweep_plan *plan, const char *dir)
{
	char sweep[SWEEP_PATH], base[SWEEP_PATH], *json;
	TRY(folder_make(dir));
	TRY(dir_path(dir, "sweep.json", sweep));
	TRY(dir_path(dir, "base.json", base));
	TRY(base_text(plan, &json));
	enum status status = STATUS_OK;
	if (access(sweep, F_OK) == 0)
		status = compare(plan, dir, json);
	else
		status = atomic_file_write(base, &(struct file_part){json, strlen(json)}, 1);
	free(json);
	TRY(status);
	struct file_part parts[] = {{plan->text, strlen(plan->text)}, {"\n", 1}};
	return atomic_file_write(sweep, parts, 2);
}

enum status sweep_plan_open(struct sweep_plan *plan, const char *dir)
{
	char sweep[SWEEP_PATH], base[SWEEP_PATH];
	TRY(dir_path(dir, "sweep.json", sweep));
	TRY(dir_path(dir, "base.json", base));
	if (access(sweep, F_OK) != 0)
		return status_fail(
			STATUS_IO,
			"%s holds no sweep (there is no sweep.json); `tapcut sweep run FILE --out %s` begins "
			"one",
			dir, dir);
	return sweep_plan_load(plan, sweep, base);
}
