/* Runs a network's steps for one input size. The steps are first turned into tasks, which are the steps except for those that cost
 * a trip through memory and need not:
 *
 * - an add of a conv2d's output to something of the same shape becomes part of that conv2d, which then runs in the add's place; so
 *   does an add of two conv2ds;
 * - a scale that only conv2ds read is part of their weights;
 * - a concat's inputs are written straight to their place between the concat's channels;
 * - a task whose output is much smaller than its input runs right behind the maker of that input, which then need not be kept;
 * - tasks with large values between them run together, some rows at a time (stream.h).
 *
 * Then every value gets a place in one arena (planner.h). Values that depend on the photo alone and are read by tasks that depend on
 * clicks stay alive between runs, so that a click need not make them again. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "planner.h"
#include "runner.h"
#include "stream.h"
#include "tapcut.h"

static const size_t DEFAULT_STREAM_BYTES = 2 << 20;
static const size_t MAX_ARENA_BYTES = (size_t)1 << 30; /* more than the default network needs at 2048 */

enum { MAX_REPEATED_TAPS = 64 }; /* multiply-adds per output; reading a number from memory takes about as long */

static size_t round_up(size_t number, size_t multiple)
{
	return (number + multiple - 1) / multiple * multiple;
}

static int same_shape(const struct infer_map *a, const struct infer_map *b)
{
	return a->c == b->c && a->h == b->h && a->w == b->w;
}

static const struct infer_step *step_of_value(const struct infer_runner *r, int value)
{
	return value < INFER_FIRST_STEP_VALUE ? NULL : &r->network->steps[value - INFER_FIRST_STEP_VALUE];
}

/* --- values --------------------------------------------------------------------------------------------------------- */

static size_t pitch_of(int channels, int element)
{
	if (channels > 4)
		return round_up((size_t)channels, 16);
	return element == INFER_ELEMENT_F32 ? (size_t)channels : 4;
}

static struct infer_map map_of(const struct infer_runner *r, int value, struct infer_shape shape)
{
	int element = infer_value_element(r->network, r->arithmetic, value);
	struct infer_map map = { .c = shape.c, .h = shape.h, .w = shape.w, .pitch = pitch_of(shape.c, element), .element = element };
	if (element == INFER_ELEMENT_U8) {
		map.scale = r->network->ranges[value].scale;
		map.zero = r->network->ranges[value].zero;
	}
	return map;
}

static void init_values(struct infer_runner *r, int h, int w, const struct infer_shape *shapes)
{
	struct infer_shape inputs[] = { { 3, h, w }, { infer_click_planes(&r->network->preprocess), h, w } };
	for (int v = 0; v < r->value_count; v++) {
		struct infer_shape shape = v < INFER_FIRST_STEP_VALUE ? inputs[v] : shapes[v - INFER_FIRST_STEP_VALUE];
		r->values[v] = (struct infer_value){ .map = map_of(r, v, shape), .maker = NONE, .last_reader = NONE, .container = NONE,
					       .image_only = v != VALUE_CLICKS };
	}
	for (int i = 0; i < r->network->step_count; i++) {
		const struct infer_step *step = &r->network->steps[i];
		for (int k = 0; k < step->input_count; k++) {
			r->values[step->inputs[k]].readers++;
			r->values[INFER_FIRST_STEP_VALUE + i].image_only &= r->values[step->inputs[k]].image_only;
		}
	}
}

/* --- tasks ---------------------------------------------------------------------------------------------------------- */

/* A conv2d that costs less to repeat than its output costs to keep and to read. */
static int is_cheap(const struct infer_runner *r, const struct infer_step *conv)
{
	const int *dims = r->network->tensors[conv->tensor[0]].dims;
	return dims[1] * dims[2] * dims[3] <= MAX_REPEATED_TAPS;
}

/* Whether input k of an add is made for it alone by a conv2d that can do the add. One that need not run for every click is left
 * alone unless it is cheap. In 8 bits the values' ranges say it. */
static int is_fusable(const struct infer_runner *r, int add, int k)
{
	const struct infer_step *step = &r->network->steps[add], *maker = step_of_value(r, step->inputs[k]);
	const struct infer_value *value = &r->values[step->inputs[k]];
	if (step->op != INFER_OP_ADD || !same_shape(&r->values[step->inputs[0]].map, &r->values[step->inputs[1]].map))
		return 0;
	if (!maker || maker->op != INFER_OP_CONV2D || maker->relu || value->readers != 1)
		return 0;
	if (r->arithmetic == INFER_ARITHMETIC_U8)
		return infer_value_kind(r->network, step->inputs[k]) == INFER_VALUE_FUSED;
	return value->image_only == r->values[INFER_FIRST_STEP_VALUE + add].image_only || is_cheap(r, maker);
}

/* Two conv2ds can be done in one go only where both are plain sums. */
static int is_plain(const struct infer_runner *r, int value)
{
	const struct infer_step *conv = step_of_value(r, value);
	return r->arithmetic == INFER_ARITHMETIC_U8 || infer_conv2d_f32_is_plain(conv, &r->network->tensors[conv->tensor[0]]);
}

/* Whether the add at step i takes over the conv2d that makes its input k. */
static int takes_over(const struct infer_runner *r, int i, int k)
{
	const int *inputs = r->network->steps[i].inputs;
	if (!is_fusable(r, i, k) || k == 1 || !is_fusable(r, i, 1))
		return is_fusable(r, i, k);
	return is_plain(r, inputs[0]) && is_plain(r, inputs[1]);
}

static void find_fused_convs(const struct infer_runner *r, unsigned char *fused)
{
	for (int i = 0; i < r->network->step_count; i++)
		for (int k = 0; k < 2; k++)
			if (takes_over(r, i, k))
				fused[r->network->steps[i].inputs[k] - INFER_FIRST_STEP_VALUE] = 1;
}

/* The add at step i, one or both of whose inputs are made by conv2ds that it takes over. */
static void take_over_convs(const struct infer_runner *r, int i, const unsigned char *fused, struct infer_task *task)
{
	const struct infer_step *add = &r->network->steps[i];
	int k = takes_over(r, i, 1) ? 1 : 0;
	task->step = add->inputs[k] - INFER_FIRST_STEP_VALUE;
	if (k == 0 || !takes_over(r, i, 0)) {
		task->addend = add->inputs[1 - k];
		return;
	}
	task->plus_step = add->inputs[0] - INFER_FIRST_STEP_VALUE;
	task->plus_input = infer_unscaled(r->network, r->network->steps[task->plus_step].inputs[0], fused, &task->plus_scale);
}

static struct infer_task make_task(const struct infer_runner *r, int i, const unsigned char *fused)
{
	struct infer_task task = { .step = i, .output = INFER_FIRST_STEP_VALUE + i, .addend = NONE, .plus_step = NONE, .plus_input = NONE,
			     .stream = NONE, .relu = r->network->steps[i].relu, .image_only = r->values[INFER_FIRST_STEP_VALUE + i].image_only };
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
	int alone = task->input_count == 1 && task->addend == NONE && task->plus_step == NONE;
	if (!alone || in->maker == NONE || 2 * infer_map_bytes(&out->map) > infer_map_bytes(&in->map))
		return r->task_count;
	return in->maker + 1;
}

/* In 8 bits, sums have no bytes of their own: the add must take them, at this size too. */
static int check_sums(const struct infer_runner *r, char *message)
{
	for (int i = 0; r->arithmetic == INFER_ARITHMETIC_U8 && i < r->network->step_count; i++)
		for (int k = 0; r->network->steps[i].op == INFER_OP_ADD && k < 2; k++)
			if (infer_value_kind(r->network, r->network->steps[i].inputs[k]) == INFER_VALUE_FUSED && !is_fusable(r, i, k))
				return infer_fail(message, TAPCUT_LIMIT, "step %d (add): its inputs have different shapes at this size", i);
	return TAPCUT_OK;
}

static void make_tasks(struct infer_runner *r)
{
	unsigned char fused[INFER_MAX_STEPS] = { 0 };
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

/* --- memory --------------------------------------------------------------------------------------------------------- */

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
	r->values[VALUE_IMAGE].kept = r->values[VALUE_CLICKS].kept = 1;
	r->values[r->value_count - 1].kept = 1; /* the logits */
}

/* Inputs of concats that can be made in place. A kept value stays outside: it would make the whole container kept. So does one that
 * has to be put in other numbers. */
static void place_concat_inputs(struct infer_runner *r)
{
	for (int t = 0; t < r->task_count; t++) {
		const struct infer_task *task = &r->tasks[t];
		int place = 0;
		if (r->network->steps[task->step].op != INFER_OP_CONCAT)
			continue;
		r->values[task->output].whole = 1;
		for (int k = 0; k < task->input_count; k++) {
			struct infer_value *v = &r->values[task->inputs[k]];
			const struct infer_map *a = &v->map, *b = &r->values[task->output].map;
			int same_numbers = a->element == b->element && a->scale == b->scale && a->zero == b->zero;
			if (v->maker != NONE && v->container == NONE && !v->kept && same_numbers) {
				v->container = task->output;
				v->place = place;
			} else {
				r->values[task->output].whole = 0;
			}
			place += v->map.c;
		}
	}
	for (int v = r->value_count - 1; v >= 0; v--) /* containers come after what they hold */
		if (r->values[v].container != NONE)
			r->values[v].map.pitch = r->values[r->values[v].container].map.pitch;
}

static int moment_of(const struct infer_runner *r, int task)
{
	return task == NONE ? NONE : r->tasks[task].moment;
}

/* Lifetimes in moments: a container lives as long as anything in it. */
static void set_lifetimes(const struct infer_runner *r, struct infer_block *blocks)
{
	for (int v = 0; v < r->value_count; v++) {
		const struct infer_value *value = &r->values[v];
		struct infer_block life = { .first = moment_of(r, value->maker), .last = moment_of(r, value->last_reader) };
		if (life.last < life.first)
			life.last = life.first;
		if (value->kept) {
			life.first = 0;
			life.last = r->task_count;
		} else if (value->maker == NONE || r->values[infer_root_value(r, v)].rows) {
			continue;
		}
		struct infer_block *block = &blocks[infer_root_value(r, v)];
		if (!block->bytes)
			*block = (struct infer_block){ .bytes = infer_map_bytes(&r->values[infer_root_value(r, v)].map), .first = life.first,
						       .last = life.last };
		block->first = life.first < block->first ? life.first : block->first;
		block->last = life.last > block->last ? life.last : block->last;
	}
}

/* What a step takes; its output and fused neighbours are left out. */
static struct infer_call call_of_step(const struct infer_runner *r, int index, const int *inputs, int input_count, float in_scale)
{
	const struct infer_step *step = &r->network->steps[index];
	struct infer_call call = { .step = step, .isa = r->isa, .in_scale = in_scale, .packed = r->packed->step[index] };
	for (int k = 0; k < 2; k++)
		call.tensor[k] = step->tensor[k] < 0 ? NULL : &r->network->tensors[step->tensor[k]];
	for (int k = 0; k < input_count; k++)
		call.in[k] = r->values[inputs[k]].map;
	if (inputs[0] == VALUE_IMAGE && call.in[0].element == INFER_ELEMENT_U8)
		call.image = &r->network->preprocess;
	return call;
}

static void make_call(const struct infer_runner *r, struct infer_task *task)
{
	task->call = call_of_step(r, task->step, task->inputs, task->input_count, task->in_scale);
	task->call.out = r->values[task->output].map;
	task->call.relu = task->relu;
	if (task->addend != NONE)
		task->call.addend = r->values[task->addend].map;
	if (task->plus_step != NONE) {
		task->plus = call_of_step(r, task->plus_step, &task->plus_input, 1, task->plus_scale);
		task->plus.out = task->call.out;
		task->call.plus = &task->plus;
	}
	task->kernel = infer_kernel_of(task->call.step, task->call.in[0].element);
	task->row_step = task->kernel->row_step ? task->kernel->row_step(&task->call) : 1;
}

static void make_calls(struct infer_runner *r)
{
	for (int t = 0; t < r->task_count; t++)
		make_call(r, &r->tasks[t]);
}

/* Scratch is one block for all tasks: the largest need. */
static size_t most_scratch(const struct infer_runner *r)
{
	size_t most = 0;
	for (int t = 0; t < r->task_count; t++) {
		const struct infer_task *task = &r->tasks[t];
		size_t need = task->kernel->scratch_bytes ? task->kernel->scratch_bytes(&task->call) : 0;
		most = need > most ? need : most;
	}
	return round_up(most, ALIGNMENT);
}

static unsigned char *aligned(void *memory)
{
	return (unsigned char *)memory + (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) % ALIGNMENT;
}

/* Zeros, because kernels may read (not use) what lies between the channels of one pixel and the next. */
static int allocate_arena(struct infer_runner *r, size_t bytes, char *message)
{
	if (bytes > MAX_ARENA_BYTES)
		return infer_fail(message, TAPCUT_LIMIT, "running the model at %dx%d needs more than %zu MiB", r->values[VALUE_IMAGE].map.w,
				  r->values[VALUE_IMAGE].map.h, MAX_ARENA_BYTES >> 20);
	r->memory = calloc(bytes + 2 * ALIGNMENT, 1);
	if (!r->memory)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu bytes of activations", bytes);
	r->bytes += bytes + 2 * ALIGNMENT;
	return TAPCUT_OK;
}

static void place_values(struct infer_runner *r, const struct infer_block *blocks)
{
	unsigned char *arena = aligned(r->memory);
	r->scratch = arena + blocks[r->value_count].offset;
	for (int v = r->value_count - 1; v >= 0; v--) { /* containers come after what they hold */
		struct infer_map *map = &r->values[v].map;
		if (r->values[infer_root_value(r, v)].rows)
			continue;
		if (r->values[v].container == NONE) {
			map->data = arena + blocks[v].offset;
			continue;
		}
		const struct infer_map *container = &r->values[r->values[v].container].map;
		map->data = (unsigned char *)container->data + (size_t)r->values[v].place * infer_element_bytes(map->element);
	}
}

static int lay_out(struct infer_runner *r, struct infer_block *blocks, int *order, char *message)
{
	int scratch = r->value_count; /* its block */
	memset(blocks, 0, (size_t)(r->value_count + 1) * sizeof *blocks);
	for (int v = 0; v < r->value_count; v++)
		blocks[v].last = -1;
	set_lifetimes(r, blocks);
	make_calls(r); /* without data yet: for what scratch they need */
	infer_plan_windows(r);
	r->scratch_bytes = most_scratch(r) + r->window_bytes;
	size_t threads = (size_t)infer_threads_count(r->threads);
	if (r->scratch_bytes > MAX_ARENA_BYTES / threads)
		return allocate_arena(r, SIZE_MAX, message);
	blocks[scratch] = (struct infer_block){ .bytes = r->scratch_bytes * threads, .first = 0, .last = r->task_count };
	int status = allocate_arena(r, infer_plan(blocks, r->value_count + 1, order), message);
	if (status)
		return status;
	place_values(r, blocks);
	make_calls(r);
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

/* With memory NULL only counts. */
static size_t fill_constants(struct infer_runner *r, unsigned char *memory)
{
	size_t used = 0;
	for (int t = 0; t < r->task_count; t++) {
		struct infer_task *task = &r->tasks[t];
		size_t bytes = task->kernel->constant_bytes ? task->kernel->constant_bytes(&task->call) : 0;
		if (memory && bytes) {
			task->kernel->fill_constants(&task->call, memory + used);
			task->call.constants = memory + used;
		}
		used += round_up(bytes, ALIGNMENT);
	}
	return used;
}

static int make_constants(struct infer_runner *r, char *message)
{
	size_t bytes = fill_constants(r, NULL) + ALIGNMENT;
	r->constants = malloc(bytes);
	if (!r->constants)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu bytes of constants", bytes);
	r->bytes += bytes;
	fill_constants(r, aligned(r->constants));
	return TAPCUT_OK;
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

static int set_up(struct infer_runner *r, int h, int w, const struct infer_shape *shapes, char *message)
{
	if (!r->values || !r->tasks || !r->streams || !r->threads)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory or threads for %d steps", r->network->step_count);
	init_values(r, h, w, shapes);
	int status = check_sums(r, message);
	if (status)
		return status;
	make_tasks(r);
	note_readers(r);
	place_concat_inputs(r);
	infer_find_streams(r);
	note_readers(r);
	status = plan_memory(r, message);
	return status ? status : make_constants(r, message);
}

int infer_runner_new(const struct infer_network *network, int h, int w, const struct infer_run_options *options,
		     struct infer_runner **runner, char *message)
{
	static const struct infer_run_options defaults = { .arithmetic = INFER_ARITHMETIC_F32, .threads = 1, .isa = -1 };
	struct infer_shape shapes[INFER_MAX_STEPS];
	*runner = NULL;
	options = options ? options : &defaults;
	int status = infer_network_shapes(network, h, w, shapes, message);
	if (!status)
		status = infer_network_pack(network, options->arithmetic, message);
	if (status)
		return status;
	struct infer_runner *r = calloc(1, sizeof *r);
	if (!r)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for a runner");
	r->network = network;
	r->packed = infer_network_packed(network, options->arithmetic);
	r->isa = options->isa < 0 ? infer_isa_best() : (enum infer_isa)options->isa;
	r->arithmetic = options->arithmetic;
	r->stream_bytes = options->stream_bytes ? options->stream_bytes : DEFAULT_STREAM_BYTES;
	r->photo_is_new = 1;
	r->value_count = INFER_FIRST_STEP_VALUE + network->step_count;
	r->values = malloc((size_t)r->value_count * sizeof *r->values);
	r->tasks = malloc((size_t)network->step_count * sizeof *r->tasks);
	r->streams = calloc((size_t)network->step_count, sizeof *r->streams);
	r->threads = infer_threads_new(options->threads);
	r->bytes = sizeof *r + (size_t)r->value_count * sizeof *r->values + (size_t)network->step_count * (sizeof *r->tasks + sizeof *r->streams);
	status = set_up(r, h, w, shapes, message);
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
	infer_threads_free(r->threads);
	free(r->constants);
	free(r->memory);
	free(r->values);
	free(r->tasks);
	free(r->streams);
	free(r);
}

size_t infer_runner_bytes(const struct infer_runner *r)
{
	return r->bytes;
}

const struct infer_map *infer_runner_input(struct infer_runner *r, int value)
{
	r->photo_is_new |= value == VALUE_IMAGE;
	return &r->values[value].map;
}

/* --- inputs --------------------------------------------------------------------------------------------------------- */

static uint8_t nearest_byte(float x)
{
	return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x + 0.5f);
}

static void photo_row_f32(const struct infer_preprocess *pre, const uint8_t *rgb, int w, float *out, const struct infer_map *map)
{
	for (int x = 0; x < w; x++, out += map->pitch, rgb += 3)
		for (int c = 0; c < 3; c++)
			out[c] = ((float)rgb[pre->bgr ? 2 - c : c] - pre->mean[c]) * pre->scale[c];
	for (int x = w; x < map->w; x++, out += map->pitch)
		out[0] = out[1] = out[2] = 0;
}

static void photo_row_u8(const struct infer_preprocess *pre, const uint8_t *rgb, int w, uint8_t *out, const struct infer_map *map)
{
	for (int x = 0; x < w; x++, out += map->pitch, rgb += 3)
		for (int c = 0; c < 3; c++)
			out[c] = rgb[pre->bgr ? 2 - c : c];
	for (int x = w; x < map->w; x++, out += map->pitch)
		for (int c = 0; c < 3; c++)
			out[c] = nearest_byte(pre->mean[c]);
}

void infer_runner_set_photo(struct infer_runner *r, const uint8_t *rgb, int w, int h, size_t stride)
{
	const struct infer_map *map = &r->values[VALUE_IMAGE].map;
	const struct infer_preprocess *pre = &r->network->preprocess;
	size_t row = (size_t)map->w * map->pitch;
	for (int y = 0; y < map->h; y++) {
		const uint8_t *pixels = rgb + (size_t)(y < h ? y : 0) * stride;
		if (map->element == INFER_ELEMENT_F32)
			photo_row_f32(pre, pixels, y < h ? w : 0, (float *)map->data + (size_t)y * row, map);
		else
			photo_row_u8(pre, pixels, y < h ? w : 0, (uint8_t *)map->data + (size_t)y * row, map);
	}
	r->photo_is_new = 1;
}

enum { PIECE = 256 }; /* pixels of a row that are drawn together */

/* Numbers 0..1 of a plane become channel `out` of n pixels. */
static void store_floats(const float *plane, float scale, float *out, size_t pitch, int n)
{
	for (int x = 0; x < n; x++)
		out[(size_t)x * pitch] = plane[x] * scale;
}

static void store_bytes(const float *plane, uint8_t *out, size_t pitch, int n)
{
	for (int x = 0; x < n; x++)
		out[(size_t)x * pitch] = nearest_byte(plane[x] * 255);
}

static void store_clicks(const struct infer_map *map, float scale, size_t at, int n, float (*planes)[PIECE])
{
	for (int c = 0; c < map->c; c++) {
		if (map->element == INFER_ELEMENT_F32)
			store_floats(planes[c], scale, (float *)map->data + at + c, map->pitch, n);
		else
			store_bytes(planes[c], (uint8_t *)map->data + at + c, map->pitch, n);
	}
}

/* Whether a disk may reach row y. */
static int any_reaches(const struct infer_preprocess *pre, const struct infer_click *clicks, int count, int y)
{
	int any = pre->encoding != INFER_CLICK_DISK;
	for (int i = 0; i < count; i++)
		any |= fabs((double)clicks[i].y - y) <= pre->radius;
	return any;
}

void infer_runner_set_clicks(struct infer_runner *r, const struct infer_click *clicks, int count, const float *previous, int w, int h)
{
	const struct infer_map *map = &r->values[VALUE_CLICKS].map;
	const struct infer_preprocess *pre = &r->network->preprocess;
	float planes[INFER_CLICK_PLANES][PIECE];
	size_t row = infer_map_row_bytes(map);
	for (int y = 0; y < map->h; y++) {
		int empty = (!previous || y >= h) && !any_reaches(pre, clicks, count, y);
		if (empty) /* 0 is a zero byte in both kinds of numbers */
			memset((unsigned char *)map->data + (size_t)y * row, 0, row);
		for (int x = 0; !empty && x < map->w; x += PIECE) {
			int n = map->w - x < PIECE ? map->w - x : PIECE;
			int seen = previous && y < h && x < w ? (w - x < n ? w - x : n) : 0;
			infer_draw_clicks_row(pre, clicks, count, 1, y, x, n, planes[INFER_PLANE_POSITIVE]);
			infer_draw_clicks_row(pre, clicks, count, 0, y, x, n, planes[INFER_PLANE_NEGATIVE]);
			if (seen)
				memcpy(planes[INFER_PLANE_PREVIOUS], previous + (size_t)y * (size_t)w + x, (size_t)seen * sizeof *previous);
			memset(planes[INFER_PLANE_PREVIOUS] + seen, 0, (size_t)(n - seen) * sizeof *previous);
			store_clicks(map, pre->click_scale, ((size_t)y * (size_t)map->w + (size_t)x) * map->pitch, n, planes);
		}
	}
}

/* --- running -------------------------------------------------------------------------------------------------------- */

struct job {
	const struct infer_runner *runner;
	const struct infer_task *task;
};

static void do_rows(void *context, int first, int end, int thread)
{
	const struct job *job = context;
	const struct infer_runner *r = job->runner;
	job->task->kernel->run(&job->task->call, first, end, r->scratch + (size_t)thread * r->scratch_bytes);
}

static void run_task(struct infer_runner *r, const struct infer_task *task)
{
	struct job job = { r, task };
	if (task->stream == NONE)
		infer_threads_run(r->threads, task->call.out.h, task->row_step, do_rows, &job);
	else
		infer_run_stream(r, &r->streams[task->stream]);
	if (r->watcher)
		r->watcher(r->watcher_context, task->output - INFER_FIRST_STEP_VALUE, task->call.out.data ? &task->call.out : NULL);
}

const float *infer_runner_run(struct infer_runner *r)
{
	if (r->watcher)
		r->watcher(r->watcher_context, -1, NULL);
	for (int t = 0; t < r->task_count; t++) {
		int inside = t > 0 && r->tasks[t].stream != NONE && r->tasks[t].stream == r->tasks[t - 1].stream;
		if (!inside && (!r->tasks[t].image_only || r->photo_is_new))
			run_task(r, &r->tasks[t]);
	}
	r->photo_is_new = 0;
	return r->values[r->value_count - 1].map.data;
}

void infer_runner_watch(struct infer_runner *r, infer_runner_watcher *watcher, void *context)
{
	r->watcher = watcher;
	r->watcher_context = context;
}
