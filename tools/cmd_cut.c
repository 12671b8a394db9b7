/* tapcut cut: taps on a photo become a mask, a cut-out with a transparent background, or a picture to look at. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/status.h"
#include "data/image_io.h"
#include "tools/command.h"
#include "tools/cut_batch.h"
#include "tools/cutout_file.h"
#include "tools/model_file.h"
#include "tools/selection.h"
#include "tools/streams.h"

struct arguments {
	struct selection selection;
	const char *photo, *mask, *cutout, *overlay, *batch, *out_dir;
	int crop; /* pixels around the object; below 0: the whole photo */
	bool json, quiet;
};

/* --- arguments ------------------------------------------------------------ */

static const struct option_row operand_rows[] = {
	{"PHOTO", OPTION_FILE, OPTION_FIELD(photo), NULL, .help = "a JPEG, PNG or WebP"},
	{0},
};

static const struct option_row option_rows[] = {
	SELECTION_ROWS_TAPS,
	{"mask", OPTION_FILE, OPTION_FIELD(mask), "OUT.png", .help = "the mask: 255 object, 0 not", .writes = true,
	 .ends = ".png"},
	{"cutout", OPTION_FILE, OPTION_FIELD(cutout), "OUT.png", .help = "the object on a transparent background",
	 .otherwise = "PHOTO-cutout.png here", .writes = true, .ends = ".png"},
	{"crop", OPTION_WHOLE, OPTION_FIELD(crop), "N",
	 .help = "cut the cutout down to the object and N pixels around it", .max = 16384, .unit = "pixels",
	 .otherwise = "all of the photo"},
	{"overlay", OPTION_FILE, OPTION_FIELD(overlay), "OUT.png",
	 .help = "the photo with taps and selection, to look at", .writes = true, .ends = ".png"},
	{"batch", OPTION_FILE, OPTION_FIELD(batch), "LIST.json",
	 .help = "instead of PHOTO and taps: many photos, each with its taps and files, and one load of the model"},
	{"out-dir", OPTION_FOLDER, OPTION_FIELD(out_dir), "DIR",
	 .help = "where the files of --batch go whose names have no folder", .otherwise = "here"},
	SELECTION_ROWS_MODEL,
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static void init(void *arguments)
{
	struct arguments *a = arguments;
	selection_init(&a->selection);
	a->crop = -1;
}

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	if (a->batch && (a->photo || a->selection.tap_count || a->mask || a->cutout || a->overlay))
		return status_fail(STATUS_CONFIG,
				   "PHOTO, --tap, --not, --mask, --cutout and --overlay stand in the list of "
				   "--batch, not beside it");
	if (a->out_dir && !a->batch)
		return status_fail(STATUS_CONFIG, "--out-dir goes with --batch");
	if (a->batch)
		return STATUS_OK;
	if (!a->photo)
		return status_fail(STATUS_CONFIG, "PHOTO is missing");
	if (a->selection.tap_count == 0)
		return status_fail(STATUS_CONFIG, "where is the object? --tap X,Y is missing");
	return STATUS_OK;
}

/* --- pictures ------------------------------------------------------------- */

static int longest(const struct image *image)
{
	return image->width > image->height ? image->width : image->height;
}

static void blend(uint8_t *pixel, const uint8_t *colour, int percent)
{
	for (int c = 0; c < 3; c++)
		pixel[c] = (uint8_t)((pixel[c] * (100 - percent) + colour[c] * percent) / 100);
}

/* Whether the mask changes within `reach` pixels to the right or below. */
static bool on_edge(const struct image *mask, int x, int y, int reach)
{
	const uint8_t *at = mask->pixels + (size_t)y * (size_t)mask->width + (size_t)x;
	for (int k = 1; k <= reach; k++)
		if ((x + k < mask->width && at[k] != at[0]) ||
		    (y + k < mask->height && at[(size_t)k * (size_t)mask->width] != at[0]))
			return true;
	return false;
}

static void tint(struct image *picture, const struct image *mask)
{
	static const uint8_t object[] = {40, 120, 255}, dark[] = {0, 0, 0}, line[] = {255, 255, 255};
	int reach = 1 + longest(picture) / 1000;
	for (int y = 0; y < picture->height; y++)
		for (int x = 0; x < picture->width; x++) {
			size_t at = (size_t)y * (size_t)picture->width + (size_t)x;
			blend(picture->pixels + 3 * at, mask->pixels[at] ? object : dark, mask->pixels[at] ? 35 : 30);
			if (on_edge(mask, x, y, reach))
				blend(picture->pixels + 3 * at, line, 80);
		}
}

/* A dot with a white rim: green on the object, red where it is not. */
static void draw_tap(struct image *picture, const struct tap *tap)
{
	static const uint8_t green[] = {40, 200, 60}, red[] = {230, 40, 40}, white[] = {255, 255, 255};
	int outer = 4 + longest(picture) / 120, inner = outer * 2 / 3;
	for (int y = tap->y - outer; y <= tap->y + outer; y++)
		for (int x = tap->x - outer; x <= tap->x + outer; x++) {
			int d = (x - tap->x) * (x - tap->x) + (y - tap->y) * (y - tap->y);
			if (d > outer * outer || x < 0 || y < 0 || x >= picture->width || y >= picture->height)
				continue;
			memcpy(picture->pixels + 3 * ((size_t)y * (size_t)picture->width + (size_t)x),
			       d > inner * inner ? white
			       : tap->positive   ? green
						 : red,
			       3);
		}
}

static enum status make_overlay(const struct image *photo, const struct image *mask, const struct arguments *a,
				struct image *overlay)
{
	TRY(image_alloc(overlay, photo->width, photo->height, 3));
	memcpy(overlay->pixels, photo->pixels, 3 * (size_t)photo->width * (size_t)photo->height);
	tint(overlay, mask);
	for (int i = 0; i < a->selection.tap_count; i++)
		draw_tap(overlay, &a->selection.taps[i]);
	return STATUS_OK;
}

/* --- the work ------------------------------------------------------------- */

/* Writes a picture if `status` says that it was made; releases it in any case. */
static enum status write_picture(enum status status, struct image *picture, const char *path)
{
	if (status != STATUS_OK)
		return status;
	status = image_write_png(path, picture);
	image_release(picture);
	if (status == STATUS_OK)
		printf("wrote %s\n", streams_name(path));
	return status;
}

static enum status write_results(const struct arguments *a, struct photo_file *photo, const struct image *mask,
				 struct image *alpha)
{
	struct image picture;
	if (a->mask) {
		TRY(image_write_png(a->mask, mask));
		printf("wrote %s\n", streams_name(a->mask));
	}
	if (a->overlay) {
		enum status made = make_overlay(&photo->rgb, mask, a, &picture);
		TRY(write_picture(made, &picture, a->overlay));
	}
	if (a->cutout) { /* last, because it may cut the photo down */
		selection_crop(&a->selection, a->crop, photo, alpha);
		TRY(cutout_file_write(a->cutout, photo, alpha, false));
		printf("wrote %s\n", streams_name(a->cutout));
		photo_file_tell_losses(photo, true);
	}
	return STATUS_OK;
}

/* One photo, and where `json` is not NULL what --json says of it. */
static enum status cut(const struct tapcut_model *model, struct arguments *a, struct text *json)
{
	struct photo_file photo;
	struct image mask = {0}, alpha = {0};
	enum status status = photo_file_read(a->photo, &photo);
	int width = photo.rgb.width, height = photo.rgb.height;
	if (status == STATUS_OK)
		status = selection_run(&a->selection, model, &photo.rgb, &mask, &alpha);
	if (status == STATUS_OK)
		status = write_results(a, &photo, &mask, &alpha);
	if (status == STATUS_OK && json) {
		text_add(json, "\"width\": %d, \"height\": %d, ", width, height);
		selection_add_json(&a->selection, json);
		text_add(json, ", ");
		status = command_add_written(&command_cut, a, json);
	}
	photo_file_release(&photo);
	image_release(&mask);
	image_release(&alpha);
	return status;
}

static void begin_json(const char *photo, struct text *text)
{
	text_add(text, "{\"photo\": ");
	text_add_json_string(text, photo);
	text_add(text, ", ");
}

static enum status cut_one(const struct tapcut_model *model, struct arguments *a)
{
	struct text text;
	text_init(&text);
	begin_json(a->photo, &text);
	enum status status = cut(model, a, a->json ? &text : NULL);
	text_add(&text, "}");
	if (status == STATUS_OK && a->json)
		status = streams_json(&text);
	text_release(&text);
	return status ? status : selection_check_found(&a->selection);
}

/* --- many photos ---------------------------------------------------------- */

/* What `tapcut cut` would be told for that photo alone. */
static struct arguments arguments_of(const struct arguments *a, const struct cut_item *item)
{
	struct arguments one = *a;
	one.photo = item->photo;
	one.mask = item->mask;
	one.cutout = item->cutout;
	one.overlay = item->overlay;
	one.crop = item->crop;
	memcpy(one.selection.taps, item->taps, sizeof item->taps);
	one.selection.tap_count = item->tap_count;
	return one;
}

/* Each photo by itself: one that fails is told, and the others are done. */
static enum status cut_all(const struct tapcut_model *model, const struct arguments *a, const struct cut_batch *batch,
			   struct text *json)
{
	int failed = 0;
	for (int i = 0; i < batch->count; i++) {
		struct arguments one = arguments_of(a, &batch->items[i]);
		text_add(json, "%s", i ? ", " : "");
		begin_json(one.photo, json);
		size_t begin = json->length;
		printf("%d of %d: %s\n", i + 1, batch->count, one.photo);
		enum status status = cut(model, &one, a->json ? json : NULL);
		if (status)
			json->length = begin; /* what it said before it failed may be half of something */
		else
			status = selection_check_found(&one.selection);
		if (status) {
			failed++;
			fprintf(stderr, "tapcut cut: %s: %s\n", one.photo, status_message());
			text_add(json, "%s\"error\": ", json->length > begin ? ", " : "");
			text_add_json_string(json, status_message());
		}
		text_add(json, "}");
	}
	return failed ? status_fail(STATUS_CONFIG, "%s: %d of %d photos failed", streams_name(a->batch), failed,
				    batch->count)
		      : STATUS_OK;
}

static enum status cut_list(const struct tapcut_model *model, const struct arguments *a)
{
	struct cut_batch batch;
	struct text text;
	text_init(&text);
	enum status status = cut_batch_read(a->batch, a->out_dir, a->crop, &batch), printed = STATUS_OK;
	if (status == STATUS_OK) {
		text_add(&text, "{\"photos\": [");
		status = cut_all(model, a, &batch, &text);
		char message[512];
		snprintf(message, sizeof message, "%s", status_message());
		text_add(&text, "]}");
		printed = a->json ? streams_json(&text) : STATUS_OK;
		status = status && !printed ? status_fail(status, "%s", message) : status;
	}
	cut_batch_free(&batch);
	text_release(&text);
	return printed ? printed : status;
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct tapcut_model *model;
	char path[MODEL_PATH_SIZE], model_path[MODEL_PATH_SIZE];
	if (!a->batch && !a->mask && !a->cutout) {
		photo_file_derive_name(a->photo, "-cutout.png", path, sizeof path);
		a->cutout = path;
	}
	if (!model_file_load("cut", a->selection.model, &model, model_path))
		return 1;
	enum status status = a->batch ? cut_list(model, a) : cut_one(model, a);
	tapcut_model_free(model);
	return command_end("cut", status);
}

const struct command command_cut = {
	.name = "cut",
	.summary = "cut an object out of a photo with a tap",
	.usage = "PHOTO --tap X,Y [OPTIONS]\n--batch LIST.json [--out-dir DIR] [OPTIONS]",
	.about = "Selects the object at the tap. X,Y are pixels of the photo as it is displayed, from the top left "
		 "corner.",
	.notes = "The list of --batch: [{\"photo\": \"a.jpg\", \"taps\": [[320, 200], [40, 50, \"not\"]], "
		 "\"cutout\": \"a.png\", \"mask\": \"m.png\", \"overlay\": \"o.png\", \"crop\": 10}, ...]; photo and "
		 "taps are needed. A photo that fails is told, the others are done, and the exit code is 1.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut cut dog.jpg --tap 320,200 --cutout dog.png --overlay dog-overlay.png\n"
		    "tapcut cut --batch photos.json --out-dir cutouts --json",
	.size = sizeof(struct arguments),
	.init = init,
	.check = check,
	.run = run,
};
