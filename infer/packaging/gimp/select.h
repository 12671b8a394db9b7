/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
/* What the plug-in does that is not GIMP's: points become taps, a photo and its taps become a soft mask. It knows
 * nothing of GIMP, so that a plug-in for another version of it, or for another editor, begins with this file.
 *
 * Functions that can fail return false, with a sentence for the user in `message` (SELECT_MESSAGE bytes). */
#ifndef TAPCUT_GIMP_SELECT_H
#define TAPCUT_GIMP_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "../../tapcut.h"

enum { SELECT_MESSAGE = 1024 };

/* Where a tap is in the image, in pixels from its top left corner: the pixel (0, 0) is 0 <= x < 1, 0 <= y < 1. */
struct select_tap {
	double x, y;
	bool positive; /* on the object; else on what is not */
};

/* In the order in which the session gets them. `{0}` has none. */
struct select_taps {
	int count, positive; /* all, and those on the object */
	struct select_tap at[TAPCUT_MAX_CLICKS];
};

/* 8-bit sRGB, row after row, and where its top left corner is in the image. */
struct select_photo {
	uint8_t *rgb; /* width * height * 3 bytes, borrowed */
	int x, y, width, height;
};

struct select_options {
	const char *model; /* path of a weights file */
	float feather;     /* pixels over which the edge fades, 0 to TAPCUT_MAX_FEATHER */
	int threads;       /* 1 to TAPCUT_MAX_THREADS */
	/* Told the share of the work that is done, 0 to 1; NULL: nobody is. */
	void (*progress)(double done);
};

/* Whether the anchors of a path of this name are taps on what is not the object: it begins with "-" or, in letters of
 * either case, with "background". */
bool select_name_is_negative(const char *name);

bool select_add_tap(struct select_taps *taps, double x, double y, bool positive, char *message);
/* x, y, label of each tap, one after the other: `count` numbers. A label of 1 is the object, 0 what is not. */
bool select_add_triples(struct select_taps *taps, const double *numbers, int count, char *message);
/* The anchors of a Bezier stroke as GIMP has it: `count` numbers, for each anchor x and y of the handle before it, of
 * itself, and of the handle after it. */
bool select_add_anchors(struct select_taps *taps, const double *numbers, int count, bool positive, char *message);

/* Whether libtapcut takes a photo of this width and height; asked before its pixels are read. */
bool select_check_size(const struct select_photo *photo, char *message);

/* `pixels` pixels of 8-bit RGBA (alpha not multiplied in) over white, as `tapcut cut` takes in a photo with alpha. */
void select_over_white(const uint8_t *rgba, uint8_t *rgb, int pixels);

/* The soft mask of the taps (tapcut_session_alpha): photo->width * photo->height bytes into `alpha`, 255 for the
 * object. Fails also where no pixel is selected. */
bool select_alpha(const struct select_photo *photo, const struct select_taps *taps,
		  const struct select_options *options, uint8_t *alpha, char *message);

#endif
