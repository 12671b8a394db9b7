/* See coco.h. A recursive-descent reader over the token stream; each read_* function is entered with its value's
 * first token current and leaves with its value's last token current. */
#include "data/coco.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_stream.h"

enum section { SECTION_IMAGES, SECTION_CATEGORIES, SECTION_ANNOTATIONS, SECTIONS };
static const char *const section_names[SECTIONS] = {"images", "categories", "annotations"};

struct reader {
	struct json_stream stream;
	const struct coco_visitor *visitor;
	bool seen[SECTIONS];
	struct json_place annotations; /* just before their list, when they had to wait */
	bool waiting;
	long long record; /* index in its section, for messages */
	const char *section;
	/* The current record; the buffers in it and of its texts are used again and again. */
	struct coco_image image;
	struct coco_category category;
	struct coco_annotation annotation;
	char *file_name, *source, *address;
	size_t file_name_capacity, source_capacity, address_capacity;
};

/* Values. */

static enum status wrong_type(struct reader *r, const char *key, const char *expected)
{
	return json_stream_fail(&r->stream, "%s[%lld].%s: expected %s, found %s", r->section, r->record, key, expected,
				json_stream_found(&r->stream));
}

static enum status next(struct reader *r)
{
	return json_stream_next(&r->stream);
}

static bool key_is(const struct reader *r, const char *key)
{
	return r->stream.text_length == strlen(key) && memcmp(r->stream.text, key, r->stream.text_length) == 0;
}

/* Values of records: each reads what comes next into *to, the field of the record that has this key. */

/* Up to 18 digits, which cannot overflow 64 bits, perhaps after a minus. */
static bool text_is_integer(const char *text, size_t length)
{
	size_t sign = length > 0 && text[0] == '-';
	return length > sign && length <= sign + 18 && strspn(text + sign, "0123456789") == length - sign;
}

/* Ids are whole numbers; some tools write them as text. */
static enum status id_value(struct reader *r, const char *key, int64_t *to)
{
	if (r->stream.token == JSON_STRING && text_is_integer(r->stream.text, r->stream.text_length)) {
		*to = strtoll(r->stream.text, NULL, 10);
		return STATUS_OK;
	}
	return json_stream_integer(&r->stream, to) ? STATUS_OK : wrong_type(r, key, "a whole number");
}

static enum status read_id(struct reader *r, const char *key, void *to)
{
	TRY(next(r));
	return id_value(r, key, to);
}

/* A category's id: null is that of no category. */
static enum status read_small_id(struct reader *r, const char *key, void *to)
{
	int64_t value = 0;
	TRY(next(r));
	if (r->stream.token != JSON_NULL)
		TRY(id_value(r, key, &value));
	if (value < INT_MIN || value > INT_MAX)
		return wrong_type(r, key, "a number of 32 bits");
	*(int *)to = (int)value;
	return STATUS_OK;
}

/* What is wrong with the current photo's size; the first thing is the one to tell. */
static void side_problem(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void side_problem(struct reader *r, const char *format, ...)
{
	va_list args;
	if (r->image.problem[0])
		return;
	va_start(args, format);
	vsnprintf(r->image.problem, sizeof r->image.problem, format, args);
	va_end(args);
}

/* A photo's side: 0 if it is none, which is that photo's problem alone. */
static enum status read_side(struct reader *r, const char *key, void *to)
{
	int64_t value = 0;
	TRY(next(r));
	if (json_stream_integer(&r->stream, &value) && value > 0 && value <= INT_MAX)
		*(int *)to = (int)value;
	else
		side_problem(r, "%s[%lld].%s: expected a whole number from 1, found %s", r->section, r->record, key,
			     json_stream_found(&r->stream));
	return json_stream_skip(&r->stream);
}

/* Copies the current string; *copy has *capacity bytes. */
static enum status keep_string(struct reader *r, char **copy, size_t *capacity)
{
	size_t needed = r->stream.text_length + 1;
	if (needed > *capacity) {
		char *grown = realloc(*copy, needed * 2);
		if (!grown)
			return status_fail(STATUS_NO_MEMORY, "%s: no memory for a string", r->stream.name);
		*copy = grown;
		*capacity = needed * 2;
	}
	memcpy(*copy, r->stream.text, needed);
	return STATUS_OK;
}

/* Segmentations. */

static enum status unusable(struct coco_segmentation *seg, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static enum status unusable(struct coco_segmentation *seg, const char *format, ...)
{
	if (!seg->problem[0]) { /* the first problem is the one to tell */
		va_list args;
		va_start(args, format);
		vsnprintf(seg->problem, sizeof seg->problem, format, args);
		va_end(args);
	}
	seg->form = COCO_UNUSABLE;
	return STATUS_OK;
}

static enum status add_number(struct coco_segmentation *seg, double number)
{
	if (seg->number_count == COCO_MAX_NUMBERS)
		return unusable(seg, "segmentation of more than %d numbers", COCO_MAX_NUMBERS);
	if (seg->number_count == seg->number_capacity) {
		int capacity = seg->number_capacity ? 2 * seg->number_capacity : 256;
		double *grown = realloc(seg->numbers, (size_t)capacity * sizeof *grown);
		if (!grown)
			return status_fail(STATUS_NO_MEMORY, "no memory for a segmentation of %d numbers", capacity);
		seg->numbers = grown;
		seg->number_capacity = capacity;
	}
	seg->numbers[seg->number_count++] = number;
	return STATUS_OK;
}

static enum status end_part(struct coco_segmentation *seg)
{
	if (seg->part_count == seg->part_capacity) {
		int capacity = seg->part_capacity ? 2 * seg->part_capacity : 16;
		int *grown = realloc(seg->part_ends, (size_t)capacity * sizeof *grown);
		if (!grown)
			return status_fail(STATUS_NO_MEMORY, "no memory for a segmentation of %d parts", capacity);
		seg->part_ends = grown;
		seg->part_capacity = capacity;
	}
	seg->part_ends[seg->part_count++] = seg->number_count;
	return STATUS_OK;
}

/* The rest of a list of numbers, after its '['. */
static enum status read_numbers(struct reader *r, struct coco_segmentation *seg, const char *what)
{
	for (;;) {
		TRY(next(r));
		if (r->stream.token == JSON_ARRAY_END)
			return STATUS_OK;
		if (r->stream.token == JSON_NUMBER)
			TRY(add_number(seg, r->stream.number));
		else
			TRY(unusable(seg, "%s holds %s", what, json_stream_found(&r->stream)));
		TRY(json_stream_skip(&r->stream));
	}
}

/* What is wrong with the part that was just read, numbers[from..]: NULL where it is a polygon, or a box of 4. */
static const char *part_problem(const struct coco_segmentation *seg, int from, char text[80])
{
	int count = seg->number_count - from;
	if (seg->form == COCO_UNUSABLE)
		return seg->problem;
	for (int i = from; i < seg->number_count; i++)
		if (!(fabs(seg->numbers[i]) <= RLE_MAX_COORDINATE)) {
			snprintf(text, 80, "polygon: coordinate %d is %g, over the limit of +-%d", i - from,
				 seg->numbers[i], RLE_MAX_COORDINATE);
			return text;
		}
	if (count == 4 || (count >= 6 && count % 2 == 0))
		return NULL;
	snprintf(text, 80, "polygon of %d numbers: expected at least 6, an even count", count);
	return text;
}

/* A part that makes no sense is left out; it costs the object only if no part is left. first: the first such part's
 * problem, "" before. */
static enum status finish_part(struct coco_segmentation *seg, int from, char first[160])
{
	char text[80];
	const char *problem = part_problem(seg, from, text);
	if (!problem)
		return end_part(seg);
	if (!first[0])
		snprintf(first, 160, "%s", problem);
	seg->number_count = from;
	seg->junk_parts++;
	seg->form = COCO_POLYGONS;
	seg->problem[0] = '\0';
	return STATUS_OK;
}

static int part_size(const struct coco_segmentation *seg, int part)
{
	return seg->part_ends[part] - (part ? seg->part_ends[part - 1] : 0);
}

/* Beside a polygon, parts of 4 numbers are lines, which cover nothing. */
static void drop_lines(struct coco_segmentation *seg)
{
	bool polygons = false;
	int kept = 0, kept_numbers = 0;
	for (int i = 0; i < seg->part_count; i++)
		polygons |= part_size(seg, i) > 4;
	for (int i = 0, from = 0; polygons && i < seg->part_count; i++) {
		int end = seg->part_ends[i], size = end - from;
		if (size > 4) {
			memmove(seg->numbers + kept_numbers, seg->numbers + from, (size_t)size * sizeof *seg->numbers);
			seg->part_ends[kept++] = kept_numbers += size;
		}
		from = end;
	}
	if (polygons) {
		seg->junk_parts += seg->part_count - kept;
		seg->part_count = kept;
		seg->number_count = kept_numbers;
	}
}

static enum status read_polygons(struct reader *r, struct coco_segmentation *seg)
{
	bool flat = false;
	char first[160] = "";
	seg->form = COCO_POLYGONS;
	for (;;) {
		TRY(next(r));
		if (r->stream.token == JSON_ARRAY_END)
			break;
		int from = seg->number_count;
		if (r->stream.token == JSON_ARRAY_BEGIN && !flat) {
			TRY(read_numbers(r, seg, "polygon"));
			TRY(finish_part(seg, from, first));
		} else if (r->stream.token == JSON_NUMBER && seg->part_count == 0) {
			flat = true;
			TRY(add_number(seg, r->stream.number));
		} else {
			TRY(unusable(seg, "list of polygons holds %s", json_stream_found(&r->stream)));
			TRY(json_stream_skip(&r->stream));
			if (!flat)
				TRY(finish_part(seg, from, first));
		}
	}
	if (flat)
		TRY(finish_part(seg, 0, first));
	drop_lines(seg);
	return seg->part_count ? STATUS_OK : unusable(seg, "%s", first[0] ? first : "no polygon");
}

static enum status read_counts(struct reader *r, struct coco_segmentation *seg)
{
	TRY(next(r));
	if (r->stream.token == JSON_STRING) {
		TRY(keep_string(r, &seg->string, &seg->string_capacity));
		seg->string_length = r->stream.text_length;
		seg->form = COCO_STRING;
		return STATUS_OK;
	}
	if (r->stream.token == JSON_ARRAY_BEGIN) {
		seg->form = COCO_COUNTS;
		return read_numbers(r, seg, "counts");
	}
	TRY(unusable(seg, "counts is %s", json_stream_found(&r->stream)));
	return json_stream_skip(&r->stream);
}

static enum status read_size(struct reader *r, struct coco_segmentation *seg)
{
	int64_t sides[2] = {0, 0};
	int count = 0;
	TRY(next(r));
	if (r->stream.token != JSON_ARRAY_BEGIN) {
		TRY(unusable(seg, "size is %s", json_stream_found(&r->stream)));
		return json_stream_skip(&r->stream);
	}
	for (;;) {
		TRY(next(r));
		if (r->stream.token == JSON_ARRAY_END)
			break;
		if (count == 2 || !json_stream_integer(&r->stream, &sides[count]))
			TRY(unusable(seg, "size is not two whole numbers"));
		else
			count++;
		TRY(json_stream_skip(&r->stream));
	}
	seg->height = sides[0];
	seg->width = sides[1];
	return count == 2 ? STATUS_OK : unusable(seg, "size is not two whole numbers");
}

static enum status read_runs(struct reader *r, struct coco_segmentation *seg)
{
	bool counts = false, size = false;
	for (;;) {
		TRY(next(r));
		if (r->stream.token == JSON_OBJECT_END)
			break;
		bool is_counts = key_is(r, "counts"), is_size = key_is(r, "size");
		if ((is_counts && counts) || (is_size && size))
			TRY(unusable(seg, "%s stands twice", is_counts ? "counts" : "size"));
		if (is_counts && !counts)
			TRY(read_counts(r, seg));
		else if (is_size && !size)
			TRY(read_size(r, seg));
		else
			TRY(json_stream_skip(&r->stream));
		counts |= is_counts;
		size |= is_size;
	}
	return counts && size ? STATUS_OK : unusable(seg, "no %s in the segmentation", counts ? "size" : "counts");
}

static enum status read_segmentation(struct reader *r, const char *key, void *to)
{
	(void)key;
	struct coco_segmentation *seg = to;
	seg->number_count = seg->part_count = seg->junk_parts = 0;
	seg->string_length = 0;
	seg->problem[0] = '\0';
	TRY(next(r));
	if (r->stream.token == JSON_ARRAY_BEGIN)
		TRY(read_polygons(r, seg));
	else if (r->stream.token == JSON_OBJECT_BEGIN)
		TRY(read_runs(r, seg));
	else
		TRY(unusable(seg, "segmentation is %s", json_stream_found(&r->stream)));
	if (seg->problem[0])
		seg->form = COCO_UNUSABLE;
	return STATUS_OK;
}

/* Records. */

static enum status missing(struct reader *r, const char *key)
{
	return json_stream_fail(&r->stream, "%s[%lld] has no \"%s\"", r->section, r->record, key);
}

static enum status read_file_name(struct reader *r, const char *key, void *to)
{
	TRY(next(r));
	if (r->stream.token != JSON_STRING)
		return wrong_type(r, key, "a string");
	if (strlen(r->stream.text) != r->stream.text_length)
		return wrong_type(r, key, "no zero byte in it");
	TRY(keep_string(r, &r->file_name, &r->file_name_capacity));
	*(const char **)to = r->file_name;
	return STATUS_OK;
}

/* LVIS names its photos by their address alone; what is no text is taken for none. */
static enum status read_address(struct reader *r, const char *key, void *to)
{
	(void)key, (void)to;
	TRY(next(r));
	if (r->stream.token != JSON_STRING || strlen(r->stream.text) != r->stream.text_length)
		return json_stream_skip(&r->stream);
	return keep_string(r, &r->address, &r->address_capacity);
}

static enum status read_name(struct reader *r, const char *key, void *to)
{
	TRY(next(r));
	if (r->stream.token != JSON_STRING)
		return wrong_type(r, key, "a string");
	TRY(keep_string(r, &r->file_name, &r->file_name_capacity));
	*(const char **)to = r->file_name;
	return STATUS_OK;
}

static enum status read_crowd(struct reader *r, const char *key, void *to)
{
	int64_t value;
	bool *crowd = to;
	TRY(next(r));
	if (r->stream.token == JSON_TRUE || r->stream.token == JSON_FALSE)
		*crowd = r->stream.token == JSON_TRUE;
	else if (json_stream_integer(&r->stream, &value))
		*crowd = value != 0;
	else
		return wrong_type(r, key, "0 or 1");
	return STATUS_OK;
}

/* A key that the format does not define: what is no text, or has a zero byte in it, is taken for none. */
static enum status read_source(struct reader *r, const char *key, void *to)
{
	(void)key;
	TRY(next(r));
	if (r->stream.token != JSON_STRING || strlen(r->stream.text) != r->stream.text_length)
		return json_stream_skip(&r->stream);
	TRY(keep_string(r, &r->source, &r->source_capacity));
	*(const char **)to = r->source;
	return STATUS_OK;
}

/* A key of a record that is read; all others are skipped. */
struct field {
	const char *key;
	enum status (*read)(struct reader *r, const char *key, void *to);
	size_t offset; /* in the record, of what `read` fills */
	bool required;
};

/* The members of an object, after its '{'. Bit i of *seen: fields[i] was there. */
static enum status read_fields(struct reader *r, const struct field *fields, int count, void *record, unsigned *seen)
{
	*seen = 0;
	for (;;) {
		TRY(next(r));
		if (r->stream.token == JSON_OBJECT_END)
			break;
		int i = 0;
		while (i < count && !key_is(r, fields[i].key))
			i++;
		if (i == count) {
			TRY(json_stream_skip(&r->stream));
			continue;
		}
		TRY(fields[i].read(r, fields[i].key, (char *)record + fields[i].offset));
		*seen |= 1u << i;
	}
	for (int i = 0; i < count; i++)
		if (fields[i].required && !(*seen >> i & 1))
			return missing(r, fields[i].key);
	return STATUS_OK;
}

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

static enum status read_image(struct reader *r)
{
	enum { WIDTH, HEIGHT, ADDRESS };
	static const struct field fields[] = {
		[WIDTH] = {"width", read_side, offsetof(struct coco_image, width), false},
		[HEIGHT] = {"height", read_side, offsetof(struct coco_image, height), false},
		[ADDRESS] = {"coco_url", read_address, 0, false},
		{"id", read_id, offsetof(struct coco_image, id), true},
		{"file_name", read_file_name, offsetof(struct coco_image, file_name), false},
	};
	unsigned seen;
	r->image = (struct coco_image){.file_name = ""};
	TRY(read_fields(r, fields, COUNT(fields), &r->image, &seen));
	if (!r->image.file_name[0] && (seen >> ADDRESS & 1) && r->address)
		r->image.file_name = r->address;
	for (int i = WIDTH; i <= HEIGHT; i++)
		if (!(seen >> i & 1))
			side_problem(r, "%s[%lld] has no \"%s\"", r->section, r->record, fields[i].key);
	return r->visitor->image(r->visitor->context, &r->image);
}

static enum status read_category(struct reader *r)
{
	static const struct field fields[] = {
		{"id", read_small_id, offsetof(struct coco_category, id), true},
		{"name", read_name, offsetof(struct coco_category, name), false},
	};
	unsigned seen;
	r->category = (struct coco_category){.name = ""};
	TRY(read_fields(r, fields, COUNT(fields), &r->category, &seen));
	return r->visitor->category(r->visitor->context, &r->category);
}

static enum status read_annotation(struct reader *r)
{
	enum { SEGMENTATION, ID };
	static const struct field fields[] = {
		[SEGMENTATION] = {"segmentation", read_segmentation, offsetof(struct coco_annotation, segmentation),
				  false},
		[ID] = {"id", read_id, offsetof(struct coco_annotation, id), false},
		{"image_id", read_id, offsetof(struct coco_annotation, image_id), true},
		{"category_id", read_small_id, offsetof(struct coco_annotation, category_id), false},
		{"iscrowd", read_crowd, offsetof(struct coco_annotation, crowd), false},
		{"source", read_source, offsetof(struct coco_annotation, source), false},
	};
	struct coco_annotation *a = &r->annotation;
	unsigned seen;
	a->category_id = 0;
	a->crowd = false;
	a->source = "";
	TRY(read_fields(r, fields, COUNT(fields), a, &seen));
	if (!(seen >> ID & 1)) {
		if (r->section == section_names[SECTION_ANNOTATIONS])
			return missing(r, "id");
		a->id = r->record + 1; /* results of a detector have none */
	}
	if (!(seen >> SEGMENTATION & 1)) {
		a->segmentation.problem[0] = '\0';
		TRY(unusable(&a->segmentation, "no segmentation"));
	}
	return r->visitor->annotation(r->visitor->context, a);
}

/* Sections. */

/* The '{' of the list's next record; *more is false at the list's end. */
static enum status next_record(struct reader *r, bool *more)
{
	TRY(next(r));
	*more = r->stream.token != JSON_ARRAY_END;
	if (!*more || r->stream.token == JSON_OBJECT_BEGIN)
		return STATUS_OK;
	return json_stream_fail(&r->stream, "%s[%lld]: expected an object, found %s", r->section, r->record,
				json_stream_found(&r->stream));
}

static enum status read_section(struct reader *r, enum section section)
{
	static enum status (*const readers[SECTIONS])(struct reader *) = {read_image, read_category, read_annotation};
	r->section = section_names[section];
	TRY(next(r));
	if (r->stream.token != JSON_ARRAY_BEGIN)
		return json_stream_fail(&r->stream, "%s: expected a list, found %s", r->section,
					json_stream_found(&r->stream));
	for (r->record = 0;; r->record++) {
		bool more;
		TRY(next_record(r, &more));
		if (!more)
			return STATUS_OK;
		TRY(readers[section](r));
	}
}

static bool wanted(const struct reader *r, enum section section)
{
	const struct coco_visitor *v = r->visitor;
	return section == SECTION_IMAGES       ? v->image != NULL
	       : section == SECTION_CATEGORIES ? v->category != NULL
					       : v->annotation != NULL;
}

/* Annotations wait until the other sections have been read; then it is the only list that is read twice, the first time
 * without storing anything. */
static enum status meet_section(struct reader *r, enum section section)
{
	if (r->seen[section])
		return json_stream_fail(&r->stream, "a second \"%s\"", section_names[section]);
	r->seen[section] = true;
	bool early = (wanted(r, SECTION_IMAGES) && !r->seen[SECTION_IMAGES]) ||
		     (wanted(r, SECTION_CATEGORIES) && !r->seen[SECTION_CATEGORIES]);
	if (wanted(r, section) && !(section == SECTION_ANNOTATIONS && early))
		return read_section(r, section);
	if (section == SECTION_ANNOTATIONS && wanted(r, section)) {
		r->waiting = true;
		r->annotations = json_stream_place(&r->stream);
	}
	return json_stream_skip(&r->stream);
}

/* Results lists: annotations alone, as pycocotools' loadRes reads and `tapcut coco rle` writes them. Their photos are
 * known by image_id, by the size of the mask and, where it is given, by file_name. */

struct result_photos {
	struct coco_image *items; /* with names of their own */
	int count, capacity;
};

static enum status add_result_photo(struct reader *r, struct result_photos *photos)
{
	const struct coco_segmentation *seg = &r->annotation.segmentation;
	bool sized = seg->form == COCO_COUNTS || seg->form == COCO_STRING;
	if (photos->count == photos->capacity) {
		int capacity = photos->capacity ? 2 * photos->capacity : 256;
		struct coco_image *grown = realloc(photos->items, (size_t)capacity * sizeof *grown);
		if (!grown)
			return status_fail(STATUS_NO_MEMORY, "%s: no memory for %d photos", r->stream.name, capacity);
		photos->items = grown;
		photos->capacity = capacity;
	}
	struct coco_image *photo = &photos->items[photos->count];
	*photo = (struct coco_image){.id = r->image.id, .file_name = strdup(r->image.file_name)};
	if (!photo->file_name)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a photo's name", r->stream.name);
	photos->count++;
	if (sized && seg->width > 0 && seg->height > 0 && seg->width <= INT_MAX && seg->height <= INT_MAX) {
		photo->width = (int)seg->width;
		photo->height = (int)seg->height;
	} else {
		snprintf(photo->problem, sizeof photo->problem, "results[%lld] has no mask that tells its size",
			 r->record);
	}
	return STATUS_OK;
}

/* One element of the list for the sake of its photo. */
static enum status read_result_photo(struct reader *r, struct result_photos *photos)
{
	static const struct field fields[] = {
		{"image_id", read_id, offsetof(struct reader, image.id), true},
		{"file_name", read_file_name, offsetof(struct reader, image.file_name), false},
		{"segmentation", read_segmentation, offsetof(struct reader, annotation.segmentation), false},
	};
	unsigned seen;
	r->image = (struct coco_image){.file_name = ""};
	r->annotation.segmentation.form = COCO_UNUSABLE;
	TRY(read_fields(r, fields, COUNT(fields), r, &seen));
	return add_result_photo(r, photos);
}

static int compare_images(const void *a, const void *b)
{
	int64_t x = ((const struct coco_image *)a)->id, y = ((const struct coco_image *)b)->id;
	return (x > y) - (x < y);
}

/* Each photo once; its first result speaks for it. */
static enum status hand_out_photos(struct reader *r, struct result_photos *photos)
{
	enum status status = STATUS_OK;
	if (photos->count)
		qsort(photos->items, (size_t)photos->count, sizeof *photos->items, compare_images);
	for (int i = 0; i < photos->count && !status; i++)
		if (i == 0 || photos->items[i].id != photos->items[i - 1].id)
			status = r->visitor->image(r->visitor->context, &photos->items[i]);
	return status;
}

static enum status read_result_photos(struct reader *r, struct result_photos *photos)
{
	for (r->record = 0;; r->record++) {
		bool more;
		TRY(next_record(r, &more));
		if (!more)
			return hand_out_photos(r, photos);
		TRY(read_result_photo(r, photos));
	}
}

/* The list is read twice: photos come before annotations. */
static enum status read_results(struct reader *r)
{
	struct result_photos photos = {0};
	struct json_place begin = json_stream_place(&r->stream);
	enum status status = STATUS_OK;
	r->section = "results";
	if (r->visitor->image) {
		status = read_result_photos(r, &photos);
		for (int i = 0; i < photos.count; i++)
			free((char *)photos.items[i].file_name);
		free(photos.items);
		TRY(status);
		TRY(json_stream_return(&r->stream, &begin));
	}
	for (r->record = 0; r->visitor->annotation; r->record++) {
		bool more;
		TRY(next_record(r, &more));
		if (!more)
			return next(r); /* nothing may follow */
		TRY(read_annotation(r));
	}
	return STATUS_OK;
}

static enum status read_top(struct reader *r)
{
	TRY(next(r));
	if (r->stream.token == JSON_ARRAY_BEGIN)
		return read_results(r);
	if (r->stream.token != JSON_OBJECT_BEGIN)
		return json_stream_fail(&r->stream, "expected an object or a list of results, found %s",
					json_stream_found(&r->stream));
	for (;;) {
		TRY(next(r));
		if (r->stream.token == JSON_OBJECT_END)
			break;
		int section = 0;
		while (section < SECTIONS && !key_is(r, section_names[section]))
			section++;
		TRY(section < SECTIONS ? meet_section(r, (enum section)section) : json_stream_skip(&r->stream));
	}
	TRY(next(r)); /* nothing may follow */
	for (int section = SECTION_ANNOTATIONS; section >= 0; section--)
		if (!r->seen[section] && wanted(r, (enum section)section) && section != SECTION_CATEGORIES)
			return status_fail(STATUS_FORMAT, "%s: no \"%s\" list: is this a COCO instances file?",
					   r->stream.name, section_names[section]);
	if (!r->waiting)
		return STATUS_OK;
	TRY(json_stream_return(&r->stream, &r->annotations));
	return read_section(r, SECTION_ANNOTATIONS);
}

static void reader_release(struct reader *r)
{
	json_stream_close(&r->stream);
	free(r->annotation.segmentation.numbers);
	free(r->annotation.segmentation.part_ends);
	free(r->annotation.segmentation.string);
	free(r->file_name);
	free(r->source);
	free(r->address);
}

enum status coco_read(const char *path, const struct coco_visitor *visitor)
{
	struct reader r = {.visitor = visitor};
	TRY(json_stream_open(&r.stream, path));
	enum status status = read_top(&r);
	reader_release(&r);
	return status;
}

enum status coco_read_memory(const void *data, size_t size, const char *name, const struct coco_visitor *visitor)
{
	struct reader r = {.visitor = visitor};
	json_stream_open_memory(&r.stream, data, size, name);
	enum status status = read_top(&r);
	reader_release(&r);
	return status;
}

/* Masks. */

static enum status part_mask(const struct coco_segmentation *seg, int part, int width, int height, struct rle *mask)
{
	int from = part ? seg->part_ends[part - 1] : 0, count = seg->part_ends[part] - from;
	if (count == 4) /* of all parts: read_polygons */
		return rle_from_bbox(mask, seg->numbers + from, width, height);
	return rle_from_polygon(mask, seg->numbers + from, count, width, height);
}

/* Union of the parts [from, to), by halves: n log n work, log n masks in memory. */
static enum status parts_mask(const struct coco_segmentation *seg, int from, int to, int width, int height,
			      struct rle *mask)
{
	if (to - from == 1)
		return part_mask(seg, from, width, height, mask);
	struct rle half[2] = {{0}};
	int middle = from + (to - from) / 2;
	enum status status = parts_mask(seg, from, middle, width, height, &half[0]);
	if (status == STATUS_OK)
		status = parts_mask(seg, middle, to, width, height, &half[1]);
	if (status == STATUS_OK)
		status = rle_union(mask, half, 2);
	rle_release(&half[0]);
	rle_release(&half[1]);
	return status;
}

/* A few kilobytes of polygons that cross a large photo again and again would take minutes. Real objects are far below:
 * a hundred outlines of 500 points around all of a photo of 100 megapixels take half of this. */
static enum status check_work(const struct coco_segmentation *seg, int width, int height)
{
	enum { MOST = 1 << 28 };
	uint64_t work = 0;
	for (int i = 0, from = 0; i < seg->part_count; i++) {
		if (seg->part_ends[i] - from >= 6)
			work += rle_polygon_work(seg->numbers + from, seg->part_ends[i] - from, width, height);
		from = seg->part_ends[i];
		if (work > MOST)
			return status_fail(STATUS_LIMIT,
					   "%d polygons of %d numbers cross the photo of %d x %d pixels too often to "
					   "be drawn in a second",
					   seg->part_count, seg->number_count, width, height);
	}
	return STATUS_OK;
}

static enum status counts_mask(const struct coco_segmentation *seg, int width, int height, struct rle *mask)
{
	uint32_t *counts = malloc((size_t)(seg->number_count ? seg->number_count : 1) * sizeof *counts);
	if (!counts)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d counts", seg->number_count);
	enum status status = STATUS_OK;
	for (int i = 0; i < seg->number_count && status == STATUS_OK; i++) {
		double n = seg->numbers[i];
		if (!(n >= 0 && n <= UINT32_MAX) || n != (double)(uint32_t)n)
			status =
				status_fail(STATUS_FORMAT, "counts[%d] is %g: expected a whole number of pixels", i, n);
		else
			counts[i] = (uint32_t)n;
	}
	if (status == STATUS_OK)
		status = rle_from_counts(mask, counts, seg->number_count, width, height);
	free(counts);
	return status;
}

enum status coco_mask(const struct coco_segmentation *seg, int width, int height, struct rle *mask)
{
	memset(mask, 0, sizeof *mask);
	if (seg->form == COCO_UNUSABLE)
		return status_fail(STATUS_FORMAT, "%s", seg->problem);
	if (seg->form == COCO_POLYGONS)
		TRY(check_work(seg, width, height));
	if (seg->form == COCO_POLYGONS)
		return parts_mask(seg, 0, seg->part_count, width, height, mask);
	if (seg->width < 1 || seg->height < 1 || seg->width > RLE_MAX_SIDE || seg->height > RLE_MAX_SIDE)
		return status_fail(STATUS_LIMIT, "size [%lld, %lld]: each side must be 1..%d", (long long)seg->height,
				   (long long)seg->width, RLE_MAX_SIDE);
	if (seg->form == COCO_COUNTS)
		return counts_mask(seg, (int)seg->width, (int)seg->height, mask);
	return rle_from_string(mask, seg->string, seg->string_length, (int)seg->width, (int)seg->height);
}
