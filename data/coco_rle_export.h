/* Every segmentation of an instances file as compressed RLE, whatever notation it came in: what other tools read
 * fastest. */
#ifndef DATA_COCO_RLE_EXPORT_H
#define DATA_COCO_RLE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

struct coco_rle_export {
	bool skip_unusable; /* leave segmentations without a mask out; otherwise the first one ends the work */
	int64_t written, left_out;
	char first_reason[256]; /* of what was left out */
};

/* Writes a list of results, as pycocotools' loadRes reads it, in the order of the annotations, one record a line:
 *	{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "file_name": "a.jpg",
 *	 "segmentation": {"size": [h, w], "counts": "..."}, "area": pixels, "bbox": [x, y, w, h]}
 * file_name, which loadRes passes over, makes the list a set that data/coco.h reads back.
 * area and bbox are those of the mask's pixels. `out_path` appears when the work is complete, or not at all. */
enum status coco_rle_export(struct coco_rle_export *export, const char *in_path, const char *out_path);

#endif
