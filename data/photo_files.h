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

/* The name, relative to dir, of the file that annotations call `name`: that name itself; with "\" taken for "/", as
 * tools on Windows write; of a web address (LVIS's coco_url) the last two parts or the last; of an absolute name
 * what follows the folder, where the folder is given as an absolute path and the name begins with it ("/" takes them
 * all). *found is NULL where there is no such file; returned, caller frees. */
enum status photo_files_find(const struct photo_files *files, const char *name, char **found);

/* A name from a file may not lead out of the folder: not empty, not absolute, no ".." between slashes. */
bool photo_name_is_safe(const char *name);

/* dir/name; returned, caller frees; NULL when memory is out. */
char *photo_path(const char *dir, const char *name);

#endif
