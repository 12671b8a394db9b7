/* Runs a network's steps for one input size: made of tasks (tasks.c) that have a place in memory (memory.c), fed with a
 * photo and taps (inputs.c). */
#include <stdbool.h>
#include <stdlib.h>

#include "runner.h"
#include "stream.h"
#include "../tapcut.h"

static const size_t DEFAULT_STREAM_BYTES = 2 << 20;

/* --- life ----------------------------------------------------------------- */

static enum tapcut_status set_up(struct infer_runner *r, int h, int w, const struct infer_shape *shapes, char *message)
{
	if (!r->values || !r->tasks || !r->streams || !r->threads)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory or threads for %d steps",
				  r->network->step_count);
	enum tapcut_status status = infer_plan_tasks(r, h, w, shapes, message);
	return status ? status : infer_plan_memory(r, message);
}

enum tapcut_status infer_runner_new(const struct infer_network *network, int h, int w,
				    const struct infer_run_options *options, struct infer_runner **runner,
				    char *message)
{
	static const struct infer_run_options defaults = {.arithmetic = INFER_ARITHMETIC_F32, .threads = 1, .isa = -1};
	struct infer_shape shapes[INFER_MAX_STEPS];
	*runner = NULL;
	options = options ? options : &defaults;
	enum tapcut_status status = infer_network_shapes(network, h, w, shapes, message);
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
	r->cancelled = options->cancelled;
	r->photo_is_new = true;
	r->value_count = INFER_FIRST_STEP_VALUE + network->step_count;
	r->values = malloc((size_t)r->value_count * sizeof *r->values);
	r->tasks = malloc((size_t)network->step_count * sizeof *r->tasks);
	r->streams = calloc((size_t)network->step_count, sizeof *r->streams);
	r->threads = infer_threads_new(options->threads);
	r->bytes = sizeof *r + (size_t)r->value_count * sizeof *r->values +
		   (size_t)network->step_count * (sizeof *r->tasks + sizeof *r->streams);
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

const struct infer_map *infer_runner_output(const struct infer_runner *r)
{
	return &r->values[r->value_count - 1].map;
}

/* --- running -------------------------------------------------------------- */

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
	struct job job = {r, task};
	if (task->stream == NONE)
		infer_threads_run(r->threads, task->call.out.h, task->row_step, do_rows, &job);
	else
		infer_run_stream(r, &r->streams[task->stream]);
	if (r->watcher)
		r->watcher(r->watcher_context, task->output - INFER_FIRST_STEP_VALUE,
			   task->call.out.data ? &task->call.out : NULL);
}

const float *infer_runner_run(struct infer_runner *r)
{
	if (r->watcher)
		r->watcher(r->watcher_context, -1, NULL);
	for (int t = 0; t < r->task_count; t++) {
		if (r->cancelled && *r->cancelled)
			return NULL;
		bool inside = t > 0 && r->tasks[t].stream != NONE && r->tasks[t].stream == r->tasks[t - 1].stream;
		if (!inside && (!r->tasks[t].image_only || r->photo_is_new))
			run_task(r, &r->tasks[t]);
	}
	r->photo_is_new = false;
	return r->values[r->value_count - 1].map.data;
}

void infer_runner_watch(struct infer_runner *r, infer_runner_watcher *watcher, void *context)
{
	r->watcher = watcher;
	r->watcher_context = context;
}
