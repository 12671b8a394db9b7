/* Fades a mask's edge: two boxes of n x n one after the other, that is a triangle in each direction. Integers. */
#ifndef INFER_FEATHER_H
#define INFER_FEATHER_H

#include <stddef.h>
#include <stdint.h>

enum { INFER_FEATHER_MAX = 200 };

/* Bytes of workspace for rows of w bytes and a feather of up to INFER_FEATHER_MAX. */
size_t infer_feather_workspace(int w);

/* alpha: h rows of w bytes, `stride` bytes from row to row, in place. A straight edge fades over `pixels` pixels (to
 * the nearest odd number; 0 and 1 change nothing), half of them on either side. What lies outside is as the border. */
void infer_feather(uint8_t *alpha, int w, int h, size_t stride, float pixels, void *workspace);

#endif
