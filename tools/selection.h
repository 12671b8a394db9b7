/* Taps on a photo and what they select: the options that `tapcut cut` and `tapcut edit` have in common, and the
 * work. */
#ifndef TOOLS_SELECTION_H
#define TOOLS_SELECTION_H

#include <stdbool.h>

#include "core/text.h"
#include "data/image.h"
#include "infer/tapcut.h"
#include "tools/options.h"
#include "tools/photo_file.h"

struct tap {
	int x, y;
	bool positive;
};

struct selection {
	const char *model; /* NULL: the shipped one */
	struct tap taps[TAPCUT_MAX_CLICKS];
	int tap_count;
	struct tap_result {
		double ms;
		size_t object_pixels;
	} results[TAPCUT_MAX_CLICKS]; /* what selection_run found */
	struct image_box box;         /* of the last mask, in pixels of the photo */
	struct tapcut_options options;
	float feather; /* of alpha; below 0: 2 pixels, and more for a large photo */
};
/* All defaults; the struct is zeroed before. */
void selection_init(struct selection *selection);

/* The rows of a command whose struct arguments has a `struct selection selection`: the taps, and the rest. */
/* clang-format off */
#define SELECTION_ROWS_TAPS											\
	{"tap", OPTION_CALL, OPTION_FIELD(selection), "X,Y", .help = "a tap on the object",			\
	 .take = selection_take_tap, .many = true},								\
	{"not", OPTION_CALL, OPTION_FIELD(selection), "X,Y",							\
	 .help = "a tap on something that is not the object; each tap corrects the result of those before",	\
	 .take = selection_take_not, .many = true}
#define SELECTION_ROWS_MODEL											\
	{"model", OPTION_FILE, OPTION_FIELD(selection.model), "FILE", .help = "weights file",			\
	 .otherwise = "infer/models/base.tapcut"},								\
	{"size", OPTION_WHOLE, OPTION_FIELD(selection.options.size), "N",					\
	 .help = "long side at which the network sees the photo", .min = 16, .max = 4096, .unit = "pixels",	\
	 .otherwise = "the model's"},										\
	{"zoom", OPTION_FLAG, OPTION_FIELD(selection.options.no_zoom), NULL,					\
	 .help = "look closer at the object once it is found", .off = true, .otherwise = "as the library does"},		\
	{"no-zoom", OPTION_FLAG, OPTION_FIELD(selection.options.no_zoom), NULL, .help = "never look closer"},												\
	{"one-look", OPTION_FLAG, OPTION_FIELD(selection.options.one_look), NULL,				\
	 .help = "the first tap looks at the whole photo only, not once more at what it found: faster, less exact"},	\
	{"graph-cut", OPTION_FLAG, OPTION_FIELD(selection.options.graph_cut), NULL,				\
	 .help = "refine the mask by colour models and a minimum cut"},						\
	{"threads", OPTION_WHOLE, OPTION_FIELD(selection.options.threads), "N",					\
	 .help = "threads that run the network", .min = 1, .max = TAPCUT_MAX_THREADS, .otherwise = "1"},	\
	{"feather", OPTION_REAL, OPTION_FIELD(selection.feather), "N",						\
	 .help = "how far the object's edge fades", .max = TAPCUT_MAX_FEATHER, .unit = "pixels",		\
	 .otherwise = "2, and more for large photos"}
/* clang-format on */
enum status selection_take_tap(void *field, const struct option_row *row, const char *value);
enum status selection_take_not(void *field, const struct option_row *row, const char *value);

/* Taps one after the other, a line on stdout for each, and gives the mask: 255 object, 0 not; and where `alpha` is not
 * NULL the same with a soft edge. The caller releases both, also after a failure. */
enum status selection_run(struct selection *selection, const struct tapcut_model *model, const struct image *photo,
			  struct image *mask, struct image *alpha);

/* Photo and alpha become what lies within `margin` pixels of the object; below 0, or where nothing is selected, they
 * stay whole. */
void selection_crop(const struct selection *selection, int margin, struct photo_file *photo, struct image *alpha);

/* An error where there were taps and they select nothing: for a script's sake, after everything was written. */
enum status selection_check_found(const struct selection *selection);

/* For --json: the taps with their times and what they select, and of the last one "object_pixels", "box" (x, y, width,
 * height) and "empty". */
void selection_add_json(const struct selection *selection, struct text *text);

#endif
