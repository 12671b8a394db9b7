/* Whether a network may run in 8 bits: every step has an 8-bit form, and every value has the range that its makers
 * and readers need (FORMAT.md, section 3). */
#include "network.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "../tapcut.h"

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

static int fail_value(const struct infer_network *n, int value, char *message, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int fail_value(const struct infer_network *n, int value, char *message, const char *format, ...)
{
	char what[TAPCUT_MESSAGE_SIZE];
	const struct infer_step *maker = maker_of(n, value);
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	return infer_fail(message, TAPCUT_FORMAT, "8 bits: value %d (%s): %.160s", value,
			  maker                  ? infer_op_name(maker->op)
			  : value == VALUE_IMAGE ? "image"
						 : "clicks",
			  what);
}

static bool is_upsample(const struct infer_step *step)
{
	return step->op == INFER_OP_UPSAMPLE_NEAREST || step->op == INFER_OP_UPSAMPLE_BILINEAR;
}

static int check_range(const struct infer_network *n, int value, char *message)
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

/* A value that is never bytes: sums for one add, or the logits. shapes: of the steps. */
static int check_wide_value(const struct infer_network *n, int value, const struct infer_shape *shapes, char *message)
{
	const struct infer_step *maker = maker_of(n, value);
	int reader = 0, readers = readers_of(n, value, &reader);
	bool last = value == INFER_FIRST_STEP_VALUE + n->step_count - 1,
	     sums = maker->op == INFER_OP_CONV2D && !maker->relu;
	bool widened = is_upsample(maker) && infer_value_kind(n, maker->inputs[0]) == INFER_VALUE_FLOAT;
	if (infer_value_kind(n, value) == INFER_VALUE_FUSED && sums &&
	    same_shape(&shapes[value - INFER_FIRST_STEP_VALUE], &shapes[reader]))
		return TAPCUT_OK;
	if ((sums || widened) && (last || (readers == 1 && is_upsample(&n->steps[reader]))))
		return TAPCUT_OK;
	return fail_value(n, value, message,
			  "has no scale, but is neither a conv2d's sums for one add nor on the way to the logits");
}

/* Whether the step's output has the range of its input. */
static bool keeps_range(const struct infer_step *step)
{
	return step->op == INFER_OP_MAX_POOL2D || is_upsample(step);
}

/* Sums of this many products of a byte and a weight, twice (once for the zero point), and a bias fit 32 bits. */
enum { MAX_TAPS = 32768 };

static int check_operator(const struct infer_network *n, int index, char *message)
{
	const struct infer_step *step = &n->steps[index];
	int value = INFER_FIRST_STEP_VALUE + index;
	if (step->op == INFER_OP_CONV_TRANSPOSE2D)
		return fail_value(n, value, message, "this operator has no 8-bit form");
	if (step->op != INFER_OP_CONV2D)
		return TAPCUT_OK;
	const int *dims = n->tensors[step->tensor[0]].dims;
	if ((int64_t)dims[1] * dims[2] * dims[3] > MAX_TAPS)
		return fail_value(n, value, message, "sums %lld products, at most %d in 8 bits",
				  (long long)dims[1] * dims[2] * dims[3], MAX_TAPS);
	return TAPCUT_OK;
}

static int check_step(const struct infer_network *n, int index, const struct infer_shape *shapes, char *message)
{
	const struct infer_step *step = &n->steps[index];
	int value = INFER_FIRST_STEP_VALUE + index;
	struct infer_range out = n->ranges[value];
	int status = check_operator(n, index, message);
	for (int k = 0; !status && k < step->input_count; k++) {
		enum infer_value_kind kind = infer_value_kind(n, step->inputs[k]);
		if (kind == INFER_VALUE_IMAGE && step->op != INFER_OP_CONV2D)
			return fail_value(n, value, message, "only a conv2d reads the image's bytes");
		if (kind == INFER_VALUE_FLOAT && out.scale != 0)
			return fail_value(n, value, message, "bytes cannot be made of the logits");
		struct infer_range in = n->ranges[step->inputs[k]];
		if (kind == INFER_VALUE_U8 && keeps_range(step) && (in.scale != out.scale || in.zero != out.zero))
			return fail_value(n, value, message, "scale %g and zero %d, expected its input's %g and %d",
					  (double)out.scale, out.zero, (double)in.scale, in.zero);
	}
	if (!status && out.scale == 0)
		return check_wide_value(n, value, shapes, message);
	if (!status && index == n->step_count - 1)
		return fail_value(n, value, message, "the logits must have no scale");
	return status;
}

int infer_ranges_check(const struct infer_network *network, const struct infer_shape *shapes, char *message)
{
	int status = TAPCUT_OK;
	for (int v = 0; !status && v < INFER_FIRST_STEP_VALUE + network->step_count; v++)
		status = check_range(network, v, message);
	for (int i = 0; !status && i < network->step_count; i++)
		status = check_step(network, i, shapes, message);
	return status;
}
