/* See augment_paste.h. */
#include "data/augment_paste.h"

#include <stdlib.h>
#include <string.h>

#include "data/robot.h"

/* The object's brightness is multiplied by this at least and at most, in 1/256. */
enum { GAIN_ONE = 256, GAIN_LEAST = 192, GAIN_MOST = 340 };
/* Coverage up to this counts as none: what the softened edge shows of the old background. */
enum { EDGE = 64 };

/* The mask's coverage, softened by 3 x 3 (1 2 1) and drawn in a little: 0..255. `plane` is at least size x size. */
static void feather(const uint8_t *mask, int size, uint8_t *alpha)
{
	for (int y = 0; y < size; y++)
		for (int x = 0; x < size; x++) {
			int sum = 8;
			for (int j = -1; j <= 1; j++)
				for (int i = -1; i <= 1; i++) {
					int v = y + j, u = x + i;
					v = v < 0 ? 0 : v >= size ? size - 1 : v;
					u = u < 0 ? 0 : u >= size ? size - 1 : u;
					sum += mask[v * size + u] * (2 - abs(i)) * (2 - abs(j));
				}
			int soft = sum / 16 - EDGE;
			alpha[y * size + x] = (uint8_t)(soft > 0 ? soft * 255 / (255 - EDGE) : 0);
		}
}

static int luma(const uint8_t *rgb)
{
	return (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8;
}

/* In 1/256: half of the way from the object's mean brightness to that of the picture around its new place. */
static int match_brightness(const uint8_t *front, const uint8_t *alpha, const uint8_t *back, int pixels)
{
	int64_t object = 0, around = 0, inside = 0, outside = 0;
	for (int i = 0; i < pixels; i++)
		if (alpha[i] >= 128)
			object += luma(front + 3 * i), inside++;
		else
			around += luma(back + 3 * i), outside++;
	if (!object || !outside)
		return GAIN_ONE;
	int64_t mean = object / inside, wanted = (mean + around / outside) / 2;
	int64_t gain = mean > 0 ? wanted * GAIN_ONE / mean : GAIN_ONE;
	return (int)(gain < GAIN_LEAST ? GAIN_LEAST : gain > GAIN_MOST ? GAIN_MOST : gain);
}

static void blend(uint8_t *front, const uint8_t *back, const uint8_t *alpha, int pixels, int gain)
{
	for (int i = 0; i < 3 * pixels; i++) {
		int a = alpha[i / 3], value = front[i] * gain / GAIN_ONE;
		value = value > 255 ? 255 : value;
		front[i] = (uint8_t)((value * a + back[i] * (255 - a) + 127) / 255);
	}
}

enum status augment_paste(const struct source *front, const struct crop *crop, const struct source *back,
			  const struct crop *back_crop, int least, struct sample *sample)
{
	int size = sample->size, pixels = size * size, left = 0;
	uint8_t *memory = malloc((size_t)pixels * 5);
	if (!memory)
		return status_fail(STATUS_NO_MEMORY, "no memory to paste an object into %d x %d", size, size);
	uint8_t *picture = memory, *mask = memory + 3 * (size_t)pixels, *alpha = mask + pixels;
	crop_plane(front, front->object, crop, mask, size);
	feather(mask, size, alpha);
	for (int i = 0; i < pixels; i++)
		left += alpha[i] >= 128;
	if (left >= least) {
		crop_photo(back, back_crop, picture, size);
		blend(sample->rgb, picture, alpha, pixels, match_brightness(sample->rgb, alpha, picture, pixels));
		for (int i = 0; i < pixels; i++)
			sample->truth[i] = alpha[i] >= 128 ? TRUTH_OBJECT : TRUTH_BACKGROUND;
		crop_mask(back, back->others, back_crop, sample->others, size);
		crop_mask(back, back->object, back_crop, mask, size);
		for (int i = 0; i < pixels; i++)
			sample->others[i] |= mask[i];
	}
	free(memory);
	return STATUS_OK;
}
