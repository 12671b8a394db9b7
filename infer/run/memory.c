/* Every value of a runner gets a place in one arena (planner.h), every task its call, ready to run. Values that
 * depend on the photo alone and are read by tasks that depend on clicks stay alive between runs, so that a click
 * need not make them again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "planner.h"
#include "runner.h"
#include "stream.h"
#include "../tapcut.h"

static const size_t MAX_ARENA_BYTES = (size_t)1 << 30; /* more than the default network needs at 2048 */

static int moment_of(const struct infer_runner *r, int task)
{
	return task == NONE ? NONE : r->tasks[task].moment;
}

/* Lifetimes in moments: a container lives as long as anything in it. */
static void set_lifetimes(const struct infer_runner *r, struct infer_block *blocks)
{
	for (int v = 0; v < r->value_count; v++) {
		const struct infer_value *value = &r->values[v];
		struct infer_block life = {.first = moment_of(r, value->maker),
					   .last = moment_of(r, value->last_reader)};
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
			*block = (struct infer_block){.bytes = infer_map_bytes(&r->values[infer_root_value(r, v)].map),
						      .first = life.first,
						      .last = life.last};
		block->first = life.first < block->first ? life.first : block->first;
		block->last = life.last > block->last ? life.last : block->last;
	}
}

/* What a step takes; its output and fused neighbours are left out. */
static struct infer_call call_of_step(const struct infer_runner *r, int index, const int *inputs, int input_count,
				      float in_scale)
{
	const struct infer_step *step = &r->network->steps[index];
	struct infer_call call = {.step = step, .isa = r->isa, .in_scale = in_scale, .packed = r->packed->step[index]};
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
	return infer_round_up(most, INFER_ALIGNMENT);
}

/* Zeros, because kernels may read (not use) what lies between the channels of one pixel and the next. */
static enum tapcut_status allocate_arena(struct infer_runner *r, size_t bytes, char *message)
{
	if (bytes > MAX_ARENA_BYTES)
		return infer_fail(message, TAPCUT_LIMIT, "running the model at %dx%d needs more than %zu MiB",
				  r->values[VALUE_IMAGE].map.w, r->values[VALUE_IMAGE].map.h, MAX_ARENA_BYTES >> 20);
	r->memory = calloc(bytes + 2 * INFER_ALIGNMENT, 1);
	if (!r->memory)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu bytes of activations", bytes);
	r->bytes += bytes + 2 * INFER_ALIGNMENT;
	return TAPCUT_OK;
}

static void place_values(struct infer_runner *r, const struct infer_block *blocks)
{
	unsigned char *arena = infer_aligned(r->memory);
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
		map->data = (unsigned char *)container->data +
			    (size_t)r->values[v].place * infer_element_bytes(map->element);
	}
}

static enum tapcut_status lay_out(struct infer_runner *r, struct infer_block *blocks, int *order, char *message)
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
	blocks[scratch] = (struct infer_block){.bytes = r->scratch_bytes * threads, .first = 0, .last = r->task_count};
	enum tapcut_status status = allocate_arena(r, infer_plan(blocks, r->value_count + 1, order), message);
	if (status)
		return status;
	place_values(r, blocks);
	make_calls(r);
	return TAPCUT_OK;
}

/* With memory NULL it only counts. */
static size_t fill_constants(struct infer_runner *r, unsigned char *memory)
{
	struct infer_arena arena = {.memory = memory};
	for (int t = 0; t < r->task_count; t++) {
		struct infer_task *task = &r->tasks[t];
		size_t bytes = task->kernel->constant_bytes ? task->kernel->constant_bytes(&task->call) : 0;
		void *constants = infer_arena_take(&arena, bytes);
		if (constants && bytes) {
			task->kernel->fill_constants(&task->call, constants);
			task->call.constants = constants;
		}
	}
	return arena.used;
}

static enum tapcut_status make_constants(struct infer_runner *r, char *message)
{
	size_t bytes = fill_constants(r, NULL) + INFER_ALIGNMENT;
	r->constants = malloc(bytes);
	if (!r->constants)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for %zu bytes of constants", bytes);
	r->bytes += bytes;
	fill_constants(r, infer_aligned(r->constants));
	return TAPCUT_OK;
}

enum tapcut_status infer_plan_memory(struct infer_runner *r, char *message)
{
	struct infer_block *blocks = malloc((size_t)(r->value_count + 1) * sizeof *blocks);
	int *order = malloc((size_t)(r->value_count + 1) * sizeof *order);
	enum tapcut_status status = TAPCUT_NO_MEMORY;
	if (blocks && order)
		status = lay_out(r, blocks, order, message);
	else
		infer_fail(message, TAPCUT_NO_MEMORY, "no memory to plan %d values", r->value_count);
	free(blocks);
	free(order);
	return status ? status : make_constants(r, message);
}
