/* See dataset_builder.h. */
#include "data/dataset_builder.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "data/photo_files.h"

struct candidate {
	struct dataset_object object;
	uint64_t rank; /* max_objects keeps the lowest */
	int sequence;  /* place in the file: ids may repeat */
};

/* What is known of a photo; asked when its first object comes. */
enum photo_state { PHOTO_UNKNOWN, PHOTO_GOOD, PHOTO_MISSING, PHOTO_BAD };

/* Why a photo of the file cannot be used, where its record says so. */
struct photo_problem {
	int64_t id;
	char text[sizeof((struct coco_image *)0)->problem];
};

struct dataset_builder {
	struct dataset *dataset;
	const char *path; /* for messages */
	struct dataset_filter filter;
	char **folders; /* where the photos may lie; copies, since they are needed up to dataset_builder_finish */
	int folder_count;
	struct photo_files files; /* of the folder that was chosen */
	bool ready;               /* photos and categories are complete and sorted, the folder is listed */
	int photo_capacity, category_capacity;
	unsigned char *photo_states;
	int *wanted_categories; /* sorted ids; NULL where all are wanted */
	int wanted_count;
	struct candidate *candidates;
	int count, capacity, sequence;
	int narrowed; /* objects that the finished set had which is narrowed; -1: objects come as records */
	struct photo_problem *problems;
	int problem_count, problem_capacity;
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

static enum status note_problem(struct dataset_builder *b, const struct coco_image *image)
{
	if (!image->problem[0])
		return STATUS_OK;
	TRY(grow(&b->problems, b->problem_count, &b->problem_capacity, sizeof *b->problems, "photos"));
	struct photo_problem *problem = &b->problems[b->problem_count++];
	problem->id = image->id;
	memcpy(problem->text, image->problem, sizeof problem->text);
	return STATUS_OK;
}

static enum status take_image(void *context, const struct coco_image *image)
{
	struct dataset_builder *b = context;
	struct dataset *d = b->dataset;
	TRY(note_problem(b, image));
	TRY(grow(&d->photos, d->photo_count, &b->photo_capacity, sizeof *d->photos, "photos"));
	char *name = strdup(image->file_name);
	if (!name)
		return no_memory("the names of photos");
	d->photos[d->photo_count++] = (struct dataset_photo){image->id, image->width, image->height, name, 0, 0, NULL};
	return STATUS_OK;
}

static enum status take_category(void *context, const struct coco_category *category)
{
	struct dataset_builder *b = context;
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

static enum status want_category(struct dataset_builder *b, const char *name, int *capacity)
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

static enum status want_categories(struct dataset_builder *b)
{
	int capacity = 0;
	for (int i = 0; i < b->filter.category_count; i++)
		TRY(want_category(b, b->filter.categories[i], &capacity));
	if (b->wanted_count)
		qsort(b->wanted_categories, (size_t)b->wanted_count, sizeof(int), compare_ints);
	return STATUS_OK;
}

/* Gives the photos the names under which they lie in the listed folder. How many there are: *found. */
static enum status find_photos(struct dataset_builder *b, int *found)
{
	*found = 0;
	for (int i = 0; i < b->dataset->photo_count; i++) {
		struct dataset_photo *photo = &b->dataset->photos[i];
		char *name;
		TRY(photo_files_find(&b->files, photo->file_name, &name));
		if (!name)
			continue;
		free(photo->file_name);
		photo->file_name = name;
		++*found;
	}
	return STATUS_OK;
}

/* The first folder with a photo in it; where none has one, the first, whose name messages then tell. */
static enum status choose_folder(struct dataset_builder *b)
{
	int found = 0;
	for (int i = 0; i <= b->folder_count && !found; i++) {
		const char *folder = b->folders[i < b->folder_count ? i : 0];
		char *copy = strdup(folder);
		if (!copy)
			return no_memory("a path");
		free(b->dataset->image_dir);
		b->dataset->image_dir = copy;
		photo_files_release(&b->files);
		TRY(photo_files_list(&b->files, copy));
		TRY(find_photos(b, &found));
	}
	return STATUS_OK;
}

/* Once all photos and categories are there, before the first object. */
static enum status get_ready(struct dataset_builder *b)
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
	if (b->folder_count)
		TRY(choose_folder(b));
	b->photo_states = calloc((size_t)d->photo_count + 1, 1);
	if (!b->photo_states)
		return no_memory("photos");
	return want_categories(b);
}

/* Objects. */

static void note(struct dataset_builder *b, int *counter, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void note(struct dataset_builder *b, int *counter, const char *format, ...)
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

static enum photo_state look_at_photo(const struct dataset_builder *b, const struct dataset_photo *photo)
{
	if (!photo_name_is_safe(photo->file_name))
		return PHOTO_BAD;
	if (photo->width < 1 || photo->height < 1 || photo->width > IMAGE_MAX_SIDE || photo->height > IMAGE_MAX_SIDE)
		return PHOTO_BAD;
	return photo_files_has(&b->files, photo->file_name) ? PHOTO_GOOD : PHOTO_MISSING;
}

static void note_bad_photo(struct dataset_builder *b, const struct dataset_photo *photo)
{
	const char *problem = NULL;
	for (int i = 0; i < b->problem_count && !problem; i++)
		if (b->problems[i].id == photo->id)
			problem = b->problems[i].text;
	int *counter = &b->dataset->skips.bad_photo;
	if (photo->file_name[0] == '/')
		note(b, counter,
		     "photo %" PRId64
		     ": no file \"%s\" in %s, and absolute names are read only from a photo folder that "
		     "is given as an absolute path which they begin with (--images / takes them all)",
		     photo->id, photo->file_name, b->dataset->image_dir);
	else if (!photo_name_is_safe(photo->file_name))
		note(b, counter, "photo %" PRId64 ": file name \"%s\" is empty or leads out of the photo folder",
		     photo->id, photo->file_name);
	else if (problem)
		note(b, counter, "photo %" PRId64 " (%s): %s", photo->id, photo->file_name, problem);
	else
		note(b, counter, "photo %" PRId64 " (%s): %d x %d pixels, at most %d a side are read", photo->id,
		     photo->file_name, photo->width, photo->height, IMAGE_MAX_SIDE);
}

/* True if objects of the photo can be used; else counts one that cannot. */
static bool photo_usable(struct dataset_builder *b, int index)
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
		note_bad_photo(b, photo);
	return b->photo_states[index] == PHOTO_GOOD;
}

static bool category_wanted(const struct dataset_builder *b, int id)
{
	if (b->filter.category_count && !b->wanted_count)
		return false;
	return b->filter.category_count == 0 ||
	       bsearch(&id, b->wanted_categories, (size_t)b->wanted_count, sizeof id, compare_ints) != NULL;
}

/* Counts the object if its size is refused. An object without a pixel is always too small. */
static bool area_wanted(struct dataset_builder *b, uint64_t area, const struct dataset_photo *photo)
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
static void prune(struct dataset_builder *b)
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
static enum status keep(struct dataset_builder *b, struct dataset_object *object)
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
static enum status object_mask(struct dataset_builder *b, const struct coco_annotation *a,
			       const struct dataset_photo *photo, struct rle *mask, bool *usable)
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

static enum status take_annotation(void *context, const struct coco_annotation *a)
{
	struct dataset_builder *b = context;
	struct dataset_skips *skips = &b->dataset->skips;
	int source;
	if (!b->ready)
		TRY(get_ready(b));
	TRY(dataset_add_source(b->dataset, a->source,
			       &source)); /* those of refused annotations too: they may be named */
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
	b->dataset->junk_parts += a->segmentation.junk_parts;
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
	struct dataset_object object = {a->id,  photo,  a->category_id, mask,   area, box[0],
					box[1], box[2], box[3],         source, 0};
	return keep(b, &object);
}

/* Objects that were judged once, by the filter that their set was made with. */
static enum status judge_again(struct dataset_builder *b, const struct dataset_object *objects, int count)
{
	enum status status = get_ready(b);
	for (int i = 0; i < count; i++) {
		struct dataset_object object = objects[i];
		const struct dataset_photo *photo = &b->dataset->photos[object.photo];
		bool wanted = category_wanted(b, object.category);
		b->dataset->skips.category += !wanted;
		if (status == STATUS_OK && wanted && area_wanted(b, object.area, photo))
			status = keep(b, &object);
		else
			rle_release(&object.mask);
	}
	return status;
}

enum status dataset_builder_narrow(struct dataset_builder *b)
{
	struct dataset_object *objects = b->dataset->objects;
	int count = b->dataset->object_count;
	b->dataset->objects = NULL;
	b->dataset->object_count = 0;
	b->narrowed = count;
	enum status status = judge_again(b, objects, count);
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

static enum status move_objects(struct dataset_builder *b)
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

/* The builder. */

struct dataset_builder *dataset_builder_new(struct dataset *dataset, const char *path,
					    const struct dataset_filter *filter)
{
	struct dataset_builder *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->dataset = dataset;
	b->path = path;
	b->narrowed = -1;
	if (filter)
		b->filter = *filter;
	return b;
}

void dataset_builder_free(struct dataset_builder *b)
{
	if (!b)
		return;
	photo_files_release(&b->files);
	for (int i = 0; i < b->folder_count; i++)
		free(b->folders[i]);
	free(b->folders);
	for (int i = 0; i < b->count; i++)
		rle_release(&b->candidates[i].object.mask);
	free(b->candidates);
	free(b->photo_states);
	free(b->wanted_categories);
	free(b->problems);
	free(b);
}

enum status dataset_builder_begin(struct dataset_builder *b, const char *const *folders, int count,
				  struct coco_visitor *visitor)
{
	*visitor = (struct coco_visitor){b, take_image, take_category, take_annotation};
	b->folders = calloc((size_t)count, sizeof *b->folders);
	for (; b->folders && b->folder_count < count; b->folder_count++) {
		b->folders[b->folder_count] = strdup(folders[b->folder_count]);
		if (!b->folders[b->folder_count])
			break;
	}
	if (b->folder_count < count)
		return no_memory("paths");
	b->dataset->image_dir = strdup(folders[0]); /* of a file without an annotation too */
	return b->dataset->image_dir ? STATUS_OK : no_memory("a path");
}

enum status dataset_builder_finish(struct dataset_builder *b)
{
	if (!b->ready)
		TRY(get_ready(b));
	TRY(move_objects(b));
	drop_empty_photos(b->dataset);
	if (b->dataset->object_count != b->narrowed) /* a finished set of which all passed brings its digest */
		dataset_digest(b->dataset);
	return STATUS_OK;
}
