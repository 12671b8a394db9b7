/* Which part of the photo the network looks at. Once something is found it can look closer at the object's
 * surroundings (RITM's "zoom-in", arXiv 2102.06583): the box of the mask and the positive clicks, enlarged, with the
 * photo's own proportions so that the same planes serve both. */
#ifndef INFER_VIEW_H
#define INFER_VIEW_H

#include <stdint.h>

#include "../image/preprocess.h"

/* Pixels x0..x1-1, y0..y1-1. Empty where x1 <= x0. */
struct infer_box {
	int x0, y0, x1, y1;
};

/* The box of the mask's non-zero pixels. */
struct infer_box infer_mask_box(const uint8_t *mask, int w, int h);

/* Where to look next on a w x h photo, given where the network looked last, the mask it made, and all clicks (in
 * pixels of the photo) with the new one last. Stays at `current` as long as that still serves. */
struct infer_box infer_next_view(struct infer_box current, struct infer_box mask, const struct infer_click *clicks,
				 int count, int w, int h);

#endif
