/* See index.h for why and for the layout. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "data/index.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "core/atomic_file.h"
#include "core/bytes.h"
#include "data/image_io.h"
#include "data/photo_files.h"

/* Followed by a digit, the version that writes now or one before (index.h). */
static const char magic[7] = {'T', 'A', 'P', 'I', 'N', 'D', 'X'};
enum { MAGIC_SIZE = sizeof magic + 1, WITH_SOURCES = 2, WITH_OWN_FOLDER = 3, VERSION = 3 };
enum { CRC_SIZE = 4, SKIP_COUNTERS = 10 };
/* Bytes that an element takes at least: a count that the file is too short for is refused before memory is asked
 * for. */
enum { CATEGORY_BYTES = 8, PHOTO_BYTES = 24, OBJECT_BYTES = 16, SOURCE_BYTES = 4 };
static const size_t size_limit = (size_t)8 << 30;

/* The counters in the file's order. */
static void list_counters(struct dataset_skips *s, int *counters[SKIP_COUNTERS])
{
	int *list[SKIP_COUNTERS] = {&s->crowd,         &s->too_small,        &s->too_large,
				    &s->category,      &s->bad_segmentation, &s->unknown_photo,
				    &s->missing_file,  &s->over_limit,       &s->bad_photo,
				    &s->missing_photos};
	memcpy(counters, list, sizeof list);
}

/* 0: no index. */
static int version_of(const void *start)
{
	int version = ((const char *)start)[sizeof magic] - '0';
	return memcmp(start, magic, sizeof magic) == 0 && version >= 1 && version <= VERSION ? version : 0;
}

bool index_is_one(const char *path)
{
	char start[MAGIC_SIZE];
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	bool is = fread(start, 1, sizeof start, file) == sizeof start && version_of(start);
	fclose(file);
	return is;
}

/* Writing: everything is put into one growing buffer; a failed allocation is remembered and reported at the end. */

struct writer {
	uint8_t *data;
	size_t size, capacity;
	bool failed;
};

static void put(struct writer *w, const void *bytes, size_t count)
{
	if (count > w->capacity - w->size && !w->failed) {
		size_t capacity = 2 * (w->size + count) + 4096;
		uint8_t *data = realloc(w->data, capacity);
		if (data) {
			w->data = data;
			w->capacity = capacity;
		}
		w->failed = !data;
	}
	if (w->failed)
		return;
	memcpy(w->data + w->size, bytes, count);
	w->size += count;
}

static void put_number(struct writer *w, uint64_t value, int size)
{
	uint8_t bytes[8];
	bytes_store(bytes, value, size);
	put(w, bytes, (size_t)size);
}

static void put_u32(struct writer *w, uint32_t value)
{
	put_number(w, value, 4);
}

static void put_u64(struct writer *w, uint64_t value)
{
	put_number(w, value, 8);
}

static void put_text(struct writer *w, const char *text)
{
	size_t length = strlen(text);
	put_u32(w, (uint32_t)length);
	put(w, text, length);
}

/* The path from the root, so that the index works from any working directory; as given if that fails. */
static void put_path(struct writer *w, const char *path)
{
	char *whole = realpath(path, NULL);
	put_text(w, whole ? whole : path);
	free(whole);
}

/* The photo folder as it is reached from the index's folder, both as paths from the root: where both are moved together
 * it is found again. */
static void put_way(struct writer *w, const char *from, const char *to)
{
	char way[2 * PATH_MAX] = "";
	while (*from && *to) { /* the folders that both begin with: "/name" each */
		size_t length = 1 + strcspn(from + 1, "/");
		if (length != 1 + strcspn(to + 1, "/") || memcmp(from, to, length) != 0)
			break;
		from += length;
		to += length;
	}
	for (; from[0] && from[1]; from += 1 + strcspn(from + 1, "/"))
		if (strlen(way) + 4 < sizeof way)
			strcat(way, "../");
	if (strlen(way) + strlen(to) < sizeof way)
		strcat(way, to[0] ? to + 1 : ".");
	put_text(w, way);
}

static void put_own_folder(struct writer *w, const char *image_dir, const char *index)
{
	char *copy = strdup(index), *photos = realpath(image_dir, NULL);
	char *folder = copy ? realpath(dirname(copy), NULL) : NULL;
	if (photos && folder)
		put_way(w, folder, photos);
	else
		put_text(w, "");
	free(copy);
	free(photos);
	free(folder);
}

static void put_skips(struct writer *w, const struct dataset_skips *skips)
{
	struct dataset_skips copy = *skips;
	int *counters[SKIP_COUNTERS];
	list_counters(&copy, counters);
	for (int i = 0; i < SKIP_COUNTERS; i++)
		put_u32(w, (uint32_t)*counters[i]);
	put_text(w, copy.first_reason);
}

static void put_object(struct writer *w, const struct dataset_object *object)
{
	put_u64(w, (uint64_t)object->id);
	put_u32(w, (uint32_t)object->category);
	put_u32(w, (uint32_t)object->source);
	char *text = rle_to_string(&object->mask);
	if (text)
		put_text(w, text);
	else
		w->failed = true;
	free(text);
}

static void put_dataset(struct writer *w, const struct dataset *d, const char *index)
{
	put_path(w, d->image_dir);
	put_own_folder(w, d->image_dir, index);
	put_skips(w, &d->skips);
	put(w, d->digest, sizeof d->digest);
	put_u32(w, (uint32_t)d->category_count);
	put_u32(w, (uint32_t)d->photo_count);
	put_u32(w, (uint32_t)d->object_count);
	put_u32(w, (uint32_t)d->source_count);
	for (int i = 0; i < d->category_count; i++) {
		put_u32(w, (uint32_t)d->categories[i].id);
		put_text(w, d->categories[i].name);
	}
	for (int i = 0; i < d->source_count; i++)
		put_text(w, d->sources[i]);
	for (int i = 0; i < d->photo_count; i++) {
		put_u64(w, (uint64_t)d->photos[i].id);
		put_u32(w, (uint32_t)d->photos[i].width);
		put_u32(w, (uint32_t)d->photos[i].height);
		put_u32(w, (uint32_t)d->photos[i].object_count);
		put_text(w, d->photos[i].file_name);
	}
	for (int i = 0; i < d->object_count; i++)
		put_object(w, &d->objects[i]);
}

static uint32_t checksum(const void *data, size_t size)
{
	return (uint32_t)crc32_z(0, data, size);
}

enum status index_write(const struct dataset *dataset, const char *json_path, const char *path)
{
	struct stat source, old;
	if (stat(json_path, &source) != 0)
		return status_fail(STATUS_IO, "%s: %s", json_path, strerror(errno));
	if (stat(path, &old) == 0 && old.st_dev == source.st_dev && old.st_ino == source.st_ino)
		return status_fail(STATUS_CONFIG, "%s: would overwrite the file that it indexes", path);
	struct writer w = {0};
	put(&w, magic, sizeof magic);
	put(&w, (const char[]){'0' + VERSION}, 1);
	put_path(&w, json_path);
	put_u64(&w, (uint64_t)source.st_size);
	put_u64(&w, (uint64_t)source.st_mtim.tv_sec);
	put_u32(&w, (uint32_t)source.st_mtim.tv_nsec);
	put_dataset(&w, dataset, path);
	put_u32(&w, w.failed ? 0 : checksum(w.data, w.size));
	enum status status = w.failed ? status_fail(STATUS_NO_MEMORY, "%s: no memory to write it", path) : STATUS_OK;
	struct file_part part = {w.data, w.size};
	if (status == STATUS_OK)
		status = atomic_file_write(path, &part, 1);
	free(w.data);
	return status;
}

/* Reading. Past the end everything reads as 0 and `damaged` is set; callers look at it before they use a value for
 * memory. */

struct reader {
	const char *path;
	const uint8_t *at;
	size_t left;
	bool damaged;
	int version;
};

static const uint8_t *get(struct reader *r, size_t count)
{
	if (r->damaged || count > r->left) {
		r->damaged = true;
		return NULL;
	}
	const uint8_t *bytes = r->at;
	r->at += count;
	r->left -= count;
	return bytes;
}

static uint64_t get_number(struct reader *r, int size)
{
	const uint8_t *bytes = get(r, (size_t)size);
	return bytes ? bytes_load(bytes, size) : 0;
}

static uint32_t get_u32(struct reader *r)
{
	return (uint32_t)get_number(r, 4);
}

static int64_t get_i64(struct reader *r)
{
	return (int64_t)get_number(r, 8);
}

/* A number that an int holds. */
static int get_count(struct reader *r)
{
	uint32_t value = get_u32(r);
	r->damaged |= value > INT_MAX;
	return r->damaged ? 0 : (int)value;
}

/* A text without NUL; returned, caller frees; NULL if damaged or memory is out. */
static char *get_text(struct reader *r)
{
	uint32_t length = get_u32(r);
	const uint8_t *bytes = get(r, length);
	if (bytes && length && memchr(bytes, 0, length))
		r->damaged = true;
	return bytes && !r->damaged ? strndup((const char *)bytes, length) : NULL;
}

static enum status damaged(const struct reader *r, const char *where)
{
	return status_fail(STATUS_FORMAT, "%s: damaged index (%s)", r->path, where);
}

static enum status text_missing(const struct reader *r, const char *where)
{
	return r->damaged ? damaged(r, where) : status_fail(STATUS_NO_MEMORY, "%s: no memory for %s", r->path, where);
}

static enum status check_source(struct reader *r)
{
	char *source = get_text(r);
	int64_t size = get_i64(r), seconds = get_i64(r);
	long nanoseconds = (long)get_u32(r);
	if (!source || r->damaged) {
		free(source);
		return text_missing(r, "source");
	}
	struct stat now;
	bool changed =
		stat(source, &now) == 0 && ((int64_t)now.st_size != size || (int64_t)now.st_mtim.tv_sec != seconds ||
					    now.st_mtim.tv_nsec != nanoseconds);
	enum status status = STATUS_OK;
	if (changed)
		status =
			status_fail(STATUS_FORMAT,
				    "%s: %s has changed since this index was made: make it again (tapcut data --index)",
				    r->path, source);
	free(source);
	return status;
}

static enum status get_skips(struct reader *r, struct dataset_skips *skips)
{
	int *counters[SKIP_COUNTERS];
	list_counters(skips, counters);
	for (int i = 0; i < SKIP_COUNTERS; i++)
		*counters[i] = get_count(r);
	char *reason = get_text(r);
	if (!reason)
		return text_missing(r, "skips");
	snprintf(skips->first_reason, sizeof skips->first_reason, "%s", reason);
	free(reason);
	return STATUS_OK;
}

/* Zeroed room for `count` elements of which the file must have `bytes` each. */
static enum status get_room(struct reader *r, int count, size_t bytes, size_t size, void **room, const char *where)
{
	if (r->damaged || (size_t)count > r->left / bytes)
		return damaged(r, where);
	*room = calloc((size_t)count + 1, size);
	return *room ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "%s: no memory for %s", r->path, where);
}

static enum status get_categories(struct reader *r, struct dataset *d, int count)
{
	void *room;
	TRY(get_room(r, count, CATEGORY_BYTES, sizeof *d->categories, &room, "categories"));
	d->categories = room;
	for (; d->category_count < count; d->category_count++) {
		struct dataset_category *category = &d->categories[d->category_count];
		category->id = (int32_t)get_u32(r);
		category->name = get_text(r);
		if (!category->name)
			return text_missing(r, "categories");
	}
	return STATUS_OK;
}

static enum status get_sources(struct reader *r, struct dataset *d, int count)
{
	void *room;
	TRY(get_room(r, count, SOURCE_BYTES, sizeof *d->sources, &room, "sources"));
	d->sources = room;
	for (; d->source_count < count; d->source_count++) {
		d->sources[d->source_count] = get_text(r);
		if (!d->sources[d->source_count])
			return text_missing(r, "sources");
	}
	return STATUS_OK;
}

static enum status get_photo(struct reader *r, struct dataset_photo *photo, int64_t *objects)
{
	photo->id = get_i64(r);
	photo->width = get_count(r);
	photo->height = get_count(r);
	photo->object_count = get_count(r);
	photo->first_object = (int)*objects;
	*objects += photo->object_count;
	photo->file_name = get_text(r);
	return photo->file_name ? STATUS_OK : text_missing(r, "photos");
}

static bool photo_sane(const struct dataset_photo *photo, const struct dataset_photo *previous)
{
	return photo->width > 0 && photo->width <= IMAGE_MAX_SIDE && photo->height > 0 &&
	       photo->height <= IMAGE_MAX_SIDE && photo_name_is_safe(photo->file_name) &&
	       (!previous || previous->id < photo->id);
}

static enum status get_photos(struct reader *r, struct dataset *d, int count, int object_count)
{
	void *room;
	int64_t objects = 0;
	TRY(get_room(r, count, PHOTO_BYTES, sizeof *d->photos, &room, "photos"));
	d->photos = room;
	for (; d->photo_count < count; d->photo_count++) {
		struct dataset_photo *photo = &d->photos[d->photo_count];
		TRY(get_photo(r, photo, &objects));
		if (photo_sane(photo, d->photo_count ? photo - 1 : NULL) && objects <= object_count)
			continue;
		free(photo->file_name);
		return damaged(r, "photos");
	}
	return objects == object_count ? STATUS_OK : damaged(r, "photos");
}

static enum status get_object(struct reader *r, const struct dataset *d, const struct dataset_photo *photo,
			      struct dataset_object *object)
{
	object->id = get_i64(r);
	object->category = (int32_t)get_u32(r);
	object->source = r->version >= WITH_SOURCES ? get_count(r) : 0;
	uint32_t length = get_u32(r);
	const uint8_t *text = get(r, length);
	if (!text || object->source > d->source_count)
		return damaged(r, "objects");
	enum status status = rle_from_string(&object->mask, (const char *)text, length, photo->width, photo->height);
	if (status != STATUS_OK)
		return status_wrap(status, "%s: damaged index (object %lld)", r->path, (long long)object->id);
	int box[4];
	rle_box(&object->mask, box);
	object->x0 = box[0], object->y0 = box[1], object->x1 = box[2], object->y1 = box[3];
	object->area = rle_area(&object->mask);
	return STATUS_OK;
}

static enum status get_objects(struct reader *r, struct dataset *d, int count)
{
	void *room;
	TRY(get_room(r, count, OBJECT_BYTES, sizeof *d->objects, &room, "objects"));
	d->objects = room;
	for (int p = 0; p < d->photo_count; p++)
		for (int i = 0; i < d->photos[p].object_count; i++, d->object_count++) {
			d->objects[d->object_count].photo = p;
			TRY(get_object(r, d, &d->photos[p], &d->objects[d->object_count]));
		}
	return r->left == 0 ? STATUS_OK : damaged(r, "bytes after the objects");
}

/* The photo folder beside the index, if there is one: what was moved or copied together belongs together. */
static enum status get_own_folder(struct reader *r, struct dataset *d)
{
	char *way = get_text(r);
	if (!way)
		return text_missing(r, "photo folder");
	const char *slash = strrchr(r->path, '/');
	int length = slash ? (int)(slash - r->path) + 1 : 0;
	char path[PATH_MAX], *whole = NULL;
	if (way[0] && snprintf(path, sizeof path, "%.*s%s", length, r->path, way) < (int)sizeof path)
		whole = realpath(path, NULL);
	if (whole) {
		free(d->image_dir);
		d->image_dir = whole;
	}
	free(way);
	return STATUS_OK;
}

static enum status get_dataset(struct reader *r, struct dataset *d)
{
	TRY(check_source(r));
	d->image_dir = get_text(r);
	if (!d->image_dir)
		return text_missing(r, "photo folder");
	if (r->version >= WITH_OWN_FOLDER)
		TRY(get_own_folder(r, d));
	TRY(get_skips(r, &d->skips));
	const uint8_t *digest = get(r, sizeof d->digest);
	if (digest)
		memcpy(d->digest, digest, sizeof d->digest);
	int categories = get_count(r), photos = get_count(r), objects = get_count(r);
	int sources = r->version >= WITH_SOURCES ? get_count(r) : 0;
	TRY(get_categories(r, d, categories));
	TRY(get_sources(r, d, sources));
	TRY(get_photos(r, d, photos, objects));
	return get_objects(r, d, objects);
}

enum status index_read_memory(struct dataset *dataset, const void *data, size_t size, const char *name)
{
	struct reader r = {.path = name, .at = data, .left = size};
	memset(dataset, 0, sizeof *dataset);
	r.version = size >= MAGIC_SIZE + CRC_SIZE ? version_of(data) : 0;
	if (!r.version)
		return damaged(&r, "not an index");
	struct reader tail = {.path = name, .at = r.at + size - CRC_SIZE, .left = CRC_SIZE};
	if (get_u32(&tail) != checksum(data, size - CRC_SIZE))
		return damaged(&r, "its checksum does not fit");
	r.at += MAGIC_SIZE;
	r.left -= MAGIC_SIZE + CRC_SIZE;
	enum status status = get_dataset(&r, dataset);
	if (status != STATUS_OK)
		dataset_release(dataset);
	return status;
}

enum status index_read(struct dataset *dataset, const char *path)
{
	char *data;
	size_t size;
	memset(dataset, 0, sizeof *dataset);
	TRY(file_read(path, size_limit, &data, &size));
	enum status status = index_read_memory(dataset, data, size, path);
	free(data);
	return status;
}
