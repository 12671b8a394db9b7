/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
/* See select.h. */
#include "select.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a session takes (infer/README.md, "Memory"); it checks that itself, but only once it has the pixels. */
enum { MAX_SIDE = 16384, MAX_PIXELS = 100 * 1000 * 1000 };
enum { TRIPLE = 3, ANCHOR = 6 }; /* numbers of a tap, and of an anchor with its two handles */

static bool refuse(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(char *message, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(message, SELECT_MESSAGE, format, args);
	va_end(args);
	return false;
}

/* --- points to taps ---------------------------------------------------------------------------------------------- */

/* Not strncasecmp: what a capital is must not depend on the locale. */
bool select_name_is_negative(const char *name)
{
	const char *expected = "background";
	if (name[0] == '-')
		return true;
	for (; *expected; expected++, name++)
		if (*name != *expected && *name != *expected - 'a' + 'A')
			return false;
	return true;
}

bool select_add_tap(struct select_taps *taps, double x, double y, bool positive, char *message)
{
	if (!isfinite(x) || !isfinite(y))
		return refuse(message, "Tap %d: expected two finite numbers, found %g, %g.", taps->count + 1, x, y);
	if (taps->count == TAPCUT_MAX_CLICKS)
		return refuse(message, "There are more than %d taps, which is the most that is taken.",
			      TAPCUT_MAX_CLICKS);
	taps->at[taps->count++] = (struct select_tap){x, y, positive};
	taps->positive += positive;
	return true;
}

bool select_add_triples(struct select_taps *taps, const double *numbers, int count, char *message)
{
	if (count < 0 || count % TRIPLE)
		return refuse(message, "Taps: expected x, y, label of each, a multiple of 3 numbers, found %d.", count);
	for (int i = 0; i < count; i += TRIPLE) {
		double label = numbers[i + 2];
		if (label != 0 && label != 1)
			return refuse(message, "Tap %d: expected a label of 1 (on the object) or 0 (not), found %g.",
				      taps->count + 1, label);
		if (!select_add_tap(taps, numbers[i], numbers[i + 1], label == 1, message))
			return false;
	}
	return true;
}

bool select_add_anchors(struct select_taps *taps, const double *numbers, int count, bool positive, char *message)
{
	if (count < 0 || count % ANCHOR)
		return refuse(message, "A stroke of a path has %d numbers: expected 6 for each anchor.", count);
	for (int i = 0; i < count; i += ANCHOR)
		if (!select_add_tap(taps, numbers[i + 2], numbers[i + 3], positive, message))
			return false;
	return true;
}

/* --- photo and taps to a mask ------------------------------------------------------------------------------------ */

bool select_check_size(const struct select_photo *photo, char *message)
{
	int w = photo->width, h = photo->height;
	if (w >= 1 && h >= 1 && w <= MAX_SIDE && h <= MAX_SIDE && (long long)w * h <= MAX_PIXELS)
		return true;
	return refuse(message, "Expected a photo with sides of at most %d pixels and %d pixels in all, found %d x %d.",
		      MAX_SIDE, MAX_PIXELS, w, h);
}

/* a * b / 255, rounded. */
static uint8_t times(unsigned a, unsigned b)
{
	return (uint8_t)((2 * a * b + 255) / 510);
}

void select_over_white(const uint8_t *rgba, uint8_t *rgb, int pixels)
{
	for (int i = 0; i < pixels; i++, rgba += 4, rgb += 3)
		for (int c = 0; c < 3; c++)
			rgb[c] = (uint8_t)(255 - times(255u - rgba[c], rgba[3]));
}

/* Before anything takes time: are there taps, and are they on the photo? */
static bool check_taps(const struct select_photo *photo, const struct select_taps *taps, char *message)
{
	if (taps->count == 0)
		return refuse(message, "There is no tap.");
	if (taps->positive == 0)
		return refuse(message, "No tap is on the object: all %d are on what is not.", taps->count);
	for (int i = 0; i < taps->count; i++) {
		double x = floor(taps->at[i].x) - photo->x, y = floor(taps->at[i].y) - photo->y;
		if (x < 0 || y < 0 || x >= photo->width || y >= photo->height)
			return refuse(
				message,
				"Tap %d at %.1f, %.1f is outside the photo, which has %d x %d pixels from %d, %d on.",
				i + 1, taps->at[i].x, taps->at[i].y, photo->width, photo->height, photo->x, photo->y);
	}
	return true;
}

static void report(const struct select_options *options, double done)
{
	if (options->progress)
		options->progress(done);
}

/* Photo, taps and mask are a step of the progress each. */
static enum tapcut_status tap_photo(struct tapcut_session *session, const struct select_photo *photo,
				    const struct select_taps *taps, const struct select_options *options,
				    uint8_t *alpha)
{
	size_t width = (size_t)photo->width;
	double steps = taps->count + 2;
	enum tapcut_status status =
		tapcut_session_set_image(session, photo->rgb, photo->width, photo->height, 3 * width);
	for (int i = 0; i < taps->count && status == TAPCUT_OK; i++) {
		const struct select_tap *tap = &taps->at[i];
		report(options, (i + 1) / steps);
		status = tapcut_session_click(session, (int)(floor(tap->x) - photo->x), (int)(floor(tap->y) - photo->y),
					      tap->positive);
	}
	report(options, (steps - 1) / steps);
	if (status == TAPCUT_OK)
		status = tapcut_session_alpha(session, alpha, width);
	report(options, 1);
	return status;
}

static bool load_model(const char *path, struct tapcut_model **model, char *message)
{
	char why[TAPCUT_MESSAGE_SIZE];
	if (tapcut_model_load_file(path, model, why) == TAPCUT_OK)
		return true;
	size_t length = strlen(path); /* some of the library's sentences begin with the path */
	bool named = strncmp(why, path, length) == 0 && strncmp(why + length, ": ", 2) == 0;
	return refuse(message,
		      "The model cannot be loaded. %s: %s. It lies beside the plug-in, or is named by TAPCUT_MODEL.",
		      path, named ? why + length + 2 : why);
}

static bool is_empty(const uint8_t *alpha, size_t pixels)
{
	while (pixels && *alpha == 0)
		pixels--, alpha++;
	return pixels == 0;
}

bool select_alpha(const struct select_photo *photo, const struct select_taps *taps,
		  const struct select_options *options, uint8_t *alpha, char *message)
{
	struct tapcut_model *model = NULL;
	struct tapcut_session *session = NULL;
	struct tapcut_options with = {.feather = options->feather, .threads = options->threads};
	char why[TAPCUT_MESSAGE_SIZE];
	if (!check_taps(photo, taps, message) || !load_model(options->model, &model, message))
		return false;
	bool done = false;
	if (tapcut_session_new(model, &with, &session, why) != TAPCUT_OK)
		refuse(message, "tapcut: %s.", why);
	else if (tap_photo(session, photo, taps, options, alpha) != TAPCUT_OK)
		refuse(message, "tapcut: %s.", tapcut_session_message(session));
	else if (is_empty(alpha, (size_t)photo->width * (size_t)photo->height))
		refuse(message, "Nothing was found at the taps. The selection is as it was.");
	else
		done = true;
	tapcut_session_free(session);
	tapcut_model_free(model);
	return done;
}
