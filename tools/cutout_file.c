/* See cutout_file.h. */
#include "tools/cutout_file.h"

#include <stdlib.h>

#include "data/image_io.h"
#include "infer/tapcut_edit.h"

struct cutout {
	const struct image *photo, *alpha, *own; /* own: the photo's alpha; no pixels: it is opaque */
	bool premultiplied;
	void *workspace;
};

/* count RGBA pixels times the photo's own alpha. */
static void multiply(uint8_t *rgba, const uint8_t *own, size_t count, bool premultiplied)
{
	for (size_t i = 0; i < count; i++, rgba += 4)
		for (int c = premultiplied ? 0 : 3; c < 4; c++)
			rgba[c] = (uint8_t)((rgba[c] * own[i] + 127) / 255);
}

static enum status cutout_rows(void *context, int first, int count, uint8_t *pixels)
{
	const struct cutout *c = context;
	int w = c->photo->width, h = c->photo->height;
	struct tapcut_rows in = {c->photo->pixels, c->alpha->pixels, 3 * (size_t)w, (size_t)w, 0, h};
	char message[TAPCUT_MESSAGE_SIZE];
	if (tapcut_cutout_rows(w, h, &in, first, count, c->premultiplied, pixels, 4 * (size_t)w, c->workspace,
			       message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	if (c->own->pixels)
		multiply(pixels, c->own->pixels + (size_t)first * (size_t)w, (size_t)count * (size_t)w,
			 c->premultiplied);
	return STATUS_OK;
}

enum status cutout_file_write(const char *path, const struct photo_file *photo, const struct image *alpha,
			      bool premultiplied)
{
	const struct image *colours = photo_file_colours(photo);
	int width = colours->width, height = colours->height;
	struct cutout cutout = {colours, alpha, &photo->alpha, premultiplied,
				malloc(tapcut_cutout_workspace(width, height))};
	if (!cutout.workspace)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for the cutout", path);
	enum status status = image_write_png_rows(path, width, height, 4, cutout_rows, &cutout, &photo->metadata);
	free(cutout.workspace);
	return status;
}
