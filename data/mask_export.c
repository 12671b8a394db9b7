/* See mask_export.h. */
#include "data/mask_export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/atomic_file.h"
#include "data/contour.h"
#include "data/rle.h"

/* The only character of an RLE string that JSON wants escaped is the backslash. */
void mask_print_counts(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputc('\\', file);
		fputc(*text, file);
	}
}

static enum status print_counts_key(FILE *file, const struct rle *rle)
{
	char *text = rle_to_string(rle);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for a mask");
	fputs("\"counts\": \"", file);
	mask_print_counts(file, text);
	fputc('"', file);
	free(text);
	return STATUS_OK;
}

static void print_polygons_key(FILE *file, const struct contours *contours)
{
	fputs("\"segmentation\": [", file);
	for (int i = 0; i < contours->count; i++) {
		const struct contour *c = &contours->items[i];
		for (int j = 0; j < c->count; j++)
			fprintf(file, "%s%.10g", j ? ", " : i ? ", [" : "[", c->xy[j]);
		fputc(']', file);
	}
	fputc(']', file);
}

static enum status print_mask(FILE *file, const struct rle *rle, const struct contours *contours)
{
	int box[4];
	rle_box(rle, box);
	fprintf(file, "{\"size\": [%d, %d], ", rle->height, rle->width);
	if (contours)
		print_polygons_key(file, contours);
	else
		TRY(print_counts_key(file, rle));
	fprintf(file, ", \"area\": %" PRIu64 ", \"bbox\": [%d, %d, %d, %d]}\n", rle_area(rle), box[0], box[1],
		box[2] - box[0], box[3] - box[1]);
	return STATUS_OK;
}

static enum status write_mask(const char *path, const struct image *mask, const struct contours *contours)
{
	struct rle rle;
	TRY(rle_from_mask(&rle, mask->pixels, mask->width, mask->height));
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	enum status status = file ? print_mask(file, &rle, contours) : STATUS_OK;
	if (!file || fclose(file) != 0)
		status = status_fail(STATUS_NO_MEMORY, "%s: no memory for the mask's text", path);
	if (status == STATUS_OK) {
		struct file_part part = {text, size};
		status = atomic_file_write(path, &part, 1);
	}
	free(text);
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
