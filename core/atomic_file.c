/* Files that are whole or not there: what a kill -9, a full disk or a power cut may not damage. See atomic_file.h.
 *
 * The order is what makes it safe: the content is on the disk (fsync) before the name points to it (rename, which
 * POSIX makes atomic), and the caller hears of success only when the name is on the disk too (fsync of the
 * directory). */
#define _XOPEN_SOURCE 700 /* realpath */

#include "core/atomic_file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".tmp."

static enum status fail_errno(const char *what, const char *path)
{
	return status_fail(STATUS_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		size -= (size_t)written;
	}
	return true;
}

static bool write_parts(int fd, const struct file_part *parts, int count)
{
	for (int i = 0; i < count; i++)
		if (!write_all(fd, parts[i].data, parts[i].size))
			return false;
	return true;
}

/* Opens a new file beside `path`; its name, unique among processes and threads, goes to `temporary`. The lock tells
 * atomic_file_clean that the writer lives; where there are no locks, nothing is cleaned. */
static int open_temporary(const char *path, char *temporary, size_t size)
{
	static atomic_uint serial;
	enum { TRIES = 1000 }; /* a killed process that had our number may have left files */
	for (int i = 0; i < TRIES; i++) {
		snprintf(temporary, size, "%s" TEMPORARY "%ld.%u", path, (long)getpid(), atomic_fetch_add(&serial, 1));
		int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			return -1;
		if (fd < 0)
			continue;
		struct stat info;
		flock(fd, LOCK_EX);
		if (fstat(fd, &info) != 0 || info.st_nlink > 0)
			return fd;
		close(fd); /* cleaned away before it was locked */
	}
	errno = EEXIST;
	return -1;
}

static enum status sync_directory(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno("open the directory of the file", path);
	bool synced = fsync(fd) == 0 || errno == EINVAL; /* EINVAL: a file system without directory syncing */
	int reason = errno;
	close(fd);
	errno = reason;
	return synced ? STATUS_OK : fail_errno("sync the directory of the file", path);
}

/* The file that shall be replaced: `path`, or what it points to, so that a symbolic link stays one. Devices and
 * pipes are refused: a rename would put a file in their place. */
static enum status resolve(const char *path, char target[PATH_MAX])
{
	struct stat info;
	if (stat(path, &info) != 0) {
		if (strlen(path) >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return fail_errno("write", path);
		}
		strcpy(target, path);
		return STATUS_OK;
	}
	if (!S_ISREG(info.st_mode))
		return status_fail(STATUS_IO, "%s: cannot write: it is not an ordinary file", path);
	return realpath(path, target) ? STATUS_OK : fail_errno("write", path);
}

static void remove_abandoned(int directory, const char *name)
{
	int fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(directory, name, 0);
	close(fd);
}

/* Removes the temporary files of `target` whose writers are gone. Returns whether the folder had any temporary file, of
 * whatever target. */
static bool clean_beside(const char *target)
{
	char folder[PATH_MAX], copy[PATH_MAX], prefix[PATH_MAX + sizeof TEMPORARY];
	snprintf(folder, sizeof folder, "%s", target);
	snprintf(copy, sizeof copy, "%s", target);
	DIR *directory = opendir(dirname(folder));
	bool any = false;
	if (!directory)
		return false;
	snprintf(prefix, sizeof prefix, "%s" TEMPORARY, basename(copy));
	for (struct dirent *entry; (entry = readdir(directory));) {
		any |= strstr(entry->d_name, TEMPORARY) != NULL;
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			remove_abandoned(dirfd(directory), entry->d_name);
	}
	closedir(directory);
	return any;
}

void atomic_file_clean(const char *path)
{
	char target[PATH_MAX];
	if (resolve(path, target) == STATUS_OK)
		clean_beside(target);
}

/* A folder is read once by a thread that writes thousands of files into it one after the other, unless there is
 * something to remove. */
static void clean_before(const char *target)
{
	static _Thread_local struct stat tidy;
	char folder[PATH_MAX];
	struct stat now;
	snprintf(folder, sizeof folder, "%s", target);
	if (stat(dirname(folder), &now) != 0 || (now.st_dev == tidy.st_dev && now.st_ino == tidy.st_ino))
		return;
	if (!clean_beside(target))
		tidy = now;
}

/* The content is written; `fd` stays open until after the renaming, because its lock keeps atomic_file_clean away. */
static bool put_in_place(int fd, const char *temporary, const char *target)
{
	bool done = fsync(fd) == 0 && rename(temporary, target) == 0;
	if (!done) {
		int reason = errno;
		unlink(temporary);
		errno = reason;
	}
	return done;
}

enum status atomic_file_write(const char *path, const struct file_part *parts, int count)
{
	char target[PATH_MAX], temporary[PATH_MAX + 64];
	TRY(resolve(path, target));
	clean_before(target);
	int fd = open_temporary(target, temporary, sizeof temporary);
	if (fd < 0)
		return fail_errno("create a file beside it", path);
	bool whole = write_parts(fd, parts, count), written = whole && put_in_place(fd, temporary, target);
	enum status status = written ? STATUS_OK : fail_errno("write", path);
	if (!whole)
		unlink(temporary);
	close(fd);
	return written ? sync_directory(target) : status;
}

enum status atomic_file_open(struct atomic_file *file, const char *path)
{
	char target[PATH_MAX], temporary[PATH_MAX + 64];
	*file = (struct atomic_file){.path = path};
	TRY(resolve(path, target));
	clean_before(target);
	int fd = open_temporary(target, temporary, sizeof temporary);
	if (fd < 0)
		return fail_errno("create a file beside it", path);
	file->target = strdup(target);
	file->temporary = strdup(temporary);
	file->stream = file->target && file->temporary ? fdopen(fd, "w") : NULL;
	if (file->stream)
		return STATUS_OK;
	unlink(temporary);
	close(fd);
	free(file->target);
	free(file->temporary);
	return status_fail(STATUS_NO_MEMORY, "%s: no memory to write it", path);
}

enum status atomic_file_close(struct atomic_file *file, enum status status)
{
	bool whole = fflush(file->stream) == 0 && !ferror(file->stream);
	if (status == STATUS_OK && !whole)
		status = fail_errno("write", file->path);
	if (status != STATUS_OK)
		unlink(file->temporary);
	else if (!put_in_place(fileno(file->stream), file->temporary, file->target))
		status = fail_errno("write", file->path);
	fclose(file->stream); /* fsync has reported what this might */
	if (status == STATUS_OK)
		status = sync_directory(file->target);
	free(file->target);
	free(file->temporary);
	*file = (struct atomic_file){0};
	return status;
}

/* Up to `size` bytes, fewer only at the end of the file; -1 on failure. */
static ssize_t read_full(int fd, char *data, size_t size)
{
	size_t used = 0;
	while (used < size) {
		ssize_t got = read(fd, data + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

static enum status fail_limit(const char *path, size_t limit)
{
	return status_fail(STATUS_LIMIT, "%s: larger than %zu bytes, the limit for such a file", path, limit);
}

/* Room for one byte more than is expected, so that a read that does not fill it has met the end. On failure *data
 * may be allocated. */
static enum status read_open(int fd, const char *path, size_t limit, char **data, size_t *size)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return fail_errno("read", path);
	if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > limit)
		return fail_limit(path, limit);
	size_t room = S_ISREG(info.st_mode) ? (size_t)info.st_size + 1 : 4096;
	for (*size = 0;;) {
		char *larger = realloc(*data, room + 1);
		if (!larger)
			return status_fail(STATUS_NO_MEMORY, "%s: out of memory reading %zu bytes", path, room);
		*data = larger;
		ssize_t got = read_full(fd, *data + *size, room - *size);
		if (got < 0)
			return fail_errno("read", path);
		*size += (size_t)got;
		if (*size > limit)
			return fail_limit(path, limit);
		if (*size < room)
			break;
		room *= 2;
	}
	(*data)[*size] = '\0';
	return STATUS_OK;
}

enum status file_read(const char *path, size_t limit, char **data, size_t *size)
{
	assert(limit < SIZE_MAX / 4);
	*data = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno("open", path);
	enum status status = read_open(fd, path, limit, data, size);
	close(fd);
	if (status != STATUS_OK) {
		free(*data);
		*data = NULL;
	}
	return status;
}
