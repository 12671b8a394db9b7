/* The protocol on a benchmark: pairs of photo and mask files, masks by GrabCut's rule (docs/protocol.md, 3). */
#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "data/robot.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/evaluate_source.h"
#include "train/config/json.h"

struct pairs {
	const char *path; /* of the JSON, for messages */
	const struct json *list;
};

/* `name` relative to the folder of `path`. */
static enum status resolve_path(const char *path, const char *name, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	int folder = slash && name[0] != '/' ? (int)(slash - path) + 1 : 0;
	int length = snprintf(out, size, "%.*s%s", folder, path, name);
	if (length < 0 || (size_t)length >= size)
		return status_fail(STATUS_LIMIT, "%s: the path of %s is too long", path, name);
	return STATUS_OK;
}

static enum status pair_path(const struct pairs *pairs, int index, const char *key, char *out, size_t size)
{
	const char *name = json_string(json_get(json_array_item(pairs->list, index), key));
	if (!name || !*name)
		return status_fail(STATUS_FORMAT, "%s: entry %d: \"%s\" should be a file name", pairs->path, index,
				   key);
	return resolve_path(pairs->path, name, out, size);
}

/* "masks/106024.png" -> "106024" */
static void name_instance(const char *path, char name[96])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	int length = dot && dot != base ? (int)(dot - base) : (int)strlen(base);
	snprintf(name, 96, "%.*s", length, base);
}

static void mask_to_truth(const uint8_t *mask, size_t pixels, uint8_t *truth)
{
	for (size_t i = 0; i < pixels; i++)
		truth[i] = mask[i] > 128 ? TRUTH_OBJECT : mask[i] == 128 ? TRUTH_IGNORE : TRUTH_BACKGROUND;
}

static enum status read_truth(const char *path, const char *photo_path, const struct image *photo, uint8_t **truth)
{
	struct image mask;
	struct image_read_options options = {.channels = 1, .exif = EXIF_IGNORE};
	TRY(image_read(path, &options, &mask));
	enum status status = STATUS_OK;
	size_t pixels = (size_t)mask.width * (size_t)mask.height;
	if (mask.width != photo->width || mask.height != photo->height)
		status = status_fail(STATUS_FORMAT, "%s is %dx%d, but its photo %s is %dx%d", path, mask.width,
				     mask.height, photo_path, photo->width, photo->height);
	else if (!(*truth = malloc(pixels)))
		status = status_fail(STATUS_NO_MEMORY, "no memory for the mask %s", path);
	else
		mask_to_truth(mask.pixels, pixels, *truth);
	image_release(&mask);
	return status;
}

/* Benchmarks are in stored order: EXIF is ignored on both sides. */
static enum status read_pair(const void *context, int index, struct evaluate_data *data, char name[96])
{
	const struct pairs *pairs = context;
	char photo_path[2048], mask_path[2048];
	TRY(pair_path(pairs, index, "image", photo_path, sizeof photo_path));
	TRY(pair_path(pairs, index, "mask", mask_path, sizeof mask_path));
	name_instance(mask_path, name);
	struct image_read_options options = {.channels = 3, .exif = EXIF_IGNORE};
	TRY(image_read(photo_path, &options, &data->photo));
	enum status status = read_truth(mask_path, photo_path, &data->photo, &data->truth);
	if (status != STATUS_OK)
		evaluate_data_release(data);
	return status;
}

enum status evaluate_pairs(const struct tapcut_model *model, const char *pairs_path,
			   const struct evaluate_options *options, struct evaluate_result *result)
{
	*result = (struct evaluate_result){.instances = 0};
	struct json *root;
	TRY(json_read_file(pairs_path, &root));
	struct pairs pairs = {pairs_path, root};
	struct evaluate_source source = {read_pair, &pairs, json_array_size(root), .may_skip = false};
	enum status status;
	if (source.count < 1)
		status =
			status_fail(STATUS_FORMAT,
				    "%s: expected a list of {\"image\", \"mask\"} with at least one entry", pairs_path);
	else {
		if (options->limit > 0 && options->limit < source.count)
			source.count = options->limit;
		status = evaluate_run(model, &source, options, result);
	}
	json_free(root);
	return status;
}
