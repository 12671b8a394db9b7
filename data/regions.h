/* The regions of a labelled picture: what hangs together, at corners too, and has one label. */
#ifndef DATA_REGIONS_H
#define DATA_REGIONS_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "data/image.h"

struct region {
	uint8_t label;
	size_t area;  /* pixels */
	size_t first; /* its first pixel, row by row */
	struct image_box box;
};

struct regions {
	struct region *items; /* owned; the largest first, of equal ones the one that begins first */
	int count;
	int32_t *map; /* owned; for each pixel the number of its region in `items`; -1: its region was too small */
};

/* labels: one channel. Regions under `least` pixels are left out. On failure nothing needs releasing. */
enum status regions_find(struct regions *regions, const struct image *labels, size_t least);
void regions_release(struct regions *regions);

#endif
