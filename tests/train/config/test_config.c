/* The config: every row of the table of keys, in and out, right and wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "train/config/config_file.h"
#include "train/config/config_keys.h"

static struct config config;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");
	ck_assert_msg(file != NULL, "%s", path);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* The status of {"section": {"key": VALUE}} for a dotted key. */
static enum status try_value(const char *key, const char *value)
{
	char text[4096];
	const char *dot = strchr(key, '.');
	if (dot)
		snprintf(text, sizeof text, "{\"%.*s\": {\"%s\": %s}}", (int)(dot - key), key, dot + 1, value);
	else
		snprintf(text, sizeof text, "{\"%s\": %s}", key, value);
	return config_from_json(&config, text, "x.json");
}

/* Loads `text` through a file with overrides. */
static enum status load(const char *text, const char *const *overrides, int count)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/x.json", test_tmp_dir("config"));
	write_file(path, text);
	return config_load(&config, path, overrides, count);
}

static enum status set_one(const char *override)
{
	return load("{}", &override, 1);
}

static void expect_message(const char *part)
{
	ck_assert_msg(strstr(status_message(), part) != NULL, "\"%s\" lacks \"%s\"", status_message(), part);
}

START_TEST(defaults_are_the_recipe)
{
	ck_assert_int_eq(config_init(&config), STATUS_OK);
	ck_assert_int_eq(config.model.trunk, TRUNK_SQUEEZENET1_1);
	ck_assert_int_eq(config.model.decoder, DECODER_SHARPMASK_LIGHT);
	ck_assert_int_eq(config.model.widths[3], 16);
	ck_assert_int_eq(config.model.click_planes, 3);
	ck_assert(config.model.global_context);
	ck_assert_int_eq(config.preprocess.bgr, 1);
	ck_assert(config.preprocess.mean[1] == 117 && config.preprocess.scale[2] == 1);
	ck_assert_int_eq(config.preprocess.encoding, INFER_CLICK_DISK);
	ck_assert_int_eq(config.sampler.kind, SAMPLER_RITM);
	ck_assert_int_eq(config.optim.kind, OPTIM_ADAM);
	ck_assert(config.optim.lr_scale[PARAM_TRUNK] == 0.2 && config.optim.lr_scale[PARAM_DECODER] == 1);
	ck_assert_int_eq(config.schedule.kind, SCHEDULE_COSINE);
	ck_assert(config.schedule.lr == 1e-3);
	ck_assert_uint_eq(config.schedule.total_steps, config.train.steps);
	ck_assert(config.threshold == 0.49);
	ck_assert_str_eq(config.train.nan_policy, "stop");
	ck_assert_str_eq(config.backend, "native");
	ck_assert_int_eq(config.data.category_count, 0);
}
END_TEST

START_TEST(table_is_in_order)
{
	for (int i = 0; i < config_key_count; i++) {
		const struct config_key *a = &config_keys[i];
		ck_assert_msg(*a->meaning && strlen(a->key) <= 60, "%s", a->key);
		ck_assert_msg(a->type != KEY_INTEGER || a->size == 4 || a->size == 8, "%s", a->key);
		for (int j = i + 1; j < config_key_count; j++) {
			const struct config_key *b = &config_keys[j];
			ck_assert_str_ne(a->key, b->key);
			ck_assert_msg(a->offset + a->size <= b->offset || b->offset + b->size <= a->offset,
				      "%s and %s overlap", a->key, b->key);
		}
	}
}
END_TEST

START_TEST(every_key_refuses_other_types)
{
	static const char *const values[] = {"null",   "true",
					     "1.25",   "\"no such name\"",
					     "[true]", "{\"a\": 1}",
					     "[[1]]",  "-1e300",
					     "1e300",  "[1,2,3,4,5,6,7,8,9,10]"};
	for (int i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
			bool fits = (v == 1 && key->type == KEY_BOOL) ||
				    (v == 2 && key->type == KEY_NUMBER && key->max >= 1.25) ||
				    (v == 3 && (key->type == KEY_TEXT || key->type == KEY_FILES)) ||
				    (v == 5 && key->type == KEY_WEIGHTS &&
				     strcmp(key->key, "loss.class_weights") != 0); /* "a" is no class */
			enum status status = try_value(key->key, values[v]);
			ck_assert_msg(status == (fits ? STATUS_OK : STATUS_CONFIG), "%s = %s: %s", key->key, values[v],
				      status_message());
			if (!fits) {
				ck_assert_msg(strncmp(status_message(), "x.json: ", 8) == 0, "%s", status_message());
				expect_message(key->key);
				expect_message(": expected ");
				expect_message(", found ");
			}
		}
	}
}
END_TEST

START_TEST(every_number_has_a_range)
{
	for (int i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		char value[64];
		if (key->type != KEY_INTEGER && key->type != KEY_NUMBER)
			continue;
		ck_assert_msg(key->min < key->max, "%s", key->key);
		for (int side = 0; side < 2; side++) {
			double edge = side ? key->max : key->min, beyond = side ? edge * 1.001 + 1 : edge - 1;
			snprintf(value, sizeof value, "%.17g", beyond);
			ck_assert_msg(try_value(key->key, value) == STATUS_CONFIG, "%s = %s", key->key, value);
			snprintf(value, sizeof value, "%.17g", edge);
			enum status status = try_value(key->key, value);
			/* An edge may be refused by a check that spans keys, never by the range. */
			ck_assert_msg(status == STATUS_OK || !strstr(status_message(), ".. "), "%s", status_message());
		}
	}
}
END_TEST

START_TEST(integers_are_integers)
{
	ck_assert_int_eq(try_value("train.steps", "1.5"), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "x.json: train.steps: expected an integer in 1 .. 1000000000, found 1.5");
	ck_assert_int_eq(try_value("train.steps", "1e3"), STATUS_OK);
	ck_assert_uint_eq(config.train.steps, 1000);
	ck_assert_int_eq(try_value("seed", "9007199254740991"), STATUS_OK);
	ck_assert_uint_eq(config.seed, 9007199254740991u);
	ck_assert_int_eq(try_value("seed", "18446744073709551615"), STATUS_CONFIG);
	ck_assert_int_eq(try_value("seed", "-1"), STATUS_CONFIG);
	ck_assert_int_eq(try_value("train.size", "200"), STATUS_CONFIG);
	expect_message("multiple of 16");
	ck_assert_int_eq(try_value("model.widths", "[64, 48, 32.5, 16]"), STATUS_CONFIG);
	ck_assert_int_eq(try_value("model.widths", "[64, 48, 32]"), STATUS_CONFIG);
}
END_TEST

START_TEST(unknown_keys_get_a_suggestion)
{
	static const char *const cases[][2] = {
		{"optim.lrr", "did you mean optim.lr?"},
		{"optm.lr", "did you mean optim.lr?"},
		{"lr", "did you mean optim.lr?"},
		{"train.lr", "did you mean optim.lr?"},
		{"train.batchsize", "did you mean train.batch_size?"},
		{"batch_size", "did you mean train.batch_size?"},
		{"optim.weigth_decay", "did you mean optim.weight_decay?"},
		{"augment.scale_mni", "did you mean augment.scale_min?"},
		{"sede", "did you mean seed?"},
		{"Seed", "did you mean seed?"},
		{"optimm", "did you mean optim?"},
		{"completely.unlike", "`tapcut train --keys`"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char override[128];
		snprintf(override, sizeof override, "%s=1", cases[i][0]);
		ck_assert_int_eq(set_one(override), STATUS_CONFIG);
		expect_message("--set: unknown key ");
		expect_message(cases[i][0]);
		expect_message(cases[i][1]);
	}
	ck_assert_int_eq(config_from_json(&config, "{\"optim\": {\"lrr\": 1}}", "x.json"), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "x.json: unknown key optim.lrr; did you mean optim.lr?");
	ck_assert_int_eq(config_from_json(&config, "{\"optim\": {\"\": 1}}", "x.json"), STATUS_CONFIG);
	ck_assert_int_eq(config_from_json(&config, "{\"\": 1}", "x.json"), STATUS_CONFIG);
	ck_assert_int_eq(config_from_json(&config, "{\"\": {\"seed\": 2}}", "x.json"), STATUS_CONFIG);
	ck_assert_int_eq(config_from_json(&config, "{\"optim.lr\": 1}", "x.json"), STATUS_CONFIG);
	ck_assert_int_eq(config_from_json(&config, "{\"\\u001b[31m\": 1}", "x.json"), STATUS_CONFIG);
	ck_assert_ptr_null(strchr(status_message(), 27));
}
END_TEST

START_TEST(long_keys_are_cut)
{
	static char text[300000];
	int used = snprintf(text, sizeof text, "{\"");
	memset(text + used, 'k', 200000);
	snprintf(text + used + 200000, sizeof text - 200000 - (size_t)used, "\": 1}");
	ck_assert_int_eq(config_from_json(&config, text, "x.json"), STATUS_CONFIG);
	ck_assert_uint_lt(strlen(status_message()), 200);
	text[0] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(text, "{\"optim\": ");
	strcat(text, "1");
	for (int i = 0; i < 60; i++)
		strcat(text, "}");
	ck_assert_int_eq(config_from_json(&config, text, "x.json"), STATUS_CONFIG);
}
END_TEST

START_TEST(sections_are_objects)
{
	ck_assert_int_eq(config_from_json(&config, "{\"optim\": 3}", "x.json"), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "x.json: optim: expected an object of keys, found 3");
	ck_assert_int_eq(config_from_json(&config, "[1]", "x.json"), STATUS_CONFIG);
	ck_assert_str_eq(status_message(), "x.json: expected an object of keys, found a list of 1");
	ck_assert_int_eq(config_from_json(&config, "{} {}", "x.json"), STATUS_FORMAT);
	ck_assert_int_eq(config_from_json(&config, "{\"seed\": 1, \"seed\": 1}", "x.json"), STATUS_FORMAT);
	ck_assert_int_eq(config_from_json(&config, "", "x.json"), STATUS_FORMAT);
}
END_TEST

START_TEST(overrides_come_last)
{
	const char *overrides[] = {"optim.lr=0.5",
				   "optim.lr=0.25",
				   "name=2024",
				   "model.widths=[8,8,8,8]",
				   "data.categories=[\"cat\",\"dog\"]",
				   "eval={\"zoom\": false}",
				   "optim.name=\"sgd\"",
				   "model.decoder=sharpmask",
				   "train.nan_policy=skip"};
	ck_assert_int_eq(load("{\"optim\": {\"lr\": 0.125, \"beta1\": 0.5}}", overrides, 9), STATUS_OK);
	ck_assert(config.schedule.lr == 0.25 && config.optim.beta1 == 0.5);
	ck_assert_str_eq(config.name, "2024");
	ck_assert_int_eq(config.model.widths[0], 8);
	ck_assert_int_eq(config.data.category_count, 2);
	ck_assert_str_eq(config.data.categories[1], "dog");
	ck_assert(!config.eval.zoom);
	ck_assert_int_eq(config.optim.kind, OPTIM_SGD);
	ck_assert_int_eq(config.model.decoder, DECODER_SHARPMASK);
	ck_assert_str_eq(config.train.nan_policy, "skip");
}
END_TEST

START_TEST(bad_overrides)
{
	static const char *const bad[] = {"",
					  "=",
					  "=1",
					  "seed",
					  "seed=",
					  "seed=x",
					  "optim.lr=1e999",
					  "optim.lr=nan",
					  "optim=1",
					  "train.steps=10k",
					  "eval.zoom=yes",
					  "optim.name=adamm",
					  "data.categories=cat"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(set_one(bad[i]) != STATUS_OK, "accepted --set %s", bad[i]);
	ck_assert_int_eq(set_one("data.exif=mach"), STATUS_CONFIG);
	ck_assert_str_eq(status_message(),
			 "--set: data.exif: expected one of \"match\", \"apply\", \"ignore\", found the text \"mach\"");
	char long_name[200] = "name=";
	memset(long_name + 5, 'x', 64);
	ck_assert_int_eq(set_one(long_name), STATUS_CONFIG);
	long_name[5 + 63] = '\0';
	ck_assert_int_eq(set_one(long_name), STATUS_OK);
}
END_TEST

START_TEST(keys_are_checked_together)
{
	static const char *const bad[][2] = {
		{"{\"train\": {\"batch_size\": 6, \"slot_size\": 4}}",
		 "train.batch_size: expected a multiple of train.slot_size (4), found 6"},
		{"{\"data\": {\"min_area\": 0.5, \"max_area\": 0.4}}", "data.max_area"},
		{"{\"augment\": {\"scale_min\": 2, \"scale_max\": 1}}", "augment.scale_max"},
		{"{\"loss\": {\"nfl_weight\": 0}}", "loss: "},
		{"{\"clicks\": {\"max_positive\": 60, \"max_negative\": 60}}", "found 123"},
		{"{\"optim\": {\"milestones\": [0.5, 0.5]}}", "optim.milestones: expected rising"},
		{"{\"optim\": {\"milestones\": [], \"schedule\": \"step\"}}",
		 "optim.milestones: expected at least one"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(config_from_json(&config, bad[i][0], "x.json"), STATUS_CONFIG);
		expect_message(bad[i][1]);
	}
	ck_assert_int_eq(config_from_json(&config, "{\"input\": {\"previous_mask\": false}, \"train\": {\"steps\": 7}}",
					  "x"),
			 STATUS_OK);
	ck_assert_int_eq(config.model.click_planes, 2);
	ck_assert_uint_eq(config.schedule.total_steps, 7);
}
END_TEST

/* A value other than the default that the key takes. */
static void other_value(const struct config_key *key, char *text, size_t size)
{
	double between = key->min + (key->max - key->min) / 3;
	switch (key->type) {
	case KEY_INTEGER: snprintf(text, size, "%.0f", key->multiple ? key->min + key->multiple : key->min + 1); break;
	case KEY_NUMBER: snprintf(text, size, "%.17g", between); break;
	case KEY_BOOL: snprintf(text, size, "%s", strcmp(key->standard, "true") ? "true" : "false"); break;
	case KEY_ENUM:
	case KEY_CHOICE: snprintf(text, size, "\"%s\"", key->names[key->names[1] ? 1 : 0]); break;
	case KEY_TEXT: snprintf(text, size, "\"a \\\"quoted\\\" \\\\ \\u00e4 \\u0007 text\""); break;
	case KEY_TEXTS: snprintf(text, size, "[\"cat\", \"b\\nc\"]"); break;
	case KEY_INTEGERS: snprintf(text, size, "[1, 2, 3, 4]"); break;
	case KEY_NUMBERS: snprintf(text, size, "[0.1, 0.3333333333333333, 0.7]"); break;
	case KEY_FILES: snprintf(text, size, "[\"a\", {\"path\": \"b\", \"weight\": 0.3, \"images\": \"c\"}]"); break;
	case KEY_STAGES:
		snprintf(text, size, "[{\"steps\": 3, \"restart\": true}, {\"steps\": 1, \"optim\": {\"lr\": 0.5}}]");
		break;
	case KEY_WEIGHTS: snprintf(text, size, "{\"coco\": 0, \"a \\\"b\": 0.1}"); break;
	}
}

START_TEST(every_key_survives_a_round_trip)
{
	for (int i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		static struct config again;
		char value[128];
		other_value(key, value, sizeof value);
		if (try_value(key->key, value) != STATUS_OK) {
			/* only these checks span keys that are changed one at a time here */
			expect_message(strcmp(key->key, "task") == 0                 ? "data.categories"
				       : strcmp(key->key, "loss.class_weights") == 0 ? key->key
										     : "augment.scale_max");
			continue;
		}
		char *text = config_to_json(&config);
		ck_assert_ptr_nonnull(text);
		ck_assert_msg(config_from_json(&again, text, "again") == STATUS_OK, "%s: %s", key->key,
			      status_message());
		ck_assert_msg(memcmp(&config, &again, sizeof config) == 0, "%s = %s", key->key, value);
		char *second = config_to_json(&again);
		ck_assert_str_eq(text, second);
		free(text);
		free(second);
	}
}
END_TEST

START_TEST(labels_have_classes)
{
	static const char *const good = "{\"task\": \"labels\", \"data\": {\"categories\": [\"cat\", \"dog\"]}, "
					"\"loss\": {\"class_weights\": {\"background\": 0.25, \"dog\": 3}}}";
	static const char *const bad[][2] = {
		{"{\"task\": \"labels\"}", "data.categories: expected the classes of the task \"labels\", found none"},
		{"{\"task\": \"labels\", \"data\": {\"categories\": [\"cat\", \"cat\"]}}", "found \"cat\" twice"},
		{"{\"task\": \"labels\", \"data\": {\"categories\": [\"background\"]}}", "found \"background\" twice"},
		{"{\"task\": \"labels\", \"data\": {\"categories\": [\"cat\"]}, "
		 "\"augment\": {\"paste_probability\": 1}}",
		 "augment.paste_probability: expected 0"},
		{"{\"task\": \"labels\", \"data\": {\"categories\": [\"cat\"]}, \"loss\": {\"boundary_weight\": 1}}",
		 "boundary_weight 0 with the task \"labels\", found 0 and 1"},
		{"{\"task\": \"labels\", \"data\": {\"categories\": [\"cat\"]}, "
		 "\"loss\": {\"class_weights\": {\"ca\": 1}}}",
		 "expected \"background\" or names of data.categories, found \"ca\""},
	};
	ck_assert_msg(config_from_json(&config, good, "x.json") == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(config.model.classes, 3);
	ck_assert(config.augment.labels);
	ck_assert_str_eq(config_class_name(&config, 0), "background");
	ck_assert_str_eq(config_class_name(&config, 2), "dog");
	ck_assert(config.loss.class_weight[0] == 0.25f && config.loss.class_weight[1] == 1 &&
		  config.loss.class_weight[2] == 3);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(config_from_json(&config, bad[i][0], "x.json"), STATUS_CONFIG);
		expect_message(bad[i][1]);
	}
}
END_TEST

START_TEST(json_names_every_key)
{
	struct json *root;
	ck_assert_int_eq(config_init(&config), STATUS_OK);
	char *text = config_to_json(&config);
	ck_assert_int_eq(json_parse(text, strlen(text), "x", &root), STATUS_OK);
	for (int i = 0; i < config_key_count; i++) {
		char section[64];
		const char *key = config_keys[i].key, *dot = strchr(key, '.');
		snprintf(section, sizeof section, "%.*s", dot ? (int)(dot - key) : 0, key);
		ck_assert_msg(json_get(dot ? json_get(root, section) : root, dot ? dot + 1 : key) != NULL, "%s", key);
	}
	json_free(root);
	free(text);
}
END_TEST

START_TEST(paths_are_found_beside_the_config)
{
	char dir[1100], path[1200], photo[1200];
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("config_paths"));
	snprintf(path, sizeof path, "%s/x.json", dir);
	snprintf(photo, sizeof photo, "%s/only_here.json", dir);
	write_file(photo, "{}");
	write_file(path,
		   "{\"data\": {\"train\": \"only_here.json\", \"val\": \"nowhere.json\", \"images\": \"core\"}}");
	ck_assert_int_eq(config_load(&config, path, NULL, 0), STATUS_OK);
	ck_assert_str_eq(config.data.train[0].path, photo); /* found beside the config */
	ck_assert_str_eq(config.data.val, "nowhere.json");  /* found nowhere: as it was */
	ck_assert_str_eq(config.data.images, "core");       /* found from the working directory */
	ck_assert_int_eq(config_check_training(&config), STATUS_CONFIG);
	expect_message("data.val: nowhere.json");
	config.data.val[0] = '\0';
	ck_assert_int_eq(config_check_training(&config), STATUS_OK);
	config.data.train_count = 0;
	ck_assert_int_eq(config_check_training(&config), STATUS_CONFIG);
	expect_message("data.train: expected");
}
END_TEST

START_TEST(files_to_train_on)
{
	ck_assert_int_eq(set_one("data.train=a.json"), STATUS_OK);
	ck_assert_int_eq(config.data.train_count, 1);
	ck_assert(!config_draws_by_weight(&config));
	ck_assert_int_eq(set_one("data.train=[\"a.json\", {\"path\": \"b\", \"weight\": 0.5, \"images\": \"c\"}]"),
			 STATUS_OK);
	ck_assert_int_eq(config.data.train_count, 2);
	ck_assert_str_eq(config.data.train[1].path, "b");
	ck_assert_str_eq(config.data.train[1].images, "c");
	ck_assert(config.data.train[0].weight == 1 && config.data.train[1].weight == 0.5);
	ck_assert(config_draws_by_weight(&config));
	ck_assert_int_eq(set_one("data.source_weights={\"a\": 1, \"b\": 0.25}"), STATUS_OK);
	ck_assert_int_eq(config.data.source_weight_count, 2);
	ck_assert(config_draws_by_weight(&config));
	ck_assert_int_eq(set_one("data.source_weights={\"a\": 1}"), STATUS_OK);
	ck_assert(!config_draws_by_weight(&config));
	static const char *const bad[][2] = {
		{"data.train=[{\"weight\": 1}]", "data.train: expected a path"},
		{"data.train=[\"\"]", "data.train: expected a path"},
		{"data.train=[{\"path\": \"a\", \"wieght\": 1}]", "found \"wieght\""},
		{"data.train=[{\"path\": \"a\", \"weight\": -1}]", "data.train: expected a number in 0"},
		{"data.train=[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]", "at most 8 files"},
		{"data.source_weights=[1]", "data.source_weights: expected an object"},
		{"data.source_weights={\"a\": \"b\"}", "data.source_weights: expected a number"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(set_one(bad[i][0]), STATUS_CONFIG);
		expect_message(bad[i][1]);
	}
}
END_TEST

START_TEST(files_that_are_none)
{
	ck_assert_int_ne(config_load(&config, "no/such.json", NULL, 0), STATUS_OK);
	expect_message("no/such.json");
	ck_assert_int_ne(config_load(&config, "core", NULL, 0), STATUS_OK);
	expect_message("core");
	ck_assert_int_ne(load("", NULL, 0), STATUS_OK);
}
END_TEST

START_TEST(resume_allows_what_cannot_change_the_weights)
{
	static struct config now;
	ck_assert_int_eq(config_init(&config), STATUS_OK);
	now = config;
	now.train.log_every = 1;
	now.eval.limit = 3;
	snprintf(now.name, sizeof now.name, "other");
	struct config_changes changes;
	ck_assert_int_eq(config_check_resume(&config, &now, 0, &changes), STATUS_OK);
	ck_assert_int_eq(changes.count, 0);
	now.optim.beta1 = 0.5f;
	ck_assert_int_eq(config_check_resume(&config, &now, 0, &changes), STATUS_CONFIG);
	ck_assert_ptr_eq(strstr(status_message(),
				"optim.beta1: expected 0.9, with which this run was started, found 0.5"),
			 status_message());
}
END_TEST

/* What a run that goes on may change is told. */
START_TEST(resume_notes_changes)
{
	struct config now;
	struct config_changes changes;
	ck_assert_int_eq(config_init(&config), STATUS_OK);
	now = config;
	now.schedule.lr = 0.5;
	now.train.steps = 7;
	snprintf(now.train.nan_policy, sizeof now.train.nan_policy, "skip");
	ck_assert_int_eq(config_check_resume(&config, &now, 0, &changes), STATUS_OK);
	ck_assert_int_eq(changes.count, 3);
	ck_assert_str_eq(changes.items[0].key, "train.steps");
	ck_assert_str_eq(changes.items[0].from, "20000");
	ck_assert_str_eq(changes.items[0].to, "7");
	ck_assert_str_eq(changes.items[1].to, "\"skip\"");
	ck_assert_str_eq(changes.items[2].key, "optim.lr");
}
END_TEST

static const char *base_dir;

static void write_config(const char *name, const char *text)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/%s", base_dir, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static enum status load_from_disk(const char *name)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/%s", base_dir, name);
	return config_load(&config, path, NULL, 0);
}

/* A file over its base over that one's base, in another folder; paths beside the file that names them. */
START_TEST(base_is_changed)
{
	base_dir = test_tmp_dir("config_base");
	char path[1200];
	snprintf(path, sizeof path, "%s/below", base_dir);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	write_config("below/photos.json", "{}");
	write_config("below/first.json", "{\"name\": \"first\", \"seed\": 5, \"optim\": {\"lr\": 0.5, \"power\": 2},"
					 " \"data\": {\"train\": \"photos.json\"}}");
	write_config("below/second.json", "{\"optim\": {\"lr\": 0.25}, \"base\": \"first.json\"}");
	write_config("third.json", "{\"base\": \"below/second.json\", \"name\": \"third\"}");
	ck_assert_msg(load_from_disk("third.json") == STATUS_OK, "%s", status_message());
	ck_assert_str_eq(config.name, "third");
	ck_assert(config.seed == 5 && config.schedule.lr == 0.25 && config.schedule.power == 2);
	snprintf(path, sizeof path, "%s/below/photos.json", base_dir);
	ck_assert_str_eq(config.data.train[0].path, path);
	char *text = config_to_json(&config);
	ck_assert_ptr_null(strstr(text, "\"base\"")); /* what a run keeps is complete */
	free(text);
}
END_TEST

START_TEST(bases_that_are_none)
{
	base_dir = test_tmp_dir("config_base");
	write_config("a.json", "{\"base\": \"b.json\"}");
	write_config("b.json", "{\"base\": \"./a.json\"}");
	ck_assert_int_eq(load_from_disk("a.json"), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "b.json: base: ./a.json leads back to itself"));
	write_config("self.json", "{\"base\": \"self.json\"}");
	ck_assert_int_eq(load_from_disk("self.json"), STATUS_CONFIG);
	write_config("missing.json", "{\"base\": \"none.json\"}");
	ck_assert_int_ne(load_from_disk("missing.json"), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), "missing.json: base: "));
	ck_assert_ptr_nonnull(strstr(status_message(), "none.json"));
	write_config("number.json", "{\"base\": 3}");
	ck_assert_int_eq(load_from_disk("number.json"), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "base: expected the path of a config, found 3"));
	write_config("0.json", "{}");
	for (int i = 1; i < 9; i++) {
		char name[16], text[64];
		snprintf(name, sizeof name, "%d.json", i);
		snprintf(text, sizeof text, "{\"base\": \"%d.json\"}", i - 1);
		write_config(name, text);
	}
	ck_assert_msg(load_from_disk("7.json") == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(load_from_disk("8.json"), STATUS_LIMIT);
	const char *set[] = {"base=0.json"};
	ck_assert_int_eq(config_load(&config, "configs/smoke.json", set, 1), STATUS_CONFIG);
}
END_TEST

/* The configs that change another one are what they were when each said all. */
START_TEST(shipped_configs_with_a_base)
{
	static const struct {
		const char *file;
		const char *overrides[12];
	} same[] = {
		{"finetune",
		 {"name=finetune", "seed=2", "init.trunk=runs/baseline/final.safetensors", "train.steps=11000",
		  "optim.lr=0.0007", "optim.ema_decay=0.9995"}},
		{"qat",
		 {"name=qat", "seed=3", "init.trunk=runs/finetune/final.safetensors", "train.steps=2000",
		  "optim.lr=0.0002", "optim.warmup_steps=100", "optim.ema_decay=0.998", "quantize.enabled=true"}},
		{"fast",
		 {"name=fast", "seed=4", "init.trunk=runs/finetune/final.safetensors", "train.steps=4500",
		  "optim.lr=0.0007", "optim.warmup_steps=100", "optim.ema_decay=0.998", "quantize.enabled=true",
		  "model.click_entry=sixteenth"}},
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		char path[64];
		int count = 0;
		while (same[i].overrides[count])
			count++;
		snprintf(path, sizeof path, "configs/%s.json", same[i].file);
		ck_assert_int_eq(config_load(&config, "configs/baseline.json", same[i].overrides, count), STATUS_OK);
		char *expected = config_to_json(&config);
		ck_assert_int_eq(config_load(&config, path, NULL, 0), STATUS_OK);
		char *found = config_to_json(&config);
		ck_assert_str_eq(found, expected);
		free(expected);
		free(found);
	}
}
END_TEST

START_TEST(readme_lists_the_keys)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	config_print_keys(memory);
	fclose(memory);
	FILE *file = fopen("configs/README.md", "rb");
	ck_assert_msg(file != NULL, "configs/README.md");
	static char readme[200000];
	readme[fread(readme, 1, sizeof readme - 1, file)] = '\0';
	fclose(file);
	for (int i = 0; i < config_key_count; i++) {
		char cell[80];
		snprintf(cell, sizeof cell, "| `%s`", config_keys[i].key);
		ck_assert_msg(strstr(readme, cell) != NULL, "configs/README.md lacks %s", config_keys[i].key);
	}
	ck_assert_msg(strstr(readme, text) != NULL,
		      "configs/README.md is out of date: put what `tapcut train --keys` prints after its "
		      "line \"## Keys\"");
	free(text);
}
END_TEST

START_TEST(shipped_configs_load)
{
	static const char *const names[] = {"base", "base-300k", "baseline", "coarse", "demo",      "dios",
					    "fast", "finetune",  "labels",   "qat",    "sharpmask", "smoke"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		snprintf(path, sizeof path, "configs/%s.json", names[i]);
		ck_assert_msg(config_load(&config, path, NULL, 0) == STATUS_OK, "%s", status_message());
		ck_assert_str_eq(config.name, names[i]);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	tcase_add_test(tcase, defaults_are_the_recipe);
	tcase_add_test(tcase, labels_have_classes);
	tcase_add_test(tcase, table_is_in_order);
	tcase_add_test(tcase, every_key_refuses_other_types);
	tcase_add_test(tcase, every_number_has_a_range);
	tcase_add_test(tcase, integers_are_integers);
	tcase_add_test(tcase, unknown_keys_get_a_suggestion);
	tcase_add_test(tcase, long_keys_are_cut);
	tcase_add_test(tcase, sections_are_objects);
	tcase_add_test(tcase, overrides_come_last);
	tcase_add_test(tcase, bad_overrides);
	tcase_add_test(tcase, keys_are_checked_together);
	tcase_add_test(tcase, every_key_survives_a_round_trip);
	tcase_add_test(tcase, json_names_every_key);
	tcase_add_test(tcase, paths_are_found_beside_the_config);
	tcase_add_test(tcase, files_to_train_on);
	tcase_add_test(tcase, files_that_are_none);
	tcase_add_test(tcase, resume_allows_what_cannot_change_the_weights);
	tcase_add_test(tcase, resume_notes_changes);
	tcase_add_test(tcase, base_is_changed);
	tcase_add_test(tcase, bases_that_are_none);
	tcase_add_test(tcase, shipped_configs_with_a_base);
	tcase_add_test(tcase, readme_lists_the_keys);
	tcase_add_test(tcase, shipped_configs_load);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
