/* What must be the same in training and in deployment: how a photo becomes the network's image input, and how clicks
 * become its click input. Owned by infer; data/ and convert/ borrow this header. */
#ifndef INFER_PREPROCESS_H
#define INFER_PREPROCESS_H

#include <stddef.h>
#include <stdint.h>

enum infer_click_encoding {
	INFER_CLICK_DISK = 0,     /* 1 inside a disk around each click (distance <= radius), 0 elsewhere */
	INFER_CLICK_DISTANCE = 1, /* min(distance to the nearest click, truncate) / truncate; no click: 1 everywhere */
};

/* Planes of the click input, in this order. The third exists when previous_mask is set. */
enum { INFER_PLANE_POSITIVE, INFER_PLANE_NEGATIVE, INFER_PLANE_PREVIOUS, INFER_CLICK_PLANES };

struct infer_preprocess {
	uint8_t bgr;       /* 1: the image planes are B,G,R; 0: R,G,B */
	float mean[3];     /* per plane, in 0..255 units, in the order of the planes */
	float scale[3];    /* plane value = (byte - mean) * scale */
	uint8_t encoding;  /* enum infer_click_encoding */
	float radius;      /* disk, in pixels of the network's input */
	float truncate;    /* distance map, in pixels of the network's input */
	float click_scale; /* every click plane, the previous mask included, is multiplied by this */
	uint8_t previous_mask;
};

/* Planes of the click input: 2, or 3 with the previous mask. */
static inline int infer_click_planes(const struct infer_preprocess *pre)
{
	return pre->previous_mask ? INFER_CLICK_PLANES : INFER_PLANE_PREVIOUS;
}

struct infer_click {
	float x, y; /* in pixels of the plane it is drawn on; the centre of the first pixel is 0,0 */
	uint8_t positive;
};

/* rgb: h rows of w pixels of 3 bytes, `stride` bytes from row to row -> out: 3 planes of plane_h x plane_w floats;
 * pixels to the right of w and below h are 0 (the mean colour). */
void infer_normalize_rgb8(const struct infer_preprocess *pre, const uint8_t *rgb, int w, int h, size_t stride,
			  float *out, int plane_w, int plane_h);

/* The positive and the negative plane (2 planes of h x w floats, scaled by click_scale). Clicks may lie off the
 * plane; the part of their disk or distance map that reaches it is drawn. */
void infer_draw_clicks(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, float *planes,
		       int w, int h);

/* The pixels (first..first+n-1, y) of the positive or the negative plane, not scaled: 0..1. */
void infer_draw_clicks_row(const struct infer_preprocess *pre, const struct infer_click *clicks, int count,
			   int positive, int y, int first, int n, float *row);

#endif
