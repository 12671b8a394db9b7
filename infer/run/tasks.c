/* A network's steps as tasks for one input size. Tasks are the steps except for those that cost a trip through
 * memory and need not:
 *
 * - an add of a conv2d's output to something of the same shape becomes part of that conv2d, which then runs in the
 *   add's place; so does an add of two conv2ds;
 * - a scale that only conv2ds read is part of their weights;
 * - a concat's inputs are written straight to their place between the concat's channels;
 * - a task whose output is much smaller than its input runs right behind the maker of that input, which then need
 *   not be kept;
 * - tasks with large values between them run together, some rows at a time (stream.h). */
#include <stdbool.h>
#include <string.h>

#include "../network/ops.h"
#include "runner.h"
#include "stream.h"
#include "../tapcut.h"

enum { MAX_REPEATED_TAPS = 64 }; /* multiply-adds per output; reading a number from memory takes about as long */

static bool same_shape(const struct infer_map *a, const struct infer_map *b)
{
	return a->c == b->c && a->h == b->h && a->w == b->w;
}

static const struct infer_step *step_of_value(const struct infer_runner *r, int value)
{
	return value < INFER_FIRST_STEP_VALUE ? NULL : &r->network->steps[value - INFER_FIRST_STEP_VALUE];
}

static size_t pitch_of(int channels, int element)
{
	if (channels > 4)
		return infer_round_up((size_t)channels, 16);
	return element == INFER_ELEMENT_F32 ? (size_t)channels : 4;
}

static struct infer_map map_of(const struct infer_runner *r, int value, struct infer_shape shape)
{
	int element = infer_value_element(r->network, r->arithmetic, value);
	struct infer_map map = {.c = shape.c,
				.h = shape.h,
				.w = shape.w,
				.pitch = pitch_of(shape.c, element),
				.element = element};
	if (element == INFER_ELEMENT_U8) {
		map.scale = r->network->ranges[value].scale;
		map.zero = r->network->ranges[value].zero;
	}
	return map;
}

static void init_values(struct infer_runner *r, int h, int w, const struct infer_shape *shapes)
{
	struct infer_shape inputs[] = {{3, h, w}, {infer_click_planes(&r->network->preprocess), h, w}};
	for (int v = 0; v < r->value_count; v++) {
		struct infer_shape shape = v < INFER_FIRST_STEP_VALUE ? inputs[v] : shapes[v - INFER_FIRST_STEP_VALUE];
		r->values[v] = (struct infer_value){.map = map_of(r, v, shape),
						    .maker = NONE,
						    .last_reader = NONE,
						    .container = NONE,
						    .image_only = v != VALUE_CLICKS};
	}
	for (int i = 0; i < r->network->step_count; i++) {
		const struct infer_step *step = &r->network->steps[i];
		for (int k = 0; k < step->input_count; k++) {
			r->values[step->inputs[k]].readers++;
			r->values[INFER_FIRST_STEP_VALUE + i].image_only &= r->values[step->inputs[k]].image_only;
		}
	}
}

/* --- tasks ---------------------------------------------------------------- */

/* A conv2d that costs less to repeat than its output costs to keep and to read. */
static bool is_cheap(const struct infer_runner *r, const struct infer_step *conv)
{
	return infer_step_products(r->network, conv) <= MAX_REPEATED_TAPS;
}

/* Whether input k of an add is made for it alone by a conv2d that can do the add. One that need not run for every
 * click is left alone unless it is cheap. In 8 bits the values' ranges say it. */
static bool is_fusable(const struct infer_runner *r, int add, int k)
{
	const struct infer_step *step = &r->network->steps[add], *maker = step_of_value(r, step->inputs[k]);
	const struct infer_value *value = &r->values[step->inputs[k]];
	if (step->op != INFER_OP_ADD || !same_shape(&r->values[step->inputs[0]].map, &r->values[step->inputs[1]].map))
		return false;
	if (!maker || maker->op != INFER_OP_CONV2D || maker->relu || value->readers != 1)
		return false;
	if (r->arithmetic == INFER_ARITHMETIC_U8)
		return infer_value_kind(r->network, step->inputs[k]) == INFER_VALUE_FUSED;
	return value->image_only == r->values[INFER_FIRST_STEP_VALUE + add].image_only || is_cheap(r, maker);
}

/* Two conv2ds can be done in one go only where both are plain sums. */
static bool is_plain(const struct infer_runner *r, int value)
{
	const struct infer_step *conv = step_of_value(r, value);
	return r->arithmetic == INFER_ARITHMETIC_U8 ||
	       infer_conv2d_f32_is_plain(conv, &r->network->tensors[conv->tensor[0]]);
}

/* Whether the add at step i takes over the conv2d that makes its input k. */
static bool takes_over(const struct infer_runner *r, int i, int k)
{
	const int *inputs = r->network->steps[i].inputs;
	if (!is_fusable(r, i, k) || k == 1 || !is_fusable(r, i, 1))
		return is_fusable(r, i, k);
	return is_plain(r, inputs[0]) && is_plain(r, inputs[1]);
}

static void find_fused_convs(const struct infer_runner *r, bool *fused)
{
	for (int i = 0; i < r->network->step_count; i++)
		for (int k = 0; k < 2; k++)
			if (takes_over(r, i, k))
				fused[r->network->steps[i].inputs[k] - INFER_FIRST_STEP_VALUE] = true;
}

/* The add at step i, one or both of whose inputs are made by conv2ds that it takes over. */
static void take_over_convs(const struct infer_runner *r, int i, const bool *fused, struct infer_task *task)
{
	const struct infer_step *add = &r->network->steps[i];
	int k = takes_over(r, i, 1) ? 1 : 0;
	task->step = add->inputs[k] - INFER_FIRST_STEP_VALUE;
	if (k == 0 || !takes_over(r, i, 0)) {
		task->addend = add->inputs[1 - k];
		return;
	}
	task->plus_step = add->inputs[0] - INFER_FIRST_STEP_VALUE;
	task->plus_input =
		infer_unscaled(r->network, r->network->steps[task->plus_step].inputs[0], fused, &task->plus_scale);
}

static struct infer_task make_task(const struct infer_runner *r, int i, const bool *fused)
{
	struct infer_task task = {.step = i,
				  .output = INFER_FIRST_STEP_VALUE + i,
				  .addend = NONE,
				  .plus_step = NONE,
				  .plus_input = NONE,
				  .stream = NONE,
				  .relu = r->network->steps[i].relu,
				  .image_only = r->values[INFER_FIRST_STEP_VALUE + i].image_only};
	if (takes_over(r, i, 0) || takes_over(r, i, 1))
		take_over_convs(r, i, fused, &task);
	const struct infer_step *step = &r->network->steps[task.step];
	task.input_count = step->input_count;
	memcpy(task.inputs, step->inputs, sizeof task.inputs);
	task.inputs[0] = infer_unscaled(r->network, task.inputs[0], fused, &task.in_scale);
	return task;
}

/* Where a new task belongs: last, or, if it makes much less out of its one input, right behind whoever made that. */
static int place_of_task(const struct infer_runner *r, const struct infer_task *task)
{
	const struct infer_value *in = &r->values[task->inputs[0]], *out = &r->values[task->output];
	bool alone = task->input_count == 1 && task->addend == NONE && task->plus_step == NONE;
	if (!alone || in->maker == NONE || 2 * infer_map_bytes(&out->map) > infer_map_bytes(&in->map))
		return r->task_count;
	return in->maker + 1;
}

/* In 8 bits, sums have no bytes of their own: the add must take them, at this size too. */
static enum tapcut_status check_sums(const struct infer_runner *r, char *message)
{
	for (int i = 0; r->arithmetic == INFER_ARITHMETIC_U8 && i < r->network->step_count; i++)
		for (int k = 0; r->network->steps[i].op == INFER_OP_ADD && k < 2; k++)
			if (infer_value_kind(r->network, r->network->steps[i].inputs[k]) == INFER_VALUE_FUSED &&
			    !is_fusable(r, i, k))
				return infer_fail(message, TAPCUT_LIMIT,
						  "step %d (add): its inputs have different shapes at this size", i);
	return TAPCUT_OK;
}

static void make_tasks(struct infer_runner *r)
{
	bool fused[INFER_MAX_STEPS] = {false};
	infer_find_fused_scales(r->network, r->arithmetic, fused);
	find_fused_convs(r, fused);
	for (int i = 0; i < r->network->step_count; i++) {
		if (fused[i])
			continue;
		struct infer_task task = make_task(r, i, fused);
		int place = place_of_task(r, &task);
		memmove(r->tasks + place + 1, r->tasks + place, (size_t)(r->task_count++ - place) * sizeof task);
		r->tasks[place] = task;
		for (int t = place; t < r->task_count; t++)
			r->values[r->tasks[t].output].maker = t;
	}
}

static void note_reader(struct infer_runner *r, int value, int task)
{
	struct infer_value *v = &r->values[value];
	v->last_reader = task;
	v->kept |= v->image_only && !r->tasks[task].image_only;
}

/* Who makes and who reads the values, by task. */
static void note_readers(struct infer_runner *r)
{
	for (int t = 0; t < r->task_count; t++) {
		r->values[r->tasks[t].output].maker = t;
		for (int k = 0; k < r->tasks[t].input_count; k++)
			note_reader(r, r->tasks[t].inputs[k], t);
		if (r->tasks[t].addend != NONE)
			note_reader(r, r->tasks[t].addend, t);
		if (r->tasks[t].plus_input != NONE)
			note_reader(r, r->tasks[t].plus_input, t);
	}
	r->values[VALUE_IMAGE].kept = r->values[VALUE_CLICKS].kept = true;
	r->values[r->value_count - 1].kept = true; /* the logits */
}

/* Inputs of concats that can be made in place. A kept value stays outside: it would make the whole container kept.
 * So does one that has to be put in other numbers. */
static void place_concat_inputs(struct infer_runner *r)
{
	for (int t = 0; t < r->task_count; t++) {
		const struct infer_task *task = &r->tasks[t];
		int place = 0;
		if (r->network->steps[task->step].op != INFER_OP_CONCAT)
			continue;
		r->values[task->output].whole = true;
		for (int k = 0; k < task->input_count; k++) {
			struct infer_value *v = &r->values[task->inputs[k]];
			const struct infer_map *a = &v->map, *b = &r->values[task->output].map;
			int same_numbers = a->element == b->element && a->scale == b->scale && a->zero == b->zero;
			if (v->maker != NONE && v->container == NONE && !v->kept && same_numbers) {
				v->container = task->output;
				v->place = place;
			} else {
				r->values[task->output].whole = false;
			}
			place += v->map.c;
		}
	}
	for (int v = r->value_count - 1; v >= 0; v--) /* containers come after what they hold */
		if (r->values[v].container != NONE)
			r->values[v].map.pitch = r->values[r->values[v].container].map.pitch;
}

enum tapcut_status infer_plan_tasks(struct infer_runner *r, int h, int w, const struct infer_shape *shapes,
				    char *message)
{
	init_values(r, h, w, shapes);
	enum tapcut_status status = check_sums(r, message);
	if (status)
		return status;
	make_tasks(r);
	note_readers(r);
	place_concat_inputs(r);
	infer_find_streams(r);
	note_readers(r); /* streams have changed the order */
	return TAPCUT_OK;
}
