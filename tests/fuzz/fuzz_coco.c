/* Fuzz target: an instances file from its bytes to the masks. The whole file's text is the input. See replay.c for
 * how to run it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/coco.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void coco_must(int holds)
{
	if (!holds)
		abort();
}

struct coco_seen {
	int photos, categories, annotations;
	int width, height; /* of the last photo */
};

static enum status see_image(void *context, const struct coco_image *image)
{
	struct coco_seen *seen = context;
	coco_must(seen->annotations == 0 && image->file_name != NULL && image->width >= 0 && image->height >= 0);
	seen->photos++;
	seen->width = image->width;
	seen->height = image->height;
	return STATUS_OK;
}

static enum status see_category(void *context, const struct coco_category *category)
{
	struct coco_seen *seen = context;
	coco_must(seen->annotations == 0 && category->name != NULL);
	seen->categories++;
	return STATUS_OK;
}

static enum status see_annotation(void *context, const struct coco_annotation *a)
{
	struct coco_seen *seen = context;
	seen->annotations++;
	/* Photos of the size of a screen at most, so that time goes into the readers. */
	int width = seen->width > 512 ? 512 : seen->width, height = seen->height > 512 ? 512 : seen->height;
	struct rle mask;
	if (coco_mask(&a->segmentation, width, height, &mask) != STATUS_OK) {
		coco_must(mask.counts == NULL && status_message()[0] != '\0');
		return STATUS_OK;
	}
	uint64_t sum = 0;
	for (int i = 0; i < mask.count; i++)
		sum += mask.counts[i];
	coco_must(sum == (uint64_t)mask.width * (uint64_t)mask.height);
	char *text = rle_to_string(&mask);
	if (a->segmentation.form == COCO_STRING)
		coco_must(strcmp(text, a->segmentation.string) == 0);
	free(text);
	rle_release(&mask);
	return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct coco_seen seen = {0};
	const struct coco_visitor visitor = {&seen, see_image, see_category, see_annotation};
	enum status status = coco_read_memory(data, size, "input", &visitor);
	coco_must(status == STATUS_OK || status_message()[0] != '\0');
	return 0;
}
