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

#endif
