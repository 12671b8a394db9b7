/* From an object of the dataset to a training sample. The recipe is that of RITM (Sofiiuk et al., ICIP 2022, isegm/data
 * of their code): a crop around the object at a random scale, mirrored or not, brightness, contrast and colour shifted.
 * Beyond it: turned, greyed and degraded crops, and objects pasted onto other photos. */
#include "data/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/portable_math.h"
#include "data/augment_paste.h"
#include "data/augment_source.h"
#include "data/degrade.h"
#include "data/label_map.h"

enum {
	MIN_OBJECT_PIXELS = 16, /* of a crop that is worth training on */
	MAX_TRIES = 8,
};

/* Result pixels per photo pixel: below, photos of any size lose the object; above, blocks are all there is to see. */
static const double SCALE_LEAST = 0.3, SCALE_MOST = 4;
/* The object's box takes this share of the crop (object_scale_probability). */
static const double SHARE_LEAST = 0.3, SHARE_MOST = 0.9;
/* The chosen object pixel lies in the middle 80 % of the crop. */
static const double MIDDLE_FROM = 0.1, MIDDLE_TO = 0.9;

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

/* --- geometry ------------------------------------------------------------- */

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

/* Chooses the crop and fills sample->truth. Thin and tiny objects can vanish from a crop; where trying again does
 * not help, the largest scale around one of the object's pixels shows that pixel for sure, as 4 x 4 pixels without
 * their corners at least. */
static void choose_crop(const struct augment_config *config, const struct source *source,
			const struct dataset_object *object, struct rng *rng, struct crop *crop, struct sample *sample)
{
	int size = sample->size;
	for (int i = 0; i < MAX_TRIES; i++) {
		crop->rect = draw_rect(config, object, size, rng);
		if (crop_mask(source, source->object, crop, sample->truth, size) >= MIN_OBJECT_PIXELS)
			return;
	}
	struct point pixel = random_object_pixel(object, rng);
	double extent = size / SCALE_MOST;
	crop->rect = square(pixel.x + 0.5 - extent / 2, pixel.y + 0.5 - extent / 2, extent);
	crop_mask(source, source->object, crop, sample->truth, size);
}

/* --- colour --------------------------------------------------------------- */

/* value' = (value^gamma - 127.5) * gain + 127.5 + offset[channel], where the power is of the share of full range */
struct recolour {
	double gain, offset[3];
	double gamma; /* 1: none */
	bool grey;
};

/* Draws the same count of numbers whatever is chosen, so that what follows does not depend on it. */
static struct recolour draw_recolour(const struct augment_config *config, struct rng *rng)
{
	struct recolour recolour = {.gain = 1, .gamma = 1};
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
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	for (int v = 0; v < 256; v++) {
		double value = recolour->gamma == 1 ? v : 255 * portable_pow(v / 255.0, recolour->gamma);
		for (int c = 0; c < 3; c++)
			table[c][v] =
				(uint8_t)limit(floor((value - 127.5) * recolour->gain + 128 + recolour->offset[c]), 0,
					       255);
	}
	for (uint8_t *p = photo->pixels, *end = p + 3 * pixels; p < end; p += 3)
		for (int c = 0; c < 3; c++)
			p[c] = table[c][p[c]];
	if (recolour->grey)
		degrade_grey(photo->pixels, pixels);
}

/* --- further changes ------------------------------------------------------ */

/* Streams below the sample's: what is drawn here moves no number of the rest, and each is independent of the others. */
enum { STREAM_LOOK = 1, STREAM_NOISE, STREAM_PASTE };

struct look {
	double turn;  /* in turns */
	double gamma; /* 1: none */
	bool grey;
	double blur, noise; /* deviations; 0: none */
	int jpeg_quality;   /* 0: none */
};

enum { JPEG_BEST = 95 };

/* A number drawn whether it is used or not: `otherwise` unless the dice say that it counts. */
static double maybe(struct rng *rng, double probability, double low, double high, double otherwise)
{
	bool counts = (double)rng_float(rng) < probability;
	double value = uniform(rng, low, high);
	return counts ? value : otherwise;
}

static struct look draw_look(const struct augment_config *config, const struct rng *sample_rng)
{
	struct rng rng = rng_substream(sample_rng, STREAM_LOOK);
	struct look look;
	double most = config->rotation / 360;
	look.turn = maybe(&rng, config->rotation_probability, -most, most, 0);
	look.gamma = portable_exp(maybe(&rng, config->gamma_probability, -config->gamma, config->gamma, 0));
	look.grey = maybe(&rng, config->grey_probability, 1, 1, 0) > 0;
	look.blur = maybe(&rng, config->blur_probability, config->blur / 4, config->blur, 0);
	look.noise = 255 * maybe(&rng, config->noise_probability, 0, config->noise, 0);
	int least = config->jpeg_quality < JPEG_BEST ? config->jpeg_quality : JPEG_BEST;
	look.jpeg_quality = (int)maybe(&rng, config->jpeg_probability, least, JPEG_BEST + 1, 0);
	return look;
}

/* In the order in which a camera and a web site do it. */
static enum status degrade(const struct look *look, const struct rng *sample_rng, struct sample *sample)
{
	int size = sample->size;
	size_t pixels = (size_t)size * (size_t)size, bytes = degrade_jpeg_floats(size, size) * sizeof(float);
	if (!(look->blur > 0) && !(look->noise > 0) && !look->jpeg_quality)
		return STATUS_OK;
	void *scratch = malloc(bytes > 3 * pixels ? bytes : 3 * pixels);
	if (!scratch)
		return status_fail(STATUS_NO_MEMORY, "no memory for a sample of %d x %d", size, size);
	if (look->blur > 0)
		degrade_blur(sample->rgb, size, size, look->blur, scratch);
	if (look->noise > 0) {
		struct rng rng = rng_substream(sample_rng, STREAM_NOISE);
		degrade_noise(sample->rgb, pixels, look->noise, &rng);
	}
	if (look->jpeg_quality)
		degrade_jpeg(sample->rgb, size, size, look->jpeg_quality, scratch);
	free(scratch);
	return STATUS_OK;
}

/* Whether all of the object is in its photo: one that the photo cuts off would end in mid-air. */
static bool is_whole(const struct dataset_object *object)
{
	return object->x0 > 0 && object->y0 > 0 && object->x1 < object->mask.width && object->y1 < object->mask.height;
}

/* Puts the sample's object onto the photo of another one, for the share of samples that the config wants. The other
 * photo is cropped as for a sample of its own object, so that scales are alike. */
static enum status paste(const struct augment_config *config, const struct dataset *dataset, const struct source *front,
			 const struct crop *crop, const struct rng *sample_rng, struct sample *sample)
{
	struct rng rng = rng_substream(sample_rng, STREAM_PASTE);
	const struct dataset_object *object = &dataset->objects[sample->object];
	bool wanted = (double)rng_float(&rng) < config->paste_probability;
	int other = (int)rng_below(&rng, (uint32_t)dataset->object_count);
	if (!wanted || !is_whole(object) || dataset->objects[other].photo == object->photo)
		return STATUS_OK;
	struct source back = {0};
	enum status status = source_fill(&back, dataset, other, sample->size, false);
	if (status == STATUS_OK) {
		struct crop back_crop = {.flip = rng_float(&rng) < 0.5f};
		struct recolour recolour = draw_recolour(config, &rng);
		back_crop.rect = draw_rect(config, &dataset->objects[other], sample->size, &rng);
		apply_recolour(&recolour, &back.photo);
		status = augment_paste(front, crop, &back, &back_crop, MIN_OBJECT_PIXELS, sample);
	}
	source_release(&back);
	return status;
}

/* --- labels --------------------------------------------------------------- */

/* The truth is what each pixel of the crop is, smaller objects over larger ones. sample->others is overwritten. */
static void label_crop(struct source *source, const struct crop *crop, const struct dataset *dataset,
		       struct sample *sample)
{
	const struct dataset_photo *photo = &dataset->photos[dataset->objects[sample->object].photo];
	size_t pixels = (size_t)sample->size * (size_t)sample->size;
	memset(sample->truth, 0, pixels);
	for (int i = label_map_next(dataset, photo, -1); i >= 0; i = label_map_next(dataset, photo, i)) {
		source_mask(source, &dataset->objects[i].mask, source->others);
		if (crop_mask(source, source->others, crop, sample->others, sample->size) == 0)
			continue;
		for (size_t k = 0; k < pixels; k++)
			if (sample->others[k])
				sample->truth[k] = (uint8_t)dataset->objects[i].label;
	}
}

/* --- samples -------------------------------------------------------------- */

/* Everything but the truth, which choosing the crop has filled already. */
static void fill_sample(const struct source *source, const struct crop *crop, struct sample *sample)
{
	crop_mask(source, source->others, crop, sample->others, sample->size);
	crop_photo(source, crop, sample->rgb, sample->size);
}

enum status augment_sample(const struct augment_config *config, const struct dataset *dataset, int object,
			   struct rng rng, struct sample *sample)
{
	struct source source = {0};
	const struct rng start = rng;
	struct look look = draw_look(config, &start);
	enum status status = source_fill(&source, dataset, object, sample->size, look.turn != 0);
	if (status == STATUS_OK) {
		struct crop crop = {.flip = rng_float(&rng) < config->flip_probability, .turn = look.turn};
		struct recolour recolour = draw_recolour(config, &rng);
		recolour.gamma = look.gamma;
		recolour.grey = look.grey;
		choose_crop(config, &source, &dataset->objects[object], &rng, &crop, sample);
		apply_recolour(&recolour, &source.photo);
		fill_sample(&source, &crop, sample);
		sample->object = object;
		if (config->labels)
			label_crop(&source, &crop, dataset, sample);
		else
			status = paste(config, dataset, &source, &crop, &start, sample);
	}
	if (status == STATUS_OK)
		status = degrade(&look, &start, sample);
	source_release(&source);
	return status;
}
