/* tapcut edit: filters, lens blur and another background through the mask that taps select; the mask itself as a
 * file. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "data/image_io.h"
#include "data/mask_export.h"
#include "infer/tapcut_edit.h"
#include "tools/command.h"
#include "tools/cutout_file.h"
#include "tools/model_file.h"
#include "tools/selection.h"

enum { MAX_EDITS = 32, QUALITY = 95 };

static void print_usage(FILE *out)
{
	fputs("usage: tapcut edit PHOTO --tap X,Y [OPTIONS] [EDITS] [-o OUT]\n"
	      "\n"
	      "Selects the object at the tap and edits the photo through its mask, in the order in which the edits "
	      "stand.\n"
	      "\n" SELECTION_HELP_TAPS "  --mask-in FILE      instead of taps: a mask as --mask or --alpha write it\n"
	      "\n"
	      "edits:\n"
	      "  --focus blur=N[,depth=D]\n"
	      "                      lens blur of the background: the radius in pixels, or N% of the long side;\n"
	      "                      depth 0 to 1: less of it on the ground around the object's feet (default: 0.7)\n"
	      "  --filter NAME[=A]   one of --list, A is its amount\n"
	      "  --background B      gray, white, black, transparent, #rrggbb, or a picture's file name\n"
	      "  --where W           inside, outside or everywhere: where the edit before it works (default: --list)\n"
	      "  --colours #A,#B     dark and light colour of the duotone before it\n"
	      "  --list              all filters, with the ranges of their amounts\n"
	      "\n"
	      "what is written:\n"
	      "  -o OUT              .png or .jpg (default: PHOTO-edited.png here, .jpg for a JPEG)\n"
	      "  --premultiplied     transparent: colours multiplied by alpha, as compositors want them\n"
	      "  --mask OUT.png      the mask: 255 object, 0 not\n"
	      "  --alpha OUT.png     the same with its soft edge\n"
	      "  --rle OUT.json      the mask as COCO's compressed RLE\n"
	      "  --polygon OUT.json  the mask's outline as COCO polygons\n"
	      "  --simplify N        pixels by which the outline may miss (default: 1; 0: exact)\n" SELECTION_HELP_MODEL
	      "\n"
	      "examples: tapcut edit dog.jpg --tap 320,200 --focus blur=12 -o focus.jpg\n"
	      "          tapcut edit dog.jpg --tap 320,200 --filter colour_pop --filter exposure=0.2 -o pop.jpg\n"
	      "          tapcut edit dog.jpg --tap 320,200 --background transparent -o dog.png --polygon dog.json\n",
	      out);
}

struct arguments {
	struct selection selection;
	const char *photo, *out, *mask_in, *mask, *alpha, *rle, *polygon;
	struct tapcut_edit edits[MAX_EDITS];
	const char *pictures[MAX_EDITS]; /* of a background */
	bool percent[MAX_EDITS];         /* the amount is one of the long side */
	int edit_count;
	bool transparent, premultiplied;
	double simplify;
	bool list, help;
};

/* --- arguments ------------------------------------------------------------ */

enum {
	OPT_MASK_IN = SELECTION_OPTION_END,
	OPT_FOCUS,
	OPT_FILTER,
	OPT_BACKGROUND,
	OPT_WHERE,
	OPT_COLOURS,
	OPT_LIST,
	OPT_PREMULTIPLIED,
	OPT_MASK,
	OPT_ALPHA,
	OPT_RLE,
	OPT_POLYGON,
	OPT_SIMPLIFY,
	OPT_HELP
};

static const struct option long_options[] = {
	SELECTION_OPTIONS,
	{"mask-in", required_argument, NULL, OPT_MASK_IN},
	{"focus", required_argument, NULL, OPT_FOCUS},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"background", required_argument, NULL, OPT_BACKGROUND},
	{"where", required_argument, NULL, OPT_WHERE},
	{"colours", required_argument, NULL, OPT_COLOURS},
	{"list", no_argument, NULL, OPT_LIST},
	{"premultiplied", no_argument, NULL, OPT_PREMULTIPLIED},
	{"mask", required_argument, NULL, OPT_MASK},
	{"alpha", required_argument, NULL, OPT_ALPHA},
	{"rle", required_argument, NULL, OPT_RLE},
	{"polygon", required_argument, NULL, OPT_POLYGON},
	{"simplify", required_argument, NULL, OPT_SIMPLIFY},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool wrong(const char *option, const char *expected, const char *found)
{
	fprintf(stderr, "tapcut edit: %s: expected %s, found \"%s\"\n", option, expected, found);
	return false;
}

static bool wrong_usage(const char *message)
{
	fprintf(stderr, "tapcut edit: %s\n", message);
	return false;
}

static struct tapcut_edit *add_edit(struct arguments *a, const char *filter)
{
	if (a->edit_count == MAX_EDITS) {
		wrong_usage("too many edits");
		return NULL;
	}
	struct tapcut_edit *edit = &a->edits[a->edit_count++];
	tapcut_edit_init(edit, tapcut_filter_find(filter));
	return edit;
}

/* A number up to `after` (or the end): *text moves behind it. */
static bool read_number(const char **text, float *value, const char *after)
{
	char *end;
	errno = 0;
	*value = strtof(*text, &end);
	if (errno || end == *text || (*end && !strchr(after, *end)))
		return false;
	*text = end;
	return true;
}

/* blur=N[%][,depth=D], or N alone. */
static bool add_focus(struct arguments *a, const char *text)
{
	static const char expected[] = "blur=PIXELS, blur=N% or blur=N,depth=D";
	const char *rest = strncmp(text, "blur=", 5) ? text : text + 5;
	struct tapcut_edit *edit = add_edit(a, "focus");
	if (!edit)
		return false;
	if (!read_number(&rest, &edit->amount, ",%"))
		return wrong("--focus", expected, text);
	a->percent[a->edit_count - 1] = *rest == '%';
	rest += *rest == '%';
	if (!strncmp(rest, ",depth=", 7)) {
		rest += 7;
		if (!read_number(&rest, &edit->depth, "") || !(edit->depth >= 0 && edit->depth <= 1))
			return wrong("--focus", "a depth of 0 to 1", text);
	}
	if (*rest)
		return wrong("--focus", expected, text);
	float most = a->percent[a->edit_count - 1] ? 100 : tapcut_filter(edit->filter)->max;
	return (edit->amount >= 0 && edit->amount <= most) || wrong("--focus", "a radius of 0 to 400 pixels", text);
}

static bool add_filter(struct arguments *a, const char *text)
{
	char name[64], range[64];
	size_t length = strcspn(text, "=");
	snprintf(name, sizeof name, "%.*s", (int)length, text);
	int filter = tapcut_filter_find(name);
	if (filter < 0)
		return wrong("--filter", "one of those that --list shows", name);
	struct tapcut_edit *edit = add_edit(a, name);
	if (!edit || !text[length])
		return edit;
	const struct tapcut_filter *shown = tapcut_filter(filter);
	const char *rest = text + length + 1;
	snprintf(range, sizeof range, "an amount of %g to %g", (double)shown->min, (double)shown->max);
	return (read_number(&rest, &edit->amount, "") && edit->amount >= shown->min && edit->amount <= shown->max) ||
	       wrong("--filter", range, text);
}

/* #rrggbb, followed by one of `after` or the end. */
static bool read_colour(const char **text, uint8_t colour[3], const char *after)
{
	unsigned rgb[3];
	int length = 0;
	if (strspn(*text + (**text == '#'), "0123456789abcdefABCDEF") != 6 ||
	    sscanf(*text, "#%2x%2x%2x%n", &rgb[0], &rgb[1], &rgb[2], &length) != 3 || length != 7 ||
	    ((*text)[7] && !strchr(after, (*text)[7])))
		return false;
	for (int c = 0; c < 3; c++)
		colour[c] = (uint8_t)rgb[c];
	*text += 7;
	return true;
}

static bool add_background(struct arguments *a, const char *text)
{
	static const struct {
		const char *name;
		uint8_t level;
	} named[] = {{"gray", 128}, {"grey", 128}, {"white", 255}, {"black", 0}};
	if (!strcmp(text, "transparent")) {
		a->transparent = true;
		return true;
	}
	struct tapcut_edit *edit = add_edit(a, "background");
	if (!edit)
		return false;
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (!strcmp(text, named[i].name)) {
			memset(edit->colours, named[i].level, sizeof edit->colours);
			return true;
		}
	const char *rest = text;
	if (*text == '#')
		return read_colour(&rest, edit->colours[0], "") ||
		       wrong("--background", "a colour such as #3060c0", text);
	a->pictures[a->edit_count - 1] = text;
	return true;
}

static bool set_where(struct arguments *a, const char *text)
{
	static const char *const names[] = {"everywhere", "inside", "outside"};
	if (a->edit_count == 0)
		return wrong_usage("--where: stands after the edit that it is about");
	for (int i = 0; i < 3; i++)
		if (!strcmp(text, names[i])) {
			a->edits[a->edit_count - 1].where = (enum tapcut_where)i;
			return true;
		}
	return wrong("--where", "inside, outside or everywhere", text);
}

static bool set_colours(struct arguments *a, const char *text)
{
	const char *rest = text;
	if (a->edit_count == 0 || a->edits[a->edit_count - 1].filter != tapcut_filter_find("duotone"))
		return wrong_usage("--colours: stands after --filter duotone");
	struct tapcut_edit *edit = &a->edits[a->edit_count - 1];
	return (read_colour(&rest, edit->colours[0], ",") && *rest++ == ',' &&
		read_colour(&rest, edit->colours[1], "")) ||
	       wrong("--colours", "two colours such as #101060,#ffd8a0", text);
}

static bool set_simplify(struct arguments *a, const char *text)
{
	const char *rest = text;
	float pixels;
	if (!read_number(&rest, &pixels, "") || !(pixels >= 0 && pixels <= 1000))
		return wrong("--simplify", "0 to 1000 pixels", text);
	a->simplify = pixels;
	return true;
}

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case OPT_MASK_IN: a->mask_in = optarg; return true;
	case OPT_FOCUS: return add_focus(a, optarg);
	case OPT_FILTER: return add_filter(a, optarg);
	case OPT_BACKGROUND: return add_background(a, optarg);
	case OPT_WHERE: return set_where(a, optarg);
	case OPT_COLOURS: return set_colours(a, optarg);
	case OPT_LIST: a->list = true; return true;
	case OPT_PREMULTIPLIED: a->premultiplied = true; return true;
	case OPT_MASK: a->mask = optarg; return true;
	case OPT_ALPHA: a->alpha = optarg; return true;
	case OPT_RLE: a->rle = optarg; return true;
	case OPT_POLYGON: a->polygon = optarg; return true;
	case OPT_SIMPLIFY: return set_simplify(a, optarg);
	case 'o': a->out = optarg; return true;
	case OPT_HELP: a->help = true; return true;
	default: return selection_take(&a->selection, option, optarg);
	}
}

static bool ends_with(const char *path, const char *ending)
{
	size_t length = strlen(path), end = strlen(ending);
	return length > end && !strcasecmp(path + length - end, ending);
}

static bool is_jpeg(const char *path)
{
	return ends_with(path, ".jpg") || ends_with(path, ".jpeg");
}

static bool check_arguments(const struct arguments *a)
{
	bool edits = a->edit_count > 0 || a->transparent;
	if (a->selection.tap_count == 0 && !a->mask_in)
		return wrong_usage("where is the object? --tap X,Y is missing");
	if (a->selection.tap_count > 0 && a->mask_in)
		return wrong_usage("either taps or --mask-in");
	if (a->out && !is_jpeg(a->out) && !ends_with(a->out, ".png"))
		return wrong("-o", "a name that ends with .png or .jpg", a->out);
	if (a->out && is_jpeg(a->out) && a->transparent)
		return wrong("-o", "a name that ends with .png, JPEG has no transparency", a->out);
	if (a->premultiplied && !a->transparent)
		return wrong_usage("--premultiplied: goes with --background transparent");
	if (!edits && !a->out && !a->mask && !a->alpha && !a->rle && !a->polygon)
		return wrong_usage("nothing to do: give an edit (--focus, --filter, --background) or a file for the "
				   "mask (--mask, --alpha, "
				   "--rle, --polygon)");
	return true;
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){.simplify = 1};
	selection_init(&a->selection, "edit");
	optind = 1;
	for (int option; (option = getopt_long(argc, argv, "o:", long_options, NULL)) != -1;)
		if (!parse_option(option, a))
			return false;
	if (a->help || a->list)
		return true;
	if (optind != argc - 1)
		return wrong_usage("expected one photo");
	a->photo = argv[optind];
	return check_arguments(a);
}

static void print_list(void)
{
	static const char *const where[] = {"everywhere", "inside", "outside"};
	printf("%-16s %-10s %-8s %-11s\n", "name", "range", "default", "where");
	for (int i = 0; i < tapcut_filter_count(); i++) {
		const struct tapcut_filter *filter = tapcut_filter(i);
		char range[32];
		snprintf(range, sizeof range, "%g to %g", (double)filter->min, (double)filter->max);
		printf("%-16s %-10s %-8g %-11s %s\n", filter->name, range, (double)filter->initial,
		       where[filter->where], filter->help);
	}
}

/* --- the mask ------------------------------------------------------------- */

static enum status read_mask(const struct arguments *a, const struct image *photo, struct image *mask,
			     struct image *alpha)
{
	const struct image_read_options read = {.channels = 1, .exif = EXIF_IGNORE};
	TRY(image_read(a->mask_in, &read, alpha));
	if (alpha->width != photo->width || alpha->height != photo->height)
		return status_fail(STATUS_CONFIG, "%s: the mask has %d x %d pixels, the photo %d x %d", a->mask_in,
				   alpha->width, alpha->height, photo->width, photo->height);
	TRY(image_alloc(mask, photo->width, photo->height, 1));
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	for (size_t i = 0; i < pixels; i++)
		mask->pixels[i] = alpha->pixels[i] > 127 ? 255 : 0;
	return STATUS_OK;
}

static enum status find_mask(const struct arguments *a, const struct tapcut_model *model, const struct image *photo,
			     struct image *mask, struct image *alpha)
{
	*mask = *alpha = (struct image){0};
	return a->mask_in ? read_mask(a, photo, mask, alpha) : selection_run(&a->selection, model, photo, mask, alpha);
}

static enum status wrote(const char *path, enum status status)
{
	if (status == STATUS_OK)
		printf("wrote %s\n", path);
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
static enum status edit_photo(struct arguments *a, struct image *photo, const struct image *alpha)
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
		printf("%s %g: %.0f ms\n", tapcut_filter(edit->filter)->name, (double)edit->amount,
		       1e3 * (clock_seconds() - start));
	}
	return STATUS_OK;
}

static enum status write_photo(const struct arguments *a, const struct image *photo, const struct image *alpha)
{
	if (a->transparent)
		return cutout_file_write(a->out, photo, alpha, a->premultiplied);
	return is_jpeg(a->out) ? image_write_jpeg(a->out, photo, QUALITY) : image_write_png(a->out, photo);
}

static enum status edit(struct arguments *a, const struct tapcut_model *model)
{
	const struct image_read_options read = {.channels = 3, .exif = EXIF_APPLY};
	struct image photo, mask, alpha;
	TRY(image_read(a->photo, &read, &photo));
	enum status status = find_mask(a, model, &photo, &mask, &alpha);
	if (status == STATUS_OK)
		status = write_masks(a, &mask, &alpha);
	image_release(&mask);
	if (status == STATUS_OK && a->out)
		status = edit_photo(a, &photo, &alpha);
	if (status == STATUS_OK && a->out)
		status = wrote(a->out, write_photo(a, &photo, &alpha));
	image_release(&photo);
	image_release(&alpha);
	return status;
}

/* PHOTO's name without folder and ending, plus "-edited" and what it was, PNG where that is needed. */
static void default_out(const struct arguments *a, char *path)
{
	const char *slash = strrchr(a->photo, '/'), *name = slash ? slash + 1 : a->photo, *dot = strrchr(name, '.');
	int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
	snprintf(path, MODEL_PATH_SIZE, "%.*s-edited.%s", length, name,
		 is_jpeg(name) && !a->transparent ? "jpg" : "png");
}

int cmd_edit(int argc, char **argv)
{
	struct arguments arguments;
	struct tapcut_model *model = NULL;
	char path[MODEL_PATH_SIZE], model_path[MODEL_PATH_SIZE];
	if (!parse_arguments(argc, argv, &arguments))
		return 2;
	if (arguments.help || arguments.list) {
		arguments.help ? print_usage(stdout) : print_list();
		return 0;
	}
	if (!arguments.out && (arguments.edit_count > 0 || arguments.transparent)) {
		default_out(&arguments, path);
		arguments.out = path;
	}
	if (!arguments.mask_in && !model_file_load("edit", arguments.selection.model, &model, model_path))
		return 1;
	enum status status = edit(&arguments, model);
	tapcut_model_free(model);
	return status == STATUS_OK ? 0 : command_failed("edit");
}
