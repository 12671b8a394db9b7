/* Checkpoints come back exactly or not at all: every truncation, every flipped byte, hostile files with a right
 * checksum, a full disk and kill -9. */
#include "core/checkpoint.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/sha256.h"
#include "tests/support/test.h"

enum { HEADER = 16, HEAD = 40, DIGEST = 32 };

static char path[1200];

static void make_path(void)
{
	snprintf(path, sizeof path, "%s/last.ckpt", test_tmp_dir("checkpoint"));
}

static const float weights[5] = {1, -2, 3.5f, 0, 1e-30f};

static enum status write_example(const char *note)
{
	struct checkpoint checkpoint;
	checkpoint_init(&checkpoint);
	checkpoint_add(&checkpoint, "weights", weights, sizeof weights);
	checkpoint_add(&checkpoint, "empty", NULL, 0);
	checkpoint_add(&checkpoint, "a name of thirty-one characters", note, strlen(note));
	return checkpoint_write(&checkpoint, path);
}

static void expect_example(const char *note)
{
	struct checkpoint checkpoint;
	ck_assert_msg(checkpoint_read(&checkpoint, path) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(checkpoint.count, 3);
	const struct checkpoint_section *section = checkpoint_find(&checkpoint, "weights", sizeof weights);
	ck_assert_ptr_nonnull(section);
	ck_assert_mem_eq(section->data, weights, sizeof weights);
	ck_assert_uint_eq((uintptr_t)section->data % 8, 0);
	ck_assert_uint_eq(checkpoint_find(&checkpoint, "empty", 0)->size, 0);
	section = checkpoint_find(&checkpoint, "a name of thirty-one characters", SIZE_MAX);
	ck_assert_uint_eq(section->size, strlen(note));
	ck_assert_mem_eq(section->data, note, strlen(note));
	ck_assert_uint_eq((uintptr_t)section->data % 8, 0);
	checkpoint_release(&checkpoint);
}

static void read_bytes(char **bytes, size_t *size)
{
	ck_assert_int_eq(file_read(path, 1 << 20, bytes, size), STATUS_OK);
}

static void write_bytes(const char *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void expect_refused(const char *bytes, size_t size, const char *reason)
{
	struct checkpoint checkpoint;
	write_bytes(bytes, size);
	status_fail(STATUS_OK, "no message");
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_FORMAT);
	ck_assert_ptr_null(checkpoint.bytes);
	ck_assert_int_eq(checkpoint.count, 0);
	ck_assert_msg(strstr(status_message(), path) && strstr(status_message(), reason), "%s", status_message());
}

START_TEST(comes_back)
{
	ck_assert_int_eq(write_example(""), STATUS_OK);
	expect_example("");
	ck_assert_int_eq(write_example("seven b"), STATUS_OK);
	expect_example("seven b");
	ck_assert_int_eq(write_example("eight by"), STATUS_OK);
	expect_example("eight by");
}
END_TEST

START_TEST(without_sections_and_full)
{
	struct checkpoint checkpoint;
	checkpoint_init(&checkpoint);
	ck_assert_int_eq(checkpoint_write(&checkpoint, path), STATUS_OK);
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_OK);
	ck_assert_int_eq(checkpoint.count, 0);
	checkpoint_release(&checkpoint);
	for (int i = 0; i < CHECKPOINT_MAX_SECTIONS; i++) {
		char name[20];
		snprintf(name, sizeof name, "section %d", i);
		checkpoint_add(&checkpoint, name, weights, (size_t)i % 21);
	}
	ck_assert_int_eq(checkpoint_write(&checkpoint, path), STATUS_OK);
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_OK);
	for (int i = 0; i < CHECKPOINT_MAX_SECTIONS; i++)
		ck_assert_uint_eq(checkpoint.sections[i].size, (size_t)i % 21);
	checkpoint_release(&checkpoint);
}
END_TEST

/* The layout as checkpoint.h gives it, byte by byte. */
START_TEST(the_bytes_are_those_of_the_header)
{
	char *bytes;
	size_t size;
	write_example("note");
	read_bytes(&bytes, &size);
	ck_assert_uint_eq(size, HEADER + (HEAD + 24) + HEAD + (HEAD + 8) + DIGEST);
	ck_assert_mem_eq(bytes, "TAPCKPT1\3\0\0\0\0\0\0\0weights\0\0", 25);
	ck_assert_mem_eq(bytes + HEADER + 32, "\24\0\0\0\0\0\0\0", 8);
	ck_assert_mem_eq(bytes + HEADER + HEAD, weights, sizeof weights);
	ck_assert_mem_eq(bytes + HEADER + HEAD + 20, "\0\0\0\0empty\0", 10);
	ck_assert_mem_eq(bytes + size - DIGEST - 8, "note\0\0\0\0", 8);
	free(bytes);
}
END_TEST

START_TEST(find_says_what_is_wrong)
{
	struct checkpoint checkpoint;
	write_example("note");
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_OK);
	ck_assert_ptr_null(checkpoint_find(&checkpoint, "moments", SIZE_MAX));
	ck_assert_ptr_nonnull(strstr(status_message(), "\"moments\""));
	ck_assert_ptr_null(checkpoint_find(&checkpoint, "weights", 24));
	ck_assert_ptr_nonnull(strstr(status_message(), "\"weights\""));
	ck_assert_ptr_nonnull(strstr(status_message(), "24 bytes expected, 20 found"));
	checkpoint_release(&checkpoint);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	char *bytes;
	size_t size;
	write_example("note");
	read_bytes(&bytes, &size);
	for (size_t length = 0; length < size; length++)
		expect_refused(bytes, length, length < 8 ? "not a tapcut checkpoint" : "damaged");
	bytes = realloc(bytes, size + 1);
	bytes[size] = 0;
	expect_refused(bytes, size + 1, "damaged");
	write_bytes(bytes, size);
	expect_example("note");
	free(bytes);
}
END_TEST

START_TEST(every_flipped_bit_is_refused)
{
	char *bytes;
	size_t size;
	write_example("note");
	read_bytes(&bytes, &size);
	for (size_t i = 0; i < size; i++) {
		bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
		expect_refused(bytes, size, i < 8 ? "not a tapcut checkpoint" : "damaged");
		bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
	}
	free(bytes);
}
END_TEST

/* A file made on purpose: `length` bytes of `content` put at `offset`, with the checksum to it. */
static void expect_forged(size_t offset, const char *content, size_t length, const char *reason)
{
	char *bytes;
	size_t size;
	write_example("note");
	read_bytes(&bytes, &size);
	memcpy(bytes + offset, content, length);
	struct sha256 sha;
	sha256_init(&sha);
	sha256_update(&sha, bytes, size - DIGEST);
	sha256_final(&sha, (uint8_t *)bytes + size - DIGEST);
	expect_refused(bytes, size, reason);
	free(bytes);
}

START_TEST(a_right_checksum_is_not_believed)
{
	enum { SECOND = HEADER + HEAD + 24, THIRD = SECOND + HEAD };
	expect_forged(8, "\x41", 1, "at most 64");
	expect_forged(8, "\4", 1, "0 bytes left");
	expect_forged(8, "\2", 1, "after the last section");
	expect_forged(8, "\0", 1, "after the last section");
	expect_forged(12, "\1", 1, "sections");
	expect_forged(HEADER, "\0", 1, "no proper name");
	expect_forged(HEADER + 31, "x", 1, "no proper name");
	expect_forged(THIRD + 31, "x", 1, "no proper name");
	expect_forged(SECOND, "weights", 7, "two sections \"weights\"");
	expect_forged(HEADER + 32, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "bytes left");
	expect_forged(HEADER + 32, "\xf9\xff\xff\xff\xff\xff\xff\x7f", 8, "bytes left");
	expect_forged(HEADER + 39, "\1", 1, "bytes left");
	expect_forged(THIRD + 32, "\11", 1, "bytes left");
	expect_forged(THIRD + 32, "\3", 1, "padding is not zero");
	expect_forged(HEADER + HEAD + 23, "x", 1, "padding is not zero");
}
END_TEST

START_TEST(a_missing_file_is_a_status)
{
	struct checkpoint checkpoint;
	ck_assert_int_eq(checkpoint_read(&checkpoint, path), STATUS_IO);
	ck_assert_ptr_nonnull(strstr(status_message(), path));
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_one)
{
	struct rlimit before, limit;
	write_example("old");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (limit = before, limit.rlim_cur = 0; limit.rlim_cur < 200; limit.rlim_cur += 7) {
		setrlimit(RLIMIT_FSIZE, &limit);
		enum status status = write_example("new");
		setrlimit(RLIMIT_FSIZE, &before);
		ck_assert_int_eq(status, STATUS_IO);
		ck_assert_ptr_nonnull(strstr(status_message(), "File too large"));
		expect_example("old");
	}
}
END_TEST

/* Writes numbered checkpoints until it is killed. */
static void write_for_ever(void)
{
	enum { SIZE = 1 << 16 };
	static uint32_t content[SIZE];
	for (uint32_t number = 1;; number++) {
		struct checkpoint checkpoint;
		for (int i = 0; i < SIZE; i++)
			content[i] = number;
		checkpoint_init(&checkpoint);
		checkpoint_add(&checkpoint, "content", content, sizeof content);
		checkpoint_add(&checkpoint, "number", &number, sizeof number);
		if (checkpoint_write(&checkpoint, path) != STATUS_OK)
			_exit(1);
	}
}

/* True if a checkpoint is there; it must be whole. */
static bool expect_whole(void)
{
	struct checkpoint checkpoint;
	enum status status = checkpoint_read(&checkpoint, path);
	if (status == STATUS_IO)
		return false;
	ck_assert_msg(status == STATUS_OK, "%s", status_message());
	uint32_t number;
	memcpy(&number, checkpoint_find(&checkpoint, "number", sizeof number)->data, sizeof number);
	const struct checkpoint_section *content = checkpoint_find(&checkpoint, "content", SIZE_MAX);
	size_t others = 0;
	for (size_t i = 0; i < content->size / sizeof number; i++)
		others += ((const uint32_t *)content->data)[i] != number;
	ck_assert_uint_eq(others, 0);
	checkpoint_release(&checkpoint);
	return true;
}

START_TEST(kill_leaves_a_whole_one)
{
	bool there = false;
	for (int i = 0; i < 50; i++) {
		pid_t writer = fork();
		if (writer == 0)
			write_for_ever();
		if (i == 0) /* the first one gets the time that it takes, on a busy machine too */
			while (access(path, F_OK) != 0)
				nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		nanosleep(&(struct timespec){.tv_nsec = 100000 * (i * 37 % 101)}, NULL); /* 0 to 10 ms */
		kill(writer, SIGKILL);
		int code;
		waitpid(writer, &code, 0);
		ck_assert_int_eq(WTERMSIG(code), SIGKILL);
		bool found = expect_whole();
		ck_assert(found || !there);
		there = found;
	}
	ck_assert(there);
	char command[1400];
	/* Itself and the litter of the last one killed, not of all fifty. */
	snprintf(command, sizeof command, "test $(ls '%s'* | wc -l) -le 2", path);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("checkpoint");
	TCase *tcase = tcase_create("all");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, make_path, NULL);
	tcase_add_test(tcase, comes_back);
	tcase_add_test(tcase, without_sections_and_full);
	tcase_add_test(tcase, the_bytes_are_those_of_the_header);
	tcase_add_test(tcase, find_says_what_is_wrong);
	tcase_add_test(tcase, every_truncation_is_refused);
	tcase_add_test(tcase, every_flipped_bit_is_refused);
	tcase_add_test(tcase, a_right_checksum_is_not_believed);
	tcase_add_test(tcase, a_missing_file_is_a_status);
	tcase_add_test(tcase, a_full_disk_leaves_the_old_one);
	tcase_add_test(tcase, kill_leaves_a_whole_one);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
