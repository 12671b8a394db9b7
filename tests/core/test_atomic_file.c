/* Atomic writes under failure: the old file or the new one, never a mixture, never litter. */
#define _GNU_SOURCE /* syscall */
#include "core/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

static char path[1200];

/* The library's fsync, rename and write are these, which note what is called in which order: "s" a file is synced, "d"
 * a folder, "r" renamed. */
static char calls[64];
static int interruptions; /* so many writes are interrupted before they write anything */

static void note(char call)
{
	size_t used = strlen(calls);
	if (used + 1 < sizeof calls)
		calls[used] = call;
}

int fsync(int fd)
{
	struct stat info;
	note(fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) ? 'd' : 's');
	return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	note('r');
	return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_write, fd, data, size);
}

static void make_path(void)
{
	snprintf(path, sizeof path, "%s/file", test_tmp_dir("atomic_file"));
}

static enum status write_text(const char *name, const char *text)
{
	struct file_part part = {text, strlen(text)};
	return atomic_file_write(name, &part, 1);
}

static void expect_text(const char *name, const char *text)
{
	char *data;
	size_t size;
	ck_assert_int_eq(file_read(name, 1 << 20, &data, &size), STATUS_OK);
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_str_eq(data, text);
	free(data);
}

static int files_beside(void)
{
	char folder[1200];
	snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	DIR *directory = opendir(folder);
	int count = 0;
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

START_TEST(parts_follow_each_other)
{
	const struct file_part parts[] = {{"one ", 4}, {NULL, 0}, {"two", 3}};
	ck_assert_int_eq(atomic_file_write(path, parts, 3), STATUS_OK);
	expect_text(path, "one two");
	ck_assert_int_eq(atomic_file_write(path, NULL, 0), STATUS_OK);
	expect_text(path, "");
	ck_assert_int_eq(write_text(path, "again"), STATUS_OK);
	expect_text(path, "again");
	ck_assert_int_eq(files_beside(), 1);
}
END_TEST

/* The content is on the disk before the name points to it, and the name before success is told. */
START_TEST(synced_renamed_synced)
{
	struct atomic_file file;
	memset(calls, 0, sizeof calls);
	ck_assert_int_eq(write_text(path, "whole"), STATUS_OK);
	ck_assert_str_eq(calls, "srd");
	memset(calls, 0, sizeof calls);
	ck_assert_int_eq(atomic_file_open(&file, path), STATUS_OK);
	fputs("again", file.stream);
	ck_assert_int_eq(atomic_file_close(&file, STATUS_OK), STATUS_OK);
	ck_assert_str_eq(calls, "srd");
}
END_TEST

START_TEST(a_signal_during_a_write_is_no_failure)
{
	interruptions = 3;
	ck_assert_int_eq(write_text(path, "whole"), STATUS_OK);
	ck_assert_int_eq(interruptions, 0);
	expect_text(path, "whole");
}
END_TEST

START_TEST(permissions_are_ordinary)
{
	umask(027);
	ck_assert_int_eq(write_text(path, "x"), STATUS_OK);
	struct stat info;
	ck_assert_int_eq(stat(path, &info), 0);
	ck_assert_int_eq(info.st_mode & 07777, 0640);
}
END_TEST

START_TEST(a_name_without_folder)
{
	ck_assert_int_eq(chdir(test_tmp_dir("atomic_file_here")), 0);
	ck_assert_int_eq(write_text("plain", "x"), STATUS_OK);
	expect_text("plain", "x");
}
END_TEST

START_TEST(a_link_stays_a_link)
{
	char name[1300];
	snprintf(name, sizeof name, "%s.link", path);
	ck_assert_int_eq(write_text(path, "old"), STATUS_OK);
	ck_assert_int_eq(symlink("file", name), 0);
	ck_assert_int_eq(write_text(name, "new"), STATUS_OK);
	expect_text(path, "new");
	struct stat info;
	ck_assert_int_eq(lstat(name, &info), 0);
	ck_assert(S_ISLNK(info.st_mode));
}
END_TEST

static void expect_failure(enum status status, const char *name, const char *reason)
{
	ck_assert_int_eq(status, STATUS_IO);
	ck_assert_msg(strstr(status_message(), name) && strstr(status_message(), reason), "%s", status_message());
}

START_TEST(what_cannot_be_replaced_is_refused)
{
	char name[1300];
	expect_failure(write_text("/dev/null", "x"), "/dev/null", "ordinary file");
	snprintf(name, sizeof name, "%s", path);
	*strrchr(name, '/') = '\0';
	expect_failure(write_text(name, "x"), name, "ordinary file");
	snprintf(name, sizeof name, "%s/none/file", path);
	expect_failure(write_text(name, "x"), name, "No such file");
	expect_failure(write_text("", "x"), "", "No such file");
	char *endless = malloc(6000);
	memset(endless, 'x', 5999);
	endless[5999] = '\0';
	expect_failure(write_text(endless, "x"), "xxx", "");
	free(endless);
	ck_assert_int_eq(files_beside(), 0);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
	ck_assert_int_eq(write_text(path, "old"), STATUS_OK);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before, limit;
	getrlimit(RLIMIT_FSIZE, &before);
	static char large[100000];
	const struct file_part parts[] = {{"head", 4}, {large, sizeof large}};
	for (limit = before, limit.rlim_cur = 0; limit.rlim_cur < sizeof large; limit.rlim_cur += 9999) {
		setrlimit(RLIMIT_FSIZE, &limit);
		enum status status = atomic_file_write(path, parts, 2);
		setrlimit(RLIMIT_FSIZE, &before);
		expect_failure(status, path, "File too large");
		expect_text(path, "old");
		ck_assert_int_eq(files_beside(), 1);
	}
}
END_TEST

/* Piece by piece: nothing is there under the name before the end, and after a failure of whatever kind the old file. */
START_TEST(a_stream_is_whole_or_not_there)
{
	struct atomic_file file;
	ck_assert_int_eq(atomic_file_open(&file, path), STATUS_OK);
	fputs("first ", file.stream);
	fflush(file.stream);
	ck_assert_int_eq(access(path, F_OK), -1);
	fputs("second", file.stream);
	ck_assert_int_eq(atomic_file_close(&file, STATUS_OK), STATUS_OK);
	expect_text(path, "first second");
	ck_assert_int_eq(atomic_file_open(&file, path), STATUS_OK);
	fputs("third", file.stream);
	ck_assert_int_eq(atomic_file_close(&file, STATUS_FORMAT), STATUS_FORMAT);
	expect_text(path, "first second");
	ck_assert_int_eq(files_beside(), 1);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before, limit;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 3;
	ck_assert_int_eq(atomic_file_open(&file, path), STATUS_OK);
	fputs("fourth", file.stream);
	setrlimit(RLIMIT_FSIZE, &limit);
	enum status status = atomic_file_close(&file, STATUS_OK);
	setrlimit(RLIMIT_FSIZE, &before);
	expect_failure(status, path, "File too large");
	expect_text(path, "first second");
	ck_assert_int_eq(files_beside(), 1);
	ck_assert_int_ne(atomic_file_open(&file, "/none/such/file"), STATUS_OK);
}
END_TEST

/* Whoever reads while others write sees one whole version. */
START_TEST(readers_see_whole_files)
{
	enum { WRITERS = 2, WRITES = 20, SIZE = 20000 };
	pid_t writers[WRITERS];
	write_text(path, "");
	for (int w = 0; w < WRITERS; w++)
		if ((writers[w] = fork()) == 0) {
			static char content[SIZE];
			memset(content, 'a' + w, SIZE);
			struct file_part part = {content, SIZE};
			for (int i = 0; i < WRITES; i++)
				if (atomic_file_write(path, &part, 1) != STATUS_OK)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < 200; i++) {
		char *data;
		size_t size;
		ck_assert_int_eq(file_read(path, SIZE, &data, &size), STATUS_OK);
		ck_assert(size == 0 || size == SIZE);
		ck_assert(size == 0 || memcmp(data, data + 1, size - 1) == 0);
		free(data);
	}
	for (int w = 0; w < WRITERS; w++) {
		int code;
		waitpid(writers[w], &code, 0);
		ck_assert_int_eq(code, 0);
	}
	ck_assert_int_eq(files_beside(), 1);
}
END_TEST

static void touch(const char *name)
{
	FILE *file = fopen(name, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
}

/* What a killed writer left goes; what a living one holds, and files of other names, stay. */
START_TEST(cleaning_knows_the_dead)
{
	char dead[1300], other[1300];
	/* Our own process number: in a container the one killed before us often had the same. */
	snprintf(dead, sizeof dead, "%s.tmp.%d.0", path, (int)getpid());
	snprintf(other, sizeof other, "%s2.tmp.1.1", path);
	touch(dead);
	touch(other);
	int fd = open(dead, O_WRONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(write_text(path, "x"), STATUS_OK);
	atomic_file_clean(path);
	ck_assert_int_eq(files_beside(), 3);
	close(fd);
	atomic_file_clean(path);
	ck_assert_int_eq(files_beside(), 2);
	ck_assert_int_eq(access(dead, F_OK), -1);
	touch(dead);
	ck_assert_int_eq(write_text(path, "x"), STATUS_OK); /* writing cleans as well */
	ck_assert_int_eq(access(dead, F_OK), -1);
	atomic_file_clean("/none/such");
	expect_text(path, "x");
}
END_TEST

/* Cleaning at any moment of a write does no harm to it. */
START_TEST(cleaning_beside_writing)
{
	pid_t cleaner = fork();
	if (cleaner == 0)
		for (;;)
			atomic_file_clean(path);
	for (int i = 0; i < 50; i++)
		ck_assert_msg(write_text(path, "x") == STATUS_OK, "%s", status_message());
	kill(cleaner, SIGKILL);
	waitpid(cleaner, NULL, 0);
	ck_assert_int_eq(files_beside(), 1);
}
END_TEST

START_TEST(reading_has_a_limit)
{
	char *data;
	size_t size;
	ck_assert_int_eq(write_text(path, "12345678"), STATUS_OK);
	ck_assert_int_eq(file_read(path, 8, &data, &size), STATUS_OK);
	free(data);
	ck_assert_int_eq(file_read(path, 7, &data, &size), STATUS_LIMIT);
	ck_assert_ptr_null(data);
	ck_assert_ptr_nonnull(strstr(status_message(), path));
	ck_assert_int_eq(file_read("/dev/zero", 100000, &data, &size), STATUS_LIMIT); /* no size to look up */
	ck_assert_ptr_null(data);
	expect_failure(file_read("/", 100, &data, &size), "/", "directory");
	expect_failure(file_read("/none/such", 100, &data, &size), "/none/such", "No such file");
}
END_TEST

/* A file of /proc says that it has 0 bytes. */
START_TEST(reading_does_not_believe_the_size)
{
	char *data;
	size_t size;
	ck_assert_int_eq(file_read("/proc/self/status", 1 << 20, &data, &size), STATUS_OK);
	ck_assert_uint_gt(size, 100);
	ck_assert_uint_eq(strlen(data), size);
	free(data);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("atomic_file");
	TCase *tcase = tcase_create("all");
	tcase_set_timeout(tcase, 60); /* a busy disk takes its time to sync */
	tcase_add_checked_fixture(tcase, make_path, NULL);
	tcase_add_test(tcase, parts_follow_each_other);
	tcase_add_test(tcase, synced_renamed_synced);
	tcase_add_test(tcase, a_signal_during_a_write_is_no_failure);
	tcase_add_test(tcase, permissions_are_ordinary);
	tcase_add_test(tcase, a_name_without_folder);
	tcase_add_test(tcase, a_link_stays_a_link);
	tcase_add_test(tcase, what_cannot_be_replaced_is_refused);
	tcase_add_test(tcase, a_full_disk_leaves_the_old_file);
	tcase_add_test(tcase, a_stream_is_whole_or_not_there);
	tcase_add_test(tcase, readers_see_whole_files);
	tcase_add_test(tcase, cleaning_knows_the_dead);
	tcase_add_test(tcase, cleaning_beside_writing);
	tcase_add_test(tcase, reading_has_a_limit);
	tcase_add_test(tcase, reading_does_not_believe_the_size);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
