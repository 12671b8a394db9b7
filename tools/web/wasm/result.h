/* What the page's settings make of a photo and its soft mask: edits, then a background or none. */
#ifndef TOOLS_WEB_WASM_RESULT_H
#define TOOLS_WEB_WASM_RESULT_H

#include <stdint.h>

#include "infer/tapcut_edit.h"

/* 8-bit RGB, rows of 3 w bytes. */
struct picture {
	uint8_t *rgb;
	int w, h;
};

enum { RESULT_MOST_EDITS = 8 };

struct result_settings {
	struct tapcut_edit edits[RESULT_MOST_EDITS];
	int edit_count;
	int transparent; /* what is not the object is left out */
};

/* How many bytes a pixel of the result has: RGBA where it is transparent, else RGB. */
int result_channels(const struct result_settings *settings);

/* The edits, in place. `photo_w`: width of the photo that the settings' pixels are of, where the picture is its
 * smaller twin. */
enum tapcut_status result_edit(const struct result_settings *settings, const struct picture *picture,
			       const uint8_t *alpha, int photo_w, char *message);

/* Rows y to y + rows of an edited picture, result_channels bytes a pixel. */
enum tapcut_status result_rows(const struct result_settings *settings, const struct picture *picture,
			       const uint8_t *alpha, int y, int rows, uint8_t *out, char *message);

#endif
