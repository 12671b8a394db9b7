/* See photo_file.h. */
#include "tools/photo_file.h"

#include <stdio.h>
#include <string.h>

#include "data/image_io.h"

/* RGBA to its colours and its alpha. */
static enum status split(struct image *rgba, struct photo_file *photo)
{
	TRY(image_alloc(&photo->alpha, rgba->width, rgba->height, 1));
	size_t count = (size_t)rgba->width * (size_t)rgba->height;
	uint8_t *to = rgba->pixels;
	for (size_t i = 0; i < count; i++, to += 3) {
		const uint8_t *from = rgba->pixels + 4 * i;
		photo->alpha.pixels[i] = from[3];
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
	}
	rgba->channels = 3;
	photo->straight = *rgba;
	rgba->pixels = NULL;
	return STATUS_OK;
}

static bool is_opaque(const struct image *alpha)
{
	size_t count = (size_t)alpha->width * (size_t)alpha->height;
	for (size_t i = 0; i < count; i++)
		if (alpha->pixels[i] != 255)
			return false;
	return true;
}

enum status photo_file_read(const char *path, struct photo_file *photo)
{
	*photo = (struct photo_file){0};
	struct image_read_options read = {.channels = 3,
					  .exif = EXIF_APPLY,
					  .facts = &photo->facts,
					  .metadata = &photo->metadata};
	TRY(image_read(path, &read, &photo->rgb));
	if (!photo->facts.alpha)
		return STATUS_OK;
	struct image rgba;
	read = (struct image_read_options){.channels = 4, .exif = EXIF_APPLY};
	TRY(image_read(path, &read, &rgba));
	enum status status = split(&rgba, photo);
	image_release(&rgba);
	if (status == STATUS_OK && is_opaque(&photo->alpha)) {
		image_release(&photo->alpha);
		image_release(&photo->straight);
	}
	return status;
}

void photo_file_release(struct photo_file *photo)
{
	image_release(&photo->rgb);
	image_release(&photo->straight);
	image_release(&photo->alpha);
	image_metadata_release(&photo->metadata);
}

void photo_file_tell_losses(const struct photo_file *photo, bool keeps_alpha)
{
	if (photo->facts.sixteen_bits)
		printf("the photo has 16 bits a sample, what is written has 8\n");
	if (photo->alpha.pixels && !keeps_alpha)
		printf("the photo's transparent parts are laid on white\n");
}

const struct image *photo_file_colours(const struct photo_file *photo)
{
	return photo->straight.pixels ? &photo->straight : &photo->rgb;
}

void photo_file_derive_name(const char *photo, const char *ending, char *name, size_t size)
{
	const char *slash = strrchr(photo, '/'), *own = slash ? slash + 1 : photo, *dot = strrchr(own, '.');
	int length = dot && dot != own ? (int)(dot - own) : (int)strlen(own);
	snprintf(name, size, "%.*s%s", length, own, ending);
}

void photo_file_crop(struct photo_file *photo, struct image_box box)
{
	image_crop(&photo->rgb, box);
	if (photo->alpha.pixels) {
		image_crop(&photo->straight, box);
		image_crop(&photo->alpha, box);
	}
}
