/* What the codecs (data/codecs) and their callers (data/image_io.h) both need to know: the limits, what is noticed in a
 * file, and how rows are made for a picture that is written. */
#ifndef DATA_IMAGE_FACTS_H
#define DATA_IMAGE_FACTS_H

#include <stdbool.h>
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
	bool profile_applied; /* an ICC profile other than sRGB: the pixels were converted to sRGB */
	int warnings;         /* oddities of the file that cost no pixel */
	char warning[120];    /* the first of them, in words */
};

/* Makes rows first..first+count-1 of a picture, top to bottom. */
typedef enum status image_make_rows(void *context, int first, int count, uint8_t *pixels);

#endif
