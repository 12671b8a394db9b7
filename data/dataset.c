/* See dataset.h. The set itself; dataset_builder.c fills it. */
#include "data/dataset.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "core/bytes.h"
#include "core/sha256.h"
#include "data/image_io.h"
#include "data/photo_digests.h"
#include "data/photo_files.h"

static enum status no_memory(const char *what)
{
	return status_fail(STATUS_NO_MEMORY, "no memory for %s", what);
}

/* Sources. */

int dataset_find_source(const struct dataset *dataset, const char *name)
{
	for (int i = 0; i < dataset->source_count; i++)
		if (strcmp(dataset->sources[i], name) == 0)
			return i + 1;
	return 0;
}

enum status dataset_add_source(struct dataset *dataset, const char *name, int *source)
{
	*source = *name ? dataset_find_source(dataset, name) : 0;
	if (!*name || *source)
		return STATUS_OK;
	char **wider = realloc(dataset->sources, ((size_t)dataset->source_count + 1) * sizeof *wider);
	if (!wider)
		return no_memory("sources");
	dataset->sources = wider;
	dataset->sources[dataset->source_count] = strdup(name);
	if (!dataset->sources[dataset->source_count])
		return no_memory("sources");
	*source = ++dataset->source_count;
	return STATUS_OK;
}

/* The digest. */

static void hash_number(struct sha256 *sha, uint64_t value)
{
	uint8_t bytes[8];
	bytes_store(bytes, value, sizeof bytes);
	sha256_update(sha, bytes, sizeof bytes);
}

static void hash_runs(struct sha256 *sha, const struct rle *mask)
{
	uint8_t bytes[4 * 256];
	size_t used = 0;
	hash_number(sha, (uint64_t)mask->count);
	for (int i = 0; i < mask->count; i++) {
		bytes_store(bytes + used, mask->counts[i], 4);
		used += 4;
		if (used == sizeof bytes || i + 1 == mask->count) {
			sha256_update(sha, bytes, used);
			used = 0;
		}
	}
}

void dataset_digest(struct dataset *d)
{
	struct sha256 sha;
	sha256_init(&sha);
	for (int i = 0; i < d->object_count; i++) {
		const struct dataset_object *object = &d->objects[i];
		const struct dataset_photo *photo = &d->photos[object->photo];
		hash_number(&sha, (uint64_t)photo->id);
		hash_number(&sha, (uint64_t)photo->width << 32 | (uint64_t)photo->height);
		hash_number(&sha, (uint64_t)object->id);
		hash_number(&sha, (uint64_t)object->category);
		hash_runs(&sha, &object->mask);
	}
	sha256_final(&sha, d->digest);
}

/* The set. */

void dataset_release(struct dataset *dataset)
{
	for (int i = 0; i < dataset->category_count; i++)
		free(dataset->categories[i].name);
	for (int i = 0; i < dataset->photo_count; i++)
		free(dataset->photos[i].file_name);
	for (int i = 0; i < dataset->object_count; i++)
		rle_release(&dataset->objects[i].mask);
	for (int i = 0; i < dataset->source_count; i++)
		free(dataset->sources[i]);
	for (int i = 0; i < dataset->more_dir_count; i++)
		free(dataset->more_dirs[i]);
	free(dataset->sources);
	free(dataset->more_dirs);
	free(dataset->categories);
	free(dataset->photos);
	free(dataset->objects);
	free(dataset->image_dir);
	memset(dataset, 0, sizeof *dataset);
}

static enum status read_and_check(struct photo_digests *digests, int index, const char *path,
				  const struct image_read_options *options, struct image *image)
{
	char *data;
	size_t size;
	*image = (struct image){0};
	TRY(file_read(path, IMAGE_MAX_FILE, &data, &size));
	enum status status = photo_digests_check(digests, index, data, size, path);
	if (status == STATUS_OK)
		status = image_read_memory(data, size, path, options, image);
	free(data);
	return status;
}

enum status dataset_read_photo(const struct dataset *dataset, int index, struct image *image)
{
	const struct dataset_photo *photo = &dataset->photos[index];
	char *path = photo_path(photo->dir ? photo->dir : dataset->image_dir, photo->file_name);
	if (!path)
		return no_memory("a path");
	struct image_read_options options = {.channels = 3,
					     .exif = dataset->exif,
					     .width = photo->width,
					     .height = photo->height};
	bool checks = dataset->photo_digests && !photo_digests_was_read(dataset->photo_digests, index);
	enum status status = checks ? read_and_check(dataset->photo_digests, index, path, &options, image)
				    : image_read(path, &options, image);
	free(path);
	return status;
}

enum status dataset_check_photo(const struct dataset *dataset, int index)
{
	const struct dataset_photo *photo = &dataset->photos[index];
	char *path = photo_path(photo->dir ? photo->dir : dataset->image_dir, photo->file_name), *data;
	size_t size;
	if (!path)
		return no_memory("a path");
	enum status status = file_read(path, IMAGE_MAX_FILE, &data, &size);
	if (status == STATUS_OK) {
		status = photo_digests_check(dataset->photo_digests, index, data, size, path);
		free(data);
	}
	free(path);
	return status;
}

static int label_of(const struct dataset *dataset, int category, const char *const *names, int count)
{
	for (int i = 0; i < dataset->category_count; i++)
		for (int k = 0; k < count && dataset->categories[i].id == category; k++)
			if (strcmp(dataset->categories[i].name, names[k]) == 0)
				return k + 1;
	return 0;
}

void dataset_label(struct dataset *dataset, const char *const *names, int count)
{
	for (int i = 0; i < dataset->object_count; i++)
		dataset->objects[i].label = label_of(dataset, dataset->objects[i].category, names, count);
}

int dataset_count_category(const struct dataset *dataset, int index)
{
	int count = 0;
	for (int i = 0; i < dataset->object_count; i++)
		count += dataset->objects[i].category == dataset->categories[index].id;
	return count;
}

/* Two sets as one. */

/* Moves `added` elements of `size` bytes behind the `count` of *items. */
static enum status join(void *items, int *count, const void *more, int added, size_t size, const char *what)
{
	void *old, *grown;
	if (added > INT_MAX - *count)
		return status_fail(STATUS_LIMIT, "more than %d %s in all files together", INT_MAX, what);
	memcpy(&old, items, sizeof old);
	grown = realloc(old, ((size_t)*count + (size_t)added + 1) * size);
	if (!grown)
		return no_memory(what);
	memcpy(items, &grown, sizeof grown);
	if (added)
		memcpy((char *)grown + (size_t)*count * size, more, (size_t)added * size);
	*count += added;
	return STATUS_OK;
}

static bool has_category(const struct dataset *d, const struct dataset_category *category)
{
	for (int i = 0; i < d->category_count; i++)
		if (d->categories[i].id == category->id && strcmp(d->categories[i].name, category->name) == 0)
			return true;
	return false;
}

static enum status join_categories(struct dataset *d, struct dataset *more)
{
	for (int i = 0; i < more->category_count; i++) {
		if (has_category(d, &more->categories[i]))
			continue;
		char *name = strdup(more->categories[i].name);
		if (!name)
			return no_memory("the names of categories");
		struct dataset_category category = {more->categories[i].id, name};
		enum status status =
			join(&d->categories, &d->category_count, &category, 1, sizeof category, "categories");
		if (status != STATUS_OK) {
			free(name);
			return status;
		}
	}
	return STATUS_OK;
}

static enum status join_sources(struct dataset *d, const struct dataset *more)
{
	for (int i = 0; i < more->object_count; i++) {
		struct dataset_object *object = &more->objects[i];
		if (object->source)
			TRY(dataset_add_source(d, more->sources[object->source - 1], &object->source));
	}
	return STATUS_OK;
}

/* The photos' folders, and the places of photos and objects behind those that are there. */
static enum status join_places(struct dataset *d, struct dataset *more)
{
	if (more->more_dir_count)
		return status_fail(STATUS_CONFIG, "%s: is itself several sets", more->image_dir);
	TRY(join(&d->more_dirs, &d->more_dir_count, &more->image_dir, 1, sizeof more->image_dir, "photo folders"));
	for (int i = 0; i < more->photo_count; i++) {
		more->photos[i].dir = more->image_dir;
		more->photos[i].first_object += d->object_count;
	}
	for (int i = 0; i < more->object_count; i++)
		more->objects[i].photo += d->photo_count;
	more->image_dir = NULL;
	return STATUS_OK;
}

static void join_skips(struct dataset_skips *skips, const struct dataset_skips *more)
{
	skips->crowd += more->crowd;
	skips->too_small += more->too_small;
	skips->too_large += more->too_large;
	skips->category += more->category;
	skips->bad_segmentation += more->bad_segmentation;
	skips->unknown_photo += more->unknown_photo;
	skips->missing_file += more->missing_file;
	skips->over_limit += more->over_limit;
	skips->bad_photo += more->bad_photo;
	skips->missing_photos += more->missing_photos;
	if (!skips->first_reason[0])
		memcpy(skips->first_reason, more->first_reason, sizeof skips->first_reason);
}

static enum status append(struct dataset *d, struct dataset *more)
{
	TRY(join_categories(d, more));
	TRY(join_sources(d, more));
	TRY(join_places(d, more));
	TRY(join(&d->photos, &d->photo_count, more->photos, more->photo_count, sizeof *d->photos, "photos"));
	more->photo_count = 0;
	TRY(join(&d->objects, &d->object_count, more->objects, more->object_count, sizeof *d->objects, "objects"));
	more->object_count = 0;
	join_skips(&d->skips, &more->skips);
	d->junk_parts += more->junk_parts;
	struct sha256 sha;
	sha256_init(&sha);
	sha256_update(&sha, d->digest, sizeof d->digest);
	sha256_update(&sha, more->digest, sizeof more->digest);
	sha256_final(&sha, d->digest);
	return STATUS_OK;
}

enum status dataset_append(struct dataset *dataset, struct dataset *more)
{
	enum status status = append(dataset, more);
	dataset_release(more);
	if (status != STATUS_OK)
		dataset_release(dataset);
	return status;
}

/* The summary. */

enum { REASONS = 9 };
struct reason {
	int count;
	const char *text;
};

static void list_reasons(const struct dataset_skips *s, struct reason reasons[REASONS])
{
	const struct reason list[REASONS] = {
		{s->crowd, "crowd"},
		{s->category, "of other categories"},
		{s->too_small, "too small"},
		{s->too_large, "too large"},
		{s->bad_segmentation, "with an unusable segmentation"},
		{s->unknown_photo, "of photos that are not listed"},
		{s->missing_file, "without photo file"},
		{s->bad_photo, "of photos with an unusable name or size"},
		{s->over_limit, "over the wanted number"},
	};
	memcpy(reasons, list, sizeof list);
}

int64_t dataset_skipped(const struct dataset *dataset)
{
	struct reason reasons[REASONS];
	list_reasons(&dataset->skips, reasons);
	int64_t sum = 0;
	for (int i = 0; i < REASONS; i++)
		sum += reasons[i].count;
	return sum;
}

/* 12770 as "12,770". */
static void print_count(FILE *out, int count)
{
	if (count >= 1000000)
		fprintf(out, "%d,%03d,%03d", count / 1000000, count / 1000 % 1000, count % 1000);
	else if (count >= 1000)
		fprintf(out, "%d,%03d", count / 1000, count % 1000);
	else
		fprintf(out, "%d", count);
}

void dataset_print_summary(const struct dataset *dataset, FILE *out)
{
	struct reason reasons[REASONS];
	list_reasons(&dataset->skips, reasons);
	print_count(out, dataset->object_count);
	fputs(dataset->object_count == 1 ? " object in " : " objects in ", out);
	print_count(out, dataset->photo_count);
	fputs(dataset->photo_count == 1 ? " photo" : " photos", out);
	const char *separator = "; skipped ";
	for (int i = 0; i < REASONS; i++) {
		if (reasons[i].count == 0)
			continue;
		fputs(separator, out);
		print_count(out, reasons[i].count);
		fprintf(out, " %s", reasons[i].text);
		separator = ", ";
	}
	if (dataset->skips.first_reason[0])
		fprintf(out, " (first: %s)", dataset->skips.first_reason);
	fputc('\n', out);
}

void dataset_summary_line(const struct dataset *dataset, char *line, size_t size)
{
	memset(line, 0, size);
	FILE *text = fmemopen(line, size - 1, "w"); /* the last byte stays 0 */
	if (text) {
		dataset_print_summary(dataset, text);
		fclose(text);
	}
	line[strcspn(line, "\n")] = '\0';
}
