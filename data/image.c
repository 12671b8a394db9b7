/* The owner of decoded pixels. */
#include "data/image.h"

#include <stdlib.h>

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
