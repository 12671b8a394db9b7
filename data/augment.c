/* From an object of the dataset to a training sample. The recipe is that of RITM (Sofiiuk et al., 2021; FIELD.md C.1
 * and D): a crop around the object at a random scale, mirrored or not, brightness, contrast and colour shifted.
 *
 * Photo, mask and the other objects' mask go through the same resampler with the same rectangle
 * (infer/image/resize.h, which the deployed network uses too). A mask is resampled as 0 and 255 and cut at 128: a
 * pixel belongs to the object when most of what it covers does. */
#include "data/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/portable_math.h"
#include "data/robot.h"
#include "infer/image/resize.h"

enum {
	MIN_OBJECT_PIXELS = 16, /* of a crop that is worth training on */
	MAX_TRIES = 8,
	MASK_LEVEL = 128,
};

/* Result pixels per photo pixel: below, photos of any size lose the object; above, blocks are all there is to see. */
static const double SCALE_LEAST = 0.3, SCALE_MOST = 4;
/* The object's box takes this share of the crop (object_scale_probability). */
static const double SHARE_LEAST = 0.3, SHARE_MOST = 0.9;
/* The chosen object pixel lies in the middle 80 % of the crop. */
static const double MIDDLE_FROM = 0.1, MIDDLE_TO = 0.9;

const uint8_t augment_fill[3] = {123, 117, 104};

void augment_config_init(struct augment_config *config)
{
	*config = (struct augment_config){
		.flip_probability = 0.5,
		.scale_min = 0.75,
		.scale_max = 1.6,
		.overhang_probability = 0.2,
		.brightness = 0.25,
		.contrast = 0.25,
		.colour = 10.0 / 255,
		.colour_probability = 0.75,
	};
}

enum status sample_alloc(struct sample *sample, int size)
{
	size_t pixels = (size_t)size * (size_t)size;
	*sample = (struct sample){.size = size};
	sample->rgb = malloc(pixels * 5);
	if (!sample->rgb)
		return status_fail(STATUS_NO_MEMORY, "no memory for a sample of %d x %d", size, size);
	sample->truth = sample->rgb + 3 * pixels;
	sample->others = sample->truth + pixels;
	return STATUS_OK;
}

void sample_release(struct sample *sample)
{
	free(sample->rgb);
	*sample = (struct sample){0};
}

/* --- what is cropped from ------------------------------------------------- */

/* A decoded photo with its masks at its own size, 0 and 255. */
struct source {
	struct image photo;
	uint8_t *object, *others; /* width x height */
	void *workspace;
};

static void source_release(struct source *source)
{
	image_release(&source->photo);
	free(source->object);
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

static enum status source_fill(struct source *source, const struct dataset *dataset, int index, int size)
{
	const struct dataset_object *object = &dataset->objects[index];
	const struct dataset_photo *photo = &dataset->photos[object->photo];
	TRY(dataset_read_photo(dataset, object->photo, &source->photo));
	int w = source->photo.width, h = source->photo.height;
	if (w != object->mask.width || h != object->mask.height)
		return status_fail(STATUS_FORMAT, "%s: the photo is %d x %d pixels, the mask %d x %d", photo->file_name,
				   w, h, object->mask.width, object->mask.height);
	size_t pixels = (size_t)w * (size_t)h;
	source->object = calloc(pixels, 2);
	source->workspace = malloc(infer_resize_workspace(w, h, size, size));
	if (!source->object || !source->workspace)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for masks of %d x %d", photo->file_name, w, h);
	source->others = source->object + pixels;
	paint(&object->mask, source->object);
	for (int i = photo->first_object; i < photo->first_object + photo->object_count; i++)
		if (i != index)
			paint(&dataset->objects[i].mask, source->others);
	return STATUS_OK;
}

/* --- geometry ------------------------------------------------------------- */

struct crop {
	struct infer_rect rect;
	int flip;
};

struct point {
	int x, y;
};

static double uniform(struct rng *rng, double low, double high)
{
	return low + (high - low) * (double)rng_float(rng);
}

static double limit(double value, double least, double most)
{
	return value < least ? least : value > most ? most : value;
}

/* The object's pixel number `rank` in the order of its runs. */
static struct point object_pixel(const struct rle *mask, uint64_t rank)
{
	uint64_t at = 0;
	for (int i = 0; i < mask->count; at += mask->counts[i++]) {
		if (i % 2 == 0)
			continue;
		if (rank < mask->counts[i])
			return (struct point){(int)((at + rank) / (uint64_t)mask->height),
					      (int)((at + rank) % (uint64_t)mask->height)};
		rank -= mask->counts[i];
	}
	return (struct point){mask->width / 2, mask->height / 2};
}

static struct point random_object_pixel(const struct dataset_object *object, struct rng *rng)
{
	uint32_t area = object->area < UINT32_MAX ? (uint32_t)object->area : UINT32_MAX;
	return object_pixel(&object->mask, rng_below(rng, area ? area : 1));
}

/* Result pixels per photo pixel. */
static double draw_scale(const struct augment_config *config, const struct dataset_object *object, int size,
			 struct rng *rng)
{
	bool by_object = rng_float(rng) < config->object_scale_probability;
	double where = (double)rng_float(rng), scale;
	if (by_object) {
		int w = object->x1 - object->x0, h = object->y1 - object->y0;
		scale = (SHARE_LEAST + (SHARE_MOST - SHARE_LEAST) * where) * size / (w > h ? w : h);
	} else {
		const struct rle *mask = &object->mask;
		int longest = mask->width > mask->height ? mask->width : mask->height;
		double low = portable_log(config->scale_min), high = portable_log(config->scale_max);
		scale = portable_exp(low + (high - low) * where) * size / longest;
	}
	return limit(scale, SCALE_LEAST, SCALE_MOST);
}

/* Where the crop begins on one axis, so that the object's pixel `at` falls in its middle part. Unless it may hang
 * over, it is then moved to show as much photo as it can; the pixel stays inside. */
static double draw_begin(int at, double extent, int photo_side, bool may_hang_over, struct rng *rng)
{
	double begin = at + 0.5 - extent * uniform(rng, MIDDLE_FROM, MIDDLE_TO);
	if (may_hang_over)
		return begin;
	double last = photo_side - extent;
	return extent <= photo_side ? limit(begin, 0, last) : limit(begin, last, 0);
}

static struct infer_rect square(double x0, double y0, double extent)
{
	return (struct infer_rect){x0, y0, x0 + extent, y0 + extent};
}

static struct infer_rect draw_rect(const struct augment_config *config, const struct dataset_object *object, int size,
				   struct rng *rng)
{
	double extent = size / draw_scale(config, object, size, rng);
	struct point pixel = random_object_pixel(object, rng);
	bool may_hang_over = rng_float(rng) < config->overhang_probability;
	double x0 = draw_begin(pixel.x, extent, object->mask.width, may_hang_over, rng);
	double y0 = draw_begin(pixel.y, extent, object->mask.height, may_hang_over, rng);
	return square(x0, y0, extent);
}

/* -> 0 and 1; returns how many are 1. */
static int resample_mask(const struct source *source, const uint8_t *mask, const struct crop *crop, uint8_t *out,
			 int size)
{
	static const uint8_t nothing = 0;
	int w = source->photo.width, h = source->photo.height, count = 0;
	infer_resize_u8(mask, w, h, (size_t)w, 1, crop->rect, out, size, size, &nothing, crop->flip, source->workspace);
	for (int i = 0; i < size * size; i++) {
		out[i] = out[i] >= MASK_LEVEL ? TRUTH_OBJECT : TRUTH_BACKGROUND;
		count += out[i];
	}
	return count;
}

/* Chooses the crop and fills sample->truth. Thin and tiny objects can vanish from a crop; where trying again does
 * not help, the largest scale around one of the object's pixels shows that pixel for sure, as 4 x 4 pixels without
 * their corners at least. */
static void choose_crop(const struct augment_config *config, const struct source *source,
			const struct dataset_object *object, struct rng *rng, struct crop *crop, struct sample *sample)
{
	int size = sample->size;
	for (int i = 0; i < MAX_TRIES; i++) {
		crop->rect = draw_rect(config, object, size, rng);
		if (resample_mask(source, source->object, crop, sample->truth, size) >= MIN_OBJECT_PIXELS)
			return;
	}
	struct point pixel = random_object_pixel(object, rng);
	double extent = size / SCALE_MOST;
	crop->rect = square(pixel.x + 0.5 - extent / 2, pixel.y + 0.5 - extent / 2, extent);
	resample_mask(source, source->object, crop, sample->truth, size);
}

/* --- colour --------------------------------------------------------------- */

/* value' = (value - 127.5) * gain + 127.5 + offset[channel] */
struct recolour {
	double gain, offset[3];
};

/* Draws the same count of numbers whatever is chosen, so that what follows does not depend on it. */
static struct recolour draw_recolour(const struct augment_config *config, struct rng *rng)
{
	struct recolour recolour = {.gain = 1};
	bool light = rng_float(rng) < config->colour_probability, shift = rng_float(rng) < config->colour_probability;
	double brightness = uniform(rng, -config->brightness, config->brightness) * 255;
	double contrast = uniform(rng, -config->contrast, config->contrast);
	if (light)
		recolour.gain = 1 + contrast;
	for (int c = 0; c < 3; c++) {
		double channel = uniform(rng, -config->colour, config->colour) * 255;
		recolour.offset[c] = (light ? brightness : 0) + (shift ? channel : 0);
	}
	return recolour;
}

/* On the photo before it is resampled, so that the fill colour beside it stays what the network takes for nothing. */
static void apply_recolour(const struct recolour *recolour, struct image *photo)
{
	uint8_t table[3][256];
	for (int c = 0; c < 3; c++)
		for (int v = 0; v < 256; v++)
			table[c][v] =
				(uint8_t)limit(floor((v - 127.5) * recolour->gain + 128 + recolour->offset[c]), 0, 255);
	uint8_t *p = photo->pixels, *end = p + (size_t)photo->width * (size_t)photo->height * 3;
	for (; p < end; p += 3)
		for (int c = 0; c < 3; c++)
			p[c] = table[c][p[c]];
}

/* --- samples -------------------------------------------------------------- */

/* Everything but the truth, which choosing the crop has filled already. */
static void fill_sample(const struct source *source, const struct crop *crop, struct sample *sample)
{
	const struct image *photo = &source->photo;
	resample_mask(source, source->others, crop, sample->others, sample->size);
	infer_resize_u8(photo->pixels, photo->width, photo->height, (size_t)photo->width * 3, 3, crop->rect,
			sample->rgb, sample->size, sample->size, augment_fill, crop->flip, source->workspace);
}

enum status augment_sample(const struct augment_config *config, const struct dataset *dataset, int object,
			   struct rng rng, struct sample *sample)
{
	struct source source = {0};
	enum status status = source_fill(&source, dataset, object, sample->size);
	if (status == STATUS_OK) {
		struct crop crop = {.flip = rng_float(&rng) < config->flip_probability};
		struct recolour recolour = draw_recolour(config, &rng);
		choose_crop(config, &source, &dataset->objects[object], &rng, &crop, sample);
		apply_recolour(&recolour, &source.photo);
		fill_sample(&source, &crop, sample);
		sample->object = object;
	}
	source_release(&source);
	return status;
}
