/* The list of `tapcut cut --batch`: photos, the taps on each, and the files to write.
 *
 *	[{"photo": "a.jpg", "taps": [[320, 200], [40, 50, "not"]], "cutout": "a.png", "mask": "m.png",
 *	  "overlay": "o.png", "crop": 10}, ...]
 *
 * A tap is [X, Y], [X, Y, "not"], or {"x": X, "y": Y, "positive": BOOL} as --json prints it. "photo" and "taps" are
 * needed; where neither "cutout" nor "mask" is given, the cutout is NAME-cutout.png. Photos are looked for in the
 * working folder, then beside the list. */
#ifndef TOOLS_CUT_BATCH_H
#define TOOLS_CUT_BATCH_H

#include "tools/selection.h"

struct cut_item {
	char *photo, *mask, *cutout, *overlay; /* owned; the last three NULL: not wanted */
	struct tap taps[TAPCUT_MAX_CLICKS];
	int tap_count;
	int crop; /* as of `tapcut cut`; below 0: the whole photo */
};

struct cut_batch {
	struct cut_item *items;
	int count;
};

/* out_dir: where files without a folder of their own go, NULL: the working folder; it is made. `crop` holds for items
 * without one. STATUS_CONFIG and the like name list, item and key; two outputs of one name, and one that is a photo of
 * the list, are refused. The caller frees the batch, also after a failure. */
enum status cut_batch_read(const char *path, const char *out_dir, int crop, struct cut_batch *batch);
void cut_batch_free(struct cut_batch *batch);

#endif
