/* See photo_files.h. */
#include "data/photo_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status add_name(struct photo_files *files, int *capacity, const char *name)
{
	if (files->count == *capacity) {
		int grown = *capacity ? 2 * *capacity : 256;
		char **names = realloc(files->names, (size_t)grown * sizeof *names);
		if (!names)
			return status_fail(STATUS_NO_MEMORY, "%s: no memory for the names of its files", files->dir);
		files->names = names;
		*capacity = grown;
	}
	files->names[files->count] = strdup(name);
	if (!files->names[files->count])
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for the names of its files", files->dir);
	files->count++;
	return STATUS_OK;
}

enum status photo_files_list(struct photo_files *files, const char *dir)
{
	*files = (struct photo_files){.dir = dir};
	DIR *d = opendir(dir);
	if (!d)
		return errno == ENOENT ? STATUS_OK : status_fail(STATUS_IO, "%s: %s", dir, strerror(errno));
	enum status status = STATUS_OK;
	int capacity = 0;
	errno = 0;
	for (struct dirent *entry; status == STATUS_OK && (entry = readdir(d)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			status = add_name(files, &capacity, entry->d_name);
	if (status == STATUS_OK && errno)
		status = status_fail(STATUS_IO, "%s: %s", dir, strerror(errno));
	closedir(d);
	if (status != STATUS_OK)
		photo_files_release(files);
	else if (files->count)
		qsort(files->names, (size_t)files->count, sizeof *files->names, compare_names);
	return status;
}

void photo_files_release(struct photo_files *files)
{
	for (int i = 0; i < files->count; i++)
		free(files->names[i]);
	free(files->names);
	memset(files, 0, sizeof *files);
}

bool photo_files_has(const struct photo_files *files, const char *name)
{
	if (!strchr(name, '/'))
		return files->count &&
		       bsearch(&name, files->names, (size_t)files->count, sizeof *files->names, compare_names);
	char *path = photo_path(files->dir, name);
	bool found = path && access(path, F_OK) == 0;
	free(path);
	return found;
}

bool photo_name_is_safe(const char *name)
{
	if (name[0] == '\0' || name[0] == '/')
		return false;
	for (const char *part = name;; part++) {
		size_t length = strcspn(part, "/");
		if (length == 2 && part[0] == '.' && part[1] == '.')
			return false;
		part += length;
		if (*part == '\0')
			return true;
	}
}

/* *found becomes `name` if there is such a file and nothing was found yet. */
static enum status try_name(const struct photo_files *files, const char *name, char **found)
{
	if (*found || !photo_name_is_safe(name) || !photo_files_has(files, name))
		return STATUS_OK;
	*found = strdup(name);
	return *found ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "%s: no memory for a file's name", files->dir);
}

/* host/folder/photo.jpg: folder/photo.jpg, else photo.jpg. */
static enum status try_address(const struct photo_files *files, const char *address, char **found)
{
	const char *last = strrchr(address, '/'), *before = last;
	while (before && before > address && before[-1] != '/')
		before--;
	if (before)
		TRY(try_name(files, before, found));
	return last ? try_name(files, last + 1, found) : STATUS_OK;
}

/* An absolute name is one of the folder's own where the folder is given as an absolute path that it begins with: who
 * names "/" as the folder takes all of them. */
static enum status try_absolute(const struct photo_files *files, const char *name, char **found)
{
	size_t length = strlen(files->dir);
	while (length && files->dir[length - 1] == '/')
		length--;
	if (files->dir[0] != '/' || strncmp(name, files->dir, length) != 0 || name[length] != '/')
		return STATUS_OK;
	return try_name(files, name + length + strspn(name + length, "/"), found);
}

enum status photo_files_find(const struct photo_files *files, const char *name, char **found)
{
	*found = NULL;
	if (strncmp(name, "http://", 7) == 0 || strncmp(name, "https://", 8) == 0)
		return try_address(files, strstr(name, "//") + 2, found);
	if (name[0] == '/')
		return try_absolute(files, name, found);
	TRY(try_name(files, name, found));
	if (*found || !strchr(name, '\\'))
		return STATUS_OK;
	char *slashes = strdup(name);
	if (!slashes)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a file's name", files->dir);
	for (char *at = slashes; (at = strchr(at, '\\'));)
		*at = '/';
	enum status status = try_name(files, slashes, found);
	free(slashes);
	return status;
}

char *photo_path(const char *dir, const char *name)
{
	size_t dir_length = strlen(dir), name_length = strlen(name);
	char *path = malloc(dir_length + name_length + 2);
	if (!path)
		return NULL;
	memcpy(path, dir, dir_length);
	path[dir_length] = '/';
	memcpy(path + dir_length + 1, name, name_length + 1);
	return path;
}
