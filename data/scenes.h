/* Generated photos in COCO format: textured backgrounds and objects, occlusion, shading, noise. The embedded default
 * data of demo and tests. They cannot be solved without the click: several objects per photo, drawn from the same
 * textures as the background, and only the clicked one counts. */
#ifndef DATA_SCENES_H
#define DATA_SCENES_H

#include <stdint.h>

#include "core/status.h"

/* The least and most of photos and of their sides. */
enum { SCENES_MOST = 1000 * 1000, SCENES_LEAST_SIDE = 48, SCENES_MOST_SIDE = 4096 };

struct scenes_options {
	const char *out_dir; /* gets images/ and instances.json */
	int count;
	uint64_t seed;
	int width, height;
	int quality;                                          /* JPEG */
	void (*progress)(int done, int count, void *context); /* NULL where nobody is to be told */
	void *context;
};
void scenes_options_init(struct scenes_options *options);
/* Makes out_dir where it is missing. instances.json has polygons, compressed RLE and uncompressed RLE in turn (RLE
 * in a polygon's turn where the object has a hole or several parts); it appears last, when the set is whole. Scene
 * number n depends on seed, n and the size alone. Same options, same bytes. */
enum status scenes_write(const struct scenes_options *options);

#endif
