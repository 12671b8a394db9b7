/* Internal to data/image_io.c and its codecs: what a decoder finds in a file, before it becomes the image that was
 * asked for, and the bytes that an encoder makes. Each outside library is known to one file of this folder. */
#ifndef DATA_CODECS_H
#define DATA_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/image.h"
#include "data/image_facts.h"

/* What the decoders leave behind: never fewer channels than asked for. */
enum native { NATIVE_GRAY, NATIVE_GRAY_ALPHA, NATIVE_RGB, NATIVE_RGBA, NATIVE_CMYK, NATIVE_CMYK_INVERTED };
extern const int native_channels[];

/* A decoded file. Everything is owned; decoded_release takes it back whether decoding worked or not. */
struct decoded {
	int width, height; /* as stored */
	enum native native;
	uint8_t *pixels;  /* height x width x native_channels[native] */
	int orientation;  /* EXIF's, or XMP's where there is no EXIF: 1..8; 1: as stored, or not said */
	uint8_t *profile; /* the file's ICC profile; NULL: it has none */
	size_t profile_size;
	bool wants_metadata;            /* set before decoding; else EXIF is not copied */
	struct image_metadata metadata; /* as the file has it: exif_make_plain is still to be called */
	struct image_facts facts;
};

void decoded_release(struct decoded *decoded);

/* Counts a warning and keeps the text of the first. */
void facts_warn(struct image_facts *facts, const char *text);

/* Refuses declared sizes that image_facts.h's limits exclude, before anything is allocated. */
enum status check_declared_size(const char *name, uint32_t width, uint32_t height);

/* channels: 1, 3 or 4, a hint that saves memory where the library can convert itself. */
enum status jpeg_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded);
enum status png_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded);

/* Where the program was built without libwebp, STATUS_FORMAT with a message that says so. */
enum status webp_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded);

/* --- orientation ---------------------------------------------------------- */

/* An orientation of 1..8, or 0 where the block does not say, or says something odd. tiff: the block that EXIF is
 * (TIFF 6.0, section 2; EXIF 2.3, 4.6.4, tag 0x0112); xmp: an XMP packet with tiff:Orientation (XMP part 2, 3.3). */
int tiff_orientation(const uint8_t *tiff, size_t size);
int xmp_orientation(const void *xmp, size_t size);

/* A copy of the block for the metadata, where that is wanted and the block is a TIFF directory; else nothing. */
enum status exif_keep(struct decoded *decoded, const uint8_t *tiff, size_t size, const char *name);
/* The block for pixels that are upright, and sRGB where `srgb` says so: orientation 1, colour space 1, no thumbnail. */
void exif_make_plain(struct image_metadata *metadata, bool srgb);

/* --- colours -------------------------------------------------------------- */

/* Brings the pixels from the file's ICC profile to sRGB; they stay untouched, to the bit, where the profile is as
 * good as sRGB. A profile that cannot be used counts as a warning, and the colours are taken for sRGB. */
enum status profile_to_srgb(struct decoded *decoded, const char *name);

/* --- bytes that an encoder appends ---------------------------------------- */

struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

bool bytes_reserve(struct bytes *bytes, size_t more);

struct image_palette; /* data/image_io.h */

/* A picture that is written: its rows come from memory, or from `make`, some at a time. */
struct picture {
	int width, height, channels;
	uint8_t *pixels; /* of all rows, or of `room` rows for `make` */
	int room;
	image_make_rows *make; /* NULL where all rows are in `pixels` */
	void *context;
	const struct image_metadata *metadata; /* NULL: none */
	const struct image_palette *palette;   /* of one channel: a pixel is a number of it; NULL: grey */
};

enum status png_encode(const struct picture *picture, const char *name, struct bytes *bytes);
enum status jpeg_encode(const struct image *image, int quality, const struct image_metadata *metadata, const char *name,
			struct bytes *bytes);

#endif
