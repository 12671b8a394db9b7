/* See overlay.h. */
#include "overlay.h"

#include <stddef.h>
#include <string.h>

enum { HALF = 128, SHADE = 140, LINE = 240 }; /* opacities of 255 */
/* alphas: a soft edge shows in the result; here it must be clear where it is */
enum { CLEAR = 160, SHADED = 96 };

/* Whether a neighbour outside of the object lies within `reach` pixels along the row or the column. */
static int at_edge(const uint8_t *alpha, int x, int y, int w, int h, int reach)
{
	const uint8_t *at = alpha + (size_t)y * (size_t)w + (size_t)x;
	ptrdiff_t pitch = w;
	for (int k = 1; k <= reach; k++)
		if ((x >= k && at[-k] < HALF) || (x + k < w && at[k] < HALF) || (y >= k && at[-k * pitch] < HALF) ||
		    (y + k < h && at[k * pitch] < HALF))
			return 1;
	return 0;
}

void overlay_draw(const uint8_t *alpha, int w, int h, uint8_t *rgba)
{
	int reach = 1 + (w > h ? w : h) / 1000;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++, rgba += 4) {
			int a = alpha[(size_t)y * (size_t)w + (size_t)x];
			int shade = a >= CLEAR ? 0 : a <= SHADED ? SHADE : SHADE * (CLEAR - a) / (CLEAR - SHADED);
			int line = a >= HALF && at_edge(alpha, x, y, w, h, reach);
			memset(rgba, line ? 255 : 0, 3);
			rgba[3] = (uint8_t)(line ? LINE : shade);
		}
}
