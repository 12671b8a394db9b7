/* tapcut edit: filters, lens blur and another background through the mask that taps select; the mask itself as a
 * file. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "data/image_io.h"
#include "data/mask_export.h"
#include "infer/tapcut_edit.h"
#include "tools/command.h"
#include "tools/cutout_file.h"
#include "tools/model_file.h"
#include "tools/number.h"
#include "tools/selection.h"
#include "tools/streams.h"

enum { MAX_EDITS = 32 };

struct arguments {
	struct selection selection;
	const char *photo, *out, *mask_in, *mask, *alpha, *rle, *polygon;
	struct tapcut_edit edits[MAX_EDITS];
	const char *pictures[MAX_EDITS]; /* of a background */
	bool percent[MAX_EDITS];         /* the amount is one of the long side */
	int edit_count;
	bool transparent, premultiplied;
	int crop;    /* pixels around the object; below 0: the whole photo */
	int quality; /* of a JPEG */
	double simplify;
	double ms[MAX_EDITS]; /* what each edit took */
	bool list, json, quiet;
};

/* --- arguments ------------------------------------------------------------ */

/* NULL after a status where there are too many. */
static struct tapcut_edit *add_edit(struct arguments *a, const char *filter)
{
	if (a->edit_count == MAX_EDITS) {
		status_fail(STATUS_CONFIG, "expected at most %d edits", MAX_EDITS);
		return NULL;
	}
	struct tapcut_edit *edit = &a->edits[a->edit_count++];
	tapcut_edit_init(edit, tapcut_filter_find(filter));
	return edit;
}

/* A number up to one of `after` (or the end): *text moves behind it. */
static bool read_number(const char **text, float *value, const char *after)
{
	double number;
	if (!number_real(text, &number) || (**text && !strchr(after, **text)))
		return false;
	*value = (float)number;
	return true;
}

/* blur=N[%][,depth=D], or N alone. */
static enum status take_focus(void *field, const struct option_row *row, const char *text)
{
	static const char expected[] = "blur=PIXELS, blur=N% or blur=N,depth=D";
	struct arguments *a = field;
	const char *rest = strncmp(text, "blur=", 5) ? text : text + 5;
	struct tapcut_edit *edit = add_edit(a, "focus");
	(void)row;
	if (!edit)
		return STATUS_CONFIG;
	if (!read_number(&rest, &edit->amount, ",%"))
		return option_expected(text, "%s", expected);
	a->percent[a->edit_count - 1] = *rest == '%';
	rest += *rest == '%';
	if (!strncmp(rest, ",depth=", 7)) {
		rest += 7;
		if (!read_number(&rest, &edit->depth, "") || !(edit->depth >= 0 && edit->depth <= 1))
			return option_expected(text, "a depth from 0 to 1");
	}
	if (*rest)
		return option_expected(text, "%s", expected);
	float most = a->percent[a->edit_count - 1] ? 100 : tapcut_filter(edit->filter)->max;
	if (!(edit->amount >= 0 && edit->amount <= most))
		return option_expected(text, "a radius from 0 to 400 pixels or 100%%");
	return STATUS_OK;
}

static enum status take_filter(void *field, const struct option_row *row, const char *text)
{
	char name[64];
	size_t length = strcspn(text, "=");
	(void)row;
	snprintf(name, sizeof name, "%.*s", (int)length, text);
	int filter = tapcut_filter_find(name);
	if (filter < 0)
		return option_expected(name, "one of those that --list shows");
	struct tapcut_edit *edit = add_edit(field, name);
	if (!edit || !text[length])
		return edit ? STATUS_OK : STATUS_CONFIG;
	const struct tapcut_filter *shown = tapcut_filter(filter);
	const char *rest = text + length + 1;
	if (!read_number(&rest, &edit->amount, "") || !(edit->amount >= shown->min && edit->amount <= shown->max))
		return option_expected(text, "an amount from %g to %g", (double)shown->min, (double)shown->max);
	return STATUS_OK;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* #rrggbb, followed by one of `after` or the end. */
static bool read_colour(const char **text, uint8_t colour[3], const char *after)
{
	const char *at = *text;
	if (*at++ != '#')
		return false;
	for (int c = 0; c < 3; c++, at += 2) {
		int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);
		if (low < 0)
			return false;
		colour[c] = (uint8_t)(16 * high + low);
	}
	*text = at;
	return !*at || strchr(after, *at);
}

static enum status take_background(void *field, const struct option_row *row, const char *text)
{
	static const struct {
		const char *name;
		uint8_t level;
	} named[] = {{"gray", 128}, {"grey", 128}, {"white", 255}, {"black", 0}};
	struct arguments *a = field;
	(void)row;
	if (!strcmp(text, "transparent")) {
		a->transparent = true;
		return STATUS_OK;
	}
	struct tapcut_edit *edit = add_edit(a, "background");
	if (!edit)
		return STATUS_CONFIG;
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (!strcmp(text, named[i].name)) {
			memset(edit->colours, named[i].level, sizeof edit->colours);
			return STATUS_OK;
		}
	const char *rest = text;
	if (*text == '#')
		return read_colour(&rest, edit->colours[0], "") ? STATUS_OK
								: option_expected(text, "a colour such as #3060c0");
	a->pictures[a->edit_count - 1] = text;
	return STATUS_OK;
}

static const char *const where_names[] = {"everywhere", "inside", "outside", NULL}; /* as enum tapcut_where */

static enum status take_where(void *field, const struct option_row *row, const char *text)
{
	struct arguments *a = field;
	(void)row;
	int where = 0;
	while (where_names[where] && strcmp(text, where_names[where]) != 0)
		where++;
	if (!where_names[where])
		return option_expected(text, "everywhere, inside or outside");
	if (a->edit_count == 0)
		return status_fail(STATUS_CONFIG, "stands after the edit that it is about");
	a->edits[a->edit_count - 1].where = (enum tapcut_where)where;
	return STATUS_OK;
}

static enum status take_colours(void *field, const struct option_row *row, const char *text)
{
	struct arguments *a = field;
	const char *rest = text;
	(void)row;
	if (a->edit_count == 0 || a->edits[a->edit_count - 1].filter != tapcut_filter_find("duotone"))
		return status_fail(STATUS_CONFIG, "stands after --filter duotone");
	struct tapcut_edit *edit = &a->edits[a->edit_count - 1];
	if (read_colour(&rest, edit->colours[0], ",") && *rest++ == ',' && read_colour(&rest, edit->colours[1], ""))
		return STATUS_OK;
	return option_expected(text, "two colours such as #101060,#ffd8a0");
}

static const struct option_row operand_rows[] = {
	{"PHOTO", OPTION_FILE, OPTION_FIELD(photo), NULL, .help = "a JPEG, PNG or WebP", .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	SELECTION_ROWS_TAPS,
	{"mask-in", OPTION_FILE, OPTION_FIELD(mask_in), "FILE",
	 .help = "instead of taps: a mask as --mask or --alpha write it"},
	SELECTION_ROWS_MODEL,
	{"edits", .type = OPTION_HEADING},
	{"focus", OPTION_CALL, 0, 0, "blur=N[,depth=D]",
	 .help = "lens blur of the background: the radius in pixels, or N% of the long side; depth 0 to 1: less of it "
		 "on the ground around the object's feet (default: 0.7)",
	 .take = take_focus, .many = true},
	{"filter", OPTION_CALL, 0, 0, "NAME[=A]", .help = "one of --list, A is its amount", .take = take_filter,
	 .many = true},
	{"background", OPTION_CALL, 0, 0, "B",
	 .help = "gray, white, black, transparent, #rrggbb, or a picture's file name", .take = take_background,
	 .many = true},
	{"where", OPTION_CALL, 0, 0, "W", .help = "where the edit before it works", .names = where_names,
	 .otherwise = "as --list says", .take = take_where, .many = true},
	{"colours", OPTION_CALL, 0, 0, "#A,#B", .help = "dark and light colour of the duotone before it",
	 .take = take_colours, .many = true},
	{"list", OPTION_FLAG, OPTION_FIELD(list), NULL, .help = "all filters, with the ranges of their amounts",
	 .alone = true},
	{"what is written", .type = OPTION_HEADING},
	{"output", OPTION_FILE, OPTION_FIELD(out), "OUT", .letter = 'o', .help = ".png or .jpg",
	 .otherwise = "PHOTO-edited.png here, .jpg for a JPEG", .ends = ".png .jpg .jpeg", .writes = true},
	{"crop", OPTION_WHOLE, OPTION_FIELD(crop), "N", .help = "cut OUT down to the object and N pixels around it",
	 .max = 16384, .unit = "pixels", .otherwise = "all of the photo"},
	{"quality", OPTION_WHOLE, OPTION_FIELD(quality), "N", .help = "of a JPEG, as libjpeg counts it", .min = 1,
	 .max = 100, .standard = "95"},
	{"premultiplied", OPTION_FLAG, OPTION_FIELD(premultiplied), NULL,
	 .help = "transparent: colours multiplied by alpha, as compositors want them"},
	{"mask", OPTION_FILE, OPTION_FIELD(mask), "OUT.png", .help = "the mask: 255 object, 0 not", .writes = true,
	 .ends = ".png"},
	{"alpha", OPTION_FILE, OPTION_FIELD(alpha), "OUT.png", .help = "the same with its soft edge", .writes = true,
	 .ends = ".png"},
	{"rle", OPTION_FILE, OPTION_FIELD(rle), "OUT.json", .help = "the mask as COCO's compressed RLE",
	 .writes = true},
	{"polygon", OPTION_FILE, OPTION_FIELD(polygon), "OUT.json", .help = "the mask's outline as COCO polygons",
	 .writes = true},
	{"simplify", OPTION_REAL, OPTION_FIELD(simplify), "N", .help = "by how much the outline may miss; 0: exact",
	 .max = 1000, .unit = "pixels", .standard = "1"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static bool ends_with(const char *path, const char *ending)
{
	size_t length = strlen(path), end = strlen(ending);
	return length > end && !strcasecmp(path + length - end, ending);
}

static bool is_jpeg(const char *path)
{
	return ends_with(path, ".jpg") || ends_with(path, ".jpeg");
}

static void init(void *arguments)
{
	struct arguments *a = arguments;
	selection_init(&a->selection);
	a->crop = -1;
}

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	bool edits = a->edit_count > 0 || a->transparent;
	if (a->selection.tap_count == 0 && !a->mask_in)
		return status_fail(STATUS_CONFIG, "where is the object? --tap X,Y is missing");
	if (a->selection.tap_count > 0 && a->mask_in)
		return status_fail(STATUS_CONFIG, "either taps or --mask-in");
	if (a->out && !is_jpeg(a->out) && !ends_with(a->out, ".png"))
		return option_wrong("output", a->out, "a name that ends with .png or .jpg");
	if (a->out && is_jpeg(a->out) && a->transparent)
		return option_wrong("output", a->out, "a name that ends with .png, because JPEG has no transparency");
	if (a->premultiplied && !a->transparent)
		return status_fail(STATUS_CONFIG, "--premultiplied goes with --background transparent");
	if (!edits && !a->out && !a->mask && !a->alpha && !a->rle && !a->polygon)
		return status_fail(STATUS_CONFIG,
				   "nothing to do: give an edit (--focus, --filter, --background) or a file "
				   "for the mask (--mask, --alpha, --rle, --polygon)");
	return STATUS_OK;
}

static void print_list(void)
{
	printf("%-16s %-10s %-8s %-11s\n", "name", "range", "default", "where");
	for (int i = 0; i < tapcut_filter_count(); i++) {
		const struct tapcut_filter *filter = tapcut_filter(i);
		char range[32];
		snprintf(range, sizeof range, "%g to %g", (double)filter->min, (double)filter->max);
		printf("%-16s %-10s %-8g %-11s %s\n", filter->name, range, (double)filter->initial,
		       where_names[filter->where], filter->help);
	}
}

/* --- the mask ------------------------------------------------------------- */

static enum status read_mask(const struct arguments *a, const struct image *photo, struct image *mask,
			     struct image *alpha, struct image_box *box)
{
	TRY(image_read_mask(a->mask_in, alpha));
	if (alpha->width != photo->width || alpha->height != photo->height)
		return status_fail(STATUS_CONFIG, "%s: the mask has %d x %d pixels, the photo %d x %d", a->mask_in,
				   alpha->width, alpha->height, photo->width, photo->height);
	TRY(image_alloc(mask, photo->width, photo->height, 1));
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	for (size_t i = 0; i < pixels; i++)
		mask->pixels[i] = alpha->pixels[i] > 127 ? 255 : 0;
	*box = image_box(mask);
	return STATUS_OK;
}

static enum status find_mask(struct arguments *a, const struct tapcut_model *model, const struct image *photo,
			     struct image *mask, struct image *alpha)
{
	*mask = *alpha = (struct image){0};
	return a->mask_in ? read_mask(a, photo, mask, alpha, &a->selection.box)
			  : selection_run(&a->selection, model, photo, mask, alpha);
}

static enum status wrote(const char *path, enum status status)
{
	if (status == STATUS_OK)
		printf("wrote %s\n", streams_name(path));
	return status;
}

static enum status write_masks(const struct arguments *a, const struct image *mask, const struct image *alpha)
{
	if (a->mask)
		TRY(wrote(a->mask, image_write_png(a->mask, mask)));
	if (a->alpha)
		TRY(wrote(a->alpha, image_write_png(a->alpha, alpha)));
	if (a->rle)
		TRY(wrote(a->rle, mask_write_rle(a->rle, mask)));
	if (a->polygon)
		TRY(wrote(a->polygon, mask_write_polygons(a->polygon, mask, a->simplify)));
	return STATUS_OK;
}

/* --- the photo ------------------------------------------------------------ */

/* One edit after the other, each with its time. A background's picture is in memory only while it is needed. */
static enum status edit_photo(struct arguments *a, const struct image *photo, const struct image *alpha)
{
	const struct image_read_options read = {.channels = 3, .exif = EXIF_APPLY};
	struct tapcut_photo canvas = {photo->pixels, 3 * (size_t)photo->width,
				      alpha->pixels, (size_t)photo->width,
				      photo->width,  photo->height};
	char message[TAPCUT_MESSAGE_SIZE];
	for (int i = 0; i < a->edit_count; i++) {
		struct tapcut_edit *edit = &a->edits[i];
		struct image picture = {0};
		if (a->percent[i]) {
			float radius = edit->amount / 100 *
				       (float)(photo->width > photo->height ? photo->width : photo->height);
			float most = tapcut_filter(edit->filter)->max;
			edit->amount = radius < most ? radius : most;
		}
		if (a->pictures[i]) {
			TRY(image_read(a->pictures[i], &read, &picture));
			edit->picture.rgb = picture.pixels;
			edit->picture.width = picture.width;
			edit->picture.height = picture.height;
			edit->picture.stride = 3 * (size_t)picture.width;
		}
		double start = clock_seconds();
		enum tapcut_status done = tapcut_edit_apply(edit, 1, &canvas, NULL, message);
		image_release(&picture);
		if (done != TAPCUT_OK)
			return status_fail(done == TAPCUT_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_CONFIG, "%s", message);
		a->ms[i] = 1e3 * (clock_seconds() - start);
		printf("%s %g: %.0f ms\n", tapcut_filter(edit->filter)->name, (double)edit->amount, a->ms[i]);
	}
	return STATUS_OK;
}

/* Whether what the photo lets through stays so: a PNG, and no edit that puts something behind the object. */
static bool keeps_alpha(const struct arguments *a)
{
	for (int i = 0; i < a->edit_count; i++)
		if (a->edits[i].filter == tapcut_filter_find("background"))
			return false;
	return !is_jpeg(a->out);
}

static enum status write_with_alpha(const struct arguments *a, const struct photo_file *photo)
{
	struct image rgba;
	TRY(image_alloc(&rgba, photo->alpha.width, photo->alpha.height, 4));
	size_t count = (size_t)rgba.width * (size_t)rgba.height;
	for (size_t i = 0; i < count; i++) {
		memcpy(rgba.pixels + 4 * i, photo->straight.pixels + 3 * i, 3);
		rgba.pixels[4 * i + 3] = photo->alpha.pixels[i];
	}
	enum status status = image_write_png_with(a->out, &rgba, &photo->metadata);
	image_release(&rgba);
	return status;
}

static enum status write_photo(const struct arguments *a, const struct photo_file *photo, const struct image *alpha)
{
	if (a->transparent)
		return cutout_file_write(a->out, photo, alpha, a->premultiplied);
	if (photo->alpha.pixels && keeps_alpha(a))
		return write_with_alpha(a, photo);
	return is_jpeg(a->out) ? image_write_jpeg(a->out, &photo->rgb, a->quality, &photo->metadata)
			       : image_write_png_with(a->out, &photo->rgb, &photo->metadata);
}

/* Edits the colours that are written, and writes them. */
static enum status make_output(struct arguments *a, struct photo_file *photo, struct image *alpha)
{
	bool alone = photo->alpha.pixels && (a->transparent || keeps_alpha(a));
	photo_file_tell_losses(photo, alone);
	TRY(edit_photo(a, alone ? &photo->straight : &photo->rgb, alpha));
	selection_crop(&a->selection, a->crop, photo, alpha);
	return wrote(a->out, write_photo(a, photo, alpha));
}

static enum status print_json(struct arguments *a, int width, int height)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"photo\": ");
	text_add_json_string(&text, a->photo);
	text_add(&text, ", \"width\": %d, \"height\": %d, ", width, height);
	selection_add_json(&a->selection, &text);
	text_add(&text, ", \"edits\": [");
	for (int i = 0; i < a->edit_count; i++) {
		text_add(&text, "%s{\"filter\": \"%s\", \"amount\": ", i ? ", " : "",
			 tapcut_filter(a->edits[i].filter)->name);
		text_add_float(&text, a->edits[i].amount);
		text_add(&text, ", \"ms\": %.3f}", a->ms[i]);
	}
	text_add(&text, "], ");
	enum status status = command_add_written(&command_edit, a, &text);
	text_add(&text, "}");
	if (status == STATUS_OK)
		return streams_json(&text);
	text_release(&text);
	return status;
}

static enum status edit(struct arguments *a, const struct tapcut_model *model)
{
	struct photo_file photo;
	struct image mask = {0}, alpha = {0};
	enum status status = photo_file_read(a->photo, &photo);
	int width = photo.rgb.width, height = photo.rgb.height;
	if (status == STATUS_OK)
		status = find_mask(a, model, &photo.rgb, &mask, &alpha);
	if (status == STATUS_OK)
		status = write_masks(a, &mask, &alpha);
	image_release(&mask);
	if (status == STATUS_OK && a->out)
		status = make_output(a, &photo, &alpha);
	if (status == STATUS_OK && a->json)
		status = print_json(a, width, height);
	if (status == STATUS_OK)
		status = selection_check_found(&a->selection);
	photo_file_release(&photo);
	image_release(&alpha);
	return status;
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct tapcut_model *model = NULL;
	char path[MODEL_PATH_SIZE], model_path[MODEL_PATH_SIZE];
	if (a->list) {
		print_list();
		return 0;
	}
	if (!a->out && (a->edit_count > 0 || a->transparent)) {
		const char *slash = strrchr(a->photo, '/');
		bool jpeg = is_jpeg(slash ? slash + 1 : a->photo) && !a->transparent;
		photo_file_derive_name(a->photo, jpeg ? "-edited.jpg" : "-edited.png", path, sizeof path);
		a->out = path;
	}
	if (!a->mask_in && !model_file_load("edit", a->selection.model, &model, model_path))
		return 1;
	enum status status = edit(a, model);
	tapcut_model_free(model);
	return command_end("edit", status);
}

const struct command command_edit = {
	.name = "edit",
	.summary = "filters, lens blur and another background through the mask of a tap",
	.usage = "PHOTO --tap X,Y [OPTIONS] [EDITS] [-o OUT]\n--list",
	.about = "Selects the object at the tap and edits the photo through its mask, in the order in which the edits "
		 "stand.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut edit dog.jpg --tap 320,200 --focus blur=12 -o focus.jpg\n"
		    "tapcut edit dog.jpg --tap 320,200 --filter colour_pop --filter exposure=0.2 -o pop.jpg\n"
		    "tapcut edit dog.jpg --tap 320,200 --background transparent -o dog.png --polygon dog.json",
	.size = sizeof(struct arguments),
	.init = init,
	.check = check,
	.run = run,
};
