/* What a runner is inside: run.c makes and runs it, tasks.c, planner.c and memory.c are the parts of making it,
 * inputs.c feeds it, and stream.c takes care of tasks that run together. */
#ifndef INFER_RUNNER_H
#define INFER_RUNNER_H

#include <stdbool.h>

#include "../common/arena.h"
#include "../common/bytes.h"
#include "../common/fail.h"
#include "../kernels/kernels.h"
#include "packed.h"
#include "threads.h"

enum { VALUE_IMAGE, VALUE_CLICKS, NONE = -1 };

struct infer_task {
	int step; /* whose kernel, arguments and tensors */
	int inputs[INFER_MAX_INPUTS], input_count;
	int output;
	float in_scale;
	int addend;    /* value or NONE */
	int plus_step; /* a second conv2d, of value plus_input scaled by plus_scale, or NONE */
	int plus_input;
	float plus_scale;
	bool relu;
	bool image_only;
	int stream;   /* its number, or NONE */
	int moment;   /* tasks of one stream run at the same moment */
	int row_step; /* rows are cut at multiples of it */

	struct infer_call call, plus; /* ready to run */
	const struct infer_kernel *kernel;
};

/* What a network has for each value; a step's output is value INFER_FIRST_STEP_VALUE + step. */
struct infer_value {
	struct infer_map map;
	int maker;       /* task; NONE for the inputs and for values that were fused away */
	int readers;     /* steps that read it */
	int last_reader; /* task */
	bool image_only, kept;
	int container; /* concat output that it lies in, or NONE */
	int place;     /* channel of the container */
	bool whole;    /* a concat output whose inputs all lie in it */
	int rows;      /* streamed: that are in memory at a time; 0: all, in the arena */
};

/* Some neighbouring tasks and the values that only they read and write (stream.h). */
enum { INFER_MAX_STREAM = 16 };
struct infer_stream {
	int first, count; /* tasks */
	int value[INFER_MAX_STREAM], value_count;
	size_t place[INFER_MAX_STREAM]; /* bytes, in the windows */
};

struct infer_runner {
	const struct infer_network *network;
	const struct infer_packed *packed;
	struct infer_threads *threads;
	struct infer_value *values;
	int value_count;
	struct infer_task *tasks;
	int task_count;
	struct infer_stream *streams;
	int stream_count;
	unsigned char *scratch;             /* scratch_bytes for each thread */
	size_t scratch_bytes, window_bytes; /* of scratch; the last window_bytes are for streamed values */
	void *memory;                       /* the arena before alignment */
	void *constants;                    /* the calls' constants before alignment */
	size_t bytes;
	enum infer_isa isa;
	int arithmetic;
	const _Atomic int *cancelled;
	size_t stream_bytes; /* values from this size on are streamed */
	infer_runner_watcher *watcher;
	void *watcher_context;
	bool photo_is_new; /* the values that depend on the photo alone are not those of the current photo */
};

/* tasks.c: the values of h x w planes, the tasks that make them, who reads them and what runs together.
 * r->values, tasks and streams are there to be filled. TAPCUT_OK or TAPCUT_LIMIT. */
enum tapcut_status infer_plan_tasks(struct infer_runner *r, int h, int w, const struct infer_shape *shapes,
				    char *message);
/* memory.c: the arena, and the tasks' calls ready to run. TAPCUT_OK, TAPCUT_LIMIT or TAPCUT_NO_MEMORY. */
enum tapcut_status infer_plan_memory(struct infer_runner *r, char *message);

static inline size_t infer_map_row_bytes(const struct infer_map *m)
{
	return (size_t)m->w * m->pitch * infer_element_bytes(m->element);
}

static inline size_t infer_map_bytes(const struct infer_map *m)
{
	return (size_t)m->h * infer_map_row_bytes(m);
}

/* The value whose memory `value` lies in. */
static inline int infer_root_value(const struct infer_runner *r, int value)
{
	while (r->values[value].container != NONE)
		value = r->values[value].container;
	return value;
}

#endif
