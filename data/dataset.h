/* A training or validation set: the objects of a COCO-format instances file that pass the filters, with their masks as
 * runs. The JSON is read as a stream; memory is that of what is kept; what was skipped is counted by reason. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "data/image.h"
#include "data/image_io.h"
#include "data/rle.h"

struct dataset_filter {
	const char *const *categories; /* names; NULL where all are wanted */
	int category_count;
	double min_area_fraction; /* of the photo's raster area; e.g. 0.003 */
	double max_area_fraction; /* e.g. 0.98; 0: no limit */
	int max_objects;          /* keep this many, chosen by a hash of photo and annotation id; 0 keeps all */
	bool some_categories; /* a name that none of the file's categories has is no error: another file may have it */
};

struct dataset_photo {
	int64_t id;
	int width, height;
	char *file_name;                /* owned by the dataset */
	int first_object, object_count; /* objects[first_object .. +object_count): at least one */
	const char *dir;                /* folder of the file, borrowed from the dataset; NULL: its image_dir */
};

struct dataset_object {
	int64_t id;
	int photo;    /* index */
	int category; /* COCO category id */
	struct rle mask;
	uint64_t area;      /* raster area */
	int x0, y0, x1, y1; /* box of the mask's pixels, half open */
	int source;         /* sources[source - 1] of the dataset is the annotation's "source"; 0: it has none */
	int label;          /* dataset_label: the place of its category's name in the list, from 1 on; 0: not in it */
};

struct dataset_category {
	int id;
	char *name; /* owned by the dataset */
};

/* Why annotations were left out. Every annotation of the file is either in `objects` or counted in exactly one of
 * these. */
struct dataset_skips {
	int crowd, too_small, too_large, category, bad_segmentation, unknown_photo, missing_file, over_limit;
	int bad_photo;          /* its photo's name leads out of image_dir, or its size is impossible */
	int missing_photos;     /* photos behind missing_file; counts photos, not objects */
	char first_reason[256]; /* text of the first bad_segmentation, bad_photo or missing_file */
};

struct photo_digests; /* data/photo_digests.h */

struct dataset {
	enum exif_policy exif; /* how photos are turned; the zero, EXIF_MATCH, unless the caller sets it */
	char *image_dir;
	struct dataset_category *categories; /* all of the file, by id */
	int category_count;
	struct dataset_photo *photos;
	int photo_count;
	struct dataset_object *objects;
	int object_count;
	char **sources; /* the annotations' "source" texts, each once, in the order in which they came */
	int source_count;
	char **more_dirs; /* photo folders of the sets that were appended */
	int more_dir_count;
	/* Crowd regions and objects that the filters refuse are not in `objects`; a sample must not click them as
	 * background knowingly, but they have no mask here. */
	struct dataset_skips skips;
	int junk_parts;     /* parts of polygons that were left out, whose objects have better ones (data/coco.h) */
	uint8_t digest[32]; /* SHA-256 over ids and masks of what was kept, in order */
	struct photo_digests *photo_digests; /* borrowed; what dataset_read_photo notes or checks; NULL: nothing */
};

void dataset_release(struct dataset *dataset);

/* Moves the photos and objects of `more` behind those of `dataset`, which keep their places; ids of the two may be the
 * same and mean nothing to each other. Categories of the same id and name become one, sources of the same name too. The
 * digest then is that of both. `more` is zeroed. On failure (no memory, or more objects than an int counts) both are
 * released. */
enum status dataset_append(struct dataset *dataset, struct dataset *more);

/* Computes `digest` from photos and objects. */
void dataset_digest(struct dataset *dataset);
/* The number of a source for dataset_object.source, which is added if it is new; 0 for "". */
enum status dataset_add_source(struct dataset *dataset, const char *name, int *source);

/* Sets each object's label. To be called before sets are appended: another file's category of the same id may have
 * another name. */
void dataset_label(struct dataset *dataset, const char *const *names, int count);

/* How many objects of the whole set go by the name of categories[index]. */
int dataset_count_category(const struct dataset *dataset, int index);
/* The `source` of an object by this name, or 0. */
int dataset_find_source(const struct dataset *dataset, const char *name);

/* Decodes photo `index` as RGB, turned as the set's `exif` says; its size must be the one that the annotations give.
 * Fails where dataset->photo_digests knows it as another one. */
enum status dataset_read_photo(const struct dataset *dataset, int index, struct image *image);

/* Reads the file of photo `index` without decoding it, for dataset->photo_digests, which must be there. */
enum status dataset_check_photo(const struct dataset *dataset, int index);

/* "12,770 objects in 5,919 photos; skipped 39 crowd, ..." */
void dataset_print_summary(const struct dataset *dataset, FILE *out);
/* The same as one line in memory, cut off where it does not fit; "" when memory is out. */
void dataset_summary_line(const struct dataset *dataset, char *line, size_t size);
/* The annotations that were left out, all reasons together. */
int64_t dataset_skipped(const struct dataset *dataset);

#endif
