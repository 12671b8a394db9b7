/* A run in stages ends with the same bytes on any number of threads and wherever it is stopped, at the edge of stages
 * and within them; and a run that branches off from another's checkpoint goes on where that stood. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/sha256.h"
#include "data/scenes.h"
#include "infer/tapcut.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"
#include "train/run_state.h"
#include "train/trainer.h"

static char root[512];

static void make_scenes(void)
{
	struct scenes_options options;
	snprintf(root, sizeof root, "%s", test_tmp_dir("trainer_stages"));
	scenes_options_init(&options);
	options.out_dir = root;
	options.count = 6;
	options.seed = 5;
	options.width = 160;
	options.height = 120;
	ck_assert_msg(!scenes_write(&options), "%s", status_message());
}

/* Other crops, another batch, no average and then one again, 8 bits at the end: all that a stage can make anew. */
static const char stages[] =
	"stages=[{\"steps\": 2, \"train\": {\"size\": 48, \"batch_size\": 3}, \"optim\": {\"ema_decay\": 0}},"
	" {\"steps\": 3, \"train\": {\"size\": 64}, \"clicks\": {\"corrective_rounds\": 2}},"
	" {\"steps\": 3, \"restart\": true, \"train\": {\"batch_size\": 4},"
	" \"optim\": {\"lr\": 0.0005, \"ema_decay\": 0.9},"
	" \"quantize\": {\"enabled\": true, \"calibration_steps\": 1}}]";

enum { STEPS = 8 };

static void load_config(struct config *config, const char *const *more, int count)
{
	static char data[600];
	const char *overrides[16] = {data, "data.val=", "train.checkpoint_every=100", "clicks.corrective_rounds=1"};
	snprintf(data, sizeof data, "data.train=%s/instances.json", root);
	for (int i = 0; i < count; i++)
		overrides[4 + i] = more[i];
	ck_assert_msg(!config_load(config, "configs/smoke.json", overrides, 4 + count), "%s", status_message());
}

static enum status run(const struct config *config, const char *name, int threads, uint64_t until)
{
	static char dir[600];
	snprintf(dir, sizeof dir, "%s/%s", root, name);
	struct train_options options = {.out_dir = dir,
					.threads = threads,
					.resume = true,
					.quiet = true,
					.until_step = until};
	return train_run(config, &options);
}

static void digest_of(const char *name, const char *file, char hex[65])
{
	char path[700], *data;
	size_t size;
	uint8_t digest[32];
	struct sha256 sha;
	snprintf(path, sizeof path, "%s/%s/%s", root, name, file);
	ck_assert_msg(!file_read(path, 1 << 26, &data, &size), "%s", status_message());
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, digest);
	sha256_hex(digest, hex);
	free(data);
}

START_TEST(same_bytes_wherever_it_stops)
{
	static struct config config;
	static const char *const more[] = {stages};
	char straight[65], other[65], name[40];
	make_scenes();
	load_config(&config, more, 1);
	ck_assert_msg(!run(&config, "straight", 1, 0), "%s", status_message());
	digest_of("straight", "final.tapcut", straight);
	static const uint64_t stops[] = {1, 2, 4, 5, 6}; /* stages begin after 2 and 5 */
	for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
		uint64_t stop = stops[i];
		snprintf(name, sizeof name, "stop%d", (int)stop);
		ck_assert_msg(!run(&config, name, 1 + (int)stop % 2, stop), "%s", status_message());
		ck_assert_msg(!run(&config, name, 2, 0), "%s", status_message());
		digest_of(name, "final.tapcut", other);
		ck_assert_msg(!strcmp(straight, other), "stopped after step %d", (int)stop);
	}
	for (uint64_t stop = 1; stop <= STEPS; stop++) /* at every step */
		ck_assert_msg(!run(&config, "often", 1 + (int)stop % 2, stop), "%s", status_message());
	digest_of("often", "final.tapcut", other);
	ck_assert_str_eq(straight, other);
}
END_TEST

/* A stage that is under way may become longer, and the stages after it others: as if it had been so from the beginning.
 * What is behind may not. */
START_TEST(a_longer_stage_goes_on)
{
	static struct config config;
	static const char *const short_one[] =
		{"stages=[{\"steps\": 3, \"train\": {\"size\": 48}}, {\"steps\": 2, \"restart\": true, "
		 "\"optim\": {\"schedule\": \"cosine\"}}]",
		 "optim.schedule=constant"};
	static const char *const long_one[] =
		{"stages=[{\"steps\": 5, \"train\": {\"size\": 48}}, {\"steps\": 3, \"restart\": true, "
		 "\"optim\": {\"schedule\": \"poly\"}}]",
		 "optim.schedule=constant"};
	char straight[65], other[65];
	make_scenes();
	load_config(&config, long_one, 2);
	ck_assert_msg(!run(&config, "long", 1, 0), "%s", status_message());
	digest_of("long", "final.tapcut", straight);
	for (uint64_t stop = 2; stop <= 3; stop++) {
		char name[40];
		snprintf(name, sizeof name, "longer%d", (int)stop);
		load_config(&config, short_one, 2);
		ck_assert_msg(!run(&config, name, 1, stop), "%s", status_message());
		load_config(&config, long_one, 2);
		ck_assert_msg(!run(&config, name, 2, 0), "%s", status_message());
		digest_of(name, "final.tapcut", other);
		ck_assert_str_eq(straight, other);
	}
	load_config(&config, short_one, 2);
	ck_assert_msg(!run(&config, "late", 1, 4), "%s", status_message()); /* the second stage has begun */
	load_config(&config, long_one, 2);
	ck_assert_int_eq(run(&config, "late", 1, 0), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "with which this run was started and which its stages share"));
	static const char *const another_rate[] = {"stages=[{\"steps\": 5, \"train\": {\"size\": 48}}]",
						   "optim.schedule=cosine"};
	load_config(&config, another_rate, 2);
	ck_assert_int_eq(run(&config, "longer2", 1, 0), STATUS_CONFIG);
}
END_TEST

/* What the last stage leaves is a network for 8 bits, and its checkpoint knows so. */
START_TEST(ends_in_eight_bits)
{
	static struct config config, of_checkpoint;
	static const char *const more[] = {stages};
	struct checkpoint checkpoint;
	char path[700];
	make_scenes();
	load_config(&config, more, 1);
	ck_assert_msg(!run(&config, "run", 2, 5), "%s", status_message());
	snprintf(path, sizeof path, "%s/run/last.ckpt", root);
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_OK);
	ck_assert_int_eq(run_state_config(&checkpoint, path, &of_checkpoint), STATUS_OK);
	ck_assert(!of_checkpoint.model.quantize);
	checkpoint_release(&checkpoint);
	ck_assert_msg(!run(&config, "run", 2, 0), "%s", status_message());
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_OK);
	ck_assert_int_eq(run_state_config(&checkpoint, path, &of_checkpoint), STATUS_OK);
	ck_assert(of_checkpoint.model.quantize);
	checkpoint_release(&checkpoint);
}
END_TEST

/* A constant run, branched off after 3 of its steps with nothing changed: the same weights as if it went on. */
START_TEST(a_branch_goes_on)
{
	static struct config config;
	char whole[65], branched[65], from[700];
	static const char *const constant[] = {"optim.schedule=constant", "train.steps=6", "train.keep_every=3"};
	make_scenes();
	load_config(&config, constant, 3);
	ck_assert_msg(!run(&config, "whole", 1, 0), "%s", status_message());
	digest_of("whole", "final.tapcut", whole);
	snprintf(from, sizeof from, "init.checkpoint=%s/whole/step-3.ckpt", root);
	const char *branch[] = {"optim.schedule=constant", "train.steps=6", from};
	load_config(&config, branch, 3);
	ck_assert_msg(!run(&config, "branch", 2, 0), "%s", status_message());
	digest_of("branch", "final.tapcut", branched);
	ck_assert_str_eq(whole, branched);
	/* stopped in the branch, it goes on with its own checkpoint */
	ck_assert_msg(!run(&config, "stopped", 2, 4), "%s", status_message());
	ck_assert_msg(!run(&config, "stopped", 1, 0), "%s", status_message());
	digest_of("stopped", "final.tapcut", branched);
	ck_assert_str_eq(whole, branched);
	/* with a cool-down it ends elsewhere */
	const char *cooled[] = {"optim.schedule=wsd", "optim.cooldown_steps=3", "train.steps=6", from};
	load_config(&config, cooled, 4);
	ck_assert_msg(!run(&config, "cooled", 2, 0), "%s", status_message());
	digest_of("cooled", "final.tapcut", branched);
	ck_assert_str_ne(whole, branched);
}
END_TEST

/* What the network of the checkpoint has not starts fresh: here the ranges of values. */
START_TEST(a_branch_with_another_network)
{
	static struct config config;
	char from[700];
	static const char *const first[] = {"train.steps=2"};
	make_scenes();
	load_config(&config, first, 1);
	ck_assert_msg(!run(&config, "first", 1, 0), "%s", status_message());
	snprintf(from, sizeof from, "init.checkpoint=%s/first/last.ckpt", root);
	const char *branch[] = {"quantize.enabled=true", "quantize.calibration_steps=1", "train.steps=4", from};
	load_config(&config, branch, 4);
	ck_assert_msg(!run(&config, "branch", 1, 0), "%s", status_message());
}
END_TEST

START_TEST(branches_that_are_refused)
{
	static struct config config;
	char from[700];
	static const char *const first[] = {"train.steps=2"};
	make_scenes();
	load_config(&config, first, 1);
	ck_assert_msg(!run(&config, "first", 1, 0), "%s", status_message());
	snprintf(from, sizeof from, "init.checkpoint=%s/first/last.ckpt", root);
	const char *over[] = {"train.steps=2", from};
	load_config(&config, over, 2);
	ck_assert_int_eq(run(&config, "over", 1, 0), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "stands after step 2"));
	const char *other[] = {"train.steps=4", "optim.name=sgd", from};
	load_config(&config, other, 3);
	ck_assert_int_eq(run(&config, "other", 1, 0), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "optim.name"));
	ck_assert_ptr_nonnull(strstr(status_message(), "last.ckpt"));
	snprintf(from, sizeof from, "init.checkpoint=%s/instances.json", root);
	load_config(&config, over, 2);
	ck_assert_int_ne(run(&config, "broken", 1, 0), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), "instances.json"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("trainer_stages");
	TCase *tcase = tcase_create("trainer_stages");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, same_bytes_wherever_it_stops);
	tcase_add_test(tcase, a_longer_stage_goes_on);
	tcase_add_test(tcase, ends_in_eight_bits);
	tcase_add_test(tcase, a_branch_goes_on);
	tcase_add_test(tcase, a_branch_with_another_network);
	tcase_add_test(tcase, branches_that_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
