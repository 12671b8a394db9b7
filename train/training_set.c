/* See training_set.h. */
#include "train/training_set.h"

#include <stdlib.h>
#include <string.h>

#include "core/portable_math.h"
#include "core/sha256.h"
#include "data/dataset_open.h"

static enum status open_file(struct dataset *set, const struct config *config, const char *json, const char *images,
			     bool training)
{
	const char *names[CONFIG_MAX_CATEGORIES];
	for (int i = 0; i < config->data.category_count; i++)
		names[i] = config->data.categories[i];
	struct dataset_filter filter = {
		.categories = config->data.category_count ? names : NULL,
		.category_count = config->data.category_count,
		.min_area_fraction = config->data.min_area_fraction,
		.max_area_fraction = config->data.max_area_fraction,
		.max_objects = training ? config->data.max_objects : 0,
		.some_categories = training && config->data.train_count > 1,
	};
	TRY(dataset_open(set, json, images[0] ? images : NULL, &filter));
	set->exif = config->data.exif;
	dataset_label(set, names, config->data.category_count);
	return STATUS_OK;
}

/* An empty set is refused with what there was and why it was left out. */
static enum status check_not_empty(struct dataset *set, const char *json)
{
	char summary[600];
	if (set->object_count)
		return STATUS_OK;
	dataset_summary_line(set, summary, sizeof summary);
	dataset_release(set);
	return status_fail(STATUS_CONFIG, "%s: no object passes the filters of section data: %s", json, summary);
}

static enum status open_training_file(struct dataset *set, const struct config *config, const struct config_file *file)
{
	const char *images = file->images[0]                ? file->images
			     : config->data.train_images[0] ? config->data.train_images
							    : config->data.images;
	TRY(open_file(set, config, file->path, images, true));
	return check_not_empty(set, file->path);
}

/* data.images may be the training photos' folder alone, as COCO has one for each set. */
enum status validation_set_open(struct dataset *set, const struct config *config)
{
	const char *json = config->data.val, *images = config->data.val_images;
	if (!images[0]) {
		TRY(open_file(set, config, json, config->data.images, false));
		if (set->object_count || !set->skips.missing_photos)
			return check_not_empty(set, json);
		dataset_release(set);
	}
	TRY(open_file(set, config, json, images, false));
	return check_not_empty(set, json);
}

/* --- several files -------------------------------------------------------- */

/* first[i]: the first object of file i; first[train_count]: the number of all. */
static enum status open_files(struct dataset *set, const struct config *config, int first[CONFIG_MAX_FILES + 1])
{
	first[0] = 0;
	for (int i = 0; i < config->data.train_count; i++) {
		const struct config_file *file = &config->data.train[i];
		struct dataset more;
		enum status status = open_training_file(i ? &more : set, config, file);
		if (status != STATUS_OK) {
			if (i)
				dataset_release(set);
			return status;
		}
		if (i)
			TRY(dataset_append(set, &more));
		first[i + 1] = set->object_count;
	}
	return STATUS_OK;
}

static enum status check_categories(const struct dataset *set, const struct config *config)
{
	for (int i = 0; i < config->data.category_count; i++) {
		int k = 0;
		while (k < set->category_count && strcmp(set->categories[k].name, config->data.categories[i]) != 0)
			k++;
		if (k == set->category_count)
			return status_fail(STATUS_CONFIG,
					   "data.categories: \"%s\" is a category of no file of data.train",
					   config->data.categories[i]);
	}
	return STATUS_OK;
}

/* --- weights -------------------------------------------------------------- */

static void list_sources(const struct dataset *set, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, set->source_count ? "there are" : "no annotation has a source");
	for (int i = 0; i < set->source_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, " \"%.31s\"", set->sources[i]);
}

/* by_source[s]: weight of the objects whose source is s. */
static enum status weigh_sources(const struct dataset *set, const struct config *config, double *by_source)
{
	for (int s = 0; s <= set->source_count; s++)
		by_source[s] = 1;
	for (int i = 0; i < config->data.source_weight_count; i++) {
		const struct config_weight *weight = &config->data.source_weights[i];
		int source = dataset_find_source(set, weight->name);
		char sources[300];
		list_sources(set, sources, sizeof sources);
		if (!source)
			return status_fail(STATUS_CONFIG, "data.source_weights: \"%s\" is the source of no object; %s",
					   weight->name, sources);
		by_source[source] = weight->weight;
	}
	return STATUS_OK;
}

static double area_factor(const struct dataset *set, int object, double exponent)
{
	const struct dataset_object *o = &set->objects[object];
	const struct dataset_photo *photo = &set->photos[o->photo];
	double share = (double)o->area / ((double)photo->width * photo->height);
	return exponent != 0 ? portable_exp(exponent * portable_log(share)) : 1;
}

static enum status make_draw(const struct dataset *set, const struct config *config, const int *first,
			     struct draw **draw)
{
	double *weights = calloc((size_t)set->object_count, sizeof *weights);
	double *by_source = calloc((size_t)set->source_count + 1, sizeof *by_source);
	enum status status = weights && by_source
				     ? weigh_sources(set, config, by_source)
				     : status_fail(STATUS_NO_MEMORY, "no memory for the weights of objects");
	for (int file = 0; !status && file < config->data.train_count; file++)
		for (int i = first[file]; i < first[file + 1]; i++)
			weights[i] = config->data.train[file].weight * by_source[set->objects[i].source] *
				     area_factor(set, i, config->data.area_exponent);
	if (!status)
		status = draw_new(weights, set->object_count, draw);
	free(weights);
	free(by_source);
	return status;
}

static void combine_digests(const struct dataset *set, const struct draw *draw, uint8_t digest[32])
{
	memcpy(digest, set->digest, sizeof set->digest);
	if (!draw)
		return;
	uint8_t weights[32];
	struct sha256 sha;
	draw_digest(draw, weights);
	sha256_init(&sha);
	sha256_update(&sha, set->digest, sizeof set->digest);
	sha256_update(&sha, weights, sizeof weights);
	sha256_final(&sha, digest);
}

enum status training_set_open(struct dataset *set, struct draw **draw, const struct config *config, uint8_t digest[32])
{
	int first[CONFIG_MAX_FILES + 1];
	*draw = NULL;
	memset(set, 0, sizeof *set);
	if (!config->data.train_count)
		return status_fail(STATUS_CONFIG, "data.train: expected the path of an instances JSON, found nothing");
	TRY(open_files(set, config, first));
	enum status status = check_categories(set, config);
	if (!status && config_draws_by_weight(config))
		status = make_draw(set, config, first, draw);
	if (status) {
		dataset_release(set);
		return status;
	}
	combine_digests(set, *draw, digest);
	return STATUS_OK;
}
