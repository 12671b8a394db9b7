/* What a network must be before the planner and the kernels may trust it (FORMAT.md, section 2): one row per operator
 * says how many inputs, arguments and tensors it takes, one function per operator gives its output's shape or refuses
 * its input's.
 *
 * Everything is checked in an order in which no product can overflow: arguments and dimensions against their small
 * limits first, arithmetic after. */
#include "network.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "../tapcut.h"

int infer_fail(char *message, int code, const char *format, ...)
{
	if (message) {
		va_list args;
		va_start(args, format);
		vsnprintf(message, TAPCUT_MESSAGE_SIZE, format, args);
		va_end(args);
	}
	return code;
}

/* One step under examination. */
struct step_check {
	const struct infer_network *network;
	const struct infer_step *step;
	int index;
	struct infer_shape in[INFER_MAX_INPUTS];
	char *message;
};

static int fail_step(const struct step_check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail_step(const struct step_check *c, const char *format, ...)
{
	char what[TAPCUT_MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	const char *name = infer_op_name(c->step->op);
	char text[2 * TAPCUT_MESSAGE_SIZE];
	snprintf(text, sizeof text, "step %d (%s): %s", c->index, name ? name : "unknown operator", what);
	return infer_fail(c->message, TAPCUT_FORMAT, "%.255s", text);
}

static const struct infer_tensor *step_tensor(const struct step_check *c, int which)
{
	int index = c->step->tensor[which];
	return index < 0 ? NULL : &c->network->tensors[index];
}

/* A tensor that is a vector of `channels` numbers; none at all is fine here. */
static int check_vector(const struct step_check *c, int which, const char *what, int channels)
{
	const struct infer_tensor *t = step_tensor(c, which);
	if (t && (t->dims[0] != channels || t->dims[1] != 1 || t->dims[2] != 1 || t->dims[3] != 1))
		return fail_step(c, "%s must be (%d,1,1,1), found (%d,%d,%d,%d)", what, channels, t->dims[0],
				 t->dims[1], t->dims[2], t->dims[3]);
	return TAPCUT_OK;
}

/* --- the operators' shapes ------------------------------------------------ */

static int shape_same(const struct step_check *c, struct infer_shape *out)
{
	*out = c->in[0];
	return TAPCUT_OK;
}

static int shape_conv2d(const struct step_check *c, struct infer_shape *out)
{
	const int *arg = c->step->args;
	const struct infer_tensor *w = step_tensor(c, 0);
	struct infer_shape in = c->in[0];
	if (w->dims[1] != in.c || w->dims[2] != arg[0] || w->dims[3] != arg[1])
		return fail_step(c, "weight must be (O,%d,%d,%d), found (%d,%d,%d,%d)", in.c, arg[0], arg[1],
				 w->dims[0], w->dims[1], w->dims[2], w->dims[3]);
	int stride = arg[2], padding = arg[3], dilation = arg[4];
	int room_h = in.h + 2 * padding - dilation * (arg[0] - 1) - 1;
	int room_w = in.w + 2 * padding - dilation * (arg[1] - 1) - 1;
	if (room_h < 0 || room_w < 0)
		return fail_step(c, "a %dx%d kernel with dilation %d does not fit a %dx%d input with padding %d",
				 arg[0], arg[1], dilation, in.h, in.w, padding);
	*out = (struct infer_shape){w->dims[0], room_h / stride + 1, room_w / stride + 1};
	return check_vector(c, 1, "bias", w->dims[0]);
}

static int shape_conv_transpose2d(const struct step_check *c, struct infer_shape *out)
{
	const int *arg = c->step->args;
	const struct infer_tensor *w = step_tensor(c, 0);
	struct infer_shape in = c->in[0];
	if (w->dims[0] != in.c || w->dims[2] != arg[0] || w->dims[3] != arg[0])
		return fail_step(c, "weight must be (%d,O,%d,%d), found (%d,%d,%d,%d)", in.c, arg[0], arg[0],
				 w->dims[0], w->dims[1], w->dims[2], w->dims[3]);
	int grow = arg[0] - 2 * arg[2];
	*out = (struct infer_shape){w->dims[1], (in.h - 1) * arg[1] + grow, (in.w - 1) * arg[1] + grow};
	if (out->h < 1 || out->w < 1)
		return fail_step(c, "padding %d leaves nothing of a %dx%d input", arg[2], in.h, in.w);
	return check_vector(c, 1, "bias", w->dims[1]);
}

/* Rounded up with ceil_mode, except that the last window must start inside the input or its left padding. 0: no window
 * fits. As in PyTorch, with ceil_mode a window may be larger than the input: 3x3 with stride 2 makes 1x1 of 2x2. */
static int pooled(int size, int kernel, int stride, int padding, bool ceil_mode)
{
	int room = size + 2 * padding - kernel + (ceil_mode ? stride - 1 : 0);
	if (room < 0)
		return 0;
	int out = room / stride + 1;
	if (ceil_mode && (out - 1) * stride >= size + padding)
		out--;
	return out;
}

static int shape_max_pool2d(const struct step_check *c, struct infer_shape *out)
{
	const int *arg = c->step->args;
	struct infer_shape in = c->in[0];
	int kernel = arg[0], stride = arg[1], padding = arg[2];
	if (2 * padding > kernel)
		return fail_step(c, "padding %d is more than half of kernel %d", padding, kernel);
	*out = (struct infer_shape){in.c, pooled(in.h, kernel, stride, padding, arg[3]),
				    pooled(in.w, kernel, stride, padding, arg[3])};
	if (out->h < 1 || out->w < 1)
		return fail_step(c, "kernel %d does not fit a %dx%d input with padding %d", kernel, in.h, in.w,
				 padding);
	return TAPCUT_OK;
}

static int shape_global_avg_pool2d(const struct step_check *c, struct infer_shape *out)
{
	*out = (struct infer_shape){c->in[0].c, 1, 1};
	return TAPCUT_OK;
}

static int shape_upsample(const struct step_check *c, struct infer_shape *out)
{
	struct infer_shape in = c->in[0];
	*out = (struct infer_shape){in.c, in.h * c->step->args[0], in.w * c->step->args[0]};
	return TAPCUT_OK;
}

static int shape_concat(const struct step_check *c, struct infer_shape *out)
{
	*out = c->in[0];
	for (int i = 1; i < c->step->input_count; i++) {
		if (c->in[i].h != out->h || c->in[i].w != out->w)
			return fail_step(c, "inputs must have one size, found %dx%d and %dx%d", out->h, out->w,
					 c->in[i].h, c->in[i].w);
		out->c += c->in[i].c;
	}
	return TAPCUT_OK;
}

static bool shapes_equal(struct infer_shape a, int ch, int h, int w)
{
	return a.c == ch && a.h == h && a.w == w;
}

static int shape_add(const struct step_check *c, struct infer_shape *out)
{
	struct infer_shape a = c->in[0], b = c->in[1];
	*out = a;
	if (shapes_equal(b, a.c, a.h, a.w) || shapes_equal(b, a.c, 1, 1))
		return TAPCUT_OK;
	return fail_step(c, "second input must be (%d,%d,%d) or (%d,1,1), found (%d,%d,%d)", a.c, a.h, a.w, a.c, b.c,
			 b.h, b.w);
}

static int shape_mul(const struct step_check *c, struct infer_shape *out)
{
	struct infer_shape a = c->in[0], b = c->in[1];
	*out = a;
	if (shapes_equal(b, a.c, a.h, a.w) || shapes_equal(b, a.c, 1, 1) || shapes_equal(b, 1, a.h, a.w))
		return TAPCUT_OK;
	return fail_step(c, "second input must be (%d,%d,%d), (%d,1,1) or (1,%d,%d), found (%d,%d,%d)", a.c, a.h, a.w,
			 a.c, a.h, a.w, b.c, b.h, b.w);
}

static int shape_channel_affine(const struct step_check *c, struct infer_shape *out)
{
	*out = c->in[0];
	int status = check_vector(c, 0, "scale", out->c);
	return status ? status : check_vector(c, 1, "shift", out->c);
}

/* --- one row per operator ------------------------------------------------- */

struct op_rule {
	const char *name;
	int min_inputs, max_inputs;
	const char *args; /* one letter each: k kernel, s stride, d dilation, f factor: from 1; p padding: from 0; b: 0
			     or 1 */
	bool farg;
	int min_tensors, max_tensors;
	bool relu;
	int (*shape)(const struct step_check *c, struct infer_shape *out);
};

static const struct op_rule rules[INFER_OP_COUNT] = {
	[INFER_OP_CONV2D] = {"conv2d", 1, 1, "kkspd", false, 1, 2, true, shape_conv2d},
	[INFER_OP_CONV_TRANSPOSE2D] = {"conv_transpose2d", 1, 1, "ksp", false, 1, 2, true, shape_conv_transpose2d},
	[INFER_OP_RELU] = {"relu", 1, 1, "", false, 0, 0, false, shape_same},
	[INFER_OP_LEAKY_RELU] = {"leaky_relu", 1, 1, "", true, 0, 0, false, shape_same},
	[INFER_OP_SIGMOID] = {"sigmoid", 1, 1, "", false, 0, 0, false, shape_same},
	[INFER_OP_MAX_POOL2D] = {"max_pool2d", 1, 1, "kspb", false, 0, 0, false, shape_max_pool2d},
	[INFER_OP_GLOBAL_AVG_POOL2D] = {"global_avg_pool2d", 1, 1, "", false, 0, 0, false, shape_global_avg_pool2d},
	[INFER_OP_UPSAMPLE_NEAREST] = {"upsample_nearest", 1, 1, "f", false, 0, 0, false, shape_upsample},
	[INFER_OP_UPSAMPLE_BILINEAR] = {"upsample_bilinear", 1, 1, "f", false, 0, 0, false, shape_upsample},
	[INFER_OP_CONCAT] = {"concat", 1, INFER_MAX_INPUTS, "", false, 0, 0, false, shape_concat},
	[INFER_OP_ADD] = {"add", 2, 2, "", false, 0, 0, true, shape_add},
	[INFER_OP_MUL] = {"mul", 2, 2, "", false, 0, 0, false, shape_mul},
	[INFER_OP_SCALE] = {"scale", 1, 1, "", true, 0, 0, false, shape_same},
	[INFER_OP_CHANNEL_AFFINE] = {"channel_affine", 1, 1, "", false, 2, 2, false, shape_channel_affine},
};

const char *infer_op_name(int op)
{
	return op >= 1 && op < INFER_OP_COUNT ? rules[op].name : NULL;
}

static int check_args(const struct step_check *c, const struct op_rule *rule)
{
	const char *letter = rule->args;
	for (int i = 0; i < INFER_MAX_ARGS; i++) {
		int low = *letter && *letter != 'p' && *letter != 'b';
		int high = !*letter ? 0 : *letter == 'b' ? 1 : INFER_MAX_KERNEL;
		if (c->step->args[i] < low || c->step->args[i] > high)
			return fail_step(c, "argument %d must be %d to %d, found %d", i, low, high, c->step->args[i]);
		letter += *letter != '\0';
	}
	if (!isfinite(c->step->farg) || (!rule->farg && c->step->farg != 0))
		return fail_step(c, "its number must be %s, found %g", rule->farg ? "finite" : "0",
				 (double)c->step->farg);
	return TAPCUT_OK;
}

static int check_step_tensors(const struct step_check *c, const struct op_rule *rule)
{
	for (int i = 0; i < 2; i++) {
		int tensor = c->step->tensor[i];
		if (tensor == -1 ? i < rule->min_tensors : i >= rule->max_tensors)
			return fail_step(c, "takes %d to %d tensors, but tensor[%d] is %d", rule->min_tensors,
					 rule->max_tensors, i, tensor);
		if (tensor < -1 || tensor >= c->network->tensor_count)
			return fail_step(c, "tensor %d of %d", tensor, c->network->tensor_count);
	}
	return TAPCUT_OK;
}

/* All but the shapes. */
static int check_step(const struct step_check *c)
{
	const struct infer_step *step = c->step;
	if (!infer_op_name(step->op))
		return fail_step(c, "number %d, known are 1 to %d", step->op, INFER_OP_COUNT - 1);
	const struct op_rule *rule = &rules[step->op];
	if (step->input_count < rule->min_inputs || step->input_count > rule->max_inputs)
		return fail_step(c, "takes %d to %d inputs, found %d", rule->min_inputs, rule->max_inputs,
				 step->input_count);
	for (int i = 0; i < step->input_count; i++)
		if (step->inputs[i] < 0 || step->inputs[i] >= INFER_FIRST_STEP_VALUE + c->index)
			return fail_step(c, "input %d is value %d, but only values 0 to %d exist before it", i,
					 step->inputs[i], INFER_FIRST_STEP_VALUE + c->index - 1);
	if (step->relu > rule->relu)
		return fail_step(c, "relu flag must be %s, found %d", rule->relu ? "0 or 1" : "0", step->relu);
	int status = check_args(c, rule);
	return status ? status : check_step_tensors(c, rule);
}

/* One step's output: small enough that no later sum or product of sizes overflows an int. */
static int check_output(const struct step_check *c, struct infer_shape out)
{
	if (out.c > INFER_MAX_CHANNELS)
		return fail_step(c, "gives %d channels, at most %d", out.c, INFER_MAX_CHANNELS);
	if ((uint64_t)out.h * (uint64_t)out.w > (uint64_t)(INFER_MAX_VALUE_FLOATS / out.c))
		return fail_step(c, "its output (%d,%d,%d) has more than %d numbers", out.c, out.h, out.w,
				 INFER_MAX_VALUE_FLOATS);
	return TAPCUT_OK;
}

/* Sides a value may have: a step can multiply or stride by up to 64 and add up to 2 * 64, so its arithmetic stays
 * within an int. */
enum { MAX_SIDE = 1 << 24 };

int infer_network_shapes(const struct infer_network *network, int h, int w, struct infer_shape *shapes, char *message)
{
	if (h < 16 || w < 16 || h % 16 || w % 16 || h > MAX_SIDE / 16 || w > MAX_SIDE / 16)
		return infer_fail(message, TAPCUT_FORMAT, "input size must be multiples of 16, 16 to %d, found %dx%d",
				  MAX_SIDE / 16, h, w);
	struct infer_shape inputs[INFER_FIRST_STEP_VALUE] = {{3, h, w},
							     {network->preprocess.previous_mask ? 3 : 2, h, w}};
	for (int i = 0; i < network->step_count; i++) {
		struct step_check c = {.network = network, .step = &network->steps[i], .index = i, .message = message};
		int status = check_step(&c);
		if (status)
			return status;
		for (int k = 0; k < c.step->input_count; k++) {
			int value = c.step->inputs[k];
			c.in[k] =
				value < INFER_FIRST_STEP_VALUE ? inputs[value] : shapes[value - INFER_FIRST_STEP_VALUE];
			if (c.in[k].h > MAX_SIDE || c.in[k].w > MAX_SIDE)
				return fail_step(&c, "input %d is %dx%d, sides at most %d", k, c.in[k].h, c.in[k].w,
						 MAX_SIDE);
		}
		status = rules[c.step->op].shape(&c, &shapes[i]);
		if (!status)
			status = check_output(&c, shapes[i]);
		if (status)
			return status;
	}
	struct infer_shape last = shapes[network->step_count - 1];
	if (!shapes_equal(last, 1, h, w))
		return infer_fail(message, TAPCUT_FORMAT, "the last step must give logits (1,%d,%d), found (%d,%d,%d)",
				  h, w, last.c, last.h, last.w);
	return TAPCUT_OK;
}

/* --- the whole network ---------------------------------------------------- */

enum { MAX_SETTING = 1 << 20 };

static bool in_range(float x, bool may_be_zero)
{
	return isfinite(x) && fabsf(x) <= MAX_SETTING && (may_be_zero || x != 0);
}

static int check_preprocess(const struct infer_preprocess *p, char *message)
{
	if (p->bgr > 1 || p->encoding > INFER_CLICK_DISTANCE || p->previous_mask > 1)
		return infer_fail(message, TAPCUT_FORMAT,
				  "preprocess: bgr, encoding and previous_mask must be 0 or 1, found %d, %d, %d",
				  p->bgr, p->encoding, p->previous_mask);
	for (int i = 0; i < 3; i++)
		if (!in_range(p->mean[i], true) || !in_range(p->scale[i], false))
			return infer_fail(
				message, TAPCUT_FORMAT,
				"preprocess: plane %d has mean %g and scale %g; expected numbers within 2^20, "
				"the scale not 0",
				i, (double)p->mean[i], (double)p->scale[i]);
	bool disk = p->encoding == INFER_CLICK_DISK;
	if (!in_range(p->radius, !disk) || p->radius < 0 || !in_range(p->truncate, disk) || p->truncate < 0)
		return infer_fail(message, TAPCUT_FORMAT,
				  "preprocess: radius %g and truncation %g; expected 0 to 2^20, above 0 for the "
				  "encoding in use",
				  (double)p->radius, (double)p->truncate);
	if (!in_range(p->click_scale, false))
		return infer_fail(message, TAPCUT_FORMAT,
				  "preprocess: click scale %g; expected a number within 2^20, not 0",
				  (double)p->click_scale);
	return TAPCUT_OK;
}

static int check_tensors(const struct infer_network *network, char *message)
{
	uint64_t total = 0;
	for (int i = 0; i < network->tensor_count; i++) {
		const int *d = network->tensors[i].dims;
		if (d[0] < 1 || d[0] > INFER_MAX_CHANNELS || d[1] < 1 || d[1] > INFER_MAX_CHANNELS || d[2] < 1 ||
		    d[2] > INFER_MAX_KERNEL || d[3] < 1 || d[3] > INFER_MAX_KERNEL)
			return infer_fail(message, TAPCUT_FORMAT,
					  "tensor %d: dimensions (%d,%d,%d,%d), expected 1 to %d, the last two 1 to %d",
					  i, d[0], d[1], d[2], d[3], INFER_MAX_CHANNELS, INFER_MAX_KERNEL);
		total += (uint64_t)d[0] * (uint64_t)d[1] * (uint64_t)d[2] * (uint64_t)d[3];
	}
	if (total > INFER_MAX_TENSOR_FLOATS)
		return infer_fail(message, TAPCUT_LIMIT, "the tensors have %llu numbers, at most %d",
				  (unsigned long long)total, INFER_MAX_TENSOR_FLOATS);
	return TAPCUT_OK;
}

/* Nothing in the file that nobody reads. Indices are known to be good. */
static int check_use(const struct infer_network *network, char *message)
{
	bool step_used[INFER_MAX_STEPS] = {false}, tensor_used[INFER_MAX_TENSORS] = {false};
	for (int i = 0; i < network->step_count; i++) {
		const struct infer_step *step = &network->steps[i];
		for (int k = 0; k < step->input_count; k++)
			if (step->inputs[k] >= INFER_FIRST_STEP_VALUE)
				step_used[step->inputs[k] - INFER_FIRST_STEP_VALUE] = true;
		for (int k = 0; k < 2; k++)
			if (step->tensor[k] >= 0)
				tensor_used[step->tensor[k]] = true;
	}
	for (int i = 0; i < network->step_count - 1; i++)
		if (!step_used[i])
			return infer_fail(message, TAPCUT_FORMAT, "step %d (%s): no later step reads it", i,
					  infer_op_name(network->steps[i].op));
	for (int i = 0; i < network->tensor_count; i++)
		if (!tensor_used[i])
			return infer_fail(message, TAPCUT_FORMAT, "tensor %d: no step uses it", i);
	return TAPCUT_OK;
}

static int check_counts(const struct infer_network *network, char *message)
{
	if (network->step_count < 1 || network->step_count > INFER_MAX_STEPS)
		return infer_fail(message, TAPCUT_LIMIT, "%d steps, expected 1 to %d", network->step_count,
				  INFER_MAX_STEPS);
	if (network->tensor_count < 0 || network->tensor_count > INFER_MAX_TENSORS)
		return infer_fail(message, TAPCUT_LIMIT, "%d tensors, expected 0 to %d", network->tensor_count,
				  INFER_MAX_TENSORS);
	int size = network->default_size;
	if (size < 16 || size > INFER_MAX_SIZE)
		return infer_fail(message, TAPCUT_FORMAT, "default size must be 16 to %d, found %d", INFER_MAX_SIZE,
				  size);
	return TAPCUT_OK;
}

int infer_network_check(const struct infer_network *network, char *message)
{
	struct infer_shape shapes[INFER_MAX_STEPS];
	int status = check_counts(network, message);
	if (!status)
		status = check_preprocess(&network->preprocess, message);
	if (!status)
		status = check_tensors(network, message);
	if (!status) {
		int size = (network->default_size + 15) / 16 * 16;
		status = infer_network_shapes(network, size, size, shapes, message);
	}
	if (!status)
		status = check_use(network, message);
	if (!status && network->ranges)
		status = infer_ranges_check(network, shapes, message);
	return status;
}
