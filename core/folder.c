/* See folder.h. */
#include "core/folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 1024 };

enum status folder_make(const char *dir)
{
	char path[PATH_SIZE];
	if (snprintf(path, sizeof path, "%s", dir) >= (int)sizeof path)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	for (char *c = path + 1;; c++) {
		if (*c && *c != '/')
			continue;
		char kept = *c;
		*c = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			return status_fail(STATUS_IO, "%s cannot be made: %s", path, strerror(errno));
		*c = kept;
		if (!kept)
			break;
	}
	struct stat info;
	if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode))
		return status_fail(STATUS_IO, "%s: expected a folder, found something else", dir);
	return STATUS_OK;
}
