/* Exact squared Euclidean distance transform in integers (Felzenszwalb & Huttenlocher, Theory of Computing 2012;
 * Meijster et al. 2000): bit-reproducible anywhere. */
#ifndef DATA_DISTANCE_H
#define DATA_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of workspace for w x h. */
size_t distance_workspace(int w, int h);

/* out[y*w+x] = squared distance from pixel (x,y), where mask is non-zero, to the nearest pixel where it is zero; 0
 * where the mask is zero. With `border`, pixels just outside the picture count as zero (the click robot's padding);
 * without it and with no zero pixel at all, out is INT32_MAX everywhere. */
void distance_squared(const uint8_t *mask, int w, int h, int border, int32_t *out, void *workspace);

#endif
