/* The promise of the trainer: same config and seed, same bytes, on any number of threads, with any instruction set and
 * through any stop. Runs a small network on a few generated scenes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/kernels.h"
#include "core/sha256.h"
#include "data/scenes.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"
#include "train/trainer.h"

static char root[512];

static void make_scenes(void)
{
	struct scenes_options options;
	snprintf(root, sizeof root, "%s", test_tmp_dir("trainer"));
	scenes_options_init(&options);
	options.out_dir = root;
	options.count = 6;
	options.seed = 5;
	options.width = 160;
	options.height = 120;
	ck_assert_msg(!scenes_write(&options), "%s", status_message());
}

static const char *run_steps = "8";
static const char *run_setting; /* one more override; NULL: none */

static void load_config(struct config *config, const char *steps)
{
	char data[600], set_steps[64];
	snprintf(data, sizeof data, "data.train=%s/instances.json", root);
	snprintf(set_steps, sizeof set_steps, "train.steps=%s", steps);
	const char *overrides[] = {data,
				   set_steps,
				   "data.val=",
				   "train.checkpoint_every=3",
				   "train.log_every=2",
				   "train.batch_size=5",
				   "clicks.corrective_rounds=2",
				   "train.size=64",
				   "model.dropout=0.1",
				   "quantize.enabled=true",
				   "quantize.calibration_steps=1",
				   run_setting ? run_setting : data};
	ck_assert_msg(!config_load(config, "configs/smoke.json", overrides, sizeof overrides / sizeof *overrides), "%s",
		      status_message());
}

/* Runs to the end in out_dir; the digest of final.tapcut. */
static void train(const char *name, int threads, bool resume, char hex[65])
{
	struct config config;
	char dir[600], path[700];
	load_config(&config, run_steps);
	snprintf(dir, sizeof dir, "%s/%s", root, name);
	struct train_options options = {.out_dir = dir, .threads = threads, .resume = resume, .quiet = true};
	ck_assert_msg(!train_run(&config, &options), "%s", status_message());
	char *data;
	size_t size;
	uint8_t digest[32];
	struct sha256 sha;
	snprintf(path, sizeof path, "%s/final.tapcut", dir);
	ck_assert_msg(!file_read(path, 1 << 26, &data, &size), "%s", status_message());
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, digest);
	sha256_hex(digest, hex);
	free(data);
}

START_TEST(test_same_bytes_on_any_number_of_threads)
{
	char one[65], other[65];
	make_scenes();
	train("one", 1, false, one);
	for (int threads = 2; threads <= 4; threads++) {
		train("other", threads, false, other);
		ck_assert_str_eq(one, other);
	}
}
END_TEST

/* Minutes for the generic kernels under the address sanitizer, which sees them in tests/core/kernels as well. */
static bool too_slow(const char *kernels)
{
#ifdef __SANITIZE_ADDRESS__
	return !strcmp(kernels, "generic");
#else
	(void)kernels;
	return false;
#endif
}

/* The generic kernels are slow: few steps. */
START_TEST(test_same_bytes_with_any_kernels)
{
	char best[65], other[65];
	make_scenes();
	run_steps = "2";
	train("best", 2, false, best);
	for (int i = 0; kernels_names[i]; i++) {
		if (!kernels_supported(kernels_names[i]) || too_slow(kernels_names[i]))
			continue;
		ck_assert_int_eq(kernels_select(kernels_names[i]), STATUS_OK);
		train("other", 1, false, other);
		ck_assert_msg(!strcmp(best, other), "%s kernels give other weights", kernels_names[i]);
	}
}
END_TEST

/* A child trains and is killed as soon as its first checkpoint stands; then the run is resumed. */
static void kill_after_checkpoint(const char *name)
{
	char path[700];
	snprintf(path, sizeof path, "%s/%s/last.ckpt", root, name);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct config config;
		char dir[600];
		load_config(&config, "8");
		snprintf(dir, sizeof dir, "%s/%s", root, name);
		struct train_options options = {.out_dir = dir, .threads = 2, .quiet = true};
		_exit(train_run(&config, &options) ? 1 : 0);
	}
	while (access(path, F_OK) != 0 && waitpid(child, NULL, WNOHANG) == 0)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

START_TEST(test_same_bytes_after_kill_and_resume)
{
	char straight[65], resumed[65];
	make_scenes();
	train("straight", 2, false, straight);
	kill_after_checkpoint("killed");
	train("killed", 3, true, resumed);
	ck_assert_str_eq(straight, resumed);
}
END_TEST

START_TEST(test_stop_request_saves_and_resumes)
{
	char straight[65], resumed[65];
	struct config config;
	char dir[600];
	static volatile sig_atomic_t stop = 1;
	make_scenes();
	train("straight", 2, false, straight);
	load_config(&config, "8");
	snprintf(dir, sizeof dir, "%s/stopped", root);
	struct train_options options = {.out_dir = dir, .threads = 1, .quiet = true, .stop = &stop};
	ck_assert_int_eq(train_run(&config, &options), STATUS_INTERRUPTED);
	train("stopped", 1, true, resumed);
	ck_assert_str_eq(straight, resumed);
}
END_TEST

/* Objects of two files, drawn by weight. */
START_TEST(test_same_bytes_with_weights)
{
	char straight[65], other[65], setting[1400];
	make_scenes();
	train("plain", 2, false, other);
	snprintf(setting, sizeof setting,
		 "data.train=[\"%s/instances.json\", {\"path\": \"%s/instances.json\", \"weight\": 0.5}]", root, root);
	run_setting = setting;
	train("straight", 1, false, straight);
	ck_assert_str_ne(straight, other);
	kill_after_checkpoint("killed");
	train("killed", 3, true, other);
	ck_assert_str_eq(straight, other);
}
END_TEST

/* Losses on parts and gradients of all rounds, on any number of threads and through a stop. */
START_TEST(test_same_bytes_with_every_loss)
{
	static const char *const settings[] = {"loss.coarse_weight=0.4", "loss.boundary_weight=1",
					       "clicks.train_rounds=all"};
	char plain[65], one[65], other[65];
	make_scenes();
	run_steps = "3";
	train("plain", 2, false, plain);
	for (int i = 0; i < 3; i++) {
		run_setting = settings[i];
		train("one", 1, false, one);
		ck_assert_str_ne(plain, one);
		train("other", 3, false, other);
		ck_assert_str_eq(one, other);
	}
}
END_TEST

START_TEST(test_changed_data_is_refused_on_resume)
{
	struct config config;
	char dir[600], hex[65];
	make_scenes();
	train("run", 1, false, hex);
	load_config(&config, "8");
	config.data.max_objects = 3; /* what a changed file would do: another digest, or another config */
	snprintf(dir, sizeof dir, "%s/run", root);
	struct train_options options = {.out_dir = dir, .threads = 1, .resume = true, .quiet = true};
	ck_assert_int_eq(train_run(&config, &options), STATUS_CONFIG);
	ck_assert_ptr_nonnull(strstr(status_message(), "last.ckpt"));
}
END_TEST

START_TEST(test_broken_photo_names_the_file)
{
	struct config config;
	char dir[600], command[1400];
	make_scenes();
	snprintf(command, sizeof command, "for f in %s/images/*; do head -c 300 $f > $f.cut; mv $f.cut $f; done", root);
	ck_assert_int_eq(system(command), 0);
	load_config(&config, "8");
	snprintf(dir, sizeof dir, "%s/run", root);
	struct train_options options = {.out_dir = dir, .threads = 1, .quiet = true};
	ck_assert_int_ne(train_run(&config, &options), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), ".jpg"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("trainer");
	TCase *tcase = tcase_create("trainer");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_same_bytes_on_any_number_of_threads);
	tcase_add_test(tcase, test_same_bytes_with_any_kernels);
	tcase_add_test(tcase, test_same_bytes_after_kill_and_resume);
	tcase_add_test(tcase, test_stop_request_saves_and_resumes);
	tcase_add_test(tcase, test_same_bytes_with_weights);
	tcase_add_test(tcase, test_same_bytes_with_every_loss);
	tcase_add_test(tcase, test_changed_data_is_refused_on_resume);
	tcase_add_test(tcase, test_broken_photo_names_the_file);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
