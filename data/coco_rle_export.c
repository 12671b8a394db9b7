/* See coco_rle_export.h. Nothing is held but the photos' sizes and one mask. */
#include "data/coco_rle_export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "data/coco.h"

struct photo_size {
	int64_t id;
	int width, height;
	char *name; /* owned by the writer's list */
};

struct writer {
	struct coco_rle_export *export;
	const char *in_path;
	FILE *file;
	struct photo_size *photos;
	size_t count, capacity;
	bool sorted;
};

static enum status take_image(void *context, const struct coco_image *image)
{
	struct writer *w = context;
	if (w->count == w->capacity) {
		size_t capacity = w->capacity ? 2 * w->capacity : 256;
		struct photo_size *photos = realloc(w->photos, capacity * sizeof *photos);
		if (!photos)
			return status_fail(STATUS_NO_MEMORY, "%s: no memory for %zu photos", w->in_path, capacity);
		w->photos = photos;
		w->capacity = capacity;
	}
	char *name = strdup(image->file_name);
	if (!name)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a photo's name", w->in_path);
	w->photos[w->count++] = (struct photo_size){image->id, image->width, image->height, name};
	return STATUS_OK;
}

static int compare_sizes(const void *a, const void *b)
{
	int64_t x = ((const struct photo_size *)a)->id, y = ((const struct photo_size *)b)->id;
	return (x > y) - (x < y);
}

/* Once all photos are there. An id that stands twice is refused, as wherever a set is read: nobody knows which photo an
 * annotation means. */
static enum status sort_photos(struct writer *w)
{
	if (w->sorted)
		return STATUS_OK;
	w->sorted = true;
	if (w->count)
		qsort(w->photos, w->count, sizeof *w->photos, compare_sizes);
	for (size_t i = 1; i < w->count; i++)
		if (w->photos[i].id == w->photos[i - 1].id)
			return status_fail(STATUS_FORMAT, "%s: photo id %" PRId64 " stands twice (%s and %s)",
					   w->in_path, w->photos[i].id, w->photos[i - 1].name, w->photos[i].name);
	return STATUS_OK;
}

/* The photo's size; 0 x 0 if it is not listed, which only polygons mind. */
static struct photo_size find_size(const struct writer *w, int64_t id)
{
	struct photo_size key = {.id = id};
	const struct photo_size *found =
		w->count ? bsearch(&key, w->photos, w->count, sizeof key, compare_sizes) : NULL;
	return found ? *found : key;
}

/* As far as it is known: so that the list can be read back as a set (data/coco.h). */
static void print_name(FILE *file, const char *name)
{
	if (!name || !*name)
		return;
	fputs("\"file_name\": \"", file);
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p < 0x20)
			fprintf(file, "\\u%04x", *p);
		else
			fprintf(file, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
	}
	fputs("\", ", file);
}

/* The only character of an RLE's text that JSON wants escaped is the backslash. */
static void print_counts(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputc('\\', file);
		fputc(*text, file);
	}
}

static enum status print_record(struct writer *w, const struct coco_annotation *a, const struct photo_size *photo,
				const struct rle *mask)
{
	char *text = rle_to_string(mask);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a mask", w->in_path);
	int box[4];
	rle_box(mask, box);
	fprintf(w->file, "%s{\"id\": %" PRId64 ", \"image_id\": %" PRId64 ", \"category_id\": %d, \"iscrowd\": %d, ",
		w->export->written++ ? ",\n" : "", a->id, a->image_id, a->category_id, a->crowd);
	print_name(w->file, photo->name);
	fprintf(w->file, "\"segmentation\": {\"size\": [%d, %d], \"counts\": \"", mask->height, mask->width);
	print_counts(w->file, text);
	fprintf(w->file, "\"}, \"area\": %" PRIu64 ", \"bbox\": [%d, %d, %d, %d]}", rle_area(mask), box[0], box[1],
		box[2] - box[0], box[3] - box[1]);
	free(text);
	return STATUS_OK;
}

static enum status take_annotation(void *context, const struct coco_annotation *a)
{
	struct writer *w = context;
	TRY(sort_photos(w));
	struct photo_size photo = find_size(w, a->image_id);
	struct rle mask;
	enum status status = coco_mask(&a->segmentation, photo.width, photo.height, &mask);
	if (status == STATUS_OK) {
		status = print_record(w, a, &photo, &mask);
		rle_release(&mask);
		return status;
	}
	status = status_wrap(status, "%s: annotation %" PRId64, w->in_path, a->id);
	if (status == STATUS_NO_MEMORY || !w->export->skip_unusable)
		return status;
	if (w->export->left_out++ == 0)
		snprintf(w->export->first_reason, sizeof w->export->first_reason, "%s", status_message());
	return STATUS_OK;
}

static enum status write_list(struct writer *w)
{
	struct coco_visitor visitor = {w, take_image, NULL, take_annotation};
	fputc('[', w->file);
	TRY(coco_read(w->in_path, &visitor));
	TRY(sort_photos(w));
	fputs("]\n", w->file);
	return STATUS_OK;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum status coco_rle_export(struct coco_rle_export *export, const char *in_path, const char *out_path)
{
	if (same_file(in_path, out_path))
		return status_fail(STATUS_CONFIG, "%s: would overwrite the file that is read", out_path);
	struct atomic_file out;
	TRY(atomic_file_open(&out, out_path));
	export->written = export->left_out = 0;
	export->first_reason[0] = '\0';
	struct writer w = {.export = export, .in_path = in_path, .file = out.stream};
	enum status status = atomic_file_close(&out, write_list(&w));
	for (size_t i = 0; i < w.count; i++)
		free(w.photos[i].name);
	free(w.photos);
	return status;
}
