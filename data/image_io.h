/* JPEG and PNG files in and out, WebP in; data/codecs holds a file for each library that does the work. */
#ifndef DATA_IMAGE_IO_H
#define DATA_IMAGE_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "data/image.h"
#include "data/image_facts.h"

enum { IMAGE_MAX_FILE = 512 * 1024 * 1024 }; /* bytes of a file that is read */

/* What to do with the orientation that EXIF or XMP tells. */
enum exif_policy {
	/* Annotations with known size: ignore when the stored size equals width x height, apply when the swapped size
	 * does, else refuse with a message. COCO's own are drawn on stored pixels. Where the size cannot tell (turned
	 * by half, mirrored, or a square) it is taken as stored, and the facts say so. */
	EXIF_MATCH,
	EXIF_APPLY,  /* turn it the way it is displayed: a user's photo, masks drawn in a browser */
	EXIF_IGNORE, /* stored order */
};
extern const char *const exif_policy_names[]; /* in the enum's order, then NULL */

struct image_read_options {
	int channels; /* 1, 3 or 4: the result is converted to it; 3 is the usual */
	enum exif_policy exif;
	int width,
		height; /* what the image must have once it is turned; 0: whatever the file has, not with EXIF_MATCH */
	struct image_facts *facts; /* filled in on success and on failure; NULL where they are not wanted */
	/* EXIF and resolution of the picture as it was turned; NULL where they are not wanted. The caller releases it,
	 * also after a failure. */
	struct image_metadata *metadata;
};

/* Reads a JPEG, PNG or, where the program was built with libwebp, WebP (by its first bytes, not its name).
 * Grayscale, palette, 16-bit, CMYK/YCCK (Adobe-inverted too) are converted; alpha is dropped over white when
 * channels is 3 (kept for 4). Colours come out as sRGB: with 3 or 4 channels an ICC profile is honoured. A file that
 * lacks pixels or whose pixels are damaged is an error; oddities that cost no pixel are counted (facts). Formats
 * that are not read are named. On failure *image is zeroed. */
enum status image_read(const char *path, const struct image_read_options *options, struct image *image);
/* A file that means a mask, as one channel: its alpha where it has one (a cutout), else its luma. Stored pixels. */
enum status image_read_mask(const char *path, struct image *mask);
enum status image_read_memory(const void *data, size_t size, const char *name, const struct image_read_options *options,
			      struct image *image);

void image_metadata_release(struct image_metadata *metadata);

/* Writes PNG (1, 3 or 4 channels) or JPEG (1 or 3; quality 1..100). Written to a temporary name and renamed.
 * `metadata`, where it is not NULL, goes into the file. */
enum status image_write_png(const char *path, const struct image *image);
enum status image_write_png_with(const char *path, const struct image *image, const struct image_metadata *metadata);
enum status image_write_jpeg(const char *path, const struct image *image, int quality,
			     const struct image_metadata *metadata);
/* One channel, whose numbers are those of colours. */
struct image_palette {
	int count; /* 1 to 256 */
	uint8_t colours[256][3];
};
enum status image_write_png_palette(const char *path, const struct image *image, const struct image_palette *palette);
/* PNG whose rows are made while it is written: `make` is called for the rows in order, some at a time, so that a
 * large picture is never in memory as a whole (its compressed bytes are). What `make` returns other than STATUS_OK
 * ends the writing. */
enum status image_write_png_rows(const char *path, int width, int height, int channels, image_make_rows *make,
				 void *context, const struct image_metadata *metadata);

/* The same into memory, for reports and for files that need not be atomic; *data is returned, caller frees. */
enum status image_encode_png(const struct image *image, unsigned char **data, size_t *size);
enum status image_encode_jpeg(const struct image *image, int quality, unsigned char **data, size_t *size);

#endif
