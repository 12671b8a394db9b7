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

/* images/ beside the file. */
static char *default_image_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	char *dir = malloc(length + sizeof "images");
	if (!dir)
		return NULL;
	memcpy(dir, path, length);
	memcpy(dir + length, "images", sizeof "images");
	return dir;
}

static enum status set_image_dir(struct dataset *d, const char *path, const char *image_dir)
{
	free(d->image_dir);
	d->image_dir = image_dir ? strdup(image_dir) : default_image_dir(path);
	return d->image_dir ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for a path");
}

static enum status read_records(const struct format *format, struct dataset_builder *b, struct dataset *d,
				const char *path, const char *image_dir)
{
	struct coco_visitor visitor;
	TRY(set_image_dir(d, path, image_dir));
	TRY(dataset_builder_begin(b, &visitor));
	return format->records(path, &visitor);
}

static enum status read_set(const struct format *format, struct dataset_builder *b, struct dataset *d, const char *path,
			    const char *image_dir)
{
	TRY(format->set(d, path));
	TRY(dataset_builder_narrow(b));
	return image_dir ? set_image_dir(d, path, image_dir) : STATUS_OK;
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
