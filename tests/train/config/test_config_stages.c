/* Stages of a config: where they begin, what holds in each, what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"
#include "train/config/config_file.h"

static struct config config, stage;

static enum status read_config(const char *text)
{
	return config_from_json(&config, text, "x.json");
}

static void read_ok(const char *text)
{
	ck_assert_msg(read_config(text) == STATUS_OK, "%s", status_message());
}

static void enter(int index)
{
	ck_assert_msg(config_in_stage(&config, index, &stage) == STATUS_OK, "%s", status_message());
}

#define STAGES                                                                                                       \
	"\"stages\": [{\"steps\": 100, \"train\": {\"size\": 96, \"batch_size\": 16}},"                              \
	" {\"steps\": 300, \"train\": {\"size\": 128}, \"clicks\": {\"corrective_rounds\": 1}},"                     \
	" {\"steps\": 50, \"restart\": true, \"train\": {\"batch_size\": 4}, \"optim\": {\"lr\": 0.5, "              \
	"\"schedule\": \"wsd\", \"warmup_steps\": 0}, \"quantize\": {\"enabled\": true, \"calibration_steps\": 7}}," \
	" {\"steps\": 50, \"augment\": {\"scale_max\": 2}}]"

START_TEST(keys_hold_from_their_stage_on)
{
	read_ok("{\"train\": {\"batch_size\": 8, \"slot_size\": 2}, \"optim\": {\"lr\": 0.25}, " STAGES "}");
	ck_assert_int_eq(config.stage_count, 4);
	ck_assert_uint_eq(config.train.steps, 500);
	ck_assert_int_eq(config.train.size, 256); /* the config itself stays as it was given */
	enter(0);
	ck_assert(stage.train.size == 96 && stage.train.batch_size == 16 && stage.train.slot_size == 2);
	ck_assert_int_eq(stage.max_corrective_rounds, 3);
	enter(1);
	ck_assert(stage.train.size == 128 && stage.train.batch_size == 16 && stage.max_corrective_rounds == 1);
	ck_assert(stage.schedule.lr == 0.25 && !stage.model.quantize);
	ck_assert(stage.schedule.first_step == 0 && stage.schedule.total_steps == 400);
	enter(2);
	ck_assert(stage.train.size == 128 && stage.train.batch_size == 4 && stage.schedule.lr == 0.5);
	ck_assert(stage.schedule.first_step == 400 && stage.schedule.total_steps == 100);
	ck_assert(stage.model.quantize && stage.quantize_from == 407);
	enter(3);
	ck_assert(stage.schedule.first_step == 400 && stage.augment.scale_max == 2 && stage.quantize_from == 407);
}
END_TEST

START_TEST(steps_and_samples)
{
	read_ok("{" STAGES "}");
	static const struct {
		uint64_t step;
		int stage;
		uint64_t samples;
	} cases[] = {{0, 0, 0},      {1, 0, 16},     {99, 0, 1584},  {100, 1, 1600}, {101, 1, 1616},
		     {400, 2, 6400}, {401, 2, 6404}, {450, 3, 6600}, {499, 3, 6796}, {500, 3, 6800}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(config_stage_at(&config, cases[i].step), cases[i].stage);
		ck_assert_uint_eq(config_samples(&config, cases[i].step), cases[i].samples);
	}
	/* a checkpoint at the edge of two stages holds what the earlier one made */
	ck_assert_int_eq(config_after(&config, 400, &stage), STATUS_OK);
	ck_assert(!stage.model.quantize);
	ck_assert_int_eq(config_after(&config, 401, &stage), STATUS_OK);
	ck_assert(stage.model.quantize);
	ck_assert_int_eq(config_after(&config, 0, &stage), STATUS_OK);
	ck_assert_int_eq(stage.train.size, 96);
}
END_TEST

START_TEST(without_stages)
{
	read_ok("{\"train\": {\"steps\": 50, \"batch_size\": 3}}");
	ck_assert_int_eq(config_stage_at(&config, 49), 0);
	ck_assert_uint_eq(config_samples(&config, 7), 21);
	enter(0);
	ck_assert(memcmp(&config, &stage, sizeof config) == 0);
}
END_TEST

/* The same way in fewer steps, for a trial. */
START_TEST(given_steps_are_shared)
{
	read_ok("{\"train\": {\"steps\": 10}, " STAGES "}");
	ck_assert_uint_eq(config.train.steps, 10);
	static const uint64_t ends[] = {2, 8, 9, 10};
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(config.stages[i].end, ends[i]);
	read_ok("{\"train\": {\"steps\": 2}, " STAGES "}"); /* some are empty */
	ck_assert_int_eq(config_stage_at(&config, 1), 1);
	ck_assert_uint_eq(config_samples(&config, 2), 16 * 2);
}
END_TEST

/* What a run keeps as config.json means the same again, the length of the run included. */
START_TEST(round_trip)
{
	static struct config again;
	read_ok("{" STAGES "}");
	char *text = config_to_json(&config);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(config_from_json(&again, text, "again") == STATUS_OK, "%s", status_message());
	ck_assert(memcmp(&config, &again, sizeof config) == 0);
	free(text);
}
END_TEST

START_TEST(what_is_refused)
{
	static const char *const bad[][2] = {
		{"{\"stages\": {\"steps\": 3}}", "stages: expected a list of at most 16 objects"},
		{"{\"stages\": [3]}", "stage 1: expected an object"},
		{"{\"stages\": [{\"steps\": 3}, {}]}", "stage 2: expected \"steps\""},
		{"{\"stages\": [{\"steps\": 0}]}", "stage 1: expected \"steps\", an integer"},
		{"{\"stages\": [{\"steps\": 1.5}]}", "stage 1: expected \"steps\", an integer"},
		{"{\"stages\": [{\"steps\": 1, \"restart\": 1}]}", "\"restart\", true or false"},
		{"{\"stages\": [{\"steps\": 1, \"lr\": 1}]}", "found \"lr\""},
		{"{\"stages\": [{\"steps\": 1, \"optim\": {\"lrr\": 1}}]}",
		 "stage 1: unknown key optim.lrr; did you mean optim.lr?"},
		{"{\"stages\": [{\"steps\": 1, \"optim\": {\"lr\": -1}}]}", "stage 1: optim.lr: expected a number"},
		{"{\"stages\": [{\"steps\": 1, \"optim\": {\"name\": \"sgd\"}}]}",
		 "optim.name cannot change within a run"},
		{"{\"stages\": [{\"steps\": 1, \"model\": {\"widths\": [1, 2, 3, 4]}}]}", "model.widths cannot change"},
		{"{\"stages\": [{\"steps\": 1, \"train\": {\"steps\": 4}}]}", "train.steps cannot change"},
		{"{\"train\": {\"slot_size\": 2}, \"stages\": [{\"steps\": 1}, "
		 "{\"steps\": 1, \"train\": {\"batch_size\": 5}}]}",
		 "stage 2: train.batch_size: expected a multiple of train.slot_size (2), found 5"},
		{"{\"stages\": [{\"steps\": 1000000000}, {\"steps\": 1}]}", "at most 1000000000 steps together"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(read_config(bad[i][0]) == STATUS_CONFIG, "%s", bad[i][0]);
		ck_assert_msg(strstr(status_message(), bad[i][1]) != NULL, "\"%s\" lacks \"%s\"", status_message(),
			      bad[i][1]);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("config_stages");
	TCase *tcase = tcase_create("config_stages");
	tcase_add_test(tcase, keys_hold_from_their_stage_on);
	tcase_add_test(tcase, steps_and_samples);
	tcase_add_test(tcase, without_stages);
	tcase_add_test(tcase, given_steps_are_shared);
	tcase_add_test(tcase, round_trip);
	tcase_add_test(tcase, what_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
