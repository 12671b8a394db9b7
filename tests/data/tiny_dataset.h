/* A dataset made by hand for the tests of what reads one: photos as PNG files that hold their own coordinates (red = x,
 * green = y, blue = number of the photo), rectangles as objects. */
#ifndef TESTS_DATA_TINY_DATASET_H
#define TESTS_DATA_TINY_DATASET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/image_io.h"
#include "tests/support/test.h"

enum { TINY_PHOTOS = 8, TINY_OBJECTS = 32, TINY_W = 120, TINY_H = 80 };

struct tiny {
	struct dataset dataset;
	struct dataset_photo photos[TINY_PHOTOS];
	struct dataset_object objects[TINY_OBJECTS];
	char dir[1024], names[TINY_PHOTOS][16];
};

/* Objects go to the photo added last. */
static inline void tiny_add_photo(struct tiny *tiny)
{
	int i = tiny->dataset.photo_count++;
	char path[1200];
	struct image image;
	snprintf(tiny->names[i], sizeof tiny->names[i], "%d.png", i);
	snprintf(path, sizeof path, "%s/%s", tiny->dir, tiny->names[i]);
	ck_assert_int_eq(image_alloc(&image, TINY_W, TINY_H, 3), STATUS_OK);
	for (int y = 0; y < TINY_H; y++)
		for (int x = 0; x < TINY_W; x++)
			memcpy(image.pixels + (y * TINY_W + x) * 3, (uint8_t[]){(uint8_t)x, (uint8_t)y, (uint8_t)i}, 3);
	ck_assert_msg(image_write_png(path, &image) == STATUS_OK, "%s", status_message());
	image_release(&image);
	tiny->photos[i] = (struct dataset_photo){.id = i,
						 .width = TINY_W,
						 .height = TINY_H,
						 .file_name = tiny->names[i],
						 .first_object = tiny->dataset.object_count};
}

static inline void tiny_add_object(struct tiny *tiny, int x0, int y0, int x1, int y1)
{
	int i = tiny->dataset.object_count++, photo = tiny->dataset.photo_count - 1;
	uint8_t mask[TINY_W * TINY_H] = {0};
	for (int y = y0; y < y1; y++)
		memset(mask + y * TINY_W + x0, 1, (size_t)(x1 - x0));
	struct dataset_object *object = &tiny->objects[i];
	*object = (struct dataset_object){.id = i, .photo = photo, .x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1};
	ck_assert_int_eq(rle_from_mask(&object->mask, mask, TINY_W, TINY_H), STATUS_OK);
	object->area = rle_area(&object->mask);
	tiny->photos[photo].object_count++;
}

static inline void tiny_init(struct tiny *tiny, const char *name)
{
	*tiny = (struct tiny){0};
	snprintf(tiny->dir, sizeof tiny->dir, "%s", test_tmp_dir(name));
	tiny->dataset.image_dir = tiny->dir;
	tiny->dataset.photos = tiny->photos;
	tiny->dataset.objects = tiny->objects;
}

static inline void tiny_release(struct tiny *tiny)
{
	for (int i = 0; i < tiny->dataset.object_count; i++)
		rle_release(&tiny->objects[i].mask);
}

#endif
