/* Taps on a photo and what they select: the options that `tapcut cut` and `tapcut edit` have in common, and the
 * work. */
#ifndef TOOLS_SELECTION_H
#define TOOLS_SELECTION_H

#include <getopt.h>
#include <stdbool.h>

#include "data/image.h"
#include "infer/tapcut.h"

struct tap {
	int x, y;
	bool positive;
};

struct selection {
	const char *command; /* for messages: "cut" */
	const char *model;   /* NULL: the shipped one */
	struct tap taps[TAPCUT_MAX_CLICKS];
	int tap_count;
	struct tapcut_options options;
	float feather; /* of alpha; below 0: 2 pixels, and more for a large photo */
};
/* No taps, all defaults. */
void selection_init(struct selection *selection, const char *command);

/* Values of getopt_long for the options below; a command's own begin at SELECTION_OPTION_END. */
enum {
	SELECTION_TAP = 256,
	SELECTION_NOT,
	SELECTION_MODEL,
	SELECTION_SIZE,
	SELECTION_ZOOM,
	SELECTION_NO_ZOOM,
	SELECTION_FEATHER,
	SELECTION_GRAPH_CUT,
	SELECTION_THREADS,
	SELECTION_OPTION_END
};

#define SELECTION_OPTIONS                                                                                       \
	{"tap", required_argument, NULL, SELECTION_TAP}, {"not", required_argument, NULL, SELECTION_NOT},       \
		{"model", required_argument, NULL, SELECTION_MODEL},                                            \
		{"size", required_argument, NULL, SELECTION_SIZE}, {"zoom", no_argument, NULL, SELECTION_ZOOM}, \
		{"no-zoom", no_argument, NULL, SELECTION_NO_ZOOM},                                              \
		{"graph-cut", no_argument, NULL, SELECTION_GRAPH_CUT},                                          \
		{"threads", required_argument, NULL, SELECTION_THREADS},                                        \
	{                                                                                                       \
		"feather", required_argument, NULL, SELECTION_FEATHER                                           \
	}

/* Their lines of a --help: the taps, and the rest. */
#define SELECTION_HELP_TAPS                                                                  \
	"  --tap X,Y           a tap on the object; may be repeated\n"                       \
	"  --not X,Y           a tap on something that is not the object; may be repeated\n" \
	"                      (each tap corrects the result of those before it)\n"
#define SELECTION_HELP_MODEL                                                                                      \
	"  --model FILE        weights file (default: infer/models/base.tapcut)\n"                                \
	"  --size N            long side at which the network sees the photo, in pixels (default: the model's)\n" \
	"  --zoom, --no-zoom   look closer at the object from tap 2 on, or never (default: the library's)\n"      \
	"  --graph-cut         refine the mask by colour models and a minimum cut\n"                              \
	"  --threads N         threads that run the network, 1 to 64 (default: 1)\n"                              \
	"  --feather N         pixels over which the object's edge fades (default: 2, and more for large photos)\n"

/* Takes one of them; false after a message on stderr, or silently for a value that is not from the list (getopt_long
 * has said what is wrong). */
bool selection_take(struct selection *selection, int option, const char *value);

/* Taps one after the other, a line on stdout for each, and gives the mask: 255 object, 0 not; and where `alpha` is not
 * NULL the same with a soft edge. The caller releases both, also after a failure. */
enum status selection_run(const struct selection *selection, const struct tapcut_model *model,
			  const struct image *photo, struct image *mask, struct image *alpha);

#endif
