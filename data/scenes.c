/* Writes generated scenes as a COCO dataset: images/000001.jpg ... and instances.json, as a stream.
 *
 * instances.json goes to a temporary name and is renamed when everything else is on the disk: where it is, the set
 * is whole. The photos need no such care each, and a sync for each would take longer than the pictures do. */
#include "data/scenes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "data/image_io.h"
#include "data/rle.h"
#include "data/scenes_parts.h"

enum { PATH_SIZE = 4096 };

/* Of polygons, in pixels. An annotator's hand is no steadier. */
static const double OUTLINE_TOLERANCE = 0.7;

/* The three ways to write a mask, in turn. */
enum form { FORM_POLYGON, FORM_COMPRESSED, FORM_UNCOMPRESSED, FORMS };

struct writer {
	const struct scenes_options *options;
	struct atomic_file json;
	char path[PATH_SIZE];
	int64_t annotations;
};

void scenes_options_init(struct scenes_options *options)
{
	*options = (struct scenes_options){.count = 200, .seed = 1, .width = 320, .height = 240, .quality = 90};
}

static enum status check_options(const struct scenes_options *options)
{
	if (options->count < 1 || options->count > SCENES_MOST)
		return status_fail(STATUS_CONFIG, "%d scenes; expected 1 to %d", options->count, SCENES_MOST);
	int width = options->width, height = options->height;
	if (width < SCENES_LEAST_SIDE || width > SCENES_MOST_SIDE || height < SCENES_LEAST_SIDE ||
	    height > SCENES_MOST_SIDE)
		return status_fail(STATUS_CONFIG, "scenes of %d x %d pixels; expected sides of %d to %d", width, height,
				   SCENES_LEAST_SIDE, SCENES_MOST_SIDE);
	if (options->quality < 1 || options->quality > 100)
		return status_fail(STATUS_CONFIG, "JPEG quality %d; expected 1 to 100", options->quality);
	if (strlen(options->out_dir) > PATH_SIZE - 64)
		return status_fail(STATUS_CONFIG, "the name of the output folder is too long");
	return STATUS_OK;
}

/* --- folders and files ---------------------------------------------------- */

static enum status make_folder(const char *path)
{
	struct stat info;
	if (mkdir(path, 0777) == 0 || (stat(path, &info) == 0 && S_ISDIR(info.st_mode)))
		return STATUS_OK;
	return status_fail(STATUS_IO, "%s: cannot make this folder: %s", path,
			   strerror(errno == EEXIST ? ENOTDIR : errno));
}

/* Makes out_dir, what is above it, and out_dir/images. */
static enum status make_folders(const char *out_dir)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/images", out_dir);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		TRY(make_folder(path));
		*slash = '/';
	}
	return make_folder(path);
}

static enum status write_photo(const struct writer *writer, int number, const struct image *photo)
{
	char path[PATH_SIZE];
	unsigned char *data;
	size_t size;
	snprintf(path, sizeof path, "%s/images/%06d.jpg", writer->options->out_dir, number);
	TRY(image_encode_jpeg(photo, writer->options->quality, &data, &size));
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(data, 1, size, file) == size;
	int error = errno;
	if (file && fclose(file) != 0 && written) {
		written = false;
		error = errno;
	}
	free(data);
	return written ? STATUS_OK : status_fail(STATUS_IO, "%s: cannot write: %s", path, strerror(error));
}

/* --- JSON ----------------------------------------------------------------- */

static void write_head(const struct writer *writer)
{
	const struct scenes_options *options = writer->options;
	FILE *json = writer->json.stream;
	fprintf(json, "{\n\"info\": {\"description\": \"generated scenes\", \"contributor\": \"tapcut scenes\", "
		      "\"version\": \"1\", ");
	fprintf(json, "\"seed\": \"%llu\"},\n", (unsigned long long)options->seed);
	fprintf(json, "\"licenses\": [{\"id\": 1, \"name\": \"CC0 1.0\", ");
	fprintf(json, "\"url\": \"https://creativecommons.org/publicdomain/zero/1.0/\"}],\n\"images\": [\n");
	for (int i = 1; i <= options->count; i++)
		fprintf(json,
			"{\"id\": %d, \"license\": 1, \"file_name\": \"%06d.jpg\", \"width\": %d, \"height\": %d}%s\n",
			i, i, options->width, options->height, i < options->count ? "," : "");
	fprintf(json, "],\n\"annotations\": [");
}

static void write_tail(const struct writer *writer)
{
	fprintf(writer->json.stream, "\n],\n\"categories\": [\n");
	for (int i = 0; i < SHAPE_KINDS; i++)
		fprintf(writer->json.stream, "{\"id\": %d, \"name\": \"%s\", \"supercategory\": \"shape\"}%s\n", i + 1,
			shape_names[i], i + 1 < SHAPE_KINDS ? "," : "");
	fprintf(writer->json.stream, "]\n}\n");
}

/* Outlines run through the middle of pixel edges, so coordinates are whole or half: no rounding, no locale. */
static void write_polygon(FILE *json, const double *xy, int count)
{
	fprintf(json, "[[");
	for (int i = 0; i < count; i++) {
		long twice = (long)(2 * xy[i]);
		fprintf(json, "%s%ld%s", i ? ", " : "", twice / 2, twice % 2 ? ".5" : "");
	}
	fprintf(json, "]]");
}

static void write_counts(FILE *json, const struct rle *rle)
{
	fprintf(json, "{\"size\": [%d, %d], \"counts\": [", rle->height, rle->width);
	for (int i = 0; i < rle->count; i++)
		fprintf(json, "%s%lu", i ? ", " : "", (unsigned long)rle->counts[i]);
	fprintf(json, "]}");
}

/* Compressed runs use the characters '0' to 'o'; the backslash among them needs another. */
static enum status write_string(FILE *json, const struct rle *rle)
{
	char *text = rle_to_string(rle);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for a mask");
	fprintf(json, "{\"size\": [%d, %d], \"counts\": \"", rle->height, rle->width);
	for (const char *c = text; *c; c++)
		fprintf(json, "%s%c", *c == '\\' ? "\\" : "", *c);
	fprintf(json, "\"}");
	free(text);
	return STATUS_OK;
}

/* One annotation as drawn up: the runs are what a reader will make of it. */
struct annotation {
	int image_id, category_id;
	enum form form;
	struct rle rle;
	double *xy;
	int xy_count;
};

static enum status annotate(struct annotation *annotation, const uint8_t *mask, int width, int height)
{
	int simple = 0;
	if (annotation->form == FORM_POLYGON)
		TRY(mask_is_simple(mask, width, height, &simple));
	if (simple)
		TRY(mask_trace(mask, width, height, OUTLINE_TOLERANCE, &annotation->xy, &annotation->xy_count));
	if (annotation->xy_count >= 6)
		return rle_from_polygon(&annotation->rle, annotation->xy, annotation->xy_count, width, height);
	/* Holes and several parts are more than one polygon can say. */
	if (annotation->form == FORM_POLYGON)
		annotation->form = FORM_COMPRESSED;
	return rle_from_mask(&annotation->rle, mask, width, height);
}

static enum status write_annotation(struct writer *writer, const struct annotation *annotation)
{
	const struct rle *rle = &annotation->rle;
	FILE *json = writer->json.stream;
	int box[4];
	rle_box(rle, box);
	fprintf(json, "%s\n{\"id\": %lld, \"image_id\": %d, \"category_id\": %d, \"iscrowd\": 0, \"area\": %llu, ",
		writer->annotations ? "," : "", (long long)writer->annotations + 1, annotation->image_id,
		annotation->category_id, (unsigned long long)rle_area(rle));
	fprintf(json, "\"bbox\": [%d, %d, %d, %d], \"segmentation\": ", box[0], box[1], box[2] - box[0],
		box[3] - box[1]);
	if (annotation->form == FORM_POLYGON)
		write_polygon(json, annotation->xy, annotation->xy_count);
	else if (annotation->form == FORM_UNCOMPRESSED)
		write_counts(json, rle);
	else
		TRY(write_string(json, rle));
	fprintf(json, "}");
	writer->annotations++;
	return STATUS_OK;
}

/* --- scenes --------------------------------------------------------------- */

static enum status write_scene(struct writer *writer, int number, const struct scene *scene)
{
	TRY(write_photo(writer, number, &scene->photo));
	for (int i = 0; i < scene->object_count; i++) {
		struct annotation annotation = {.image_id = number, .category_id = (int)scene->kinds[i] + 1};
		annotation.form = (enum form)(writer->annotations % FORMS);
		enum status status = annotate(&annotation, scene->masks[i], scene->photo.width, scene->photo.height);
		if (status == STATUS_OK)
			status = write_annotation(writer, &annotation);
		rle_release(&annotation.rle);
		free(annotation.xy);
		TRY(status);
	}
	return STATUS_OK;
}

static enum status write_scenes(struct writer *writer)
{
	const struct scenes_options *options = writer->options;
	for (int i = 0; i < options->count; i++) {
		struct scene scene;
		TRY(scene_render(&scene, options->seed, (uint64_t)i, options->width, options->height));
		enum status status = write_scene(writer, i + 1, &scene);
		scene_release(&scene);
		TRY(status);
		if (ferror(writer->json.stream))
			break; /* found again, with its reason, when the file is closed */
		if (options->progress)
			options->progress(i + 1, options->count, options->context);
	}
	return STATUS_OK;
}

enum status scenes_write(const struct scenes_options *options)
{
	struct writer writer = {.options = options};
	TRY(check_options(options));
	TRY(make_folders(options->out_dir));
	snprintf(writer.path, sizeof writer.path, "%s/instances.json", options->out_dir);
	TRY(atomic_file_open(&writer.json, writer.path));
	unlink(writer.path); /* an older set's, whose photos are about to be overwritten */
	write_head(&writer);
	enum status status = write_scenes(&writer);
	write_tail(&writer);
	return atomic_file_close(&writer.json, status);
}
