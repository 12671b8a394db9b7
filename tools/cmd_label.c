/* tapcut label: what each pixel of a photo is, and the regions that a tap would select. */
#include <stdio.h>
#include <string.h>

#include "core/atomic_file.h"
#include "data/image_io.h"
#include "data/mask_export.h"
#include "data/regions.h"
#include "tools/command.h"
#include "tools/model_file.h"
#include "tools/photo_file.h"
#include "tools/streams.h"
#include "train/evaluate/evaluate_labels.h"

struct arguments {
	const char *photo, *model, *output, *overlay, *regions;
	double least; /* share of the photo that a region has */
	struct tapcut_options options;
	bool json, quiet;
};

static const struct option_row operand_rows[] = {
	{"PHOTO", OPTION_FILE, OPTION_FIELD(photo), NULL, .help = "a JPEG, PNG or WebP", .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"model", OPTION_FILE, OPTION_FIELD(model), "FILE", .help = "weights file or checkpoint of the task \"labels\"",
	 .needed = true},
	{"output", OPTION_FILE, OPTION_FIELD(output), "OUT.png", .letter = 'o',
	 .help = "the labels: a PNG with a palette, a pixel's number is its class",
	 .otherwise = "PHOTO-labels.png here", .writes = true, .ends = ".png"},
	{"overlay", OPTION_FILE, OPTION_FIELD(overlay), "OUT.png", .help = "the photo under the labels' colours",
	 .writes = true, .ends = ".png"},
	{"regions", OPTION_FILE, OPTION_FIELD(regions), "OUT.json",
	 .help = "classes with their colours, and regions: what hangs together and is of one class, numbered, "
		 "with box, area and COCO's compressed RLE",
	 .writes = true, .ends = ".json"},
	{"least", OPTION_REAL, OPTION_FIELD(least), "F", .help = "leave out regions under this share of the photo",
	 .max = 1, .standard = "0.001"},
	{"size", OPTION_WHOLE, OPTION_FIELD(options.size), "N", .help = "long side at which the network sees the photo",
	 .min = 16, .max = 4096, .unit = "pixels", .otherwise = "the model's"},
	{"threads", OPTION_WHOLE, OPTION_FIELD(options.threads), "N", .help = "threads that run the network", .min = 1,
	 .max = TAPCUT_MAX_THREADS, .otherwise = "1"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

/* --- the labels ----------------------------------------------------------- */

/* Colours that differ as much as bits can make them: bit k of the number goes to channel k % 3, the lowest bits to the
 * highest ones. The map of PASCAL VOC's development kit, which other tools know. */
static void make_palette(int classes, struct image_palette *palette)
{
	palette->count = classes;
	for (int i = 0; i < classes; i++)
		for (int c = 0; c < 3; c++) {
			int colour = 0;
			for (int bit = 0; bit < 8; bit++)
				colour |= (i >> (3 * bit + c) & 1) << (7 - bit);
			palette->colours[i][c] = (uint8_t)colour;
		}
}

static enum status find_labels(const struct arguments *a, const struct tapcut_model *model, const struct image *photo,
			       struct image *labels)
{
	struct tapcut_session *session;
	char message[TAPCUT_MESSAGE_SIZE];
	TRY(image_alloc(labels, photo->width, photo->height, 1));
	if (tapcut_session_new(model, &a->options, &session, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	enum tapcut_status code =
		tapcut_session_set_image(session, photo->pixels, photo->width, photo->height, 3 * (size_t)photo->width);
	if (code == TAPCUT_OK)
		code = tapcut_session_labels(session, labels->pixels, (size_t)labels->width);
	enum status status = code ? status_fail(STATUS_LIMIT, "%s", tapcut_session_message(session)) : STATUS_OK;
	tapcut_session_free(session);
	return status;
}

/* --- what is written ------------------------------------------------------ */

static enum status write_overlay(const char *path, struct image *photo, const struct image *labels,
				 const struct image_palette *palette)
{
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	for (size_t i = 0; i < pixels; i++)
		for (int c = 0; c < 3; c++) {
			uint8_t *p = &photo->pixels[3 * i + (size_t)c];
			*p = (uint8_t)((*p + palette->colours[labels->pixels[i]][c]) / 2);
		}
	TRY(image_write_png(path, photo));
	printf("wrote %s\n", streams_name(path));
	return STATUS_OK;
}

static void add_classes(struct text *text, const struct tapcut_model *model, const struct image *labels,
			const struct image_palette *palette)
{
	size_t pixels = (size_t)labels->width * (size_t)labels->height, counts[256] = {0};
	for (size_t i = 0; i < pixels; i++)
		counts[labels->pixels[i]]++;
	text_add(text, "\"width\": %d, \"height\": %d, \"classes\": [", labels->width, labels->height);
	for (int c = 0; c < palette->count; c++) {
		const uint8_t *colour = palette->colours[c];
		text_add(text, "%s{\"label\": %d, \"name\": ", c ? ", " : "", c);
		text_add_json_string(text, tapcut_model_class(model, c));
		text_add(text, ", \"colour\": [%d, %d, %d], \"pixels\": %zu}", colour[0], colour[1], colour[2],
			 counts[c]);
		if (counts[c])
			printf("#%02x%02x%02x  %5.1f %%  %s\n", colour[0], colour[1], colour[2],
			       100.0 * (double)counts[c] / (double)pixels, tapcut_model_class(model, c));
	}
	text_add(text, "]");
}

static enum status add_region(struct text *text, const struct tapcut_model *model, const struct regions *regions,
			      int index, struct image *mask)
{
	const struct region *region = &regions->items[index];
	size_t pixels = (size_t)mask->width * (size_t)mask->height;
	struct rle rle;
	for (size_t i = 0; i < pixels; i++)
		mask->pixels[i] = regions->map[i] == index;
	TRY(rle_from_mask(&rle, mask->pixels, mask->width, mask->height));
	text_add(text, "%s{\"region\": %d, \"label\": %d, \"name\": ", index ? ",\n\t" : "\n\t", index + 1,
		 region->label);
	text_add_json_string(text, tapcut_model_class(model, region->label));
	text_add(text, ", \"tap\": [%zu, %zu], ", region->first % (size_t)mask->width,
		 region->first / (size_t)mask->width);
	enum status status = mask_add_rle(text, &rle);
	text_add(text, "}");
	rle_release(&rle);
	return status;
}

static enum status add_regions(struct text *text, const struct tapcut_model *model, const struct image *labels,
			       double least)
{
	struct regions regions;
	struct image mask;
	double pixels = (double)labels->width * labels->height;
	TRY(regions_find(&regions, labels, (size_t)(least * pixels)));
	enum status status = image_alloc(&mask, labels->width, labels->height, 1);
	text_add(text, ", \"regions\": [");
	for (int i = 0; i < regions.count && !status; i++)
		status = add_region(text, model, &regions, i, &mask);
	text_add(text, "]");
	printf("%d regions\n", regions.count);
	image_release(&mask);
	regions_release(&regions);
	return status;
}

/* "photo" to "classes", and the regions where they are wanted, which go to a file of their own too. */
static enum status describe(const struct arguments *a, const struct tapcut_model *model, const struct image *labels,
			    const struct image_palette *palette, struct text *text)
{
	text_add(text, "{\"photo\": ");
	text_add_json_string(text, a->photo);
	text_add(text, ", ");
	add_classes(text, model, labels, palette);
	if (!a->regions)
		return text_status(text);
	size_t before = text->length;
	TRY(add_regions(text, model, labels, a->least));
	text_add(text, "}\n");
	TRY(text_status(text));
	TRY(atomic_file_write(a->regions, &(struct file_part){text->data, text->length}, 1));
	printf("wrote %s\n", streams_name(a->regions));
	text->length = before; /* standard output says where they are */
	return STATUS_OK;
}

static enum status label(struct arguments *a, const struct tapcut_model *model, struct photo_file *photo,
			 struct image *labels, struct text *text)
{
	struct image_palette palette;
	TRY(photo_file_read(a->photo, photo));
	TRY(find_labels(a, model, &photo->rgb, labels));
	make_palette(evaluate_label_classes(model), &palette);
	TRY(image_write_png_palette(a->output, labels, &palette));
	printf("wrote %s\n", streams_name(a->output));
	TRY(describe(a, model, labels, &palette, text));
	if (a->overlay)
		TRY(write_overlay(a->overlay, &photo->rgb, labels, &palette));
	if (!a->json)
		return STATUS_OK;
	text_add(text, ", ");
	TRY(command_add_written(&command_label, a, text));
	text_add(text, "}");
	return streams_json(text);
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct tapcut_model *model;
	struct photo_file photo = {0};
	struct image labels = {0};
	struct text text;
	char output[MODEL_PATH_SIZE], model_path[MODEL_PATH_SIZE];
	if (!a->output) {
		photo_file_derive_name(a->photo, "-labels.png", output, sizeof output);
		a->output = output;
	}
	if (!model_file_load("label", a->model, &model, model_path))
		return 1;
	text_init(&text);
	enum status status = STATUS_OK;
	if (!tapcut_model_class(model, 0))
		status = status_fail(
			STATUS_CONFIG,
			"%s: expected a model that labels scenes, as the task \"labels\" trains it, found one "
			"that selects what is tapped (tapcut cut)",
			model_path);
	else
		status = label(a, model, &photo, &labels, &text);
	text_release(&text);
	image_release(&labels);
	photo_file_release(&photo);
	tapcut_model_free(model);
	return command_end("label", status);
}

const struct command command_label = {
	.name = "label",
	.summary = "say what each pixel of a photo is, and its regions",
	.usage = "PHOTO --model LABELS.tapcut [-o LABELS.png] [OPTIONS]",
	.about = "Writes the class of each pixel as a PNG with a palette, and prints the classes that are there "
		 "with their colours. A model for it is trained with \"task\": \"labels\" "
		 "(configs/labels.json). A tap of `tapcut cut PHOTO --tap X,Y --model LABELS.tapcut` selects the "
		 "region that it is on.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut label street.jpg --model runs/labels/final.tapcut -o labels.png --regions regions.json\n"
		    "tapcut label street.jpg --model runs/labels/final.tapcut --overlay look.png",
	.size = sizeof(struct arguments),
	.run = run,
};
