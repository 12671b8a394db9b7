/* See config_file.h. The table of keys is in config_keys.c; here it is applied: values in (set_*), values out (add_*,
 * config_add_value), and the checks that need more than one key. */
#include "train/config/config_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/sha256.h"
#include "data/click.h"
#include "core/slips.h"
#include "core/text.h"
#include "train/config/config_keys.h"

enum { FOUND_SIZE = 80, KEY_SIZE = 64 };

/* Where a value comes from ("x.json", "--set") and for which key. */
struct target {
	struct config *config;
	const struct config_key *key;
	const char *source;
};

static void *field(const struct config *config, const struct config_key *key)
{
	return (char *)config + key->offset;
}

/* --- values in ------------------------------------------------------------ */

/* `expected` is what the key wants, e.g. "a number in 0 .. 1". */
static enum status refuse(const struct target *target, const char *expected, const struct json *found)
{
	char text[FOUND_SIZE];
	json_describe(found, text, sizeof text);
	return status_fail(STATUS_CONFIG, "%s: %s: expected %s, found %s", target->source, target->key->key, expected,
			   text);
}

static bool is_integer(const struct config_key *key)
{
	return key->type == KEY_INTEGER || key->type == KEY_INTEGERS;
}

static void describe_numbers(const struct config_key *key, char *text, size_t size)
{
	char multiple[40] = "";
	if (key->multiple)
		snprintf(multiple, sizeof multiple, ", a multiple of %d", key->multiple);
	snprintf(text, size, "%s in %.16g .. %.16g%s", is_integer(key) ? "an integer" : "a number", key->min, key->max,
		 multiple);
}

/* One number, checked, into a field of `size` bytes. */
static enum status set_number(const struct target *target, const struct json *value, void *to, size_t size)
{
	const struct config_key *key = target->key;
	char expected[160];
	double number = 0;
	describe_numbers(key, expected, sizeof expected);
	if (json_type(value) != JSON_TYPE_NUMBER || json_number(value, &number) != STATUS_OK)
		return refuse(target, expected, value);
	if (number < key->min || number > key->max)
		return refuse(target, expected, value);
	if (is_integer(key)) {
		if (number != floor(number) || (key->multiple && fmod(number, key->multiple) != 0))
			return refuse(target, expected, value);
		if (size == sizeof(uint64_t))
			*(uint64_t *)to = (uint64_t)number;
		else
			*(int *)to = (int)number;
	} else if (size == sizeof(double)) {
		*(double *)to = number;
	} else {
		*(float *)to = (float)number;
	}
	return STATUS_OK;
}

static enum status set_text(const struct target *target, const struct json *value, char *to, size_t size)
{
	char expected[80];
	const char *text = json_string(value);
	snprintf(expected, sizeof expected, "a text of at most %zu bytes", size - 1);
	if (!text || strlen(text) >= size)
		return refuse(target, expected, value);
	snprintf(to, size, "%s", text);
	return STATUS_OK;
}

static enum status set_bool(const struct target *target, const struct json *value)
{
	bool on;
	if (json_bool(value, &on) != STATUS_OK)
		return refuse(target, "true or false", value);
	*(unsigned char *)field(target->config, target->key) = on;
	return STATUS_OK;
}

static void list_names(const char *const *names, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "one of");
	for (; *names && used < size; names++)
		used += (size_t)snprintf(text + used, size - used, " \"%s\"%s", *names, names[1] ? "," : "");
}

static enum status set_name(const struct target *target, const struct json *value)
{
	const struct config_key *key = target->key;
	const char *text = json_string(value);
	int index = 0;
	while (key->names[index] && !(text && strcmp(text, key->names[index]) == 0))
		index++;
	if (!key->names[index]) {
		char expected[200];
		list_names(key->names, expected, sizeof expected);
		return refuse(target, expected, value);
	}
	void *to = field(target->config, key);
	if (key->type == KEY_CHOICE)
		snprintf(to, key->size, "%s", text);
	else if (key->size == 1)
		*(unsigned char *)to = (unsigned char)index;
	else
		memcpy(to, &index, sizeof index); /* an enum has an int's size here; config_init asserts it */
	return STATUS_OK;
}

static enum status set_list(const struct target *target, const struct json *value)
{
	const struct config_key *key = target->key;
	char expected[100];
	int capacity = (int)(key->size / key->element), count = json_array_size(value);
	snprintf(expected, sizeof expected, "a list of %s%d %s", key->count ? "at most " : "", capacity,
		 key->type == KEY_TEXTS ? "texts" : "numbers");
	if (count < 0 || count > capacity || (!key->count && count != capacity))
		return refuse(target, expected, value);
	char *to = field(target->config, key);
	memset(to, 0, key->size);
	for (const struct json *item = json_first(value); item; item = json_next(item), to += key->element)
		TRY(key->type == KEY_TEXTS ? set_text(target, item, to, key->element)
					   : set_number(target, item, to, key->element));
	if (key->count)
		memcpy((char *)target->config + key->count, &count, sizeof count);
	return STATUS_OK;
}

/* One of the files of KEY_FILES: a path, or an object of path, weight and images. */
static enum status set_file(const struct target *target, const struct json *value, struct config_file *file)
{
	const struct json *path = json_type(value) == JSON_TYPE_OBJECT ? json_get(value, "path") : value;
	*file = (struct config_file){.weight = 1};
	if (!path || !json_string(path) || !*json_string(path))
		return refuse(target, "a path, or a list of paths and objects with a \"path\"", value);
	TRY(set_text(target, path, file->path, sizeof file->path));
	for (const struct json *member = path == value ? NULL : json_first(value); member; member = json_next(member)) {
		const char *name = json_key(member);
		if (strcmp(name, "weight") == 0)
			TRY(set_number(target, member, &file->weight, sizeof file->weight));
		else if (strcmp(name, "images") == 0)
			TRY(set_text(target, member, file->images, sizeof file->images));
		else if (strcmp(name, "path") != 0)
			return status_fail(STATUS_CONFIG,
					   "%s: %s: expected \"path\", \"weight\" and \"images\" of a file, found "
					   "\"%.40s\"",
					   target->source, target->key->key, name);
	}
	return STATUS_OK;
}

static enum status set_files(const struct target *target, const struct json *value)
{
	const struct config_key *key = target->key;
	struct config_file *files = field(target->config, key);
	int count = 1;
	memset(files, 0, key->size);
	if (json_type(value) == JSON_TYPE_ARRAY) {
		count = json_array_size(value);
		if (count > CONFIG_MAX_FILES)
			return refuse(target, "a list of at most 8 files", value);
		for (const struct json *item = json_first(value); item; item = json_next(item))
			TRY(set_file(target, item, files++));
	} else if (json_string(value) && !*json_string(value)) {
		count = 0;
	} else {
		TRY(set_file(target, value, files));
	}
	memcpy((char *)target->config + key->count, &count, sizeof count);
	return STATUS_OK;
}

static enum status set_weights(const struct target *target, const struct json *value)
{
	const struct config_key *key = target->key;
	struct config_weight *weights = field(target->config, key);
	int count = 0, capacity = (int)(key->size / sizeof *weights);
	char expected[80];
	snprintf(expected, sizeof expected, "at most %d names of 1 to 31 bytes", capacity);
	memset(weights, 0, key->size);
	if (json_type(value) != JSON_TYPE_OBJECT)
		return refuse(target, "an object of names and numbers", value);
	for (const struct json *member = json_first(value); member; member = json_next(member), count++) {
		if (count == capacity || !*json_key(member) || strlen(json_key(member)) >= sizeof weights->name)
			return refuse(target, expected, value);
		snprintf(weights[count].name, sizeof weights->name, "%s", json_key(member));
		TRY(set_number(target, member, &weights[count].weight, sizeof weights->weight));
	}
	memcpy((char *)target->config + key->count, &count, sizeof count);
	return STATUS_OK;
}

static enum status set_value(const struct target *target, const struct json *value)
{
	const struct config_key *key = target->key;
	switch (key->type) {
	case KEY_INTEGER:
	case KEY_NUMBER: return set_number(target, value, field(target->config, key), key->size);
	case KEY_BOOL: return set_bool(target, value);
	case KEY_ENUM:
	case KEY_CHOICE: return set_name(target, value);
	case KEY_TEXT: return set_text(target, value, field(target->config, key), key->size);
	case KEY_INTEGERS:
	case KEY_NUMBERS:
	case KEY_TEXTS: return set_list(target, value);
	case KEY_FILES: return set_files(target, value);
	case KEY_STAGES: return config_set_stages(target->config, value, target->source);
	case KEY_WEIGHTS: return set_weights(target, value);
	}
	assert(!"unknown type of key");
	return STATUS_CONFIG;
}

/* --- unknown keys --------------------------------------------------------- */

static const char *last_part(const char *key)
{
	const char *dot = strrchr(key, '.');
	return dot ? dot + 1 : key;
}

/* The known key or section nearest to `wrong`; NULL when nothing is near. A right name in the wrong section counts
 * as one slip. */
static const char *nearest(const char *wrong)
{
	const char *best = NULL;
	if (strlen(wrong) > KEY_SIZE)
		return NULL;
	int least = 2 + (int)strlen(last_part(wrong)) / 4;
	for (int i = 0; i < config_key_count; i++) {
		const char *key = config_keys[i].key;
		int distance = min_int(slips_between(wrong, key), slips_between(last_part(wrong), last_part(key)) + 1);
		if (distance < least) {
			least = distance;
			best = key;
		}
	}
	for (int i = 0; i < config_section_count; i++)
		if (*config_sections[i].name && slips_between(wrong, config_sections[i].name) < least) {
			least = slips_between(wrong, config_sections[i].name);
			best = config_sections[i].name;
		}
	return best;
}

static enum status unknown_key(const char *source, const char *wrong)
{
	char shown[KEY_SIZE + 1];
	snprintf(shown, sizeof shown, "%s", wrong);
	for (char *c = shown; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	const char *near = nearest(wrong);
	if (near)
		return status_fail(STATUS_CONFIG, "%s: unknown key %s; did you mean %s?", source, shown, near);
	return status_fail(STATUS_CONFIG, "%s: unknown key %s; `tapcut train --keys` lists all", source, shown);
}

/* --- a tree of values ----------------------------------------------------- */

const struct config_key *config_find_key(const char *name)
{
	for (int i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].key, name) == 0)
			return &config_keys[i];
	return NULL;
}

/* Bytes of the section's name in a key; 0 at the top. */
static size_t section_length(const char *key)
{
	const char *dot = strchr(key, '.');
	return dot ? (size_t)(dot - key) : 0;
}

bool config_key_may_change(const struct config_key *key)
{
	size_t length = section_length(key->key);
	for (int i = 0; i < config_section_count; i++)
		if (strlen(config_sections[i].name) == length && memcmp(config_sections[i].name, key->key, length) == 0)
			return (config_sections[i].stages && !key->fixed) || key->stage;
	return false;
}

static bool is_section(const char *name)
{
	for (int i = 0; i < config_section_count; i++)
		if (strcmp(config_sections[i].name, name) == 0)
			return true;
	return false;
}

/* `name`: the dotted key of `value`, "" at the top. */
enum status config_apply(struct config *config, const char *name, const struct json *value, const char *source)
{
	struct target target = {config, config_find_key(name), source};
	if (strcmp(name, "base") == 0 && strcmp(source, "--set") != 0)
		return STATUS_OK; /* another config, which load_file has read already */
	if (target.key) {
		config->steps_given |= strcmp(name, "train.steps") == 0;
		return set_value(&target, value);
	}
	if (!is_section(name))
		return unknown_key(source, name);
	if (json_type(value) != JSON_TYPE_OBJECT) {
		char found[FOUND_SIZE];
		json_describe(value, found, sizeof found);
		return status_fail(STATUS_CONFIG, "%s: %s%sexpected an object of keys, found %s", source, name,
				   *name ? ": " : "", found);
	}
	for (const struct json *member = json_first(value); member; member = json_next(member)) {
		char below[2 * KEY_SIZE];
		if (!*json_key(member))
			return status_fail(STATUS_CONFIG, "%s: %s%san empty key", source, name, *name ? ": " : "");
		if (strchr(json_key(member), '.')) /* two spellings of one key could contradict each other */
			return status_fail(STATUS_CONFIG, "%s: %.64s: expected nested objects, found a dotted key",
					   source, json_key(member));
		snprintf(below, sizeof below, "%s%s%s", name, *name ? "." : "", json_key(member));
		TRY(config_apply(config, below, member, source));
	}
	return STATUS_OK;
}

/* "a.b=v". A key that wants a text takes v as it stands, so that --set name=5 needs no quotes. */
static enum status apply_override(struct config *config, const char *override)
{
	const char *equals = strchr(override, '=');
	if (!equals || equals == override)
		return status_fail(STATUS_CONFIG, "--set %.64s: expected KEY=VALUE", override);
	char name[2 * KEY_SIZE];
	size_t count = (size_t)(equals - override);
	snprintf(name, sizeof name, "%.*s", (int)(count < sizeof name ? count : sizeof name - 1), override);
	const struct config_key *key = config_find_key(name);
	bool text = key && (key->type == KEY_TEXT || key->type == KEY_CHOICE || key->type == KEY_ENUM ||
			    (key->type == KEY_FILES && equals[1] != '[' && equals[1] != '{'));
	if (text && equals[1] != '"') {
		struct text quoted;
		text_init(&quoted);
		text_add_json_string(&quoted, equals + 1);
		struct json *value = NULL;
		enum status status = text_status(&quoted);
		if (status == STATUS_OK)
			status = json_parse(quoted.data, quoted.length, "--set", &value);
		text_release(&quoted);
		if (status == STATUS_OK)
			status = config_apply(config, name, value, "--set");
		json_free(value);
		return status;
	}
	struct json *value;
	TRY(json_parse_loose(equals + 1, &value));
	enum status status = config_apply(config, name, value, "--set");
	json_free(value);
	return status;
}

/* --- checks that need more than one key ----------------------------------- */

static enum status check_milestones(const struct schedule_config *schedule, const char *source)
{
	for (int i = 1; i < schedule->milestone_count; i++)
		if (schedule->milestones[i] <= schedule->milestones[i - 1])
			return status_fail(STATUS_CONFIG,
					   "%s: optim.milestones: expected rising numbers, found %g after %g", source,
					   schedule->milestones[i], schedule->milestones[i - 1]);
	if (schedule->kind == SCHEDULE_STEP && !schedule->milestone_count)
		return status_fail(STATUS_CONFIG,
				   "%s: optim.milestones: expected at least one, because optim.schedule is \"step\"",
				   source);
	return STATUS_OK;
}

const char *config_class_name(const struct config *config, int index)
{
	return index ? config->data.categories[index - 1] : "background";
}

/* What the task "labels" asks of other keys. */
static enum status check_labels(const struct config *c, const char *source)
{
	if (!c->data.category_count)
		return status_fail(STATUS_CONFIG,
				   "%s: data.categories: expected the classes of the task \"labels\", found none",
				   source);
	for (int i = 0; i < c->data.category_count; i++)
		for (int k = 0; k <= i; k++)
			if (strcmp(config_class_name(c, i + 1), config_class_name(c, k)) == 0)
				return status_fail(STATUS_CONFIG,
						   "%s: data.categories: expected classes that differ from each other "
						   "and from \"background\", found \"%s\" twice",
						   source, c->data.categories[i]);
	if (c->augment.paste_probability > 0)
		return status_fail(STATUS_CONFIG,
				   "%s: augment.paste_probability: expected 0 with the task \"labels\", found %g: the "
				   "other things in the photo have labels too",
				   source, c->augment.paste_probability);
	if (c->loss.coarse_weight > 0 || c->loss.boundary_weight > 0)
		return status_fail(STATUS_CONFIG,
				   "%s: loss: expected coarse_weight and boundary_weight 0 with the task \"labels\", "
				   "found %g and %g",
				   source, c->loss.coarse_weight, c->loss.boundary_weight);
	return STATUS_OK;
}

/* What a pixel of each class counts. */
static enum status weigh_classes(struct config *c, const char *source)
{
	for (int i = 0; i < CONFIG_MAX_CLASSES; i++)
		c->loss.class_weight[i] = 1;
	for (int i = 0; i < c->loss.class_weight_count; i++) {
		const struct config_weight *weight = &c->loss.class_weights[i];
		int class = 0;
		while (class <= c->data.category_count && strcmp(config_class_name(c, class), weight->name) != 0)
			class ++;
		if (class > c->data.category_count)
			return status_fail(STATUS_CONFIG,
					   "%s: loss.class_weights: expected \"background\" or names of "
					   "data.categories, found \"%s\"",
					   source, weight->name);
		c->loss.class_weight[class] = (float)weight->weight;
	}
	return STATUS_OK;
}

static enum status check_model(const struct config *c, const char *source)
{
	bool transposed = c->model.decoder == DECODER_TRANSPOSED || c->model.decoder == DECODER_FCN8S;
	int stride = model_stride(&c->model);
	if (model_check(&c->model) != STATUS_OK)
		return status_wrap(STATUS_CONFIG, "%s", source);
	if (c->model.quantize && (c->model.batch_norm || transposed))
		return status_fail(STATUS_CONFIG,
				   "%s: quantize.enabled: expected false with %s, found true: transposed convolutions "
				   "and batch normalisation have no 8-bit form",
				   source, c->model.batch_norm ? "model.batch_norm" : "this model.decoder");
	if (c->train.size % stride || c->eval.size % stride)
		return status_fail(STATUS_CONFIG,
				   "%s: train.size and eval.size: expected multiples of %d with this model.decoder, "
				   "found %d and %d",
				   source, stride, c->train.size, c->eval.size);
	return STATUS_OK;
}

static enum status check_together(const struct config *c, const char *source)
{
	if (c->train.batch_size % c->train.slot_size)
		return status_fail(STATUS_CONFIG,
				   "%s: train.batch_size: expected a multiple of train.slot_size (%d), found %d",
				   source, c->train.slot_size, c->train.batch_size);
	if (c->data.max_area_fraction > 0 && c->data.max_area_fraction <= c->data.min_area_fraction)
		return status_fail(STATUS_CONFIG, "%s: data.max_area: expected more than data.min_area (%g), found %g",
				   source, c->data.min_area_fraction, c->data.max_area_fraction);
	if (c->augment.scale_max < c->augment.scale_min)
		return status_fail(STATUS_CONFIG,
				   "%s: augment.scale_max: expected at least augment.scale_min (%g), found %g", source,
				   c->augment.scale_min, c->augment.scale_max);
	if (c->task == TASK_LABELS)
		TRY(check_labels(c, source));
	else if (c->loss.nfl_weight + c->loss.bce_weight + c->loss.dice_weight + c->loss.iou_weight <= 0)
		return status_fail(STATUS_CONFIG, "%s: loss: expected at least one weight above 0, found none", source);
	TRY(check_model(c, source));
	int clicks = c->sampler.max_positive + c->sampler.max_negative + c->max_corrective_rounds;
	if (clicks > CLICKS_MAX)
		return status_fail(
			STATUS_CONFIG,
			"%s: clicks: max_positive + max_negative + corrective_rounds: expected at most %d, found %d",
			source, CLICKS_MAX, clicks);
	return check_milestones(&c->schedule, source);
}

enum status config_finish(struct config *config, const char *source)
{
	config->model.click_planes = config->preprocess.previous_mask ? 3 : 2;
	config->model.classes = config->task == TASK_LABELS ? config->data.category_count + 1 : 0;
	config->augment.labels = config->task == TASK_LABELS;
	config->optim.lr_scale[PARAM_DECODER] = 1;
	config->model.coarse_head = config->loss.coarse_weight > 0;
	config->schedule.total_steps = config->train.steps;
	config->quantize_from = (uint64_t)config->calibration_steps;
	if (*config->init_weights)
		config->init_trunk[0] = '\0'; /* all of the network contains the trunk */
	TRY(weigh_classes(config, source));
	return check_together(config, source);
}

/* What follows from other keys, then the checks; all keys are read. */
static enum status finish(struct config *config, const char *source)
{
	enum status status = config_finish_stages(config, source);
	config->steps_given = false;
	return status ? status : config_finish(config, source);
}

/* --- paths ---------------------------------------------------------------- */

/* A relative path that is not there from the working directory but from the config's folder becomes the latter. */
static void look_beside(char path[CONFIG_TEXT], const char *config_path)
{
	char beside[CONFIG_TEXT];
	const char *slash = strrchr(config_path, '/');
	if (!*path || *path == '/' || !slash || access(path, F_OK) == 0)
		return;
	int count = snprintf(beside, sizeof beside, "%.*s/%s", (int)(slash - config_path), config_path, path);
	if (count < (int)sizeof beside && access(beside, F_OK) == 0)
		memcpy(path, beside, (size_t)count + 1);
}

static void look_for_files(struct config *config, const char *config_path)
{
	for (int i = 0; i < config_key_count; i++)
		if (config_keys[i].path && config_keys[i].type == KEY_TEXT)
			look_beside(field(config, &config_keys[i]), config_path);
	for (int i = 0; i < config->data.train_count; i++) {
		look_beside(config->data.train[i].path, config_path);
		look_beside(config->data.train[i].images, config_path);
	}
}

/* --- life ----------------------------------------------------------------- */

enum status config_init(struct config *config)
{
	assert(sizeof(enum trunk_kind) == sizeof(int) && sizeof(enum sampler_kind) == sizeof(int));
	memset(config, 0, sizeof *config);
	for (int i = 0; i < config_key_count; i++) {
		struct target target = {config, &config_keys[i], "default"};
		struct json *value;
		TRY(json_parse(target.key->standard, strlen(target.key->standard), target.key->key, &value));
		enum status status = set_value(&target, value);
		json_free(value);
		TRY(status);
	}
	return finish(config, "default");
}

enum status config_check_override(const char *override)
{
	struct config config;
	TRY(config_init(&config));
	return apply_override(&config, override);
}

/* A config file that another one changes, and the one that it changes in turn. */
struct chain {
	const char *path;
	const struct chain *user; /* names this one as its base; NULL: none does */
	int length;
};
enum { MAX_CHAIN = 8 };

static enum status load_file(struct config *config, const struct chain *file);

/* The path of `base`, which stands relative to the file that names it. */
static enum status base_path(const struct chain *file, const char *base, char path[CONFIG_TEXT])
{
	const char *slash = strrchr(file->path, '/');
	int folder = slash && *base != '/' ? (int)(slash - file->path) + 1 : 0;
	if (snprintf(path, CONFIG_TEXT, "%.*s%s", folder, file->path, base) >= CONFIG_TEXT)
		return status_fail(STATUS_LIMIT, "%s: base: the path is too long", file->path);
	return STATUS_OK;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum status load_base(struct config *config, const struct chain *file, const struct json *value)
{
	const char *base = json_string(value);
	char path[CONFIG_TEXT], found[FOUND_SIZE];
	if (!base || !*base) {
		json_describe(value, found, sizeof found);
		return status_fail(STATUS_CONFIG, "%s: base: expected the path of a config, found %s", file->path,
				   found);
	}
	TRY(base_path(file, base, path));
	for (const struct chain *user = file; user; user = user->user)
		if (same_file(user->path, path))
			return status_fail(STATUS_CONFIG, "%s: base: %s leads back to itself", file->path, base);
	if (file->length == MAX_CHAIN)
		return status_fail(STATUS_LIMIT, "%s: base: expected at most %d configs upon each other", file->path,
				   MAX_CHAIN);
	struct chain next = {path, file, file->length + 1};
	return load_file(config, &next);
}

/* The base first, then what this file changes of it. */
static enum status load_file(struct config *config, const struct chain *file)
{
	struct json *root;
	enum status status = json_read_file(file->path, &root);
	if (status != STATUS_OK)
		return file->user ? status_wrap(status, "%s: base", file->user->path) : status;
	const struct json *base = json_get(root, "base");
	if (base)
		status = load_base(config, file, base);
	if (json_get(root, "stages"))
		config->steps_given = false; /* stages bring their own length; the base's was that of another way */
	if (status == STATUS_OK)
		status = config_apply(config, "", root, file->path);
	json_free(root);
	if (status == STATUS_OK)
		look_for_files(config, file->path);
	return status;
}

enum status config_load(struct config *config, const char *path, const char *const *overrides, int override_count)
{
	struct chain file = {.path = path, .length = 1};
	TRY(config_init(config));
	TRY(load_file(config, &file));
	bool file_is_fine = finish(config, path) == STATUS_OK;
	for (int i = 0; i < override_count; i++)
		TRY(apply_override(config, overrides[i]));
	look_for_files(config, path);
	return finish(config, file_is_fine && override_count ? "--set" : path);
}

enum status config_from_json(struct config *config, const char *text, const char *name)
{
	struct json *root;
	TRY(config_init(config));
	TRY(json_parse(text, strlen(text), name, &root));
	enum status status = config_apply(config, "", root, name);
	json_free(root);
	TRY(status);
	return finish(config, name);
}

/* --- values out ----------------------------------------------------------- */

static void add_number(struct text *text, const struct config_key *key, const void *from, size_t size)
{
	if (is_integer(key) && size == sizeof(uint64_t))
		text_add(text, "%llu", (unsigned long long)*(const uint64_t *)from);
	else if (is_integer(key))
		text_add(text, "%d", *(const int *)from);
	else if (size == sizeof(double))
		text_add_number(text, *(const double *)from);
	else
		text_add_float(text, *(const float *)from);
}

static void add_list(struct text *text, const struct config *config, const struct config_key *key)
{
	int count = (int)(key->size / key->element);
	const char *from = field(config, key);
	if (key->count)
		memcpy(&count, (const char *)config + key->count, sizeof count);
	text_add(text, "[");
	for (int i = 0; i < count; i++, from += key->element) {
		text_add(text, i ? ", " : "");
		if (key->type == KEY_TEXTS)
			text_add_json_string(text, from);
		else
			add_number(text, key, from, key->element);
	}
	text_add(text, "]");
}

/* As it may be given: a single path without more to say stands alone. */
static void add_files(struct text *text, const struct config_file *files, int count)
{
	if (count == 0 || (count == 1 && files->weight == 1 && !*files->images)) {
		text_add_json_string(text, files->path);
		return;
	}
	text_add(text, "[");
	for (int i = 0; i < count; i++) {
		text_add(text, "%s{\"path\": ", i ? ", " : "");
		text_add_json_string(text, files[i].path);
		text_add(text, ", \"weight\": ");
		text_add_number(text, files[i].weight);
		if (*files[i].images) {
			text_add(text, ", \"images\": ");
			text_add_json_string(text, files[i].images);
		}
		text_add(text, "}");
	}
	text_add(text, "]");
}

static void add_weights(struct text *text, const struct config *config, const struct config_key *key)
{
	const struct config_weight *weights = field(config, key);
	int count;
	memcpy(&count, (const char *)config + key->count, sizeof count);
	text_add(text, "{");
	for (int i = 0; i < count; i++) {
		text_add(text, i ? ", " : "");
		text_add_json_string(text, weights[i].name);
		text_add(text, ": ");
		text_add_number(text, weights[i].weight);
	}
	text_add(text, "}");
}

void config_add_value(struct text *text, const struct config *config, const struct config_key *key)
{
	const void *from = field(config, key);
	int index = 0;
	switch (key->type) {
	case KEY_INTEGER:
	case KEY_NUMBER: add_number(text, key, from, key->size); return;
	case KEY_BOOL: text_add(text, "%s", *(const unsigned char *)from ? "true" : "false"); return;
	case KEY_ENUM:
		if (key->size == 1)
			index = *(const unsigned char *)from;
		else
			memcpy(&index, from, sizeof index);
		text_add_json_string(text, key->names[index]);
		return;
	case KEY_CHOICE:
	case KEY_TEXT: text_add_json_string(text, from); return;
	case KEY_INTEGERS:
	case KEY_NUMBERS:
	case KEY_TEXTS: add_list(text, config, key); return;
	case KEY_FILES: add_files(text, from, config->data.train_count); return;
	case KEY_STAGES: config_add_stages(text, config); return;
	case KEY_WEIGHTS: add_weights(text, config, key); return;
	}
}

static bool same_section(const char *a, const char *b)
{
	size_t length = section_length(a);
	return length == section_length(b) && memcmp(a, b, length) == 0;
}

char *config_to_json(const struct config *config)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{");
	for (int i = 0; i < config_key_count; i++) {
		const char *key = config_keys[i].key;
		size_t section = section_length(key);
		bool first = i == 0, opens = section && !same_section(key, config_keys[i - 1].key);
		if (opens)
			text_add(&text, ",\n\t\"%.*s\": {", (int)section, key);
		text_add(&text, "%s\n%s\"%s\": ", first || opens ? "" : ",", section ? "\t\t" : "\t", last_part(key));
		config_add_value(&text, config, &config_keys[i]);
		if (section && (i + 1 == config_key_count || !same_section(key, config_keys[i + 1].key)))
			text_add(&text, "\n\t}");
	}
	text_add(&text, "\n}\n");
	return text_take(&text);
}

/* --- documentation -------------------------------------------------------- */

static void print_type(FILE *out, const struct config_key *key)
{
	char text[200];
	if (key->type == KEY_BOOL) {
		fputs("true or false", out);
	} else if (key->names) {
		for (const char *const *name = key->names; *name; name++)
			fprintf(out, "%s`\"%s\"`", name == key->names ? "" : ", ", *name);
	} else if (key->type == KEY_FILES) {
		fputs("text, or list of texts and objects", out);
	} else if (key->type == KEY_STAGES) {
		fprintf(out, "list of up to %d objects", CONFIG_MAX_STAGES);
	} else if (key->type == KEY_WEIGHTS) {
		fprintf(out, "object of numbers in %.16g .. %.16g", key->min, key->max);
	} else if (key->type == KEY_TEXT || key->type == KEY_TEXTS) {
		fputs(key->type == KEY_TEXT ? "text" : "list of texts", out);
	} else {
		describe_numbers(key, text, sizeof text);
		if (key->element)
			fprintf(out, "%s%zu x ", key->count ? "up to " : "", key->size / key->element);
		fputs(strchr(text, ' ') + 1, out);
	}
}

/* A paragraph in lines of at most 120 columns. */
static void print_paragraph(FILE *out, const char *text)
{
	enum { COLUMNS = 120 };
	while (strlen(text) > COLUMNS) {
		size_t length = COLUMNS;
		while (length > 1 && text[length] != ' ')
			length--;
		fprintf(out, "%.*s\n", (int)length, text);
		text += length + (text[length] == ' ');
	}
	fprintf(out, "%s\n\n", text);
}

void config_print_keys(FILE *out)
{
	for (int s = 0; s < config_section_count; s++) {
		const struct config_section *section = &config_sections[s];
		fprintf(out, "%s### %s\n\n", s ? "\n" : "", *section->name ? section->name : "top level");
		print_paragraph(out, section->meaning);
		fprintf(out, "| key | value | default | unit | meaning |\n|---|---|---|---|---|\n");
		for (int i = 0; i < config_key_count; i++) {
			const struct config_key *key = &config_keys[i];
			size_t length = section_length(key->key);
			if (length != strlen(section->name) || memcmp(key->key, section->name, length) != 0)
				continue;
			fprintf(out, "| `%s`%s%s | ", key->key,
				key->free     ? " *"
				: key->change ? " +"
					      : "",
				config_key_may_change(key) ? " ^" : "");
			print_type(out, key);
			fprintf(out, " | `%s` | %s | %s |\n", key->standard, key->unit, key->meaning);
		}
	}
}

/* --- for the trainer ------------------------------------------------------ */

static enum status check_file(const char *path, const char *key)
{
	if (*path && access(path, R_OK) != 0)
		return status_fail(STATUS_CONFIG, "%s: %s cannot be read", key, path);
	return STATUS_OK;
}

enum status config_check_training(const struct config *config)
{
	if (!config->data.train_count)
		return status_fail(STATUS_CONFIG, "data.train: expected an instances JSON to train on, found none");
	for (int i = 0; i < config->data.train_count; i++) {
		TRY(check_file(config->data.train[i].path, "data.train"));
		TRY(check_file(config->data.train[i].images, "data.train: images"));
	}
	for (int i = 0; i < config_key_count; i++)
		if (config_keys[i].path && config_keys[i].type == KEY_TEXT)
			TRY(check_file(field(config, &config_keys[i]), config_keys[i].key));
	return STATUS_OK;
}

bool config_draws_by_weight(const struct config *config)
{
	for (int i = 0; i < config->data.train_count; i++)
		if (config->data.train[i].weight != 1)
			return true;
	for (int i = 0; i < config->data.source_weight_count; i++)
		if (config->data.source_weights[i].weight != 1)
			return true;
	return config->data.area_exponent != 0;
}

static void add_decided(struct text *all, const struct config *config, const struct config *standard)
{
	for (int i = 0; i < config_key_count; i++) {
		struct text value, usual;
		text_init(&value);
		text_init(&usual);
		config_add_value(&value, config, &config_keys[i]);
		config_add_value(&usual, standard, &config_keys[i]);
		all->failed |= value.failed || usual.failed;
		if (!config_keys[i].free && !all->failed && strcmp(value.data, usual.data) != 0)
			text_add(all, "%s=%s\n", config_keys[i].key, value.data);
		text_release(&value);
		text_release(&usual);
	}
}

enum status config_digest(const struct config *config, uint8_t digest[32])
{
	struct config *standard = malloc(sizeof *standard);
	struct text all;
	struct sha256 sha;
	text_init(&all);
	enum status status = standard ? config_init(standard) : status_fail(STATUS_NO_MEMORY, "no memory for a config");
	if (status == STATUS_OK) {
		add_decided(&all, config, standard);
		status = text_status(&all);
	}
	sha256_init(&sha);
	sha256_update(&sha, all.data ? all.data : "", all.length);
	sha256_final(&sha, digest);
	text_release(&all);
	free(standard);
	return status;
}

/* JSON; of stages, which take pages, what a log has room for. */
static void describe_change(const struct config *config, const struct config_key *key, const char *value,
			    char text[CONFIG_CHANGE_TEXT])
{
	if (key->type == KEY_STAGES)
		snprintf(text, CONFIG_CHANGE_TEXT, "\"%llu steps in %d stages\"",
			 (unsigned long long)config->train.steps, config->stage_count);
	else
		snprintf(text, CONFIG_CHANGE_TEXT, "%s", value);
}

/* A key's value in both; what differs is noted, or refused. */
static enum status compare_key(const struct config *saved, const struct config *now, const struct config_key *key,
			       bool may_change, struct config_changes *changes)
{
	struct text before, after;
	text_init(&before);
	text_init(&after);
	config_add_value(&before, saved, key);
	config_add_value(&after, now, key);
	enum status status = text_status(&before);
	if (status == STATUS_OK)
		status = text_status(&after);
	bool differs = status == STATUS_OK && strcmp(before.data, after.data) != 0;
	if (differs && may_change) {
		assert(changes->count < CONFIG_MAX_CHANGES);
		struct config_change *change = &changes->items[changes->count++];
		change->key = key->key;
		describe_change(saved, key, before.data, change->from);
		describe_change(now, key, after.data, change->to);
	} else if (differs) {
		status = status_fail(
			STATUS_CONFIG,
			"%s: expected %.80s, with which this run was started, found %.80s; to begin another "
			"run from its weights, give it a folder of its own and init.weights",
			key->key, before.data, after.data);
	}
	text_release(&before);
	text_release(&after);
	return status;
}

/* The files may have moved, but not changed their number or weights. */
static enum status check_file_weights(const struct config *saved, const struct config *now)
{
	bool same = saved->data.train_count == now->data.train_count;
	for (int i = 0; same && i < now->data.train_count; i++)
		same = saved->data.train[i].weight == now->data.train[i].weight;
	return same ? STATUS_OK
		    : status_fail(STATUS_CONFIG,
				  "data.train: expected the number and weights of files with which this run was "
				  "started, found others");
}

enum status config_check_resume(const struct config *saved, const struct config *now, uint64_t step,
				struct config_changes *changes)
{
	bool same;
	changes->count = 0;
	TRY(check_file_weights(saved, now));
	TRY(config_same_stages_until(saved, now, step, &same));
	if (now->stage_count && saved->train.steps != now->train.steps && !same)
		return status_fail(STATUS_CONFIG,
				   "train.steps: expected %llu, with which this run was started and which its stages "
				   "share, found %llu",
				   (unsigned long long)saved->train.steps, (unsigned long long)now->train.steps);
	for (int i = 0; i < config_key_count; i++)
		if (!config_keys[i].free)
			TRY(compare_key(saved, now, &config_keys[i],
					config_keys[i].change || (config_keys[i].type == KEY_STAGES && same), changes));
	return STATUS_OK;
}
