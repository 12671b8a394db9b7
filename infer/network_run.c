/* Runs a network's steps for one input size. The steps are first turned into tasks, which are the steps except for those that cost
 * a trip through memory and need not:
 *
 * - an add of a conv2d's output to something of the same shape becomes part of that conv2d, which then runs in the add's place; so
 *   does an add of two conv2ds;
 * - a scale that only conv2ds read is done by them while they lay out their input;
 * - a concat's inputs are written straight to their place in the concat's output.
 *
 * - a task whose output is much smaller than its input runs right behind the maker of that input, which then need not be kept.
 *
 * None of these changes a bit of the result. Then every value gets a place in one arena (planner.h). Values that depend on the image
 * alone and are read by tasks that depend on clicks stay alive between runs, so that a click need not make them again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "network.h"
#include "planner.h"
#include "tapcut.h"

static const size_t MAX_ARENA_FLOATS = (size_t)1 << 28; /* 1 GiB: more than the default network needs at 2048 */

enum { VALUE_IMAGE, VALUE_CLICKS, NONE = -1 };
enum { MAX_REPEATED_TAPS = 64 }; /* multiply-adds per output; reading a number from memory takes about as long */

struct task {
	int step; /* whose kernel, arguments and tensors */
	int inputs[INFER_MAX_INPUTS], input_count;
	int output;
	float in_scale;
	int addend;    /* value or NONE */
	int plus_step; /* a second conv2d, of value plus_input scaled by plus_scale, or NONE */
	int plus_input;
	float plus_scale;
	int relu;
	int image_only;
};

/* What a network has for each value; a step's output is value INFER_FIRST_STEP_VALUE + step. */
struct value {
	struct infer_shape shape;
	int maker;          /* task; NONE for the inputs and for values that were fused away */
	int readers;        /* steps that read it */
	int last_reader;    /* task */
	int image_only, kept;
	int container;      /* concat output that it lies in, or NONE */
	size_t place;       /* floats into the container */
	float *data;
};

struct infer_runner {
	const struct infer_network *network;
	struct value *values;
	int value_count;
	struct task *tasks;
	int task_count;
	float *scratch;
	void *memory; /* the arena before alignment */
	size_t bytes;
	enum infer_isa isa;
	int image_done; /* the image-only values are those of the current image planes */
};

static size_t shape_floats(struct infer_shape s)
{
	return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static int same_shape(struct infer_shape a, struct infer_shape b)
{
	return a.c == b.c && a.h == b.h && a.w == b.w;
}

static const struct infer_step *step_of_value(const struct infer_runner *r, int value)
{
	return value < INFER_FIRST_STEP_VALUE ? NULL : &r->network->steps[value - INFER_FIRST_STEP_VALUE];
}

/* --- values --------------------------------------------------------------------------------------------------------- */

static void init_values(struct infer_runner *r, int h, int w, const struct infer_shape *shapes)
{
	for (int v = 0; v < r->value_count; v++)
		r->values[v] = (struct value){ .maker = NONE, .last_reader = NONE, .container = NONE };
	r->values[VALUE_IMAGE].shape = (struct infer_shape){ 3, h, w };
	r->values[VALUE_IMAGE].image_only = 1;
	r->values[VALUE_CLICKS].shape = (struct infer_shape){ infer_click_planes(&r->network->preprocess), h, w };
	for (int i = 0; i < r->network->step_count; i++) {
		const struct infer_step *step = &r->network->steps[i];
		struct value *out = &r->values[INFER_FIRST_STEP_VALUE + i];
		out->shape = shapes[i];
		out->image_only = 1;
		for (int k = 0; k < step->input_count; k++) {
			r->values[step->inputs[k]].readers++;
			out->image_only &= r->values[step->inputs[k]].image_only;
		}
	}
}

/* --- tasks ---------------------------------------------------------------------------------------------------------- */

/* Marks, in `fused`, the scale steps that all their readers do themselves. */
static void find_fused_scales(const struct infer_runner *r, unsigned char *fused)
{
	const struct infer_network *n = r->network;
	for (int i = 0; i < n->step_count - 1; i++)
		fused[i] = n->steps[i].op == INFER_OP_SCALE;
	for (int i = 0; i < n->step_count; i++)
		for (int k = 0; k < n->steps[i].input_count; k++) {
			int value = n->steps[i].inputs[k];
			if (value >= INFER_FIRST_STEP_VALUE && n->steps[i].op != INFER_OP_CONV2D)
				fused[value - INFER_FIRST_STEP_VALUE] = 0;
		}
}

/* A conv2d that costs less to repeat than its output costs to keep and to read. */
static int is_cheap(const struct infer_runner *r, const struct infer_step *conv)
{
	const int *dims = r->network->tensors[conv->tensor[0]].dims;
	return dims[1] * dims[2] * dims[3] <= MAX_REPEATED_TAPS;
}

/* Whether input k of an add is made for it alone by a conv2d that can do the add. One that need not run for every click is left
 * alone unless it is cheap. */
static int is_fusable(const struct infer_runner *r, int add, int k)
{
	const struct infer_step *step = &r->network->steps[add], *maker = step_of_value(r, step->inputs[k]);
	const struct value *value = &r->values[step->inputs[k]];
	if (step->op != INFER_OP_ADD || !same_shape(r->values[step->inputs[0]].shape, r->values[step->inputs[1]].shape))
		return 0;
	if (!maker || maker->op != INFER_OP_CONV2D || maker->relu || value->readers != 1)
		return 0;
	return value->image_only == r->values[INFER_FIRST_STEP_VALUE + add].image_only || is_cheap(r, maker);
}

static void find_fused_convs(const struct infer_runner *r, unsigned char *fused)
{
	for (int i = 0; i < r->network->step_count; i++)
		for (int k = 0; k < 2; k++)
			if (is_fusable(r, i, k))
				fused[r->network->steps[i].inputs[k] - INFER_FIRST_STEP_VALUE] = 1;
}

/* If `value` is a scale that its readers do themselves: what it scales, and by what. */
static int unscaled(const struct infer_runner *r, int value, const unsigned char *fused, float *factor)
{
	const struct infer_step *scale = step_of_value(r, value);
	*factor = 1;
	if (!scale || scale->op != INFER_OP_SCALE || !fused[value - INFER_FIRST_STEP_VALUE])
		return value;
	*factor = scale->farg;
	return scale->inputs[0];
}

/* The add at step i, one or both of whose inputs are made by conv2ds that it takes over. */
static void take_over_convs(const struct infer_runner *r, int i, const unsigned char *fused, struct task *task)
{
	const struct infer_step *add = &r->network->steps[i];
	int k = is_fusable(r, i, 1) ? 1 : 0;
	task->step = add->inputs[k] - INFER_FIRST_STEP_VALUE;
	if (k == 0 || !is_fusable(r, i, 0)) {
		task->addend = add->inputs[1 - k];
		return;
	}
	task->plus_step = add->inputs[0] - INFER_FIRST_STEP_VALUE;
	task->plus_input = unscaled(r, r->network->steps[task->plus_step].inputs[0], fused, &task->plus_scale);
}

static struct task make_task(const struct infer_runner *r, int i, const unsigned char *fused)
{
	struct task task = { .step = i, .output = INFER_FIRST_STEP_VALUE + i, .addend = NONE, .plus_step = NONE, .plus_input = NONE,
			     .relu = r->network->steps[i].relu, .image_only = r->values[INFER_FIRST_STEP_VALUE + i].image_only };
	if (is_fusable(r, i, 0) || is_fusable(r, i, 1))
		take_over_convs(r, i, fused, &task);
	const struct infer_step *step = &r->network->steps[task.step];
	task.input_count = step->input_count;
	memcpy(task.inputs, step->inputs, sizeof task.inputs);
	task.inputs[0] = unscaled(r, task.inputs[0], fused, &task.in_scale);
	return task;
}

/* Where a new task belongs: last, or, if it makes much less out of its one input, right behind whoever made that. */
static int place_of_task(const struct infer_runner *r, const struct task *task)
{
	const struct value *in = &r->values[task->inputs[0]], *out = &r->values[task->output];
	int alone = task->input_count == 1 && task->addend == NONE && task->plus_step == NONE;
	if (!alone || in->maker == NONE || 2 * shape_floats(out->shape) > shape_floats(in->shape))
		return r->task_count;
	return in->maker + 1;
}

static void make_tasks(struct infer_runner *r)
{
	unsigned char fused[INFER_MAX_STEPS] = { 0 };
	find_fused_scales(r, fused);
	find_fused_convs(r, fused);
	for (int i = 0; i < r->network->step_count; i++) {
		if (fused[i])
			continue;
		struct task task = make_task(r, i, fused);
		int place = place_of_task(r, &task);
		memmove(r->tasks + place + 1, r->tasks + place, (size_t)(r->task_count++ - place) * sizeof task);
		r->tasks[place] = task;
		for (int t = place; t < r->task_count; t++)
			r->values[r->tasks[t].output].maker = t;
	}
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

static void note_reader(struct infer_runner *r, int value, int task)
{
	struct value *v = &r->values[value];
	v->last_reader = task;
	v->kept |= v->image_only && !r->tasks[task].image_only;
}

static void note_readers(struct infer_runner *r)
{
	for (int t = 0; t < r->task_count; t++) {
		for (int k = 0; k < r->tasks[t].input_count; k++)
			note_reader(r, r->tasks[t].inputs[k], t);
		if (r->tasks[t].addend != NONE)
			note_reader(r, r->tasks[t].addend, t);
		if (r->tasks[t].plus_input != NONE)
			note_reader(r, r->tasks[t].plus_input, t);
	}
	r->values[VALUE_IMAGE].kept = r->values[VALUE_CLICKS].kept = 1;
	r->values[r->value_count - 1].kept = 1; /* the logits */
}

/* Inputs of concats that can be made in place. A kept value stays outside: it would make the whole container kept. */
static void place_concat_inputs(struct infer_runner *r)
{
	for (int t = 0; t < r->task_count; t++) {
		const struct task *task = &r->tasks[t];
		size_t place = 0;
		if (r->network->steps[task->step].op != INFER_OP_CONCAT)
			continue;
		for (int k = 0; k < task->input_count; k++) {
			struct value *v = &r->values[task->inputs[k]];
			if (v->maker != NONE && v->container == NONE && !v->kept) {
				v->container = task->output;
				v->place = place;
			}
			place += shape_floats(v->shape);
		}
	}
}

/* The value whose memory `value` lies in. */
static int root_of(const struct infer_runner *r, int value)
{
	while (r->values[value].container != NONE)
		value = r->values[value].container;
	return value;
}

/* Lifetimes in tasks: a container lives as long as anything in it. */
static void set_lifetimes(const struct infer_runner *r, struct infer_block *blocks)
{
	for (int v = 0; v < r->value_count; v++) {
		const struct value *value = &r->values[v];
		struct infer_block life = { .first = value->maker, .last = value->last_reader };
		if (life.last < life.first)
			life.last = life.first;
		if (value->kept) {
			life.first = 0;
			life.last = r->task_count;
		} else if (value->maker == NONE) {
			continue;
		}
		struct infer_block *block = &blocks[root_of(r, v)];
		if (!block->floats)
			*block = (struct infer_block){ .floats = shape_floats(r->values[root_of(r, v)].shape), .first = life.first,
						       .last = life.last };
		block->first = life.first < block->first ? life.first : block->first;
		block->last = life.last > block->last ? life.last : block->last;
	}
}

/* What a step takes; its output and fused neighbours are left out. */
static struct infer_planar_call call_of_step(const struct infer_runner *r, int index, const int *inputs, int input_count, float in_scale)
{
	const struct infer_step *step = &r->network->steps[index];
	struct infer_planar_call call = { .step = step, .isa = r->isa, .in_scale = in_scale };
	for (int k = 0; k < 2; k++)
		call.tensor[k] = step->tensor[k] < 0 ? NULL : &r->network->tensors[step->tensor[k]];
	for (int k = 0; k < input_count; k++) {
		call.in[k] = r->values[inputs[k]].data;
		call.in_shape[k] = r->values[inputs[k]].shape;
	}
	return call;
}

/* `plus` is memory for the second conv2d. */
static struct infer_planar_call make_call(const struct infer_runner *r, const struct task *task, struct infer_planar_call *plus)
{
	struct infer_planar_call call = call_of_step(r, task->step, task->inputs, task->input_count, task->in_scale);
	call.out = r->values[task->output].data;
	call.out_shape = r->values[task->output].shape;
	call.scratch = r->scratch;
	call.relu = task->relu;
	call.addend = task->addend == NONE ? NULL : r->values[task->addend].data;
	if (task->plus_step != NONE) {
		*plus = call_of_step(r, task->plus_step, &task->plus_input, 1, task->plus_scale);
		plus->out_shape = call.out_shape;
		call.plus = plus;
	}
	return call;
}

/* Scratch is one block for all tasks: the largest need. */
static size_t scratch_floats(const struct infer_runner *r)
{
	size_t most = 0;
	for (int t = 0; t < r->task_count; t++) {
		struct infer_planar_call plus, call = make_call(r, &r->tasks[t], &plus);
		const struct infer_planar_kernel *kernel = &infer_planar_kernels[call.step->op];
		size_t need = kernel->scratch_floats ? kernel->scratch_floats(&call) : 0;
		most = need > most ? need : most;
	}
	return most;
}

static int allocate_arena(struct infer_runner *r, size_t floats, char *message)
{
	if (floats > MAX_ARENA_FLOATS)
		return infer_fail(message, TAPCUT_LIMIT, "running the model at %dx%d needs more than %zu MiB", r->values[VALUE_IMAGE].shape.w,
				  r->values[VALUE_IMAGE].shape.h, MAX_ARENA_FLOATS * sizeof(float) >> 20);
	r->memory = malloc(floats * sizeof(float) + 64);
	if (!r->memory)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu bytes of activations", floats * sizeof(float));
	r->bytes += floats * sizeof(float) + 64;
	return TAPCUT_OK;
}

static int lay_out(struct infer_runner *r, struct infer_block *blocks, int *order, char *message)
{
	int scratch = r->value_count; /* its block */
	memset(blocks, 0, (size_t)(r->value_count + 1) * sizeof *blocks);
	for (int v = 0; v < r->value_count; v++)
		blocks[v].last = -1;
	set_lifetimes(r, blocks);
	blocks[scratch] = (struct infer_block){ .floats = scratch_floats(r), .first = 0, .last = r->task_count };
	int status = allocate_arena(r, infer_plan(blocks, r->value_count + 1, order), message);
	if (status)
		return status;
	float *arena = (float *)(void *)(((uintptr_t)r->memory + 63) / 64 * 64);
	r->scratch = arena + blocks[scratch].offset;
	for (int v = r->value_count - 1; v >= 0; v--) { /* containers come after what they hold */
		struct value *value = &r->values[v];
		value->data = value->container == NONE ? arena + blocks[v].offset : r->values[value->container].data + value->place;
	}
	return TAPCUT_OK;
}

static int plan_memory(struct infer_runner *r, char *message)
{
	struct infer_block *blocks = malloc((size_t)(r->value_count + 1) * sizeof *blocks);
	int *order = malloc((size_t)(r->value_count + 1) * sizeof *order);
	int status = TAPCUT_NO_MEMORY;
	if (blocks && order)
		status = lay_out(r, blocks, order, message);
	else
		infer_fail(message, TAPCUT_NO_MEMORY, "no memory to plan %d values", r->value_count);
	free(blocks);
	free(order);
	return status;
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

int infer_runner_new(const struct infer_network *network, int h, int w, struct infer_runner **runner, char *message)
{
	struct infer_shape shapes[INFER_MAX_STEPS];
	*runner = NULL;
	int status = infer_network_shapes(network, h, w, shapes, message);
	if (status)
		return status;
	struct infer_runner *r = calloc(1, sizeof *r);
	if (!r)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for a runner");
	r->network = network;
	r->isa = infer_isa_best();
	r->value_count = INFER_FIRST_STEP_VALUE + network->step_count;
	r->values = malloc((size_t)r->value_count * sizeof *r->values);
	r->tasks = malloc((size_t)network->step_count * sizeof *r->tasks);
	r->bytes = sizeof *r + (size_t)r->value_count * sizeof *r->values + (size_t)network->step_count * sizeof *r->tasks;
	if (r->values && r->tasks) {
		init_values(r, h, w, shapes);
		make_tasks(r);
		note_readers(r);
		place_concat_inputs(r);
		status = plan_memory(r, message);
	} else {
		status = infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %d steps", network->step_count);
	}
	if (status) {
		infer_runner_free(r);
		return status;
	}
	*runner = r;
	return TAPCUT_OK;
}

void infer_runner_free(struct infer_runner *r)
{
	if (!r)
		return;
	free(r->memory);
	free(r->values);
	free(r->tasks);
	free(r);
}

float *infer_runner_image(struct infer_runner *r)
{
	return r->values[VALUE_IMAGE].data;
}

float *infer_runner_clicks(struct infer_runner *r)
{
	return r->values[VALUE_CLICKS].data;
}

size_t infer_runner_bytes(const struct infer_runner *r)
{
	return r->bytes;
}

void infer_runner_set_isa(struct infer_runner *r, int isa)
{
	r->isa = (enum infer_isa)isa;
}

const float *infer_runner_run(struct infer_runner *r, int image_unchanged)
{
	for (int t = 0; t < r->task_count; t++) {
		if (r->tasks[t].image_only && image_unchanged && r->image_done)
			continue;
		struct infer_planar_call plus, call = make_call(r, &r->tasks[t], &plus);
		infer_planar_kernels[call.step->op].run(&call);
	}
	r->image_done = 1;
	return r->values[r->value_count - 1].data;
}
