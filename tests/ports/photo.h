/* A made-up photo that needs no file and no library: shaded ground, a disk and a bar of other colours, noise. The
 * same bytes on every processor: integers only. */
#ifndef TESTS_PORTS_PHOTO_H
#define TESTS_PORTS_PHOTO_H

#include <stdint.h>

static inline uint8_t photo_byte(int value, uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u; /* Numerical Recipes' generator */
	value += (int)(*state >> 28) - 8;
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Fills w x h pixels of 8-bit RGB; the disk is at the middle, a quarter of the short side in radius. */
static inline void photo_fill(uint8_t *rgb, int w, int h, uint32_t seed)
{
	uint32_t state = seed;
	int radius = (w < h ? w : h) / 4;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++, rgb += 3) {
			int dx = x - w / 2, dy = y - h / 2;
			int disk = dx * dx + dy * dy<radius * radius, bar = x> w * 3 / 4 && x < w * 7 / 8 && y > h / 8;
			int r = disk ? 210 - dy : bar ? 40 : 90 + 40 * x / w;
			int g = disk ? 60 : bar ? 90 : 130 - 30 * y / h;
			int b = disk ? 50 : bar ? 190 : 80 + 20 * ((x / 9 + y / 7) % 2);
			rgb[0] = photo_byte(r, &state);
			rgb[1] = photo_byte(g, &state);
			rgb[2] = photo_byte(b, &state);
		}
}

#endif
