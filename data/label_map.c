/* See label_map.h. */
#include "data/label_map.h"

#include <stdlib.h>
#include <string.h>

int label_map_next(const struct dataset *dataset, const struct dataset_photo *photo, int than)
{
	const struct dataset_object *objects = dataset->objects;
	int next = -1;
	for (int i = photo->first_object; i < photo->first_object + photo->object_count; i++) {
		bool smaller = than < 0 || objects[i].area < objects[than].area ||
			       (objects[i].area == objects[than].area && i > than);
		if (smaller && (next < 0 || objects[i].area > objects[next].area))
			next = i;
	}
	return next;
}

enum status label_map_fill(const struct dataset *dataset, int index, uint8_t *labels)
{
	const struct dataset_photo *photo = &dataset->photos[index];
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	uint8_t *mask = malloc(pixels);
	if (!mask)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a mask", photo->file_name);
	memset(labels, 0, pixels);
	enum status status = STATUS_OK;
	for (int i = label_map_next(dataset, photo, -1); i >= 0 && !status; i = label_map_next(dataset, photo, i)) {
		const struct dataset_object *object = &dataset->objects[i];
		if (object->mask.width != photo->width || object->mask.height != photo->height) {
			status = status_fail(STATUS_FORMAT, "%s: the photo is %d x %d pixels, a mask %d x %d",
					     photo->file_name, photo->width, photo->height, object->mask.width,
					     object->mask.height);
			continue;
		}
		rle_to_mask(&object->mask, mask);
		for (size_t k = 0; k < pixels; k++)
			if (mask[k])
				labels[k] = (uint8_t)object->label;
	}
	free(mask);
	return status;
}
