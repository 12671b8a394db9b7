/* Which photo files exist: the folder is listed once instead of asking the file system for each of 118,000 names. */
#ifndef DATA_PHOTO_FILES_H
#define DATA_PHOTO_FILES_H

#include <stdbool.h>

#include "core/status.h"

struct photo_files {
	const char *dir; /* borrowed */
	char **names;    /* sorted */
	int count;
};

/* A folder that cannot be listed counts as empty only if it does not exist; else that is a failure. */
enum status photo_files_list(struct photo_files *files, const char *dir);
void photo_files_release(struct photo_files *files);
/* `name` is relative to dir, perhaps with folders in it. */
bool photo_files_has(const struct photo_files *files, const char *name);

/* A name from a file may not lead out of the folder: not empty, not absolute, no ".." between slashes. */
bool photo_name_is_safe(const char *name);

/* dir/name; returned, caller frees; NULL when memory is out. */
char *photo_path(const char *dir, const char *name);

#endif
