/* What cameras and web sites do to pictures: blur, noise, JPEG's artefacts, grey. In integers or in arithmetic that
 * IEEE 754 defines to the last bit, so that the same input gives the same bytes on every processor. Pictures are w x h
 * pixels of R, G, B without gaps. */
#ifndef DATA_DEGRADE_H
#define DATA_DEGRADE_H

#include <stddef.h>
#include <stdint.h>

#include "core/rng.h"

/* Luma of ITU-R BT.601 in all three channels. */
void degrade_grey(uint8_t *rgb, size_t pixels);

enum { DEGRADE_MAX_SIGMA = 8 };
/* Gaussian of this deviation in pixels, 0 < sigma <= DEGRADE_MAX_SIGMA; the edge pixels are repeated beyond the edge.
 * scratch: w * h * 3 bytes. */
void degrade_blur(uint8_t *rgb, int w, int h, double sigma, uint8_t *scratch);

/* Adds noise of mean 0 and this deviation (in levels) to every channel of every pixel: the sum of four uniform bytes,
 * which is nearly normal. */
void degrade_noise(uint8_t *rgb, size_t pixels, double deviation, struct rng *rng);

/* What an encoder of this quality (1..100, as libjpeg counts it) and a decoder leave: 8x8 blocks of the discrete cosine
 * transform, quantised by the tables of ITU-T T.81 annex K, colour at half resolution. No file is made. scratch:
 * degrade_jpeg_floats(w, h) floats. */
size_t degrade_jpeg_floats(int w, int h);
void degrade_jpeg(uint8_t *rgb, int w, int h, int quality, float *scratch);

#endif
