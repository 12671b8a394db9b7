/* From a file of annotations to a dataset. */
#ifndef DATA_DATASET_OPEN_H
#define DATA_DATASET_OPEN_H

#include "core/status.h"
#include "data/dataset.h"

/* `path`: COCO instances JSON, or an index made of one (data/index.h); `image_dir`: NULL means the first that
 * has photos of images/ beside it, its own folder, and, for annotations/instances_NAME.json, ../NAME as COCO has it.
 * `filter`: NULL takes all. Photos sorted by id, those without an object dropped; objects by photo, then id. Photo
 * files are looked for but not opened. The result may hold no object (all skipped): that is for the caller to refuse.
 * On failure *dataset is zeroed. */
enum status dataset_open(struct dataset *dataset, const char *path, const char *image_dir,
			 const struct dataset_filter *filter);

#endif
