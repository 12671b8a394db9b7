/* The selection, drawn to lie over the photo: what is not selected is darkened, and a light line runs around what
 * is. */
#ifndef TOOLS_WEB_WASM_OVERLAY_H
#define TOOLS_WEB_WASM_OVERLAY_H

#include <stdint.h>

/* alpha: w x h, 255 object. rgba: w x h x 4, not premultiplied. */
void overlay_draw(const uint8_t *alpha, int w, int h, uint8_t *rgba);

#endif
