/* What every value is where a network runs in 8 bits (FORMAT.md, section 3): what may be decided
 * by those who choose ranges (../../convert/value_storage.c), and is checked here in a file. */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "../common/fail.h"
#include "ops.h"

enum { VALUE_IMAGE, VALUE_CLICKS };

static const struct infer_step *maker_of(const struct infer_network *n, int value)
{
	return value < INFER_FIRST_STEP_VALUE ? NULL : &n->steps[value - INFER_FIRST_STEP_VALUE];
}

/* How many inputs of steps are `value`; *reader is the last such step. */
static int readers_of(const struct infer_network *n, int value, int *reader)
{
	int count = 0;
	for (int i = 0; i < n->step_count; i++)
		for (int k = 0; k < n->steps[i].input_count; k++)
			if (n->steps[i].inputs[k] == value) {
				*reader = i;
				count++;
			}
	return count;
}

enum infer_value_kind infer_value_kind(const struct infer_network *network, int value)
{
	int reader;
	if (value == VALUE_IMAGE)
		return INFER_VALUE_IMAGE;
	if (network->ranges[value].scale > 0)
		return INFER_VALUE_U8;
	if (readers_of(network, value, &reader) == 1 && network->steps[reader].op == INFER_OP_ADD)
		return INFER_VALUE_FUSED;
	return INFER_VALUE_FLOAT;
}

static enum tapcut_status fail_value(const struct infer_network *n, int value, char *message, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static enum tapcut_status fail_value(const struct infer_network *n, int value, char *message, const char *format, ...)
{
	char where[64];
	const struct infer_step *maker = maker_of(n, value);
	snprintf(where, sizeof where, "8 bits: value %d (%s)", value,
		 maker                  ? infer_op_name(maker->op)
		 : value == VALUE_IMAGE ? "image"
					: "clicks");
	va_list arguments;
	va_start(arguments, format);
	infer_fail_at(message, TAPCUT_FORMAT, where, format, arguments);
	va_end(arguments);
	return TAPCUT_FORMAT;
}

static bool is_upsample(const struct infer_step *step)
{
	return step->op == INFER_OP_UPSAMPLE_NEAREST || step->op == INFER_OP_UPSAMPLE_BILINEAR;
}

static enum tapcut_status check_range(const struct infer_network *n, int value, char *message)
{
	struct infer_range r = n->ranges[value];
	if (!(r.scale == 0 ? r.zero == 0 : isfinite(r.scale) && r.scale >= 0x1p-60f && r.scale <= 0x1p60f) ||
	    r.zero < 0 || r.zero > 255)
		return fail_value(n, value, message,
				  "scale %g and zero %d; expected both 0, or 2^-60 to 2^60 and 0 to 255",
				  (double)r.scale, r.zero);
	if (value == VALUE_IMAGE && r.scale != 0)
		return fail_value(n, value, message, "must have no range");
	float clicks = n->preprocess.click_scale / 255;
	if (value == VALUE_CLICKS && (r.scale != clicks || r.zero != 0))
		return fail_value(n, value, message, "scale %g and zero %d, expected the click scale / 255 = %g and 0",
				  (double)r.scale, r.zero, (double)clicks);
	return TAPCUT_OK;
}

static bool same_shape(const struct infer_shape *a, const struct infer_shape *b)
{
	return a->c == b->c && a->h == b->h && a->w == b->w;
}

bool infer_may_be_fused(const struct infer_network *n, int value, const struct infer_shape *shapes)
{
	const struct infer_step *maker = maker_of(n, value);
	int reader = 0;
	return maker && maker->op == INFER_OP_CONV2D && !maker->relu && readers_of(n, value, &reader) == 1 &&
	       n->steps[reader].op == INFER_OP_ADD &&
	       same_shape(&shapes[value - INFER_FIRST_STEP_VALUE], &shapes[reader]);
}

/* A value that is never bytes: sums for one add, or the logits. shapes: of the steps. */
static enum tapcut_status check_wide_value(const struct infer_network *n, int value, const struct infer_shape *shapes,
					   char *message)
{
	const struct infer_step *maker = maker_of(n, value);
	int reader = 0, readers = readers_of(n, value, &reader);
	bool last = value == INFER_FIRST_STEP_VALUE + n->step_count - 1,
	     sums = maker->op == INFER_OP_CONV2D && !maker->relu;
	bool widened = is_upsample(maker) && infer_value_kind(n, maker->inputs[0]) == INFER_VALUE_FLOAT;
	if (infer_may_be_fused(n, value, shapes))
		return TAPCUT_OK;
	if ((sums || widened) && (last || (readers == 1 && is_upsample(&n->steps[reader]))))
		return TAPCUT_OK;
	return fail_value(n, value, message,
			  "has no scale, but is neither a conv2d's sums for one add nor on the way to the logits");
}

/* Sums of this many products of a byte and a weight, twice (once for the zero point), and a bias fit 32 bits. */
enum { MAX_TAPS = 32768 };

static enum tapcut_status check_operator(const struct infer_network *n, int index, char *message)
{
	const struct infer_step *step = &n->steps[index];
	int value = INFER_FIRST_STEP_VALUE + index;
	if (infer_operator(step->op)->no_bytes)
		return fail_value(n, value, message, "this operator has no 8-bit form");
	double products = infer_step_products(n, step);
	if (products > MAX_TAPS)
		return fail_value(n, value, message, "sums %.0f products, at most %d in 8 bits", products, MAX_TAPS);
	return TAPCUT_OK;
}

static enum tapcut_status check_step(const struct infer_network *n, int index, const struct infer_shape *shapes,
				     char *message)
{
	const struct infer_step *step = &n->steps[index];
	int value = INFER_FIRST_STEP_VALUE + index;
	struct infer_range out = n->ranges[value];
	enum tapcut_status status = check_operator(n, index, message);
	for (int k = 0; !status && k < step->input_count; k++) {
		enum infer_value_kind kind = infer_value_kind(n, step->inputs[k]);
		if (kind == INFER_VALUE_IMAGE && step->op != INFER_OP_CONV2D)
			return fail_value(n, value, message, "only a conv2d reads the image's bytes");
		if (kind == INFER_VALUE_FLOAT && out.scale != 0)
			return fail_value(n, value, message, "bytes cannot be made of the logits");
		struct infer_range in = n->ranges[step->inputs[k]];
		if (kind == INFER_VALUE_U8 && infer_operator(step->op)->keeps_range &&
		    (in.scale != out.scale || in.zero != out.zero))
			return fail_value(n, value, message, "scale %g and zero %d, expected its input's %g and %d",
					  (double)out.scale, out.zero, (double)in.scale, in.zero);
	}
	if (!status && out.scale == 0)
		return check_wide_value(n, value, shapes, message);
	if (!status && index == n->step_count - 1)
		return fail_value(n, value, message, "the logits must have no scale");
	return status;
}

enum tapcut_status infer_ranges_check(const struct infer_network *network, const struct infer_shape *shapes,
				      char *message)
{
	enum tapcut_status status = TAPCUT_OK;
	for (int v = 0; !status && v < INFER_FIRST_STEP_VALUE + network->step_count; v++)
		status = check_range(network, v, message);
	for (int i = 0; !status && i < network->step_count; i++)
		status = check_step(network, i, shapes, message);
	return status;
}
