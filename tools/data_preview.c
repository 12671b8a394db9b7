/* See data_preview.h. */
#include "tools/data_preview.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/atomic_file.h"
#include "core/text.h"
#include "data/augment.h"
#include "data/sampler.h"
#include "train/record/report.h"

/* The mask on the photo. */
static enum status add_photo(struct text *html, const struct dataset *dataset, const struct dataset_object *object,
			     const char *name)
{
	struct report_sample sample = {.iou = 1};
	TRY(dataset_read_photo(dataset, object->photo, &sample.photo));
	uint8_t *mask = malloc((size_t)object->mask.width * (size_t)object->mask.height);
	enum status status = STATUS_OK;
	if (!mask || sample.photo.width != object->mask.width || sample.photo.height != object->mask.height)
		status = status_fail(mask ? STATUS_FORMAT : STATUS_NO_MEMORY, "%s: no mask of the photo's size", name);
	if (status == STATUS_OK) {
		rle_to_mask(&object->mask, mask);
		sample.pred = sample.truth = mask;
		status = report_add_picture(html, &sample, PICTURE_PREDICTION, "photo and mask");
	}
	image_release(&sample.photo);
	free(mask);
	return status;
}

/* A training sample: its crop with the clicks that it begins with, and its mask. */
static enum status add_crop(struct text *html, const struct dataset *dataset, const struct config *config, int index)
{
	int size = config->train.size;
	struct sample sample;
	struct rng rng = rng_stream(config->seed, 0, (uint64_t)index, RNG_AUGMENT);
	TRY(sample_alloc(&sample, size));
	void *workspace = malloc(sampler_workspace(size, size));
	enum status status = workspace ? augment_sample(&config->augment, dataset, index, rng, &sample)
				       : status_fail(STATUS_NO_MEMORY, "no memory for clicks");
	if (status == STATUS_OK) {
		struct report_sample picture = {.photo = {size, size, 3, sample.rgb},
						.pred = sample.truth,
						.truth = sample.truth,
						.iou = 1};
		rng = rng_stream(config->seed, 0, (uint64_t)index, RNG_CLICKS);
		sampler_first_clicks(&config->sampler, &rng, sample.truth, sample.others, size, size, &picture.clicks,
				     workspace);
		status = report_add_picture(html, &picture, PICTURE_CLICKS, "training sample with its first clicks");
		if (status == STATUS_OK)
			status = report_add_picture(html, &picture, PICTURE_PREDICTION, "its mask");
	}
	free(workspace);
	sample_release(&sample);
	return status;
}

static enum status add_object(struct text *html, const struct dataset *dataset, const struct config *config, int index)
{
	const struct dataset_object *object = &dataset->objects[index];
	char name[160];
	snprintf(name, sizeof name, "%.80s #%lld", dataset->photos[object->photo].file_name, (long long)object->id);
	text_add(html, "<div class=\"box sample\"><header><b>");
	text_add_html(html, name);
	text_add(html, "</b><span>%.2f %% of the photo</span></header>\n",
		 100.0 * (double)object->area / ((double)object->mask.width * object->mask.height));
	TRY(add_photo(html, dataset, object, name));
	TRY(add_crop(html, dataset, config, index));
	text_add(html, "</div>\n");
	return STATUS_OK;
}

enum status data_preview_write(const char *path, const char *title, const struct dataset *dataset,
			       const struct config *config, int count)
{
	char line[200];
	struct text html;
	count = count < dataset->object_count ? count : dataset->object_count;
	snprintf(line, sizeof line, "%d of %d objects; crops of %d pixels and first clicks as training makes them",
		 count, dataset->object_count, config->train.size);
	text_init(&html);
	report_add_head(&html, title, line);
	enum status status = STATUS_OK;
	for (int i = 0; i < count && status == STATUS_OK; i++)
		status = add_object(&html, dataset, config, (int)((int64_t)dataset->object_count * i / count));
	report_add_end(&html);
	if (status == STATUS_OK)
		status = text_status(&html);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){html.data, html.length}, 1);
	text_release(&html);
	return status;
}
