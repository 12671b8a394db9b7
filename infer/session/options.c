/* Options: their defaults, and what may be asked for. */
#include "../common/bytes.h"
#include "../image/feather.h"
#include "../network/model.h"
#include "session.h"
#include "../tapcut.h"

enum { MIN_SIZE = 16 };

static const float DEFAULT_THRESHOLD = 0.49f; /* RITM's */
enum {
	DEFAULT_ZOOM = 1,
	DEFAULT_KEEP_TOUCHED = 1,
	DEFAULT_FILL_HOLES = 500,
	DEFAULT_GRAPH_CUT = 0,
	DEFAULT_THREADS = 1
};

_Static_assert((int)TAPCUT_MAX_FEATHER == (int)INFER_FEATHER_MAX, "the header says what feather.c can");

void tapcut_options_init(struct tapcut_options *options)
{
	*options = (struct tapcut_options){.zoom = -1, .keep_touched = -1, .fill_holes = -1, .graph_cut = -1};
}

static int size_allowed(int size)
{
	return size == 0 || (size >= MIN_SIZE && size <= INFER_MAX_SIZE);
}

static int is_switch(int value)
{
	return value >= -1 && value <= 1;
}

enum tapcut_status infer_check_feather(float pixels, char *message)
{
	if (!(pixels >= 0 && pixels <= TAPCUT_MAX_FEATHER))
		return infer_fail(message, TAPCUT_ARGUMENT, "options: feather must be 0 to %d pixels, found %g",
				  TAPCUT_MAX_FEATHER, (double)pixels);
	return TAPCUT_OK;
}

static enum tapcut_status check_execution(const struct tapcut_model *model, const struct tapcut_options *o,
					  char *message)
{
	if (o->arithmetic < TAPCUT_ARITHMETIC_AUTO || o->arithmetic > TAPCUT_ARITHMETIC_INT8)
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "options: arithmetic must be 0 (auto), 1 (float) or 2 (8 bits), found %d",
				  o->arithmetic);
	if (o->arithmetic == TAPCUT_ARITHMETIC_INT8 && !model->network.ranges)
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "options: this model has no value ranges, which 8-bit arithmetic takes");
	if (o->threads < 0 || o->threads > TAPCUT_MAX_THREADS)
		return infer_fail(message, TAPCUT_ARGUMENT, "options: threads must be 0 to %d, found %d",
				  TAPCUT_MAX_THREADS, o->threads);
	return TAPCUT_OK;
}

enum tapcut_status infer_check_options(const struct tapcut_model *model, const struct tapcut_options *o, char *message)
{
	if (!size_allowed(o->size) || !size_allowed(o->first_size))
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "options: size and first_size must be 0 or %d to %d, found %d and %d", MIN_SIZE,
				  INFER_MAX_SIZE, o->size, o->first_size);
	if (!(o->threshold >= 0 && o->threshold < 1))
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "options: threshold must be at least 0 and under 1, found %g", (double)o->threshold);
	if (!is_switch(o->zoom) || !is_switch(o->keep_touched) || !is_switch(o->graph_cut))
		return infer_fail(message, TAPCUT_ARGUMENT,
				  "options: zoom, keep_touched and graph_cut must be -1, 0 or 1, found %d, %d and %d",
				  o->zoom, o->keep_touched, o->graph_cut);
	if (o->fill_holes < -1 || o->fill_holes > 1000000)
		return infer_fail(message, TAPCUT_ARGUMENT, "options: fill_holes must be -1 to 1000000, found %d",
				  o->fill_holes);
	enum tapcut_status status = check_execution(model, o, message);
	return status ? status : infer_check_feather(o->feather, message);
}

void tapcut_options_resolve(const struct tapcut_model *model, struct tapcut_options *o)
{
	o->zoom = o->zoom < 0 ? DEFAULT_ZOOM : o->zoom;
	int natural = model->network.default_size;
	if (!o->size)
		o->size = o->zoom ? infer_min(natural * 5 / 4, INFER_MAX_SIZE) : natural;
	if (!o->first_size)
		o->first_size = infer_min(natural, o->size);
	o->threshold = o->threshold > 0 ? o->threshold : DEFAULT_THRESHOLD;
	o->keep_touched = o->keep_touched < 0 ? DEFAULT_KEEP_TOUCHED : o->keep_touched;
	o->fill_holes = o->fill_holes < 0 ? DEFAULT_FILL_HOLES : o->fill_holes;
	o->graph_cut = o->graph_cut < 0 ? DEFAULT_GRAPH_CUT : o->graph_cut;
	o->threads = o->threads > 0 ? o->threads : DEFAULT_THREADS;
	o->arithmetic =
		o->arithmetic == TAPCUT_ARITHMETIC_AUTO ? infer_natural_arithmetic(&model->network) : o->arithmetic;
}
