/* Where a tap's time goes, by kind of step, each step run as a whole: values that a session streams
 * (infer/run/stream.h) exist here, so the sum is somewhat above a tap's time. */
#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "infer/kernels/kernels.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"
#include "tools/bench/bench.h"
#include "tools/bench/flops.h"

enum { ROUNDS = 9, MAX_KINDS = 32, NAME_SIZE = 48 };

struct watch {
	double last;
	double best[INFER_MAX_STEPS]; /* seconds; DBL_MAX: the step has no task of its own */
};

static void observe(void *context, int step, const struct infer_map *map)
{
	struct watch *w = context;
	double now = clock_seconds();
	(void)map;
	if (step >= 0 && now - w->last < w->best[step])
		w->best[step] = now - w->last;
	w->last = clock_seconds();
}

struct kind {
	char name[NAME_SIZE];
	int steps;
	double seconds, flops;
};

/* The conv2d that an add does on the way, if it does one; else the step itself. Adds up what it computes. */
static const struct infer_step *main_step(const struct infer_network *n, const struct watch *w,
					  const struct infer_shape *shapes, int index, double *flops)
{
	const struct infer_step *step = &n->steps[index], *found = step;
	*flops = bench_step_flops(n, index, shapes);
	for (int k = 0; step->op == INFER_OP_ADD && k < 2; k++) {
		int maker = step->inputs[k] - INFER_FIRST_STEP_VALUE;
		if (maker < 0 || w->best[maker] < DBL_MAX || n->steps[maker].op != INFER_OP_CONV2D)
			continue;
		*flops += bench_step_flops(n, maker, shapes);
		found = &n->steps[maker];
	}
	return found;
}

static void name_kind(const struct infer_network *n, const struct infer_step *step, char *name)
{
	const int *a = step->args;
	if (step->op == INFER_OP_CONV2D)
		snprintf(name, NAME_SIZE, "conv2d %dx%d stride %d%s", a[0], a[1], a[2],
			 n->tensors[step->tensor[0]].dims[0] == 1 ? ", one output" : "");
	else
		snprintf(name, NAME_SIZE, "%s", infer_op_name(step->op));
}

static int add_step(struct kind *kinds, int count, const char *name, double seconds, double flops)
{
	int k = 0;
	while (k < count && strcmp(kinds[k].name, name) != 0)
		k++;
	if (k == MAX_KINDS)
		return count;
	if (k == count)
		snprintf(kinds[count++].name, NAME_SIZE, "%s", name);
	kinds[k].steps++;
	kinds[k].seconds += seconds;
	kinds[k].flops += flops;
	return count;
}

static void print_kinds(const struct infer_network *n, const struct watch *w, int size, double peak, FILE *out)
{
	struct kind kinds[MAX_KINDS] = {{"", 0, 0, 0}};
	struct infer_shape shapes[INFER_MAX_STEPS];
	char name[NAME_SIZE];
	int count = 0;
	if (infer_network_shapes(n, size, size, shapes, NULL) != TAPCUT_OK)
		return;
	for (int i = 0; i < n->step_count; i++) {
		double flops;
		if (w->best[i] == DBL_MAX || n->steps[i].op == INFER_OP_CONCAT)
			continue;
		name_kind(n, main_step(n, w, shapes, i, &flops), name);
		count = add_step(kinds, count, name, w->best[i], flops);
	}
	for (int k = 0; k < count; k++) {
		fprintf(out, "          %-32s %3d  %8.3f ms", kinds[k].name, kinds[k].steps, 1e3 * kinds[k].seconds);
		if (kinds[k].flops > 0)
			fprintf(out, " %7.1f GFLOP/s %4.0f %% of the peak", 1e-9 * kinds[k].flops / kinds[k].seconds,
				100 * kinds[k].flops / kinds[k].seconds / peak);
		fputc('\n', out);
	}
}

enum status bench_kinds(const struct infer_network *network, int size, int threads, double peak, FILE *out)
{
	struct infer_run_options options = {.threads = threads, .isa = -1, .stream_bytes = SIZE_MAX};
	struct infer_runner *runner;
	struct watch watch;
	char message[TAPCUT_MESSAGE_SIZE];
	if (infer_runner_new(network, size, size, &options, &runner, message) != TAPCUT_OK)
		return status_fail(STATUS_LIMIT, "%s", message);
	for (int i = 0; i < INFER_MAX_STEPS; i++)
		watch.best[i] = DBL_MAX;
	infer_runner_watch(runner, observe, &watch);
	for (int round = 0; round < ROUNDS; round++) {
		infer_runner_input(runner, 0); /* as after a new photo */
		infer_runner_run(runner);
	}
	infer_runner_free(runner);
	print_kinds(network, &watch, size, peak, out);
	return STATUS_OK;
}
