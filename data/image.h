/* A decoded picture in memory: 8 bits per sample, interleaved, rows without gaps. */
#ifndef DATA_IMAGE_H
#define DATA_IMAGE_H

#include <stdint.h>

#include "core/status.h"

struct image {
	int width, height;
	int channels;    /* 1 gray, 3 RGB, 4 RGBA */
	uint8_t *pixels; /* owned; height x width x channels */
};

enum status image_alloc(struct image *image, int width, int height, int channels);
void image_release(struct image *image);

/* A rectangle of pixels: x0 <= x < x1, y0 <= y < y1. */
struct image_box {
	int x0, y0, x1, y1;
};

/* What encloses the pixels of the first channel that are not 0; all 0 where there is none. */
struct image_box image_box(const struct image *mask);
/* The box with so many pixels more on each side, as far as the image has them. */
struct image_box image_box_with_margin(struct image_box box, int margin, const struct image *image);
/* Leaves of the image what is in the box, which lies inside it and is not empty. */
void image_crop(struct image *image, struct image_box box);

#endif
