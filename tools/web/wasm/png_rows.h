/* Rows of a picture as a PNG file packs them best: each row becomes differences to its neighbours. */
#ifndef TOOLS_WEB_WASM_PNG_ROWS_H
#define TOOLS_WEB_WASM_PNG_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` of a row, `channels` a pixel; `above`: the row before it, zeros above the first. out: the filter's number
 * and `bytes`. */
void png_row(const uint8_t *row, const uint8_t *above, size_t bytes, int channels, uint8_t *out);

#endif
