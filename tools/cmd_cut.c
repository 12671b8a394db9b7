/* tapcut cut: taps on a photo become a mask, a cut-out with a transparent background, or a picture to look at. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/status.h"
#include "data/image_io.h"
#include "infer/tapcut.h"
#include "tools/command.h"
#include "tools/model_file.h"
#include "train/progress.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut cut PHOTO --tap X,Y [OPTIONS]\n"
	      "\n"
	      "Selects the object at the tap. X,Y are pixels of the photo as it is displayed, from the top left corner.\n"
	      "\n"
	      "  --tap X,Y           a tap on the object; may be repeated\n"
	      "  --not X,Y           a tap on something that is not the object; may be repeated\n"
	      "                      (each tap corrects the result of those before it)\n"
	      "  --model FILE        weights file (default: infer/models/base.tapcut)\n"
	      "  --mask OUT.png      the mask: 255 object, 0 not\n"
	      "  --cutout OUT.png    the object on a transparent background (default: PHOTO-cutout.png here)\n"
	      "  --overlay OUT.png   the photo with taps and selection, to look at\n"
	      "  --size N            long side at which the network sees the photo, in pixels (default: the model's)\n"
	      "  --zoom, --no-zoom   look closer at the object from tap 2 on, or never (default: the library's)\n"
	      "\n"
	      "example: tapcut cut dog.jpg --tap 320,200 --cutout dog.png --overlay dog-overlay.png\n",
	      out);
}

struct tap {
	int x, y;
	bool positive;
};

struct arguments {
	const char *photo, *model, *mask, *cutout, *overlay;
	struct tap taps[TAPCUT_MAX_CLICKS];
	int tap_count;
	struct tapcut_options options;
	bool help;
};

/* --- arguments ------------------------------------------------------------------------------------------------------ */

enum { OPT_TAP = 256, OPT_NOT, OPT_MODEL, OPT_MASK, OPT_CUTOUT, OPT_OVERLAY, OPT_SIZE, OPT_ZOOM, OPT_NO_ZOOM, OPT_HELP };

static const struct option long_options[] = {
	{ "tap", required_argument, NULL, OPT_TAP },         { "not", required_argument, NULL, OPT_NOT },
	{ "model", required_argument, NULL, OPT_MODEL },     { "mask", required_argument, NULL, OPT_MASK },
	{ "cutout", required_argument, NULL, OPT_CUTOUT },   { "overlay", required_argument, NULL, OPT_OVERLAY },
	{ "size", required_argument, NULL, OPT_SIZE },       { "zoom", no_argument, NULL, OPT_ZOOM },
	{ "no-zoom", no_argument, NULL, OPT_NO_ZOOM },       { "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static bool wrong_usage(const char *message)
{
	fprintf(stderr, "tapcut cut: %s\n", message);
	return false;
}

static bool read_number(const char **text, char after, int *value)
{
	char *end;
	errno = 0;
	long number = strtol(*text, &end, 10);
	if (errno || end == *text || *end != after || number < 0 || number > 1000000)
		return false;
	*text = end + (after != '\0');
	*value = (int)number;
	return true;
}

static bool add_tap(struct arguments *a, const char *text, bool positive)
{
	struct tap tap = { .positive = positive };
	const char *rest = text;
	if (!read_number(&rest, ',', &tap.x) || !read_number(&rest, '\0', &tap.y)) {
		fprintf(stderr, "tapcut cut: --%s: expected X,Y in whole pixels, e.g. 320,200, found \"%s\"\n", positive ? "tap" : "not",
			text);
		return false;
	}
	if (a->tap_count == TAPCUT_MAX_CLICKS)
		return wrong_usage("too many taps");
	a->taps[a->tap_count++] = tap;
	return true;
}

static bool parse_size(const char *text, int *size)
{
	const char *rest = text;
	if (read_number(&rest, '\0', size) && *size > 0)
		return true;
	fprintf(stderr, "tapcut cut: --size: expected a number of pixels, found \"%s\"\n", text);
	return false;
}

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case OPT_TAP: return add_tap(a, optarg, true);
	case OPT_NOT: return add_tap(a, optarg, false);
	case OPT_MODEL: a->model = optarg; return true;
	case OPT_MASK: a->mask = optarg; return true;
	case OPT_CUTOUT: a->cutout = optarg; return true;
	case OPT_OVERLAY: a->overlay = optarg; return true;
	case OPT_SIZE: return parse_size(optarg, &a->options.size);
	case OPT_ZOOM: a->options.zoom = 1; return true;
	case OPT_NO_ZOOM: a->options.zoom = 0; return true;
	case OPT_HELP: a->help = true; return true;
	default: return false; /* getopt_long has said what is wrong */
	}
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){ .photo = NULL };
	tapcut_options_init(&a->options);
	optind = 1;
	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		if (!parse_option(option, a))
			return false;
	if (a->help)
		return true;
	if (optind != argc - 1)
		return wrong_usage("expected one photo");
	a->photo = argv[optind];
	return a->tap_count > 0 || wrong_usage("where is the object? --tap X,Y is missing");
}

/* --- pictures ------------------------------------------------------------------------------------------------------- */

static int longest(const struct image *image)
{
	return image->width > image->height ? image->width : image->height;
}

/* Sliding mean over 2 radius + 1 samples, `step` bytes apart; edges repeat. */
static void blur_line(const uint8_t *in, uint8_t *out, int count, size_t step, int radius)
{
	int sum = 0, width = 2 * radius + 1;
	for (int i = -radius; i <= radius; i++)
		sum += in[(size_t)(i < 0 ? 0 : i < count ? i : count - 1) * step];
	for (int i = 0; i < count; i++) {
		out[(size_t)i * step] = (uint8_t)((sum + radius) / width);
		int add = i + radius + 1 < count ? i + radius + 1 : count - 1, drop = i - radius > 0 ? i - radius : 0;
		sum += in[(size_t)add * step] - in[(size_t)drop * step];
	}
}

/* The mask with an edge that fades over a few pixels, so that the cut-out sits well on any background; 128 and more is still exactly
 * the mask. `alpha` and `other` are buffers of the mask's size; the result is in `alpha`. */
static void soften(const struct image *mask, uint8_t *alpha, uint8_t *other)
{
	int w = mask->width, h = mask->height, radius = 1 + longest(mask) / 2000;
	size_t pixels = (size_t)w * (size_t)h;
	memcpy(alpha, mask->pixels, pixels);
	for (int pass = 0; pass < 2; pass++) {
		for (int y = 0; y < h; y++)
			blur_line(alpha + (size_t)y * (size_t)w, other + (size_t)y * (size_t)w, w, 1, radius);
		for (int x = 0; x < w; x++)
			blur_line(other + x, alpha + x, h, (size_t)w, radius);
	}
	for (size_t i = 0; i < pixels; i++) {
		if (mask->pixels[i])
			alpha[i] = alpha[i] < 128 ? 128 : alpha[i];
		else
			alpha[i] = alpha[i] > 127 ? 127 : alpha[i];
	}
}

static enum status make_cutout(const struct image *photo, const struct image *mask, struct image *cutout)
{
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	TRY(image_alloc(cutout, photo->width, photo->height, 4));
	uint8_t *alpha = malloc(2 * pixels);
	if (!alpha) {
		image_release(cutout);
		return status_fail(STATUS_NO_MEMORY, "no memory for the cut-out");
	}
	soften(mask, alpha, alpha + pixels);
	for (size_t i = 0; i < pixels; i++) {
		uint8_t *out = cutout->pixels + 4 * i;
		memset(out, 0, 4);
		if (alpha[i])
			memcpy(out, photo->pixels + 3 * i, 3);
		out[3] = alpha[i];
	}
	free(alpha);
	return STATUS_OK;
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
		if ((x + k < mask->width && at[k] != at[0]) || (y + k < mask->height && at[(size_t)k * (size_t)mask->width] != at[0]))
			return true;
	return false;
}

static void tint(struct image *picture, const struct image *mask)
{
	static const uint8_t object[] = { 40, 120, 255 }, dark[] = { 0, 0, 0 }, line[] = { 255, 255, 255 };
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
	static const uint8_t green[] = { 40, 200, 60 }, red[] = { 230, 40, 40 }, white[] = { 255, 255, 255 };
	int outer = 4 + longest(picture) / 120, inner = outer * 2 / 3;
	for (int y = tap->y - outer; y <= tap->y + outer; y++)
		for (int x = tap->x - outer; x <= tap->x + outer; x++) {
			int d = (x - tap->x) * (x - tap->x) + (y - tap->y) * (y - tap->y);
			if (d > outer * outer || x < 0 || y < 0 || x >= picture->width || y >= picture->height)
				continue;
			memcpy(picture->pixels + 3 * ((size_t)y * (size_t)picture->width + (size_t)x),
			       d > inner * inner ? white : tap->positive ? green : red, 3);
		}
}

static enum status make_overlay(const struct image *photo, const struct image *mask, const struct arguments *a, struct image *overlay)
{
	TRY(image_alloc(overlay, photo->width, photo->height, 3));
	memcpy(overlay->pixels, photo->pixels, 3 * (size_t)photo->width * (size_t)photo->height);
	tint(overlay, mask);
	for (int i = 0; i < a->tap_count; i++)
		draw_tap(overlay, &a->taps[i]);
	return STATUS_OK;
}

/* --- the work ------------------------------------------------------------------------------------------------------- */

static double milliseconds(void)
{
	return 1e3 * progress_clock();
}

static size_t object_pixels(const struct image *mask)
{
	size_t count = 0, pixels = (size_t)mask->width * (size_t)mask->height;
	for (size_t i = 0; i < pixels; i++)
		count += mask->pixels[i] != 0;
	return count;
}

static enum status session_failed(const struct tapcut_session *session)
{
	return status_fail(STATUS_CONFIG, "%s", tapcut_session_message(session));
}

/* Taps one after the other, a line for each; the last mask. */
static enum status tap_all(struct tapcut_session *session, const struct arguments *a, struct image *mask)
{
	size_t object = 0;
	for (int i = 0; i < a->tap_count; i++) {
		const struct tap *tap = &a->taps[i];
		double start = milliseconds();
		if (tapcut_session_click(session, tap->x, tap->y, tap->positive) != TAPCUT_OK ||
		    tapcut_session_mask(session, mask->pixels, (size_t)mask->width) != TAPCUT_OK)
			return session_failed(session);
		object = object_pixels(mask);
		printf("%s %d,%d: %.0f ms, the object is %.1f %% of the photo\n", tap->positive ? "tap" : "not", tap->x, tap->y,
		       milliseconds() - start, 100.0 * (double)object / ((double)mask->width * mask->height));
	}
	if (object == 0)
		printf("the mask is empty: tap on another part of the object\n");
	return STATUS_OK;
}

static enum status select_object(const struct tapcut_model *model, const struct arguments *a, const struct image *photo,
				 struct image *mask)
{
	struct tapcut_session *session;
	char message[TAPCUT_MESSAGE_SIZE];
	if (tapcut_session_new(model, &a->options, &session, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	enum status status = image_alloc(mask, photo->width, photo->height, 1);
	if (status == STATUS_OK && tapcut_session_set_image(session, photo->pixels, photo->width, photo->height,
							     3 * (size_t)photo->width) != TAPCUT_OK)
		status = session_failed(session);
	if (status == STATUS_OK)
		status = tap_all(session, a, mask);
	tapcut_session_free(session);
	return status;
}

/* Writes a picture if `status` says that it was made; releases it in any case. */
static enum status write_picture(enum status status, struct image *picture, const char *path)
{
	if (status != STATUS_OK)
		return status;
	status = image_write_png(path, picture);
	image_release(picture);
	if (status == STATUS_OK)
		printf("wrote %s\n", path);
	return status;
}

static enum status write_results(const struct arguments *a, const struct image *photo, const struct image *mask)
{
	struct image picture;
	if (a->mask) {
		TRY(image_write_png(a->mask, mask));
		printf("wrote %s\n", a->mask);
	}
	if (a->cutout) {
		enum status made = make_cutout(photo, mask, &picture);
		TRY(write_picture(made, &picture, a->cutout));
	}
	if (a->overlay) {
		enum status made = make_overlay(photo, mask, a, &picture);
		TRY(write_picture(made, &picture, a->overlay));
	}
	return STATUS_OK;
}

static enum status cut(const struct tapcut_model *model, const struct arguments *a)
{
	const struct image_read_options read = { .channels = 3, .exif = EXIF_APPLY };
	struct image photo, mask = { 0 };
	TRY(image_read(a->photo, &read, &photo));
	enum status status = select_object(model, a, &photo, &mask);
	if (status == STATUS_OK)
		status = write_results(a, &photo, &mask);
	image_release(&photo);
	image_release(&mask);
	return status;
}

/* PHOTO's name without folder and ending, plus "-cutout.png". */
static void default_cutout(const char *photo, char *path)
{
	const char *slash = strrchr(photo, '/'), *name = slash ? slash + 1 : photo, *dot = strrchr(name, '.');
	int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
	snprintf(path, MODEL_PATH_SIZE, "%.*s-cutout.png", length, name);
}

int cmd_cut(int argc, char **argv)
{
	struct arguments arguments;
	struct tapcut_model *model;
	char path[MODEL_PATH_SIZE], model_path[MODEL_PATH_SIZE];
	if (!parse_arguments(argc, argv, &arguments))
		return 2;
	if (arguments.help) {
		print_usage(stdout);
		return 0;
	}
	if (!arguments.mask && !arguments.cutout) {
		default_cutout(arguments.photo, path);
		arguments.cutout = path;
	}
	if (!model_file_load("cut", arguments.model, &model, model_path))
		return 1;
	enum status status = cut(model, &arguments);
	tapcut_model_free(model);
	return status == STATUS_OK ? 0 : command_failed("cut");
}
