/* The owner of decoded pixels. */
#include "data/image.h"

#include <stdlib.h>
#include <string.h>

enum status image_alloc(struct image *image, int width, int height, int channels)
{
	*image = (struct image){0};
	if (width <= 0 || height <= 0 || channels < 1 || channels > 4)
		return status_fail(STATUS_LIMIT, "an image of %d x %d pixels with %d channels", width, height,
				   channels);
	/* Both sides are under 2^31 and channels under 2^3: 64 bits hold the product. */
	uint64_t size = (uint64_t)width * (uint64_t)height;
	if (size > SIZE_MAX / (size_t)channels)
		return status_fail(STATUS_LIMIT, "an image of %d x %d pixels does not fit the address space", width,
				   height);
	size *= (uint64_t)channels;
	uint8_t *pixels = malloc((size_t)size);
	if (!pixels)
		return status_fail(STATUS_NO_MEMORY, "no memory for an image of %d x %d x %d bytes", width, height,
				   channels);
	*image = (struct image){.width = width, .height = height, .channels = channels, .pixels = pixels};
	return STATUS_OK;
}

void image_release(struct image *image)
{
	free(image->pixels);
	*image = (struct image){0};
}

struct image_box image_box(const struct image *mask)
{
	struct image_box box = {mask->width, mask->height, 0, 0};
	for (int y = 0; y < mask->height; y++)
		for (int x = 0; x < mask->width; x++) {
			size_t at = (size_t)y * (size_t)mask->width + (size_t)x;
			if (!mask->pixels[at * (size_t)mask->channels])
				continue;
			box.x0 = x < box.x0 ? x : box.x0;
			box.x1 = x >= box.x1 ? x + 1 : box.x1;
			box.y0 = y < box.y0 ? y : box.y0;
			box.y1 = y + 1;
		}
	return box.x1 > 0 ? box : (struct image_box){0};
}

struct image_box image_box_with_margin(struct image_box box, int margin, const struct image *image)
{
	box.x0 = box.x0 > margin ? box.x0 - margin : 0;
	box.y0 = box.y0 > margin ? box.y0 - margin : 0;
	box.x1 = image->width - box.x1 > margin ? box.x1 + margin : image->width;
	box.y1 = image->height - box.y1 > margin ? box.y1 + margin : image->height;
	return box;
}

void image_crop(struct image *image, struct image_box box)
{
	size_t channels = (size_t)image->channels, row = (size_t)(box.x1 - box.x0) * channels;
	for (int y = box.y0; y < box.y1; y++)
		memmove(image->pixels + (size_t)(y - box.y0) * row,
			image->pixels + ((size_t)y * (size_t)image->width + (size_t)box.x0) * channels, row);
	image->width = box.x1 - box.x0;
	image->height = box.y1 - box.y0;
}
