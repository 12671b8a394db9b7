/* A training of two ranks, as two processes of this test that talk through a socket: the same weights and the same
 * manifest as one alone, and a photo that is not the same file for both is found. With MPI: tests/cli/test_ranks.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "data/scenes.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"
#include "train/record/run_manifest.h"
#include "train/trainer.h"

static char root[512];

static void make_scenes(const char *name)
{
	char dir[600];
	struct scenes_options options;
	snprintf(dir, sizeof dir, "%s/%s", root, name);
	scenes_options_init(&options);
	options.out_dir = dir;
	options.count = 4;
	options.seed = 5;
	options.width = 96;
	options.height = 64;
	ck_assert_msg(!scenes_write(&options), "%s", status_message());
}

static void setup(void)
{
	snprintf(root, sizeof root, "%s", test_tmp_dir("trainer_ranks"));
	make_scenes("a");
	make_scenes("b");
}

/* --- the transport: one socket between the two ---------------------------- */

static void send_all(const struct ranks *ranks, int to, const void *data, size_t size)
{
	const char *bytes = data;
	(void)to;
	for (size_t done = 0; done < size;) {
		ssize_t count = write(*(int *)ranks->transport, bytes + done, size - done);
		if (count <= 0)
			_exit(77); /* the other one is gone */
		done += (size_t)count;
	}
}

static void receive_all(const struct ranks *ranks, int from, void *data, size_t size)
{
	char *bytes = data;
	(void)from;
	for (size_t done = 0; done < size;) {
		ssize_t count = read(*(int *)ranks->transport, bytes + done, size - done);
		if (count <= 0)
			_exit(77);
		done += (size_t)count;
	}
}

static enum status train_rank(const char *run, int rank, int count, int *socket)
{
	char out[600];
	struct config config;
	snprintf(out, sizeof out, "%s/%s", root, run);
	const char *overrides[] = {"data.train=set/instances.json", "data.val=", "train.steps=6", "train.size=32",
				   "train.checkpoint_every=4"};
	TRY(config_load(&config, "configs/smoke.json", overrides, sizeof overrides / sizeof *overrides));
	struct ranks ranks = {.rank = rank,
			      .count = count,
			      .machine_ranks = count,
			      .send = send_all,
			      .receive = receive_all,
			      .transport = socket};
	struct train_options options = {.out_dir = out, .threads = 1, .quiet = true, .ranks = &ranks};
	return train_run(&config, &options);
}

/* Each rank sees its data as set/, through a link in a folder of its own. */
static void enter(int rank, const char *data, char back[512])
{
	char dir[600];
	ck_assert_ptr_nonnull(getcwd(back, 512));
	snprintf(dir, sizeof dir, "%s/home%d%s", root, rank, data);
	char command[5000];
	snprintf(command, sizeof command,
		 "mkdir -p %s && ln -sfn \"$(realpath %s/%s)\" %s/set && ln -sfn \"%s/configs\" "
		 "%s/configs && mkdir -p %s/build && ln -sfn \"$(realpath %s)\" %s/out",
		 dir, root, data, dir, back, dir, dir, root, dir);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(chdir(dir), 0);
	snprintf(root, sizeof root, "out");
}

/* Both ranks; the status of rank 0 with its message in status_message(), that of rank 1 in *second. */
static enum status train_two(const char *run, const char *data0, const char *data1, enum status *second)
{
	int ends[2], status;
	char back[512], before[512];
	snprintf(before, sizeof before, "%s", root);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		enter(1, data1, back);
		_exit((int)train_rank(run, 1, 2, &ends[1]));
	}
	close(ends[1]);
	enter(0, data0, back);
	enum status first = train_rank(run, 0, 2, &ends[0]);
	ck_assert_int_eq(chdir(back), 0);
	snprintf(root, sizeof root, "%s", before);
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	*second = (enum status)WEXITSTATUS(status);
	return first;
}

static struct run_manifest manifest_of(const char *run)
{
	char path[600];
	struct run_manifest manifest;
	snprintf(path, sizeof path, "%s/%s/manifest.json", root, run);
	ck_assert_msg(run_manifest_read(&manifest, path, NULL) == STATUS_OK, "%s", status_message());
	run_manifest_release(&manifest);
	return manifest;
}

START_TEST(two_ranks_give_the_same)
{
	enum status second;
	char back[512], before[512];
	ck_assert_msg(train_two("two", "a", "a", &second) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(second, STATUS_OK);
	snprintf(before, sizeof before, "%s", root);
	enter(0, "a", back);
	ck_assert_msg(train_rank("one", 0, 1, NULL) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(chdir(back), 0);
	snprintf(root, sizeof root, "%s", before);
	struct run_manifest one = manifest_of("one"), two = manifest_of("two");
	ck_assert_str_eq(one.result_sha256, two.result_sha256);
	ck_assert_str_eq(one.photos_sha256, two.photos_sha256);
	ck_assert_int_eq(one.photos, two.photos);
}
END_TEST

START_TEST(a_photo_that_differs_between_ranks_is_found)
{
	enum status second;
	char command[5000];
	snprintf(command, sizeof command, "cp %s/b/images/000003.jpg %s/b/images/000001.jpg", root, root);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(train_two("differ", "a", "b", &second), STATUS_FORMAT);
	ck_assert_int_eq(second, STATUS_FORMAT);
	ck_assert_msg(strstr(status_message(), "000001.jpg") != NULL, "%s", status_message());
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("trainer ranks");
	TCase *tcase = tcase_create("ranks");
	tcase_set_timeout(tcase, 120);
	tcase_add_unchecked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, two_ranks_give_the_same);
	tcase_add_test(tcase, a_photo_that_differs_between_ranks_is_found);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
