/* tapcut reproduce: trains what a manifest describes again, and says whether the same bytes came out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/folder.h"
#include "core/numerics.h"
#include "tools/command.h"
#include "tools/overrides.h"
#include "train/config/config_file.h"
#include "train/config/json.h"
#include "train/record/run_manifest.h"
#include "train/trainer.h"

enum { PATH_SIZE = 1024, LONGEST_NAME = 32, CHANGE_SIZE = 256, MAX_CHANGES = 64 };

struct arguments {
	const char *manifest, *out_dir;
	struct overrides overrides;
	uint64_t steps;
	int threads;
	bool quiet;
};

static const struct option_row operands[] = {
	{"MANIFEST", OPTION_FILE, OPTION_FIELD(manifest), NULL, .help = "manifest.json of a run", .needed = true},
	{0},
};

static const struct option_row options[] = {
	{"steps", OPTION_WHOLE, OPTION_FIELD(steps), "N",
	 .help = "only so far; the manifest must know the weights after that step", .min = 1, .max = 1e9,
	 .otherwise = "the whole run"},
	{"set", OPTION_CALL, OPTION_FIELD(overrides), "KEY=VALUE",
	 .help = "another value for a key of the config: where the data are on this machine",
	 .take = overrides_take_set, .many = true},
	{"out", OPTION_FOLDER, OPTION_FIELD(out_dir), "DIR", .help = "keep what is trained in this new folder",
	 .otherwise = "it is deleted at the end"},
	{"threads", OPTION_WHOLE, OPTION_FIELD(threads), "N", .help = "threads that compute", .min = 1, .max = 1024,
	 .otherwise = "all processors"},
	OPTION_ROW_QUIET,
	{0},
};

/* --- the folder ----------------------------------------------------------- */

static const char *const files[] = {"base.json", "config.json",  "log.jsonl",     "log.csv",
				    "val.csv",   "summary.json", "manifest.json", "photos.csv",
				    "last.ckpt", "best.ckpt",    "final.tapcut",  "report.html"};

static void file_in(const char *dir, const char *name, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%.*s/%s", PATH_SIZE - LONGEST_NAME, dir, name);
}

static enum status make_folder(const struct arguments *a, char dir[PATH_SIZE])
{
	char path[PATH_SIZE + 16];
	const char *top = getenv("TMPDIR");
	if (!a->out_dir) {
		snprintf(dir, PATH_SIZE, "%s/tapcut-reproduce-XXXXXX", top && *top ? top : "/tmp");
		return mkdtemp(dir) ? STATUS_OK
				    : status_fail(STATUS_IO, "%s: cannot be made: %s", dir, strerror(errno));
	}
	if (strlen(a->out_dir) > PATH_SIZE - LONGEST_NAME - 2)
		return status_fail(STATUS_CONFIG, "--out: expected a name of at most %d bytes, found %zu",
				   PATH_SIZE - LONGEST_NAME - 2, strlen(a->out_dir));
	snprintf(dir, PATH_SIZE, "%s", a->out_dir);
	TRY(folder_make(dir));
	snprintf(path, sizeof path, "%s/config.json", dir);
	if (access(path, F_OK) == 0)
		return status_fail(STATUS_CONFIG, "--out: %s holds a run: expected a new folder", dir);
	return STATUS_OK;
}

static void delete_folder(const char *dir)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[PATH_SIZE];
		file_in(dir, files[i], path);
		unlink(path);
	}
	rmdir(dir);
}

/* --- what was changed on the way ------------------------------------------ */

/* "optim.lr=100", which held up to this step. */
struct change {
	uint64_t step;
	char before[CHANGE_SIZE];
};

static enum status read_change(const struct json *item, struct change *change)
{
	double step = 0;
	const char *key = json_string(json_get(item, "key"));
	char *from = json_get(item, "from") ? json_print(json_get(item, "from")) : NULL;
	bool good = key && from && json_number(json_get(item, "step"), &step) == STATUS_OK && step >= 0;
	if (good) {
		from[strcspn(from, "\n")] = '\0';
		change->step = (uint64_t)step;
		snprintf(change->before, sizeof change->before, "%s=%s", key, from);
	}
	free(from);
	return good ? STATUS_OK : status_fail(STATUS_FORMAT, "changes: expected step, key, from and to");
}

/* Other stages, and with them another length, are taken only where the steps so far would have been the same
 * (config_check_resume): the run is that of its last config from the beginning. `list`: all changes. */
static bool changes_nothing(const struct json *list, const struct json *item)
{
	const char *key = json_string(json_get(item, "key"));
	double step = -1, other = -2;
	if (!key || (strcmp(key, "stages") != 0 && strcmp(key, "train.steps") != 0))
		return false;
	json_number(json_get(item, "step"), &step);
	for (const struct json *i = json_first(list); i; i = json_next(i)) {
		const char *name = json_string(json_get(i, "key"));
		if (name && strcmp(name, "stages") == 0 && json_number(json_get(i, "step"), &other) == STATUS_OK &&
		    other == step)
			return true;
	}
	return false;
}

static enum status read_changes(const struct run_manifest *manifest, struct change *changes, int *count)
{
	struct text text;
	struct json *root = NULL;
	*count = 0;
	text_init(&text);
	text_add(&text, "[%s]", manifest->history ? manifest->history : "");
	enum status status = text_status(&text);
	if (status == STATUS_OK)
		status = json_parse(text.data, text.length, "changes", &root);
	for (const struct json *item = json_first(root); item && status == STATUS_OK; item = json_next(item)) {
		if (changes_nothing(root, item))
			continue;
		if (*count == MAX_CHANGES)
			status = status_fail(STATUS_LIMIT, "changes: expected at most %d", MAX_CHANGES);
		else
			status = read_change(item, &changes[(*count)++]);
	}
	json_free(root);
	text_release(&text);
	return status;
}

/* The config as it was before change number `next`: all later ones are undone, the last one first. */
static enum status config_before(const struct arguments *a, const char *base, const struct change *changes, int count,
				 int next, struct config *config)
{
	const char *items[MAX_CHANGES + 1 + MAX_OVERRIDES];
	int used = 0;
	for (int i = count - 1; i >= next; i--)
		items[used++] = changes[i].before;
	items[used++] = "data.val="; /* looking at the network changes nothing, and where a run ends is known here */
	for (int i = 0; i < a->overrides.count; i++)
		items[used++] = a->overrides.items[i];
	return config_load(config, base, items, used);
}

/* --- training ------------------------------------------------------------- */

static enum status train_until(const struct arguments *a, const char *dir, const struct config *config, uint64_t until)
{
	struct train_options how = {.out_dir = dir,
				    .threads = a->threads,
				    .resume = true,
				    .until_step = until,
				    .quiet = a->quiet};
	TRY(config_check_training(config));
	return train_run(config, &how);
}

/* A stretch for each setting of the config that the run had. */
static enum status train_again(const struct arguments *a, const char *dir, const struct run_manifest *manifest,
			       uint64_t until)
{
	struct change changes[MAX_CHANGES];
	struct config config;
	char base[PATH_SIZE];
	int count;
	file_in(dir, "base.json", base);
	TRY(read_changes(manifest, changes, &count));
	for (int i = 0; i < count && changes[i].step < until; i++) {
		if (!changes[i].step)
			continue;
		TRY(config_before(a, base, changes, count, i, &config));
		TRY(train_until(a, dir, &config, changes[i].step));
	}
	int next = 0;
	while (next < count && changes[next].step < until)
		next++;
	TRY(config_before(a, base, changes, count, next, &config));
	return train_until(a, dir, &config, until);
}

/* --- the verdict ---------------------------------------------------------- */

static bool add_reason(struct text *text, bool differs, const char *format, const char *before, const char *now)
{
	if (differs) {
		text_add(text, "%s", text->length ? "; " : "");
		text_add(text, format, before, now);
	}
	return differs;
}

/* What could be the cause, the likeliest first. */
static void add_reasons(struct text *text, const struct run_manifest *before, const struct run_manifest *now)
{
	char numerics[2][16];
	snprintf(numerics[0], sizeof numerics[0], "%d", before->numerics);
	snprintf(numerics[1], sizeof numerics[1], "%d", now->numerics);
	bool photos = before->photos == now->photos && strcmp(before->photos_sha256, now->photos_sha256) != 0;
	bool found = add_reason(text, strcmp(before->config_sha256, now->config_sha256) != 0,
				"config (%.12s, now %.12s)", before->config_sha256, now->config_sha256);
	found |=
		add_reason(text, strcmp(before->annotations_sha256, now->annotations_sha256) != 0,
			   "data: annotations (%.12s, now %.12s)", before->annotations_sha256, now->annotations_sha256);
	found |= add_reason(text, photos, "data: photo files (%.12s, now %.12s)", before->photos_sha256,
			    now->photos_sha256);
	found |= add_reason(text, strcmp(before->init_sha256, now->init_sha256) != 0,
			    "init: the weights that it begins with (%.12s, now %.12s)", before->init_sha256,
			    now->init_sha256);
	found |= add_reason(text, before->numerics != now->numerics, "numerics (version %s, now %s)", numerics[0],
			    numerics[1]);
	found |= add_reason(text, strcmp(before->commit, now->commit) != 0, "commit (%.12s, now %.12s)", before->commit,
			    now->commit);
	if (!found)
		text_add(text, "nothing that the manifest knows: config, data, numerics and commit are the same");
}

static enum status judge(const struct arguments *a, const struct run_manifest *before, const struct run_manifest *now)
{
	const struct manifest_weights *old = run_manifest_find_weights(before, a->steps);
	const struct manifest_weights *new = run_manifest_find_weights(now, a->steps);
	const char *expected = a->steps ? old->sha256 : before->result_sha256;
	const char *found = a->steps ? (new ? new->sha256 : "none") : now->result_sha256;
	if (strcmp(expected, found) == 0) {
		printf("the same bytes: %s after step %llu, SHA-256 %s\n", a->steps ? "weights" : now->result_file,
		       (unsigned long long)now->step, found);
		return STATUS_OK;
	}
	struct text text;
	text_init(&text);
	add_reasons(&text, before, now);
	enum status status = text_status(&text);
	if (status == STATUS_OK)
		status = status_fail(STATUS_FORMAT,
				     "other bytes after step %llu: SHA-256 %.12s, expected %.12s. What differs: %s",
				     (unsigned long long)now->step, found, expected, text.data);
	text_release(&text);
	return status;
}

/* --- main ----------------------------------------------------------------- */

static enum status check_goal(const struct arguments *a, const struct run_manifest *manifest)
{
	char known[512] = "";
	size_t used = 0;
	if (!a->steps && !manifest->result_sha256[0])
		return status_fail(STATUS_CONFIG, "%s: the run has no result: it did not end; give --steps",
				   a->manifest);
	if (!a->steps || run_manifest_find_weights(manifest, a->steps))
		return STATUS_OK;
	for (int i = 0; i < manifest->weights_count && used < sizeof known - 16; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%llu", i ? ", " : "",
					 (unsigned long long)manifest->weights[i].step);
	return status_fail(STATUS_CONFIG, "--steps %llu: %s knows the weights after steps %s",
			   (unsigned long long)a->steps, a->manifest, known);
}

static enum status reproduce(const struct arguments *a, const struct run_manifest *manifest, const char *config_text,
			     const char *dir)
{
	struct run_manifest now;
	char path[PATH_SIZE];
	file_in(dir, "base.json", path);
	TRY(atomic_file_write(path, &(struct file_part){config_text, strlen(config_text)}, 1));
	TRY(train_again(a, dir, manifest, a->steps ? a->steps : manifest->step));
	file_in(dir, "manifest.json", path);
	TRY(run_manifest_read(&now, path, NULL));
	enum status status = judge(a, manifest, &now);
	run_manifest_release(&now);
	return status;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	struct run_manifest manifest;
	char *config_text, dir[PATH_SIZE] = "";
	enum status status = run_manifest_read(&manifest, a->manifest, &config_text);
	if (status != STATUS_OK)
		return command_failed("reproduce");
	status = check_goal(a, &manifest);
	if (status == STATUS_OK)
		status = make_folder(a, dir);
	if (status == STATUS_OK)
		status = reproduce(a, &manifest, config_text, dir);
	int code = command_end("reproduce", status);
	if (!a->out_dir && dir[0])
		delete_folder(dir);
	free(config_text);
	run_manifest_release(&manifest);
	return code;
}

const struct command command_reproduce = {
	.name = "reproduce",
	.summary = "train a run again from its manifest and compare the bytes",
	.usage = "MANIFEST [OPTIONS]",
	.about = "Trains what the manifest.json of a run describes once more, what was changed on the way included, "
		 "and says in "
		 "one line whether the same bytes came out, or which of config, data, numerics and commit differs. "
		 "--steps "
		 "compares the weights after an early step or a checkpoint instead of the whole run.",
	.options = options,
	.operands = operands,
	.examples = "tapcut reproduce runs/baseline/manifest.json --steps 20\n"
		    "tapcut reproduce tests/golden/tiny_manifest.json --set "
		    "data.train=build/reproduce/scenes/instances.json",
	.size = sizeof(struct arguments),
	.run = run,
};
