/* See dataset_open.h. Each format of annotations is a row of a table: how it is told, and how it is read. */
#include "data/dataset_open.h"

#include <stdlib.h>
#include <string.h>

#include "data/coco.h"
#include "data/dataset_builder.h"
#include "data/index.h"

/* Of `records` and `set` a format has one. */
struct format {
	bool (*is_one)(const char *path); /* NULL in the last row, which takes what no other row does */
	/* Hands out records one after the other: photos and categories, then annotations. */
	enum status (*records)(const char *path, const struct coco_visitor *visitor);
	/* Fills a zeroed dataset, its image_dir too: one that was finished, with its digest. */
	enum status (*set)(struct dataset *dataset, const char *path);
};

static const struct format formats[] = {
	{index_is_one, NULL, index_read},
	{NULL, coco_read, NULL},
};

static const struct format *format_of(const char *path)
{
	const struct format *format = formats;
	while (format->is_one && !format->is_one(path))
		format++;
	return format;
}

/* Where the photos of published sets lie, relative to the annotations' folder. */
enum { FOLDERS = 3 };

/* dir, which ends with its slash or is empty, and what lies in it; returned, caller frees. */
static char *inside(const char *dir, size_t dir_length, const char *name, size_t name_length)
{
	char *path = malloc(dir_length + name_length + 1);
	if (!path)
		return NULL;
	memcpy(path, dir, dir_length);
	memcpy(path + dir_length, name, name_length);
	path[dir_length + name_length] = '\0';
	return path;
}

/* COCO's train2017 for its instances_train2017.json; "" for other names. */
static char *coco_folder(const char *dir, size_t dir_length, const char *file)
{
	static const char prefix[] = "instances_";
	enum { PREFIX = sizeof prefix - 1, UP = 3 };
	const char *dot = strrchr(file, '.');
	char name[256] = "../";
	if (strncmp(file, prefix, PREFIX) != 0 || !dot || dot <= file + PREFIX ||
	    (size_t)(dot - file) >= sizeof name - UP)
		return inside("", 0, "", 0);
	memcpy(name + UP, file + PREFIX, (size_t)(dot - file) - PREFIX);
	return inside(dir, dir_length, name, UP + (size_t)(dot - file) - PREFIX);
}

static enum status default_folders(const char *path, char *folders[FOLDERS])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	folders[0] = inside(path, length, "images", 6);
	folders[1] = inside(path, length, ".", 1);
	folders[2] = coco_folder(path, length, path + length);
	for (int i = 0; i < FOLDERS; i++)
		if (!folders[i])
			return status_fail(STATUS_NO_MEMORY, "no memory for a path");
	return STATUS_OK;
}

static enum status read_records(const struct format *format, struct dataset_builder *b, struct dataset *d,
				const char *path, const char *image_dir)
{
	struct coco_visitor visitor;
	char *folders[FOLDERS] = {0};
	const char *names[FOLDERS];
	(void)d;
	enum status status = image_dir ? STATUS_OK : default_folders(path, folders);
	for (int i = 0; i < FOLDERS; i++)
		names[i] = folders[i];
	int count = folders[2] && *folders[2] ? FOLDERS : FOLDERS - 1;
	if (!status)
		status = dataset_builder_begin(b, image_dir ? &image_dir : names, image_dir ? 1 : count, &visitor);
	if (!status)
		status = format->records(path, &visitor);
	for (int i = 0; i < FOLDERS; i++)
		free(folders[i]);
	return status;
}

/* The photos of an index lie where it says, unless the caller knows better. */
static enum status set_image_dir(struct dataset *d, const char *image_dir)
{
	free(d->image_dir);
	d->image_dir = strdup(image_dir);
	return d->image_dir ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for a path");
}

static enum status read_set(const struct format *format, struct dataset_builder *b, struct dataset *d, const char *path,
			    const char *image_dir)
{
	TRY(format->set(d, path));
	TRY(dataset_builder_narrow(b));
	return image_dir ? set_image_dir(d, image_dir) : STATUS_OK;
}

enum status dataset_open(struct dataset *dataset, const char *path, const char *image_dir,
			 const struct dataset_filter *filter)
{
	const struct format *format = format_of(path);
	memset(dataset, 0, sizeof *dataset);
	struct dataset_builder *b = dataset_builder_new(dataset, path, filter);
	if (!b)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory to read it", path);
	enum status status = (format->set ? read_set : read_records)(format, b, dataset, path, image_dir);
	if (status == STATUS_OK)
		status = dataset_builder_finish(b);
	dataset_builder_free(b);
	if (status != STATUS_OK)
		dataset_release(dataset);
	return status;
}
