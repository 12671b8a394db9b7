/* Outlines of masks: what annotation tools call polygons. */
#ifndef DATA_CONTOUR_H
#define DATA_CONTOUR_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct contour {
	double *xy; /* owned; x0,y0,x1,y1,... in pixels, 0,0 is the top left corner of the photo */
	int count;  /* numbers, even */
};

struct contours {
	struct contour *items; /* owned */
	int count;
};

/* Pieces and holes of fewer pixels than this times the square of the tolerance are left out. */
enum { CONTOUR_SPECK = 10 };

/* The outlines of a mask (row-major bytes, non-zero = object), one for each 4-connected piece. A hole is part of the
 * outline around it: a cut leads to it and back, so that the even-odd rule leaves it out, as COCO's tools do. Points
 * that the line misses by at most `tolerance` pixels are dropped, and what is so small that it would not be seen; 0
 * keeps everything and is exact. On failure *contours is empty. */
enum status contours_trace(struct contours *contours, const uint8_t *mask, int width, int height, double tolerance);
void contours_release(struct contours *contours);

#endif
