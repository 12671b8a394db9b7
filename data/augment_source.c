/* See augment_source.h. Photo and masks go through the same resampler with the same rectangle (infer/image/resize.h,
 * which the deployed network uses too). A turned crop is resampled upright, with room for its corners and at the same
 * scale, and then turned by bilinear interpolation in integers. */
#include "data/augment_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/portable_math.h"
#include "data/robot.h"
#include "data/sample.h"

enum { MASK_LEVEL = 128 };

/* Side of the upright crop that holds a turned one of `size`. */
static int room_for_turn(int size)
{
	return (int)ceil(size * sqrt(2.0)) + 2;
}

void source_release(struct source *source)
{
	image_release(&source->photo);
	free(source->object);
	free(source->turned);
	free(source->workspace);
}

/* Sets the object's pixels to 255 and leaves the rest. Runs go down the columns. */
static void paint(const struct rle *rle, uint8_t *mask)
{
	size_t w = (size_t)rle->width, h = (size_t)rle->height, at = 0;
	for (int i = 0; i < rle->count; at += rle->counts[i++]) {
		if (i % 2 == 0)
			continue;
		size_t x = at / h, y = at % h;
		for (uint32_t n = rle->counts[i]; n; n--) {
			mask[y * w + x] = 255;
			if (++y == h)
				y = 0, x++;
		}
	}
}

enum status source_fill(struct source *source, const struct dataset *dataset, int index, int size, bool turns)
{
	const struct dataset_object *object = &dataset->objects[index];
	const struct dataset_photo *photo = &dataset->photos[object->photo];
	TRY(dataset_read_photo(dataset, object->photo, &source->photo));
	int w = source->photo.width, h = source->photo.height, room = turns ? room_for_turn(size) : size;
	if (w != object->mask.width || h != object->mask.height)
		return status_fail(STATUS_FORMAT, "%s: the photo is %d x %d pixels, the mask %d x %d", photo->file_name,
				   w, h, object->mask.width, object->mask.height);
	size_t pixels = (size_t)w * (size_t)h;
	source->object = calloc(pixels, 2);
	source->workspace = malloc(infer_resize_workspace(w, h, room, room));
	source->turned = turns ? malloc(3 * (size_t)room * (size_t)room) : NULL;
	if (!source->object || !source->workspace || (turns && !source->turned))
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for masks of %d x %d", photo->file_name, w, h);
	source->others = source->object + pixels;
	paint(&object->mask, source->object);
	for (int i = photo->first_object; i < photo->first_object + photo->object_count; i++)
		if (i != index)
			paint(&dataset->objects[i].mask, source->others);
	return STATUS_OK;
}

void source_mask(const struct source *source, const struct rle *rle, uint8_t *mask)
{
	memset(mask, 0, (size_t)source->photo.width * (size_t)source->photo.height);
	paint(rle, mask);
}

/* --- turning -------------------------------------------------------------- */

/* Between four neighbours; x and y in 1/256 pixel, which lie within the picture. */
static uint8_t between(const uint8_t *from, int side, int channels, int64_t x, int64_t y)
{
	const uint8_t *p = from + ((y >> 8) * side + (x >> 8)) * channels;
	int right = (int)(x & 255), down = (int)(y & 255);
	size_t row = (size_t)side * (size_t)channels;
	int above = p[0] * (256 - right) + p[channels] * right;
	int below = p[row] * (256 - right) + p[row + (size_t)channels] * right;
	return (uint8_t)((above * (256 - down) + below * down + 32768) >> 16);
}

/* The middle size x size of `from` (side x side), turned. */
static void turn(const uint8_t *from, int side, int channels, const struct crop *crop, uint8_t *out, int size)
{
	double c = portable_cos_turns(crop->turn), s = portable_cos_turns(crop->turn - 0.25), middle = side / 2.0 - 0.5;
	for (int y = 0; y < size; y++)
		for (int x = 0; x < size; x++) {
			double right = (crop->flip ? size - 1 - x : x) + 0.5 - size / 2.0, down = y + 0.5 - size / 2.0;
			int64_t u = (int64_t)floor((middle + c * right - s * down) * 256 + 0.5);
			int64_t v = (int64_t)floor((middle + s * right + c * down) * 256 + 0.5);
			for (int k = 0; k < channels; k++)
				*out++ = between(from + k, side, channels, u, v);
		}
}

static void resample(const struct source *source, const uint8_t *plane, int channels, const struct crop *crop,
		     const uint8_t *fill, uint8_t *out, int size)
{
	int w = source->photo.width, h = source->photo.height;
	size_t row = (size_t)w * (size_t)channels;
	if (crop->turn == 0) {
		infer_resize_u8(plane, w, h, row, channels, crop->rect, out, size, size, fill, crop->flip,
				source->workspace);
		return;
	}
	int side = room_for_turn(size);
	double half = (crop->rect.x1 - crop->rect.x0) * side / size / 2;
	double x = (crop->rect.x0 + crop->rect.x1) / 2, y = (crop->rect.y0 + crop->rect.y1) / 2;
	struct infer_rect rect = {x - half, y - half, x + half, y + half};
	infer_resize_u8(plane, w, h, row, channels, rect, source->turned, side, side, fill, 0, source->workspace);
	turn(source->turned, side, channels, crop, out, size);
}

/* --- crops ---------------------------------------------------------------- */

void crop_plane(const struct source *source, const uint8_t *plane, const struct crop *crop, uint8_t *out, int size)
{
	static const uint8_t nothing = 0;
	resample(source, plane, 1, crop, &nothing, out, size);
}

int crop_mask(const struct source *source, const uint8_t *mask, const struct crop *crop, uint8_t *out, int size)
{
	int count = 0;
	crop_plane(source, mask, crop, out, size);
	for (int i = 0; i < size * size; i++) {
		out[i] = out[i] >= MASK_LEVEL ? TRUTH_OBJECT : TRUTH_BACKGROUND;
		count += out[i];
	}
	return count;
}

void crop_photo(const struct source *source, const struct crop *crop, uint8_t *out, int size)
{
	resample(source, source->photo.pixels, 3, crop, augment_fill, out, size);
}
