/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
/* tapcut edits: what is done to a photo through a mask: filters, lens blur of the background, another background,
 * cutouts.
 *
 *	struct tapcut_edit edits[2];
 *	struct tapcut_photo photo = {rgb, 3 * width, alpha, width, width, height};
 *	tapcut_edit_init(&edits[0], tapcut_filter_find("focus"));        // blurs what is not the object
 *	edits[0].amount = 12;                                            // by 12 pixels
 *	tapcut_edit_init(&edits[1], tapcut_filter_find("warmth"));
 *	if (tapcut_edit_apply(edits, 2, &photo, NULL, message) != TAPCUT_OK) ...
 *
 * Pixels are 8-bit RGB, gamma-coded as in any JPEG; alpha is 8 bits, 255 for the object. The alpha of
 * tapcut_session_alpha serves, and so does the mask of tapcut_session_mask; soft edges are composited with the
 * colours that the object and the background have by themselves, so that no rim of the old background stays.
 *
 * Depends on libc and libm (sqrt) only. No globals, no threads of its own: calls on different memory may run at the
 * same time. The same input gives the same bytes on every processor (compiled with -ffp-contract=off), and however
 * the photo is cut into strips. NULL in place of something that a call needs, and a negative count, are
 * TAPCUT_ARGUMENT. */
#ifndef TAPCUT_EDIT_H
#define TAPCUT_EDIT_H

#include "tapcut.h"

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default) /* as in tapcut.h */
#endif

/* --- the list of filters -------------------------------------------------- */

enum tapcut_where { TAPCUT_EVERYWHERE, TAPCUT_INSIDE, TAPCUT_OUTSIDE };

/* What a user interface needs to know of one. */
struct tapcut_filter {
	const char *name;        /* "black_and_white": for programs */
	const char *label;       /* "Black and white": for people */
	const char *help;        /* one line */
	float min, max, initial; /* of `amount`; 0 changes nothing */
	enum tapcut_where where; /* where it is usually wanted */
};

int tapcut_filter_count(void);
const struct tapcut_filter *tapcut_filter_at(
	int index); /* NULL where the index is not 0 to tapcut_filter_count() - 1 */
/* The function's name up to version 0.4. C++ cannot have a function and a struct of one name. */
#define tapcut_filter(index) tapcut_filter_at(index)
int tapcut_filter_find(const char *name); /* its index, or -1 where there is none of that name */

/* --- one edit ------------------------------------------------------------- */

/* All fields 0: the first filter with the amount 0, which changes nothing. tapcut_edit_init has a filter's own
 * values. */
struct tapcut_edit {
	int filter; /* index in the list */
	float amount;
	enum tapcut_where where;
	/* "background": [0] is the colour, where there is no picture; "duotone": dark and light. */
	uint8_t colours[2][3];
	/* "background": a photo that is scaled to cover ours, centred; borrowed. rgb NULL: the colour. */
	struct {
		const uint8_t *rgb;
		int width, height;
		size_t stride; /* bytes from row to row */
	} picture;
	/* "focus": how much less the ground is blurred at the object's feet, which is as far away as itself: 0 (all
	 * alike) to 1 (sharp there); default 0.7. top..ground are the object's rows (half open), set by
	 * tapcut_edit_measure; with top == ground, and where the object goes beyond the photo's lower edge, all is
	 * blurred alike. */
	float depth;
	int top, ground;
};

/* All defaults of the filter. An index that is not in the list is refused by what takes the edit. */
void tapcut_edit_init(struct tapcut_edit *edit, int filter);

/* --- a whole photo -------------------------------------------------------- */

struct tapcut_photo {
	uint8_t *rgb;
	size_t rgb_stride; /* bytes from row to row, at least 3 width */
	const uint8_t *alpha;
	size_t alpha_stride; /* at least width */
	int width, height;   /* at most 16384 a side */
};

/* Bytes that tapcut_edit_apply wants; 0 where it would refuse. */
size_t tapcut_edit_workspace(const struct tapcut_edit *edits, int count, int width, int height);

/* Applies the edits one after the other, in place. `workspace` has the bytes above and any alignment of malloc's, or is
 * NULL: then they are allocated and freed here, a few MB (a refused allocation: TAPCUT_NO_MEMORY, and the photo is as
 * it was). `message` (TAPCUT_MESSAGE_SIZE bytes, or NULL) says what is wrong on failure; nothing is changed then. Sets
 * top and ground of "focus" by itself. */
enum tapcut_status tapcut_edit_apply(const struct tapcut_edit *edits, int count, const struct tapcut_photo *photo,
				     void *workspace, char *message);

/* --- strips: for photos that are never in memory as a whole --------------- */

/* Rows first..first+count-1 of a photo. */
struct tapcut_rows {
	const uint8_t *rgb, *alpha; /* of row `first` */
	size_t rgb_stride, alpha_stride;
	int first, count;
};

/* For "focus" with depth: the object's rows, from an alpha of the whole photo (or rows of one of another size,
 * scaled). */
void tapcut_edit_measure(struct tapcut_edit *edit, const uint8_t *alpha, size_t stride, int width, int height);

/* How many rows above and below those that are wanted must be given, as far as the photo has them. */
int tapcut_edit_border(const struct tapcut_edit *edit, int width, int height);

/* Bytes of workspace for `count` rows. */
size_t tapcut_edit_rows_workspace(const struct tapcut_edit *edit, int width, int height, int count);

/* One edit of rows first..first+count-1 of a photo of width x height, given the rows `in` -> out (RGB). Where the
 * border is 0, `out` may be the rows of `in`. `workspace` must not be NULL. */
enum tapcut_status tapcut_edit_rows(const struct tapcut_edit *edit, int width, int height, const struct tapcut_rows *in,
				    int first, int count, uint8_t *out, size_t out_stride, void *workspace,
				    char *message);

/* --- cutouts -------------------------------------------------------------- */

/* Rows of the object with its alpha -> RGBA, straight as PNG wants it, or premultiplied (colour * alpha / 255, rounded)
 * as compositors want it. Where alpha is 0 the colour is 0 as well. Border and workspace as above, of these two. */
int tapcut_cutout_border(int width, int height);
size_t tapcut_cutout_workspace(int width, int height);
enum tapcut_status tapcut_cutout_rows(int width, int height, const struct tapcut_rows *in, int first, int count,
				      int premultiplied, uint8_t *rgba, size_t rgba_stride, void *workspace,
				      char *message);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
