/* Resampling shared by training and deployment. Half-pixel centres; triangle filter whose support grows with the
 * reduction (antialiased), so that a photo looks the same to the network whatever its original size.
 *
 * Weights are normalised over the source pixels that exist, as Pillow and torch's antialiased interpolation do, so a
 * border is not darkened by what lies beyond it. Bytes are resampled in integers: same input, same bytes on every
 * processor. */
#ifndef INFER_RESIZE_H
#define INFER_RESIZE_H

#include <stddef.h>
#include <stdint.h>

/* A rectangle of the source in continuous pixel coordinates: pixel i covers [i, i+1). May reach outside the source.
 * x0 < x1 and y0 < y1. */
struct infer_rect {
	double x0, y0, x1, y1;
};

/* Bytes of workspace the calls below need for this size (whatever the rectangle), aligned as malloc aligns. Sides
 * 1..65536. */
size_t infer_resize_workspace(int src_w, int src_h, int dst_w, int dst_h);

/* Resamples `rect` of an interleaved 8-bit image of `channels` (1 or 3) to dst_w x dst_h, rounding to nearest. Rows
 * of the source are src_stride bytes apart, rows of the result have no gaps. A result pixel whose centre lies
 * outside the source becomes fill[channel]. `flip` mirrors the result left-right, exactly. */
void infer_resize_u8(const uint8_t *src, int src_w, int src_h, size_t src_stride, int channels, struct infer_rect rect,
		     uint8_t *dst, int dst_w, int dst_h, const uint8_t *fill, int flip, void *workspace);

/* The same for one plane of floats, for probabilities and logits; edges are extended: what lies outside takes the
 * value of the nearest source pixels. */
void infer_resize_f32(const float *src, int src_w, int src_h, struct infer_rect rect, float *dst, int dst_w, int dst_h,
		      void *workspace);

#endif
