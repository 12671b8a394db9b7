/* What a network must be before the planner and the kernels may trust it (FORMAT.md, section 2): the rows of
 * ops.h say how many inputs, arguments and tensors each operator takes, and what shape its output has.
 *
 * Everything is checked in an order in which no product can overflow: arguments and dimensions against their small
 * limits first, arithmetic after. */
#include <math.h>
#include <stdbool.h>

#include "../common/fail.h"
#include "ops.h"

static enum tapcut_status check_args(const struct infer_step_check *c, const struct infer_operator *rule)
{
	const char *letter = rule->args;
	for (int i = 0; i < INFER_MAX_ARGS; i++) {
		int low = *letter && *letter != 'p' && *letter != 'b';
		int high = !*letter ? 0 : *letter == 'b' ? 1 : INFER_MAX_KERNEL;
		if (c->step->args[i] < low || c->step->args[i] > high)
			return infer_fail_step(c, "argument %d must be %d to %d, found %d", i, low, high,
					       c->step->args[i]);
		letter += *letter != '\0';
	}
	if (!isfinite(c->step->farg) || (!rule->number && c->step->farg != 0))
		return infer_fail_step(c, "its number must be %s, found %g", rule->number ? "finite" : "0",
				       (double)c->step->farg);
	return TAPCUT_OK;
}

static enum tapcut_status check_step_tensors(const struct infer_step_check *c, const struct infer_operator *rule)
{
	for (int i = 0; i < 2; i++) {
		int tensor = c->step->tensor[i];
		if (tensor == -1 ? i < rule->min_tensors : i >= rule->max_tensors)
			return infer_fail_step(c, "takes %d to %d tensors, but tensor[%d] is %d", rule->min_tensors,
					       rule->max_tensors, i, tensor);
		if (tensor < -1 || tensor >= c->network->tensor_count)
			return infer_fail_step(c, "tensor %d of %d", tensor, c->network->tensor_count);
	}
	return TAPCUT_OK;
}

/* All but the shapes. */
static enum tapcut_status check_step(const struct infer_step_check *c)
{
	const struct infer_step *step = c->step;
	const struct infer_operator *rule = infer_operator(step->op);
	if (!rule)
		return infer_fail_step(c, "number %d, known are 1 to %d", step->op, infer_op_last());
	if (step->input_count < rule->min_inputs || step->input_count > rule->max_inputs)
		return infer_fail_step(c, "takes %d to %d inputs, found %d", rule->min_inputs, rule->max_inputs,
				       step->input_count);
	for (int i = 0; i < step->input_count; i++)
		if (step->inputs[i] < 0 || step->inputs[i] >= INFER_FIRST_STEP_VALUE + c->index)
			return infer_fail_step(c, "input %d is value %d, but only values 0 to %d exist before it", i,
					       step->inputs[i], INFER_FIRST_STEP_VALUE + c->index - 1);
	if (step->relu > rule->relu)
		return infer_fail_step(c, "relu flag must be %s, found %d", rule->relu ? "0 or 1" : "0", step->relu);
	enum tapcut_status status = check_args(c, rule);
	return status ? status : check_step_tensors(c, rule);
}

/* One step's output: small enough that no later sum or product of sizes overflows an int. */
static enum tapcut_status check_output(const struct infer_step_check *c, struct infer_shape out)
{
	if (out.c > INFER_MAX_CHANNELS)
		return infer_fail_step(c, "gives %d channels, at most %d", out.c, INFER_MAX_CHANNELS);
	if ((uint64_t)out.h * (uint64_t)out.w > (uint64_t)(INFER_MAX_VALUE_FLOATS / out.c))
		return infer_fail_step(c, "its output (%d,%d,%d) has more than %d numbers", out.c, out.h, out.w,
				       INFER_MAX_VALUE_FLOATS);
	return TAPCUT_OK;
}

/* Sides a value may have: a step can multiply or stride by up to 64 and add up to 2 * 64, so its arithmetic stays
 * within an int. */
enum { MAX_SIDE = 1 << 24 };

/* What a step costs: multiply-adds, or where it has none, numbers read. */
static double step_work(const struct infer_step_check *c, struct infer_shape out)
{
	const struct infer_operator *rule = infer_operator(c->step->op);
	double each = infer_step_products(c->network, c->step);
	if (each <= 0)
		each = rule->args[0] == 'k' ? (double)c->step->args[0] * c->step->args[0] : c->step->input_count;
	return each * out.c * out.h * out.w;
}

/* The shapes of a step's inputs, then of its output. `inputs`: of the network's own. */
static enum tapcut_status step_shape(struct infer_step_check *c, const struct infer_shape *inputs,
				     const struct infer_shape *shapes, struct infer_shape *out)
{
	enum tapcut_status status = check_step(c);
	if (status)
		return status;
	for (int k = 0; k < c->step->input_count; k++) {
		int value = c->step->inputs[k];
		c->in[k] = value < INFER_FIRST_STEP_VALUE ? inputs[value] : shapes[value - INFER_FIRST_STEP_VALUE];
		if (c->in[k].h > MAX_SIDE || c->in[k].w > MAX_SIDE)
			return infer_fail_step(c, "input %d is %dx%d, sides at most %d", k, c->in[k].h, c->in[k].w,
					       MAX_SIDE);
	}
	const struct infer_operator *rule = infer_operator(c->step->op);
	*out = c->in[0];
	if (rule->shape)
		status = rule->shape(c, out);
	return status ? status : check_output(c, *out);
}

enum tapcut_status infer_network_shapes(const struct infer_network *network, int h, int w, struct infer_shape *shapes,
					char *message)
{
	double work = 0;
	if (h < 16 || w < 16 || h % 16 || w % 16 || h > MAX_SIDE / 16 || w > MAX_SIDE / 16)
		return infer_fail(message, TAPCUT_FORMAT, "input size must be multiples of 16, 16 to %d, found %dx%d",
				  MAX_SIDE / 16, h, w);
	struct infer_shape inputs[INFER_FIRST_STEP_VALUE] = {{3, h, w},
							     {network->preprocess.previous_mask ? 3 : 2, h, w}};
	for (int i = 0; i < network->step_count; i++) {
		struct infer_step_check c = {.network = network,
					     .step = &network->steps[i],
					     .index = i,
					     .message = message};
		enum tapcut_status status = step_shape(&c, inputs, shapes, &shapes[i]);
		if (status)
			return status;
		work += step_work(&c, shapes[i]);
	}
	if (work > INFER_MAX_WORK)
		return infer_fail(message, TAPCUT_LIMIT, "one run at %dx%d takes %.3g multiply-adds, at most %.3g", w,
				  h, work, INFER_MAX_WORK);
	struct infer_shape last = shapes[network->step_count - 1];
	int channels = network->class_count ? network->class_count : 1;
	if (last.c != channels || last.h != h || last.w != w)
		return infer_fail(message, TAPCUT_FORMAT, "the last step must give logits (%d,%d,%d), found (%d,%d,%d)",
				  channels, h, w, last.c, last.h, last.w);
	return TAPCUT_OK;
}

int infer_network_multiple(const struct infer_network *network)
{
	struct infer_shape shapes[INFER_MAX_STEPS];
	return infer_network_shapes(network, 16, 16, shapes, NULL) ? 32 : 16;
}

/* --- the whole network ---------------------------------------------------- */

enum { MAX_SETTING = 1 << 20 };

static bool in_range(float x, bool may_be_zero)
{
	return isfinite(x) && fabsf(x) <= MAX_SETTING && (may_be_zero || x != 0);
}

static enum tapcut_status check_preprocess(const struct infer_preprocess *p, char *message)
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

static enum tapcut_status check_tensors(const struct infer_network *network, char *message)
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
static enum tapcut_status check_use(const struct infer_network *network, char *message)
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

static enum tapcut_status check_counts(const struct infer_network *network, char *message)
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

enum tapcut_status infer_network_check(const struct infer_network *network, char *message)
{
	struct infer_shape shapes[INFER_MAX_STEPS];
	enum tapcut_status status = check_counts(network, message);
	if (!status)
		status = check_preprocess(&network->preprocess, message);
	if (!status)
		status = check_tensors(network, message);
	if (!status) {
		int size = infer_network_side(network);
		status = infer_network_shapes(network, size, size, shapes, message);
	}
	if (!status)
		status = check_use(network, message);
	if (!status && network->ranges)
		status = infer_ranges_check(network, shapes, message);
	return status;
}
