/* The guided filter (He, Sun, Tang, TPAMI 2013) with a colour guide: in each window the result is the linear
 * function of the guide's colours that fits the input best, so its edges are the guide's. The functions vary slowly:
 * found at a small size and interpolated, they serve a large photo (He, Sun, "Fast guided filter", arXiv
 * 1505.00996).
 *
 * Window sums are integers, so nothing drifts; all else is single or double precision in plain steps, so the result
 * has the same bits on every processor. */
#ifndef INFER_GUIDED_H
#define INFER_GUIDED_H

#include <stddef.h>
#include <stdint.h>

enum { INFER_GUIDED_MAX_RADIUS = 16 };

/* What is filtered, and the state from row to row. */
struct infer_guided {
	const uint8_t *guide; /* h rows of 3 w bytes */
	const uint8_t *input; /* h rows of w bytes */
	int w, h;
	int radius;         /* windows of 2 radius + 1; 1 to INFER_GUIDED_MAX_RADIUS */
	double epsilon;     /* variance of the guide (of bytes) under which a window is flat; over 0 */
	int row;            /* the next one */
	int fitted;         /* rows of functions made so far */
	uint8_t *lines;     /* the row that enters the windows and the one that leaves: 2 x 4 x w */
	uint32_t *sums;     /* of the windows' rows in each column: 13 x w */
	int32_t *functions; /* the last rows' functions, fixed point: (2 radius + 1) x 4 x w */
	int32_t *totals;    /* of those rows: 4 x w */
	float *means[2];    /* rows given out: 4 x w each */
};

size_t infer_guided_workspace(int w, int radius);
/* Fills in the rest after the first six fields; the workspace must live as long as `g` is used. */
void infer_guided_start(struct infer_guided *g, void *workspace);

/* The next row of mean functions, from the top: 4 planes of w floats a, b, c, d; the result at a pixel is a red + b
 * green + c blue + d,
 * 0..255 and a little beyond. Valid until the next call but one, so two rows can be interpolated. */
const float *infer_guided_next(struct infer_guided *g);

/* Applies functions (rows `above` and `below` mixed by 0 <= down < 1) to one row of a larger picture: out_w pixels
 * of `rgb`, which span the same width as the w functions. Results are rounded and clamped. mixed: 4 x w floats of
 * workspace. */
void infer_guided_apply(const float *above, const float *below, float down, int w, const uint8_t *rgb, uint8_t *out,
			int out_w, float *mixed);

#endif
