/* Options: their defaults, and what may be asked for. */
#include "../common/bytes.h"

#include <stdbool.h>
#include "../image/feather.h"
#include "../network/model.h"
#include "session.h"
#include "../tapcut.h"

enum { MIN_SIZE = 16 };

static const float DEFAULT_THRESHOLD = 0.49f; /* RITM's */
enum { DEFAULT_HOLE_LIMIT = 500, MAX_HOLE_LIMIT = 1000000, DEFAULT_THREADS = 1 };

_Static_assert((int)TAPCUT_MAX_FEATHER == (int)INFER_FEATHER_MAX, "the header says what feather.c can");

void tapcut_options_init(struct tapcut_options *options)
{
	*options = (struct tapcut_options){0};
}

static bool size_allowed(int size)
{
	return size == 0 || (size >= MIN_SIZE && size <= INFER_MAX_SIZE);
}

static bool is_switch(int value)
{
	return value == 0 || value == 1;
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
	if (!is_switch(o->no_zoom) || !is_switch(o->keep_all) || !is_switch(o->graph_cut) || !is_switch(o->one_look))
		return infer_fail(
			message, TAPCUT_ARGUMENT,
			"options: no_zoom, keep_all, graph_cut and one_look must be 0 or 1, found %d, %d, %d and %d",
			o->no_zoom, o->keep_all, o->graph_cut, o->one_look);
	if (o->hole_limit < -1 || o->hole_limit > MAX_HOLE_LIMIT)
		return infer_fail(message, TAPCUT_ARGUMENT, "options: hole_limit must be -1 to %d, found %d",
				  MAX_HOLE_LIMIT, o->hole_limit);
	if (o->struct_size != 0 && o->struct_size != sizeof *o)
		return infer_fail(message, TAPCUT_ARGUMENT, "options: struct_size must be 0 or %zu, found %zu",
				  sizeof *o, o->struct_size);
	enum tapcut_status status = check_execution(model, o, message);
	return status ? status : infer_check_feather(o->feather, message);
}

void tapcut_options_resolve(const struct tapcut_model *model, struct tapcut_options *o)
{
	int natural = model->network.default_size;
	if (model->network.class_count) /* regions are found in the whole photo, and are no object's exact shape */
		o->no_zoom = o->graph_cut = 1;
	if (!o->size)
		o->size = o->no_zoom ? natural : infer_min(natural * 5 / 4, INFER_MAX_SIZE);
	if (!o->first_size)
		o->first_size = infer_min(natural, o->size);
	o->threshold = o->threshold > 0 ? o->threshold : DEFAULT_THRESHOLD;
	o->hole_limit = o->hole_limit ? o->hole_limit : DEFAULT_HOLE_LIMIT;
	o->threads = o->threads > 0 ? o->threads : DEFAULT_THREADS;
	o->arithmetic =
		o->arithmetic == TAPCUT_ARITHMETIC_AUTO ? infer_natural_arithmetic(&model->network) : o->arithmetic;
}
