/* A photo with its masks, and crops of it: what augment.c and augment_paste.c share. Private to data/augment*.c. */
#ifndef DATA_AUGMENT_SOURCE_H
#define DATA_AUGMENT_SOURCE_H

#include "data/dataset.h"
#include "data/image.h"
#include "infer/image/resize.h"

/* A decoded photo with its masks at its own size, 0 and 255. */
struct source {
	struct image photo;
	uint8_t *object, *others; /* width x height */
	uint8_t *turned;          /* a larger crop, before it is turned; NULL where nothing is */
	void *workspace;
};

/* Decodes the photo of object `index` for crops of size x size. `others` has all other objects of the photo. */
enum status source_fill(struct source *source, const struct dataset *dataset, int index, int size, bool turns);
/* `rle`, which has the photo's size, as a plane of 0 and 255. */
void source_mask(const struct source *source, const struct rle *rle, uint8_t *mask);
void source_release(struct source *source);

struct crop {
	struct infer_rect rect; /* a square */
	int flip;
	double turn; /* in turns, around the middle of the rect, at most 1/8 either way */
};

/* A plane of the source -> 0..255. */
void crop_plane(const struct source *source, const uint8_t *plane, const struct crop *crop, uint8_t *out, int size);
/* -> 0 and 1: a pixel belongs to the mask when most of what it covers does. Returns how many are 1. */
int crop_mask(const struct source *source, const uint8_t *mask, const struct crop *crop, uint8_t *out, int size);
/* -> R, G, B; augment_fill where the photo ends. */
void crop_photo(const struct source *source, const struct crop *crop, uint8_t *out, int size);

#endif
