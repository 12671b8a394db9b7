/* See mask_export.h. */
#include "data/mask_export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/atomic_file.h"
#include "data/contour.h"

static enum status add_counts(struct text *text, const struct rle *rle)
{
	char *counts = rle_to_string(rle);
	if (!counts)
		return status_fail(STATUS_NO_MEMORY, "no memory for a mask");
	text_add(text, "\"counts\": ");
	text_add_json_string(text, counts);
	free(counts);
	return STATUS_OK;
}

static void add_polygons(struct text *text, const struct contours *contours)
{
	text_add(text, "\"segmentation\": [");
	for (int i = 0; i < contours->count; i++) {
		const struct contour *c = &contours->items[i];
		for (int j = 0; j < c->count; j++)
			text_add(text, "%s%.10g", j ? ", " : i ? ", [" : "[", c->xy[j]);
		text_add(text, "]");
	}
	text_add(text, "]");
}

static enum status add_members(struct text *text, const struct rle *rle, const struct contours *contours)
{
	int box[4];
	rle_box(rle, box);
	text_add(text, "\"size\": [%d, %d], ", rle->height, rle->width);
	if (contours)
		add_polygons(text, contours);
	else
		TRY(add_counts(text, rle));
	text_add(text, ", \"area\": %" PRIu64 ", \"bbox\": [%d, %d, %d, %d]", rle_area(rle), box[0], box[1],
		 box[2] - box[0], box[3] - box[1]);
	return text_status(text);
}

enum status mask_add_rle(struct text *text, const struct rle *rle)
{
	return add_members(text, rle, NULL);
}

static enum status add_mask(struct text *text, const struct rle *rle, const struct contours *contours)
{
	text_add(text, "{");
	TRY(add_members(text, rle, contours));
	text_add(text, "}\n");
	return text_status(text);
}

static enum status write_mask(const char *path, const struct image *mask, const struct contours *contours)
{
	struct rle rle;
	struct text text;
	TRY(rle_from_mask(&rle, mask->pixels, mask->width, mask->height));
	text_init(&text);
	enum status status = add_mask(&text, &rle, contours);
	if (status == STATUS_OK) {
		struct file_part part = {text.data, text.length};
		status = atomic_file_write(path, &part, 1);
	} else {
		status_wrap(status, "%s", path);
	}
	text_release(&text);
	rle_release(&rle);
	return status;
}

enum status mask_write_rle(const char *path, const struct image *mask)
{
	return write_mask(path, mask, NULL);
}

enum status mask_write_polygons(const char *path, const struct image *mask, double tolerance)
{
	struct contours contours;
	TRY(contours_trace(&contours, mask->pixels, mask->width, mask->height, tolerance));
	enum status status = write_mask(path, mask, &contours);
	contours_release(&contours);
	return status;
}
