/* What the page's worker calls (../module.js): the inference library behind plain numbers and pointers. A page has
 * one model and one photo at a time, so the module keeps them; pointers that it returns are its own and hold until
 * the next photo.
 *
 * Functions that return int return an enum tapcut_status if nothing else is said, and engine_message says what went
 * wrong. No function needs anything from outside: the module has no imports. */
#ifndef TOOLS_WEB_WASM_ENGINE_H
#define TOOLS_WEB_WASM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

EXPORT(engine_message) const char *engine_message(void);
EXPORT(engine_alloc) void *engine_alloc(size_t size); /* NULL: no memory */
EXPORT(engine_free) void engine_free(void *memory);

/* Takes a weights file with a stored payload (zlib.h), which it copies. arithmetic: enum tapcut_arithmetic. */
EXPORT(engine_model) int engine_model(const void *data, size_t size, int arithmetic);

EXPORT(engine_arithmetic) int engine_arithmetic(void); /* what TAPCUT_ARITHMETIC_AUTO means for this model */

/* Room for a photo of w x h pixels and the same at the screen's size; engine_rows fills both, then engine_ready
 * shows the photo to the network. */
EXPORT(engine_photo) int engine_photo(int w, int h, int screen_w, int screen_h);
/* Rows y to y + rows of the photo, or of its twin for the screen: RGBA as a canvas gives it, laid on white. */
EXPORT(engine_rows) void engine_rows(int screen, const uint8_t *rgba, int y, int rows);
EXPORT(engine_ready) int engine_ready(void);

EXPORT(engine_tap) int engine_tap(int x, int y, int positive);
EXPORT(engine_undo) int engine_undo(void); /* the last tap */
EXPORT(engine_reset) void engine_reset(void);
EXPORT(engine_feather) int engine_feather(float pixels); /* of the photo, 0 to TAPCUT_MAX_FEATHER */

/* The mask at the photo's size, 255 or 0, a byte for each pixel. */
EXPORT(engine_mask) int engine_mask(uint8_t *mask);
/* The soft mask at the photo's size. */
EXPORT(engine_alpha) int engine_alpha(uint8_t *alpha);
/* The soft mask at the screen's size: screen_w x screen_h bytes, which the caller may also write. */
EXPORT(engine_screen_alpha) uint8_t *engine_screen_alpha(void);
/* Makes it anew after taps or another feather. */
EXPORT(engine_refresh) int engine_refresh(void);
/* Pixels of the screen that are object, in thousandths. */
EXPORT(engine_share) int engine_share(void);

/* The filters of tapcut_edit.h. */
EXPORT(engine_filter_count) int engine_filter_count(void);
EXPORT(engine_filter_text) const char *engine_filter_text(int filter, int which); /* 0 name, 1 label, 2 help */
EXPORT(engine_filter_number) float engine_filter_number(int filter, int which);   /* 0 min, 1 max, 2 initial, 3 where */

/* What results are made with: a list of edits, begun anew by engine_edits. Amounts are those of the photo, not of
 * its twin. The others are about the edit that came last. */
EXPORT(engine_edits) void engine_edits(int transparent);
EXPORT(engine_edit) int engine_edit(int filter, float amount, int where);
EXPORT(engine_edit_colour) void engine_edit_colour(int which, int red, int green, int blue); /* which: 0 or 1 */
EXPORT(engine_edit_depth) void engine_edit_depth(float depth);
/* Another background, w x h pixels of RGBA, laid on white and copied; one in a list. */
EXPORT(engine_edit_picture) int engine_edit_picture(const uint8_t *rgba, int w, int h);

/* Pictures for the screen, RGBA, not premultiplied; NULL: engine_message. */
EXPORT(engine_overlay) const uint8_t *engine_overlay(void); /* what is not selected darkened, a line around what is */
EXPORT(engine_result) const uint8_t *engine_result(void);
/* The middle of the screen's picture, size x size (at most its shorter side), through a filter (-1: none) with its
 * usual amount. */
EXPORT(engine_thumbnail) const uint8_t *engine_thumbnail(int filter, int size);

/* The result at the photo's size, as the rows of a PNG file, each behind the number of its filter. engine_export
 * makes it, then engine_export_rows gives rows y to y + rows, from the top down, channels as engine_export_channels
 * says; NULL: engine_message. engine_export_end gives the memory back. */
EXPORT(engine_export) int engine_export(void);
EXPORT(engine_export_channels) int engine_export_channels(void);
EXPORT(engine_export_rows) const uint8_t *engine_export_rows(int y, int rows);
EXPORT(engine_export_end) void engine_export_end(void);

/* The same at once, for those who want no file: w x h x 4 bytes, RGBA, not premultiplied. */
EXPORT(engine_picture) int engine_picture(uint8_t *rgba);

#endif
