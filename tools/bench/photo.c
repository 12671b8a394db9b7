/* A photo of 12 million pixels, or a larger one: the time of each stage from the bytes to the cutout, and memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "data/image_io.h"
#include "infer/image/resize.h"
#include "infer/tapcut.h"
#include "tools/bench/bench.h"
#include "tools/model_file.h"

enum { PIXELS = 12 * 1000 * 1000, PREVIEW_SIDE = 1024, FEATHER = 20 };

enum stage { SET_IMAGE, FIRST_TAP, SECOND_TAP, PREVIEW, MASK, ALPHA, FEATHERED, STAGES };

static const char *const stage_names[STAGES] = {
	"photo into the session", "first tap",        "second tap (closer look)",   "preview, long side 1024",
	"mask, full size",        "alpha, full size", "alpha with a feather of 20",
};

struct bench_photo {
	struct image photo, out;
	struct tapcut_session *session;
	double ms[STAGES][BENCH_MAX_REPEATS];
};

/* To at least PIXELS, whose sides have the photo's proportions. */
static enum status enlarge(struct image *photo)
{
	static const uint8_t black[3];
	double factor = sqrt((double)PIXELS / ((double)photo->width * photo->height));
	if (factor <= 1)
		return STATUS_OK;
	struct image large;
	TRY(image_alloc(&large, (int)ceil(photo->width * factor), (int)ceil(photo->height * factor), 3));
	void *workspace = malloc(infer_resize_workspace(photo->width, photo->height, large.width, large.height));
	if (!workspace) {
		image_release(&large);
		return status_fail(STATUS_NO_MEMORY, "no memory to enlarge the photo");
	}
	infer_resize_u8(photo->pixels, photo->width, photo->height, 3 * (size_t)photo->width, 3,
			(struct infer_rect){0, 0, photo->width, photo->height}, large.pixels, large.width, large.height,
			black, 0, workspace);
	free(workspace);
	image_release(photo);
	*photo = large;
	return STATUS_OK;
}

static enum tapcut_status run_stage(struct bench_photo *b, enum stage stage)
{
	int w = b->photo.width, h = b->photo.height, longest = w > h ? w : h;
	size_t stride = (size_t)w;
	switch (stage) {
	case SET_IMAGE: return tapcut_session_set_image(b->session, b->photo.pixels, w, h, 3 * stride);
	case FIRST_TAP: return tapcut_session_click(b->session, w / 2, h / 2, 1);
	case SECOND_TAP: return tapcut_session_click(b->session, w / 2, h * 2 / 5, 1);
	case PREVIEW:
		return tapcut_session_preview(b->session, b->out.pixels, (int)((double)w * PREVIEW_SIDE / longest),
					      (int)((double)h * PREVIEW_SIDE / longest), stride);
	case MASK: return tapcut_session_mask(b->session, b->out.pixels, stride);
	case FEATHERED:
		tapcut_session_set_feather(b->session, FEATHER);
		return tapcut_session_alpha(b->session, b->out.pixels, stride);
	default:
		tapcut_session_set_feather(b->session, 0);
		return tapcut_session_alpha(b->session, b->out.pixels, stride);
	}
}

static enum status measure(struct bench_photo *b, int repeats)
{
	for (int i = 0; i < repeats; i++)
		for (int stage = 0; stage < STAGES; stage++) {
			double start = clock_process_seconds();
			if (run_stage(b, stage) != TAPCUT_OK)
				return status_fail(STATUS_LIMIT, "%s", tapcut_session_message(b->session));
			b->ms[stage][i] = 1e3 * (clock_process_seconds() - start);
		}
	return STATUS_OK;
}

static void print(struct bench_photo *b, const struct bench_photo_options *o, int read_w, int read_h, FILE *out)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	fprintf(out, "photo     %s: %dx%d", o->photo, read_w, read_h);
	if (read_w != b->photo.width)
		fprintf(out, ", enlarged to %dx%d", b->photo.width, b->photo.height);
	fprintf(out, "\nmedian of %d, processor time in ms, threads %d\n\n", o->repeats,
		o->threads > 0 ? o->threads : 1);
	for (int i = 0; i < STAGES; i++)
		fprintf(out, "  %-28s %8.1f\n", stage_names[i], bench_median(b->ms[i], o->repeats));
	fprintf(out, "\n  session %.1f MB, of which the photo %.1f; whole process at most %.1f MB\n",
		(double)tapcut_session_bytes(b->session) / 1e6, 3.0 * b->photo.width * b->photo.height / 1e6,
		(double)usage.ru_maxrss * 1024 / 1e6);
}

static enum status run(struct bench_photo *b, const struct bench_photo_options *o, FILE *out)
{
	const struct image_read_options read = {.channels = 3, .exif = EXIF_APPLY};
	TRY(image_read(o->photo, &read, &b->photo));
	int read_w = b->photo.width, read_h = b->photo.height;
	TRY(enlarge(&b->photo));
	TRY(image_alloc(&b->out, b->photo.width, b->photo.height, 1));
	TRY(measure(b, o->repeats));
	print(b, o, read_w, read_h, out);
	return STATUS_OK;
}

enum status bench_photo(const struct bench_photo_options *o, FILE *out)
{
	struct bench_photo *b = calloc(1, sizeof *b);
	struct tapcut_model *model;
	struct tapcut_options options;
	char path[MODEL_PATH_SIZE], message[TAPCUT_MESSAGE_SIZE];
	if (!b)
		return status_fail(STATUS_NO_MEMORY, "no memory for the figures");
	if (!model_file_load("bench", o->model, &model, path)) {
		free(b);
		return status_fail(STATUS_CONFIG, "there is no model to run");
	}
	tapcut_options_init(&options);
	options.threads = o->threads;
	options.graph_cut = o->graph_cut;
	enum status status = tapcut_session_new(model, &options, &b->session, message) == TAPCUT_OK
				     ? run(b, o, out)
				     : status_fail(STATUS_CONFIG, "%s", message);
	tapcut_session_free(b->session);
	tapcut_model_free(model);
	image_release(&b->photo);
	image_release(&b->out);
	free(b);
	return status;
}
