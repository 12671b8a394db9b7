/* A mask as a JSON file that annotation tools read: COCO's compressed RLE, or polygons. */
#ifndef DATA_MASK_EXPORT_H
#define DATA_MASK_EXPORT_H

#include "core/text.h"
#include "data/image.h"
#include "data/rle.h"

/* The mask: one channel, non-zero = object. One object each, `area` and `bbox` are those of its pixels:
 *	{"size": [h, w], "counts": "...", "area": pixels, "bbox": [x, y, w, h]}
 *	{"size": [h, w], "segmentation": [[x0, y0, x1, y1, ...], ...], "area": pixels, "bbox": [x, y, w, h]}
 * `tolerance`: by how many pixels the polygon may miss (contour.h). The files appear whole or not at all. */
enum status mask_write_rle(const char *path, const struct image *mask);
/* Of the first one, "size" to "bbox" as members of an object that the caller opens and closes. */
enum status mask_add_rle(struct text *text, const struct rle *rle);
enum status mask_write_polygons(const char *path, const struct image *mask, double tolerance);

#endif
