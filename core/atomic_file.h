/* Writing a file so that it is either the old one or the whole new one: temporary name in the same directory,
 * fsync, rename, fsync of the directory. A failure leaves the old file and nothing else. Symbolic links are
 * followed; devices, pipes and directories are refused. Permissions are those of any new file (0666 less the
 * umask). */
#ifndef CORE_ATOMIC_FILE_H
#define CORE_ATOMIC_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

/* Parts are written one after the other. The messages name the path and the system's reason. */
struct file_part {
	const void *data;
	size_t size;
};
enum status atomic_file_write(const char *path, const struct file_part *parts, int count);

/* The same for what is written piece by piece, to `stream`. */
struct atomic_file {
	FILE *stream;
	char *target, *temporary; /* owned */
	const char *path;         /* borrowed: the caller's name of it */
};
enum status atomic_file_open(struct atomic_file *file, const char *path);
/* Ends it: the new file is there if `status` is STATUS_OK and everything could be written, else the old one stays.
 * Returns `status`, or what failed. */
enum status atomic_file_close(struct atomic_file *file, enum status status);

/* Removes what writers of `path` left beside it that were killed; not what living ones are at. Writing does it too. */
void atomic_file_clean(const char *path);

/* Reads a whole file of at most `limit` bytes; *data is returned, caller frees; a NUL follows the content. */
enum status file_read(const char *path, size_t limit, char **data, size_t *size);

#endif
