/* COCO instances files, and lists of results (annotations alone), as a stream of records: images and categories first,
 * then the annotations in the file's order, wherever the three sections stand in it (published files have the
 * categories last). Memory is that of one annotation.
 *
 * A text that is no JSON, or an id that is no whole number, stops the reading: nothing after it can be trusted. A
 * segmentation that makes no sense concerns one object only: it is handed out as COCO_UNUSABLE with the reason. */
#ifndef DATA_COCO_H
#define DATA_COCO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/rle.h"

/* Numbers in one segmentation: more than any real object has; keeps memory bounded. */
enum { COCO_MAX_NUMBERS = 1 << 21 };

struct coco_image {
	int64_t id;
	int width, height;     /* 0 where absent or out of the range of int */
	const char *file_name; /* LVIS's coco_url where absent, or ""; as written, so not to be trusted */
	char problem[120];     /* what is wrong with the size: "images[0] has no \"width\""; "" where nothing is */
};

struct coco_category {
	int id;
	const char *name;
};

/* The three notations, told apart by their JSON types (not by iscrowd). */
enum coco_form {
	COCO_UNUSABLE,
	COCO_POLYGONS, /* list of lists of numbers; also one flat list */
	COCO_COUNTS,   /* {"size": [h, w], "counts": [...]} */
	COCO_STRING,   /* {"size": [h, w], "counts": "..."} */
};

struct coco_segmentation {
	enum coco_form form;
	double *numbers; /* COCO_POLYGONS: the parts one after the other; COCO_COUNTS: the counts */
	int number_count;
	int *part_ends; /* part i is numbers[part_ends[i-1] .. part_ends[i]) */
	int part_count;
	char *string;
	size_t string_length;
	int64_t width, height; /* COCO_COUNTS, COCO_STRING: "size" */
	char problem[160];     /* COCO_UNUSABLE: why */
	int junk_parts;        /* COCO_POLYGONS: parts that are no polygon, left out because others are */

	int number_capacity, part_capacity;
	size_t string_capacity;
};

struct coco_annotation {
	int64_t id, image_id;
	int category_id; /* 0 where absent */
	bool crowd;
	const char *source; /* "" where absent or no text: the set that the object comes from, where sets were joined */
	struct coco_segmentation segmentation;
};

/* Records are borrowed for the length of the call. What a callback returns other than STATUS_OK ends the reading and
 * is returned. A NULL callback skips its section. */
struct coco_visitor {
	void *context;
	enum status (*image)(void *context, const struct coco_image *image);
	enum status (*category)(void *context, const struct coco_category *category);
	enum status (*annotation)(void *context, const struct coco_annotation *annotation);
};
enum status coco_read(const char *path, const struct coco_visitor *visitor);
enum status coco_read_memory(const void *data, size_t size, const char *name, const struct coco_visitor *visitor);

/* The mask, as the COCO tools read it: polygons are united, parts of 4 numbers, where no part is a polygon, are boxes
 * (x, y, width, height). `width` x `height` is the photo's size; a run-length mask has its own, which may differ:
 * compare. The message names no file. */
enum status coco_mask(const struct coco_segmentation *segmentation, int width, int height, struct rle *mask);

#endif
