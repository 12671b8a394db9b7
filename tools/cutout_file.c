/* See cutout_file.h. */
#include "tools/cutout_file.h"

#include <stdlib.h>

#include "data/image_io.h"
#include "infer/tapcut_edit.h"

struct cutout {
	const struct image *photo, *alpha;
	bool premultiplied;
	void *workspace;
};

static enum status cutout_rows(void *context, int first, int count, uint8_t *pixels)
{
	const struct cutout *c = context;
	int w = c->photo->width, h = c->photo->height;
	struct tapcut_rows in = {c->photo->pixels, c->alpha->pixels, 3 * (size_t)w, (size_t)w, 0, h};
	char message[TAPCUT_MESSAGE_SIZE];
	if (tapcut_cutout_rows(w, h, &in, first, count, c->premultiplied, pixels, 4 * (size_t)w, c->workspace,
			       message) == TAPCUT_OK)
		return STATUS_OK;
	return status_fail(STATUS_CONFIG, "%s", message);
}

enum status cutout_file_write(const char *path, const struct image *photo, const struct image *alpha,
			      bool premultiplied)
{
	struct cutout cutout = {photo, alpha, premultiplied,
				malloc(tapcut_cutout_workspace(photo->width, photo->height))};
	if (!cutout.workspace)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for the cutout", path);
	enum status status = image_write_png_rows(path, photo->width, photo->height, 4, cutout_rows, &cutout);
	free(cutout.workspace);
	return status;
}
