/* Run-length masks as in COCO: column-major, runs alternate 0,1,0,1..., starting with zeros (maybe none). Byte-equal
 * to the reference implementation (cocodataset/cocoapi, common/maskApi.c) on valid input, and safe on any other. */
#ifndef DATA_RLE_H
#define DATA_RLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* A side at most this many pixels, so that a mask's area fits 31 bits; a polygon's coordinates at most this far from
 * 0 either way: far beyond any photo, and near enough that the rasteriser's arithmetic is exact. */
enum { RLE_MAX_SIDE = 32768, RLE_MAX_COORDINATE = 1000000 };

struct rle {
	int width, height;
	uint32_t *counts; /* owned; sum == width * height */
	int count;
};

/* On failure every call below that makes an rle leaves it zeroed: releasing it is allowed, not needed. */

void rle_release(struct rle *rle);
/* Checks the size and makes room for `capacity` counts; count stays 0. For those who fill the runs themselves. */
enum status rle_init(struct rle *rle, int width, int height, size_t capacity);

/* Compressed string -> runs. Refuses overlong varints, negative runs, and sums that are not width x height. */
enum status rle_from_string(struct rle *rle, const char *text, size_t length, int width, int height);
/* Runs -> compressed string, NUL-terminated; returned, caller frees. NULL when memory is out. */
char *rle_to_string(const struct rle *rle);
/* Takes a copy of uncompressed counts, checked as above. */
enum status rle_from_counts(struct rle *rle, const uint32_t *counts, int count, int width, int height);
/* One polygon x0,y0,x1,y1,... (count numbers, even, >= 6) rasterised as the reference does (5x upsampled boundary). */
enum status rle_from_polygon(struct rle *rle, const double *xy, int count, int width, int height);
/* About how many steps rle_from_polygon takes for these numbers, some nanoseconds each: they grow with the picture as
 * well as with the numbers. The coordinates must be within the limit. */
uint64_t rle_polygon_work(const double *xy, int count, int width, int height);
/* COCO's reading of a 4-number "polygon": x,y,width,height. */
enum status rle_from_bbox(struct rle *rle, const double bbox[4], int width, int height);
/* Row-major bytes (non-zero = object) -> runs, and back (0 or 1). */
enum status rle_from_mask(struct rle *rle, const uint8_t *mask, int width, int height);
void rle_to_mask(const struct rle *rle, uint8_t *mask);
/* Union of `count` >= 1 masks of one size. */
enum status rle_union(struct rle *out, const struct rle *rles, int count);
uint64_t rle_area(const struct rle *rle);
/* Box of the object's pixels, half open: x0,y0,x1,y1; all 0 for an empty mask. */
void rle_box(const struct rle *rle, int box[4]);

#endif
