/* From a raw mask to the one that people expect: without islands that nobody tapped, without pinholes. */
#ifndef INFER_POSTPROCESS_H
#define INFER_POSTPROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "preprocess.h"

struct infer_postprocess {
	int keep_touched;   /* drop components (8-connected) without a positive click; if none has one, keep all */
	size_t drop_pixels; /* drop components (8-connected) of up to so many pixels; 0: none */
	size_t fill_pixels; /* fill holes of up to so many pixels; 0: none */
};

/* Bytes of workspace: at most 2 per pixel. */
size_t infer_postprocess_workspace(int w, int h);

/* mask: h rows of w bytes, 255 or 0. A hole is a 4-connected piece of background that does not touch the photo's
 * border; one with a negative click in it stays. Clicks are in pixels of the mask and lie inside it. */
void infer_postprocess(const struct infer_postprocess *options, const struct infer_click *clicks, int count,
		       uint8_t *mask, int w, int h, void *workspace);

#endif
