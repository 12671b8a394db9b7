/* A folder's files in memory, so that a server needs no paths: what is not in the list does not exist. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/web_files.h"

enum { MOST_FILES = 256, PATH_SIZE = 4096 };
static const long MOST_BYTES = 64L << 20; /* of one file */

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "tapcut serve: %s: %s\n", path, what);
	return false;
}

static bool read_bytes(const char *path, long size, struct web_file *file)
{
	FILE *in = fopen(path, "rb");
	unsigned char *bytes = malloc((size_t)size + 1);
	bool fine = in && bytes && fread(bytes, 1, (size_t)size, in) == (size_t)size;
	if (in)
		fclose(in);
	if (!fine) {
		free(bytes);
		return complain(path, in ? "cannot be read" : strerror(errno));
	}
	file->begin = bytes;
	file->end = bytes + size;
	return true;
}

static bool add_file(const char *path, const char *name, long size, struct web_file *files, int *count)
{
	if (*count == MOST_FILES || size > MOST_BYTES)
		return complain(path, "too many files, or too large a one, for a web page");
	char *copy = strdup(name);
	if (!copy || !read_bytes(path, size, &files[*count])) {
		free(copy);
		return false;
	}
	files[(*count)++].name = copy;
	return true;
}

/* `prefix`: what the names begin with. */
static bool add_folder(const char *folder, const char *prefix, struct web_file *files, int *count)
{
	DIR *dir = opendir(folder);
	bool fine = dir != NULL || complain(folder, strerror(errno));
	for (struct dirent *entry; fine && (entry = readdir(dir));) {
		char path[PATH_SIZE], name[PATH_SIZE];
		struct stat about;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		snprintf(name, sizeof name, "%s%s", prefix, entry->d_name);
		if (stat(path, &about))
			continue;
		if (S_ISREG(about.st_mode))
			fine = add_file(path, name, about.st_size, files, count);
		else if (S_ISDIR(about.st_mode) && !prefix[0]) {
			strncat(name, "/", sizeof name - strlen(name) - 1);
			fine = add_folder(path, name, files, count);
		}
	}
	if (dir)
		closedir(dir);
	return fine;
}

struct web_file *web_files_read(const char *folder)
{
	struct web_file *files = calloc(MOST_FILES + 1, sizeof *files);
	int count = 0;
	if (files && add_folder(folder, "", files, &count))
		return files;
	web_files_free(files);
	return NULL;
}

void web_files_free(struct web_file *files)
{
	for (int i = 0; files && files[i].name; i++) {
		free((char *)files[i].name);
		free((unsigned char *)files[i].begin);
	}
	free(files);
}
