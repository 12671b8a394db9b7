/* See dataset.h. A builder takes photos, categories and annotations as the COCO reader (or an index) hands them out,
 * judges each object once, and keeps what passes; then it sorts, drops photos without objects and computes the
 * digest. Memory is that of the photos and the kept objects' runs. */
#include "data/dataset.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/sha256.h"
#include "data/coco.h"
#include "data/image_io.h"
#include "data/index.h"
#include "data/photo_files.h"

struct candidate {
	struct dataset_object object;
	uint64_t rank; /* max_objects keeps the lowest */
	int sequence;  /* place in the file: ids may repeat */
};

/* What is known of a photo; asked when its first object comes. */
enum photo_state { PHOTO_UNKNOWN, PHOTO_GOOD, PHOTO_MISSING, PHOTO_BAD };

struct builder {
	struct dataset *dataset;
	const char *path; /* for messages */
	struct dataset_filter filter;
	struct photo_files files;
	bool ready; /* photos and categories are complete and sorted, the folder is listed */
	int photo_capacity, category_capacity;
	unsigned char *photo_states;
	int *wanted_categories; /* sorted ids; NULL: all */
	int wanted_count;
	struct candidate *candidates;
	int count, capacity, sequence;
	int indexed; /* objects that an index had; -1: there is no index */
};

static enum status no_memory(const char *what)
{
	return status_fail(STATUS_NO_MEMORY, "no memory for %s", what);
}

/* Makes room for one more element of `size` bytes in *items. */
static enum status grow(void *items, int count, int *capacity, size_t size, const char *what)
{
	if (count < *capacity)
		return STATUS_OK;
	if (count > INT_MAX / 2)
		return status_fail(STATUS_LIMIT, "more than %d %s", count, what);
	int wider = count ? 2 * count : 64;
	void *old, *grown;
	memcpy(&old, items, sizeof old);
	grown = realloc(old, (size_t)wider * size);
	if (!grown)
		return no_memory(what);
	memcpy(items, &grown, sizeof grown);
	*capacity = wider;
	return STATUS_OK;
}

/* Photos and categories. */

static enum status take_image(void *context, const struct coco_image *image)
{
	struct builder *b = context;
	struct dataset *d = b->dataset;
	TRY(grow(&d->photos, d->photo_count, &b->photo_capacity, sizeof *d->photos, "photos"));
	char *name = strdup(image->file_name);
	if (!name)
		return no_memory("the names of photos");
	d->photos[d->photo_count++] = (struct dataset_photo){image->id, image->width, image->height, name, 0, 0, NULL};
	return STATUS_OK;
}

static enum status take_category(void *context, const struct coco_category *category)
{
	struct builder *b = context;
	struct dataset *d = b->dataset;
	TRY(grow(&d->categories, d->category_count, &b->category_capacity, sizeof *d->categories, "categories"));
	char *name = strdup(category->name);
	if (!name)
		return no_memory("the names of categories");
	d->categories[d->category_count++] = (struct dataset_category){category->id, name};
	return STATUS_OK;
}

static int compare_ids(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_photos(const void *a, const void *b)
{
	return compare_ids(((const struct dataset_photo *)a)->id, ((const struct dataset_photo *)b)->id);
}

static int compare_categories(const void *a, const void *b)
{
	return compare_ids(((const struct dataset_category *)a)->id, ((const struct dataset_category *)b)->id);
}

static int compare_ints(const void *a, const void *b)
{
	return compare_ids(*(const int *)a, *(const int *)b);
}

static enum status want_category(struct builder *b, const char *name, int *capacity)
{
	int found = 0;
	for (int i = 0; i < b->dataset->category_count; i++)
		if (strcmp(b->dataset->categories[i].name, name) == 0) {
			TRY(grow(&b->wanted_categories, b->wanted_count, capacity, sizeof(int), "categories"));
			b->wanted_categories[b->wanted_count++] = b->dataset->categories[i].id;
			found++;
		}
	return found || b->filter.some_categories
		       ? STATUS_OK
		       : status_fail(STATUS_CONFIG, "%s: category \"%s\" is none of its %d categories", b->path, name,
				     b->dataset->category_count);
}

static enum status want_categories(struct builder *b)
{
	int capacity = 0;
	for (int i = 0; i < b->filter.category_count; i++)
		TRY(want_category(b, b->filter.categories[i], &capacity));
	if (b->wanted_count)
		qsort(b->wanted_categories, (size_t)b->wanted_count, sizeof(int), compare_ints);
	return STATUS_OK;
}

/* Once all photos and categories are there, before the first object. */
static enum status get_ready(struct builder *b)
{
	struct dataset *d = b->dataset;
	b->ready = true;
	if (d->photo_count)
		qsort(d->photos, (size_t)d->photo_count, sizeof *d->photos, compare_photos);
	if (d->category_count)
		qsort(d->categories, (size_t)d->category_count, sizeof *d->categories, compare_categories);
	for (int i = 1; i < d->photo_count; i++)
		if (d->photos[i].id == d->photos[i - 1].id)
			return status_fail(STATUS_FORMAT, "%s: photo id %" PRId64 " stands twice (%s and %s)", b->path,
					   d->photos[i].id, d->photos[i - 1].file_name, d->photos[i].file_name);
	b->photo_states = calloc((size_t)d->photo_count + 1, 1);
	if (!b->photo_states)
		return no_memory("photos");
	return want_categories(b);
}

/* Objects. */

static void note(struct builder *b, int *counter, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void note(struct builder *b, int *counter, const char *format, ...)
{
	char *reason = b->dataset->skips.first_reason;
	if (!reason[0]) {
		va_list args;
		va_start(args, format);
		vsnprintf(reason, sizeof b->dataset->skips.first_reason, format, args);
		va_end(args);
	}
	++*counter;
}

static int find_photo(const struct dataset *d, int64_t id)
{
	struct dataset_photo key = {.id = id};
	struct dataset_photo *found =
		d->photo_count ? bsearch(&key, d->photos, (size_t)d->photo_count, sizeof key, compare_photos) : NULL;
	return found ? (int)(found - d->photos) : -1;
}

static enum photo_state look_at_photo(const struct builder *b, const struct dataset_photo *photo)
{
	if (!photo_name_is_safe(photo->file_name))
		return PHOTO_BAD;
	if (photo->width < 1 || photo->height < 1 || photo->width > IMAGE_MAX_SIDE || photo->height > IMAGE_MAX_SIDE)
		return PHOTO_BAD;
	return photo_files_has(&b->files, photo->file_name) ? PHOTO_GOOD : PHOTO_MISSING;
}

/* True if objects of the photo can be used; else counts one that cannot. */
static bool photo_usable(struct builder *b, int index)
{
	struct dataset_skips *skips = &b->dataset->skips;
	const struct dataset_photo *photo = &b->dataset->photos[index];
	if (b->photo_states[index] == PHOTO_UNKNOWN) {
		b->photo_states[index] = (unsigned char)look_at_photo(b, photo);
		skips->missing_photos += b->photo_states[index] == PHOTO_MISSING;
	}
	if (b->photo_states[index] == PHOTO_MISSING)
		note(b, &skips->missing_file, "photo %" PRId64 ": no file %s in %s", photo->id, photo->file_name,
		     b->dataset->image_dir);
	if (b->photo_states[index] == PHOTO_BAD)
		note(b, &skips->bad_photo, "photo %" PRId64 ": file name \"%s\" or size %d x %d is unusable", photo->id,
		     photo->file_name, photo->width, photo->height);
	return b->photo_states[index] == PHOTO_GOOD;
}

static bool category_wanted(const struct builder *b, int id)
{
	if (b->filter.category_count && !b->wanted_count)
		return false;
	return b->filter.category_count == 0 ||
	       bsearch(&id, b->wanted_categories, (size_t)b->wanted_count, sizeof id, compare_ints) != NULL;
}

/* Counts the object if its size is refused. An object without a pixel is always too small. */
static bool area_wanted(struct builder *b, uint64_t area, const struct dataset_photo *photo)
{
	double whole = (double)photo->width * photo->height;
	struct dataset_skips *skips = &b->dataset->skips;
	if (area == 0 || (double)area < b->filter.min_area_fraction * whole)
		skips->too_small++;
	else if (b->filter.max_area_fraction > 0 && (double)area > b->filter.max_area_fraction * whole)
		skips->too_large++;
	else
		return true;
	return false;
}

/* splitmix64's finaliser (Steele, Lea & Flood, OOPSLA 2014): a fixed shuffle of 64 bits. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static int compare_ranks(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : compare_ids(x->sequence, y->sequence);
}

/* Drops candidates down to max_objects. */
static void prune(struct builder *b)
{
	int most = b->filter.max_objects;
	if (most == 0 || b->count <= most)
		return;
	qsort(b->candidates, (size_t)b->count, sizeof *b->candidates, compare_ranks);
	for (int i = most; i < b->count; i++)
		rle_release(&b->candidates[i].object.mask);
	b->dataset->skips.over_limit += b->count - most;
	b->count = most;
}

/* Takes the object's mask, on failure too. */
static enum status keep(struct builder *b, struct dataset_object *object)
{
	enum status status = grow(&b->candidates, b->count, &b->capacity, sizeof *b->candidates, "objects");
	if (status != STATUS_OK) {
		rle_release(&object->mask);
		return status;
	}
	uint64_t rank = mix((uint64_t)object->id ^ mix((uint64_t)b->dataset->photos[object->photo].id));
	b->candidates[b->count++] = (struct candidate){*object, rank, b->sequence++};
	/* Now and then, so that memory follows what is kept and not what passes. */
	if (b->filter.max_objects && b->count / 2 > b->filter.max_objects + 1000)
		prune(b);
	return STATUS_OK;
}

/* The mask of an annotation, or false after counting why there is none. A failure is not the annotation's fault. */
static enum status object_mask(struct builder *b, const struct coco_annotation *a, const struct dataset_photo *photo,
			       struct rle *mask, bool *usable)
{
	enum status status = coco_mask(&a->segmentation, photo->width, photo->height, mask);
	*usable = status == STATUS_OK;
	if (status == STATUS_NO_MEMORY)
		return status;
	if (status != STATUS_OK) {
		note(b, &b->dataset->skips.bad_segmentation, "annotation %" PRId64 ": %s", a->id, status_message());
	} else if (mask->width != photo->width || mask->height != photo->height) {
		note(b, &b->dataset->skips.bad_segmentation,
		     "annotation %" PRId64 ": mask of %d x %d pixels for a photo of %d x %d", a->id, mask->width,
		     mask->height, photo->width, photo->height);
		rle_release(mask);
		*usable = false;
	}
	return STATUS_OK;
}

int dataset_find_source(const struct dataset *dataset, const char *name)
{
	for (int i = 0; i < dataset->source_count; i++)
		if (strcmp(dataset->sources[i], name) == 0)
			return i + 1;
	return 0;
}

/* The number of a source, which is added if it is new. */
static enum status add_source(struct dataset *d, const char *name, int *source)
{
	*source = *name ? dataset_find_source(d, name) : 0;
	if (!*name || *source)
		return STATUS_OK;
	char **wider = realloc(d->sources, ((size_t)d->source_count + 1) * sizeof *wider);
	if (!wider)
		return no_memory("sources");
	d->sources = wider;
	d->sources[d->source_count] = strdup(name);
	if (!d->sources[d->source_count])
		return no_memory("sources");
	*source = ++d->source_count;
	return STATUS_OK;
}

static enum status take_annotation(void *context, const struct coco_annotation *a)
{
	struct builder *b = context;
	struct dataset_skips *skips = &b->dataset->skips;
	int source;
	if (!b->ready)
		TRY(get_ready(b));
	TRY(add_source(b->dataset, a->source, &source)); /* those of refused annotations too: they may be named */
	int photo = find_photo(b->dataset, a->image_id);
	if (a->crowd)
		skips->crowd++;
	else if (!category_wanted(b, a->category_id))
		skips->category++;
	else if (photo < 0)
		skips->unknown_photo++;
	if (a->crowd || !category_wanted(b, a->category_id) || photo < 0 || !photo_usable(b, photo))
		return STATUS_OK;

	struct rle mask;
	bool usable;
	TRY(object_mask(b, a, &b->dataset->photos[photo], &mask, &usable));
	if (!usable)
		return STATUS_OK;
	uint64_t area = rle_area(&mask);
	if (!area_wanted(b, area, &b->dataset->photos[photo])) {
		rle_release(&mask);
		return STATUS_OK;
	}
	int box[4];
	rle_box(&mask, box);
	struct dataset_object object = {a->id,  photo,  a->category_id, mask,   area,
					box[0], box[1], box[2],         box[3], source};
	return keep(b, &object);
}

/* The objects of an index, already judged once by the filter it was made with. */
static enum status take_indexed(struct builder *b, struct dataset_object *objects, int count)
{
	enum status status = get_ready(b);
	for (int i = 0; i < count; i++) {
		struct dataset_object *object = &objects[i];
		const struct dataset_photo *photo = &b->dataset->photos[object->photo];
		bool wanted = category_wanted(b, object->category);
		b->dataset->skips.category += !wanted;
		if (status == STATUS_OK && wanted && area_wanted(b, object->area, photo))
			status = keep(b, object);
		else
			rle_release(&object->mask);
	}
	free(objects);
	return status;
}

/* The finished set. */

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = compare_ids(x->object.photo, y->object.photo); /* photos are sorted by id */
	order = order ? order : compare_ids(x->object.id, y->object.id);
	return order ? order : compare_ids(x->sequence, y->sequence);
}

static enum status move_objects(struct builder *b)
{
	struct dataset *d = b->dataset;
	prune(b);
	if (b->count == 0)
		return STATUS_OK;
	qsort(b->candidates, (size_t)b->count, sizeof *b->candidates, compare_candidates);
	d->objects = malloc((size_t)b->count * sizeof *d->objects);
	if (!d->objects)
		return no_memory("objects");
	for (int i = 0; i < b->count; i++)
		d->objects[i] = b->candidates[i].object;
	d->object_count = b->count;
	b->count = 0;
	return STATUS_OK;
}

/* Photos without objects go; the others move up. Objects are in the photos' order. */
static void drop_empty_photos(struct dataset *d)
{
	int kept = 0, next = 0;
	for (int i = 0; i < d->photo_count; i++) {
		struct dataset_photo photo = d->photos[i];
		photo.first_object = next;
		for (; next < d->object_count && d->objects[next].photo == i; next++)
			d->objects[next].photo = kept;
		photo.object_count = next - photo.first_object;
		if (photo.object_count)
			d->photos[kept++] = photo;
		else
			free(photo.file_name);
	}
	d->photo_count = kept;
}

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

static void compute_digest(struct dataset *d)
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

static void builder_release(struct builder *b)
{
	photo_files_release(&b->files);
	for (int i = 0; i < b->count; i++)
		rle_release(&b->candidates[i].object.mask);
	free(b->candidates);
	free(b->photo_states);
	free(b->wanted_categories);
}

/* images/ beside the JSON. */
static char *default_image_dir(const char *json_path)
{
	const char *slash = strrchr(json_path, '/');
	size_t length = slash ? (size_t)(slash - json_path) + 1 : 0;
	char *dir = malloc(length + sizeof "images");
	if (!dir)
		return NULL;
	memcpy(dir, json_path, length);
	memcpy(dir + length, "images", sizeof "images");
	return dir;
}

static enum status set_image_dir(struct dataset *d, const char *json_path, const char *image_dir)
{
	free(d->image_dir);
	d->image_dir = image_dir ? strdup(image_dir) : default_image_dir(json_path);
	return d->image_dir ? STATUS_OK : no_memory("a path");
}

static enum status read_json(struct builder *b, const char *json_path, const char *image_dir)
{
	TRY(set_image_dir(b->dataset, json_path, image_dir));
	TRY(photo_files_list(&b->files, b->dataset->image_dir));
	struct coco_visitor visitor = {b, take_image, take_category, take_annotation};
	TRY(coco_read(json_path, &visitor));
	return b->ready ? STATUS_OK : get_ready(b);
}

static enum status read_index(struct builder *b, const char *path, const char *image_dir)
{
	struct dataset *d = b->dataset;
	TRY(index_read(d, path));
	struct dataset_object *objects = d->objects;
	int count = d->object_count;
	d->objects = NULL;
	d->object_count = 0;
	b->indexed = count;
	TRY(take_indexed(b, objects, count));
	return image_dir ? set_image_dir(d, path, image_dir) : STATUS_OK;
}

enum status dataset_open(struct dataset *dataset, const char *json_path, const char *image_dir,
			 const struct dataset_filter *filter)
{
	memset(dataset, 0, sizeof *dataset);
	struct builder b = {.dataset = dataset, .path = json_path, .indexed = -1};
	if (filter)
		b.filter = *filter;
	enum status status =
		index_is_one(json_path) ? read_index(&b, json_path, image_dir) : read_json(&b, json_path, image_dir);
	if (status == STATUS_OK)
		status = move_objects(&b);
	builder_release(&b);
	if (status != STATUS_OK) {
		dataset_release(dataset);
		return status;
	}
	drop_empty_photos(dataset);
	if (dataset->object_count != b.indexed) /* an index of which all passed brings its digest */
		compute_digest(dataset);
	return STATUS_OK;
}

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

enum status dataset_read_photo(const struct dataset *dataset, int index, struct image *image)
{
	const struct dataset_photo *photo = &dataset->photos[index];
	char *path = photo_path(photo->dir ? photo->dir : dataset->image_dir, photo->file_name);
	if (!path)
		return no_memory("a path");
	struct image_read_options options = {
		.channels = 3, .exif = EXIF_MATCH, .width = photo->width, .height = photo->height};
	enum status status = image_read(path, &options, image);
	free(path);
	return status;
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
			TRY(add_source(d, more->sources[object->source - 1], &object->source));
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
