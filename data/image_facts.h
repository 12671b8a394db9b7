/* What the codecs (data/codecs) and their callers (data/image_io.h) both need to know: the limits, what is noticed in a
 * file, and how rows are made for a picture that is written. */
#ifndef DATA_IMAGE_FACTS_H
#define DATA_IMAGE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Declared sizes over these are refused before anything is allocated. */
enum { IMAGE_MAX_SIDE = 16384, IMAGE_MAX_PIXELS = 100 * 1000 * 1000 };

/* What was noticed while a file was read that its pixels do not show. */
struct image_facts {
	int orientation; /* EXIF's number, 1..8; 1 where the file does not say */
	bool turned;     /* the pixels were turned the way it says */
	bool ambiguous;  /* EXIF_MATCH: it says a turn, and the size cannot tell whether width x height is before it */
	bool alpha;      /* the file has an alpha channel, or a colour that is transparent */
	bool sixteen_bits;    /* the file has 16 bits a sample; the image that is read has 8 */
	bool profile_applied; /* an ICC profile other than sRGB: the pixels were converted to sRGB */
	int warnings;         /* oddities of the file that cost no pixel */
	char warning[120];    /* the first of them, in words */
};

/* What a file says of a photo beside its pixels, for the files that are made of it. All zero: nothing. */
struct image_metadata {
	/* The block that EXIF is (a TIFF directory; EXIF 2.3, 4.5), owned; NULL: none. Its orientation is 1, because
	 * the pixels were turned; it has no thumbnail, which would still show the old picture. */
	uint8_t *exif;
	size_t exif_size;
	uint32_t per_metre_x, per_metre_y; /* resolution in pixels per metre; 0: not said */
};

/* Makes rows first..first+count-1 of a picture, top to bottom. */
typedef enum status image_make_rows(void *context, int first, int count, uint8_t *pixels);

#endif
