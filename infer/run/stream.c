/* A stream is run as a loop over its tasks in which each makes as many rows as its inputs' rows allow and as its
 * output's window has room for. A window moves on when no reader needs its first rows any more. With several threads
 * each does a part of the height by itself, and repeats the few rows around a border that both sides need. */
#include "stream.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../network/ops.h"

/* Of a value so much is made at a time: this part of the smallest that is streamed. */
enum { BANDS = 16 };

/* --- which rows a task needs ---------------------------------------------- */

/* Rows of `value` that the task needs for rows `out`; in all of its inputs that lie there. 0: all, or the task does
 * not read it. */
static bool rows_needed(const struct infer_runner *r, const struct infer_task *task, int value, struct infer_rows out,
			struct infer_rows *need)
{
	int height = r->values[value].map.h;
	bool found = false;
	struct infer_rows in;
	need->first = height;
	need->end = 0;
	for (int k = 0; k < task->input_count + 2; k++) {
		int plus = k == task->input_count, addend = k > task->input_count;
		int input = plus ? task->plus_input : addend ? task->addend : task->inputs[k];
		if (input != value)
			continue;
		if (addend)
			in = out;
		else if (!infer_step_rows(&r->network->steps[plus ? task->plus_step : task->step], out, height, &in))
			return false;
		need->first = in.first < need->first ? in.first : need->first;
		need->end = in.end > need->end ? in.end : need->end;
		found = true;
	}
	return found;
}

static bool reads(const struct infer_task *task, int value)
{
	for (int k = 0; k < task->input_count; k++)
		if (task->inputs[k] == value)
			return true;
	return task->addend == value || task->plus_input == value;
}

static bool is_idle(const struct infer_runner *r, const struct infer_task *task)
{
	return r->network->steps[task->step].op == INFER_OP_CONCAT && r->values[task->output].whole;
}

/* --- finding them --------------------------------------------------------- */

static bool makes(const struct infer_runner *r, const struct infer_task *task, int value)
{
	return infer_root_value(r, task->output) == value;
}

/* Whether all who read the value can do with some rows of it, and nobody reads a part of it. */
static bool is_streamable(const struct infer_runner *r, int value)
{
	const struct infer_value *v = &r->values[value];
	const struct infer_step *maker =
		value < INFER_FIRST_STEP_VALUE ? NULL : &r->network->steps[value - INFER_FIRST_STEP_VALUE];
	if (!maker || v->maker == NONE || v->last_reader == NONE || v->container != NONE || v->kept)
		return false;
	if (infer_map_bytes(&v->map) < r->stream_bytes)
		return false;
	if (maker->op == INFER_OP_CONCAT && !v->whole)
		return false;
	for (int t = 0; t < r->task_count; t++) {
		const struct infer_task *task = &r->tasks[t];
		struct infer_rows out = {0, 1}, need;
		if (reads(task, value) && !rows_needed(r, task, value, out, &need))
			return false;
		if (makes(r, task, value) && task->output != value && r->values[task->output].readers != 1)
			return false;
		if (makes(r, task, value) && task->output != value &&
		    r->network->steps[task->step].op == INFER_OP_CONCAT)
			return false;
		if ((reads(task, value) || makes(r, task, value)) && task->image_only != r->tasks[v->maker].image_only)
			return false;
	}
	return true;
}

/* Which tasks run together, and the values that are streamed between them. */
struct grouping {
	int group[INFER_MAX_STEPS]; /* of each task: its first task's number */
	bool streamed[INFER_FIRST_STEP_VALUE + INFER_MAX_STEPS];
};

/* Marks the groups that wait for a group that is not done, or for a whole value of their own. */
static void find_waiting(const struct infer_runner *r, const struct grouping *g, const bool *done, bool *waiting)
{
	const int *group = g->group;
	memset(waiting, 0, (size_t)r->task_count);
	for (int t = 0; t < r->task_count; t++) {
		const struct infer_task *task = &r->tasks[t];
		for (int k = 0; k < task->input_count + 2; k++) {
			int input = k < task->input_count    ? task->inputs[k]
				    : k == task->input_count ? task->addend
							     : task->plus_input;
			int maker = input == NONE ? NONE : r->values[input].maker;
			if (maker == NONE || maker == t)
				continue;
			if (group[maker] != group[t] ? !done[group[maker]] : !g->streamed[infer_root_value(r, input)])
				waiting[group[t]] = true;
		}
	}
}

/* Whether the groups can run one after the other. Fills `order` with tasks, group by group. */
static bool sort_groups(const struct infer_runner *r, const struct grouping *grouping, int *order)
{
	const int *group = grouping->group;
	bool done[INFER_MAX_STEPS] = {false}, waiting[INFER_MAX_STEPS];
	int count = 0;
	while (count < r->task_count) {
		int before = count, g = 0;
		find_waiting(r, grouping, done, waiting);
		while (g < r->task_count && (done[g] || waiting[g] || group[g] != g))
			g++;
		for (int t = g; t < r->task_count; t++)
			if (group[t] == g)
				order[count++] = t;
		if (count == before)
			return false;
		done[g] = true;
	}
	return true;
}

/* Streams the value: joins the groups of all who make or read it, if that leaves an order. */
static void join(const struct infer_runner *r, int value, struct grouping *g)
{
	struct grouping joined = *g;
	int order[INFER_MAX_STEPS], lowest = r->task_count, size = 0;
	for (int t = 0; t < r->task_count; t++)
		if ((reads(&r->tasks[t], value) || makes(r, &r->tasks[t], value)) && g->group[t] < lowest)
			lowest = g->group[t];
	for (int t = 0; t < r->task_count; t++)
		if (reads(&r->tasks[t], value) || makes(r, &r->tasks[t], value))
			for (int u = 0; u < r->task_count; u++)
				if (g->group[u] == g->group[t])
					joined.group[u] = lowest;
	joined.streamed[value] = true;
	for (int t = 0; t < r->task_count; t++)
		size += joined.group[t] == lowest;
	if (size <= INFER_MAX_STREAM && sort_groups(r, &joined, order))
		*g = joined;
}

/* Puts task order[i] at place i. */
static void rearrange(struct infer_runner *r, int *order)
{
	for (int i = 0; i < r->task_count; i++) {
		if (order[i] == i)
			continue;
		struct infer_task task = r->tasks[i];
		int place = i;
		while (order[place] != i) { /* one cycle of the permutation */
			int from = order[place];
			r->tasks[place] = r->tasks[from];
			order[place] = place;
			place = from;
		}
		r->tasks[place] = task;
		order[place] = place;
	}
}

/* A value streams if its makers and readers are in one stream; it was chosen for that. */
static void list_values(struct infer_runner *r, const bool *streamed)
{
	for (int v = INFER_FIRST_STEP_VALUE; v < r->value_count; v++)
		for (int t = 0; streamed[v] && t < r->task_count; t++)
			if (makes(r, &r->tasks[t], v)) {
				struct infer_stream *stream = &r->streams[r->tasks[t].stream];
				stream->value[stream->value_count++] = v;
				r->values[v].rows = r->values[v].map.h;
				break;
			}
}

/* Numbers of streams and moments, for tasks in order; `size` is how many tasks a task's group has. */
static void number_tasks(struct infer_runner *r, const int *size)
{
	int moment = 0;
	for (int t = 0; t < r->task_count; moment++) {
		int count = size[t];
		if (count > 1)
			r->streams[r->stream_count] = (struct infer_stream){.first = t, .count = count};
		for (int k = 0; k < count; k++, t++) {
			r->tasks[t].moment = moment;
			r->tasks[t].stream = count > 1 ? r->stream_count : NONE;
		}
		r->stream_count += count > 1;
	}
}

void infer_find_streams(struct infer_runner *r)
{
	struct grouping g = {.group = {0}};
	int order[INFER_MAX_STEPS], size[INFER_MAX_STEPS] = {0};
	for (int t = 0; t < r->task_count; t++)
		g.group[t] = t;
	for (int round = 0; round < 2; round++) /* some can be streamed only if another one is */
		for (int v = INFER_FIRST_STEP_VALUE; v < r->value_count - 1; v++)
			if (!g.streamed[v] && is_streamable(r, v))
				join(r, v, &g);
	sort_groups(r, &g, order);
	for (int i = 0; i < r->task_count; i++)
		for (int k = 0; k < r->task_count; k++)
			size[i] += g.group[order[k]] == g.group[order[i]];
	rearrange(r, order);
	number_tasks(r, size);
	list_values(r, g.streamed);
}

/* --- running -------------------------------------------------------------- */

/* One thread's part of a stream, or, with memory NULL, a try without doing anything. */
struct part {
	const struct infer_runner *runner;
	const struct infer_stream *stream;
	unsigned char *scratch, *windows;
	struct infer_rows task[INFER_MAX_STREAM]; /* still to be done */
	/* of each value: the first row in memory, and the end of all rows there will be */
	struct infer_rows window[INFER_MAX_STREAM];
};

static int window_of(const struct part *p, int value)
{
	for (int i = 0; i < p->stream->value_count; i++)
		if (p->stream->value[i] == value)
			return i;
	return NONE;
}

static const struct infer_task *task_of(const struct part *p, int k)
{
	return &p->runner->tasks[p->stream->first + k];
}

/* Where part `number` of `parts` of a result begins. */
static int border(const struct infer_task *task, int number, int parts)
{
	int height = task->call.out.h;
	return number == parts ? height : (int)((long long)height * number / parts) / task->row_step * task->row_step;
}

/* The rows of each task for this part, from the last to the first: what readers need, in whole row_steps. */
static void set_rows(struct part *p, int number, int parts)
{
	const struct infer_runner *r = p->runner;
	for (int i = 0; i < p->stream->value_count; i++)
		p->window[i] = (struct infer_rows){r->values[p->stream->value[i]].map.h, 0};
	for (int k = p->stream->count - 1; k >= 0; k--) {
		const struct infer_task *task = task_of(p, k);
		int w = window_of(p, infer_root_value(r, task->output)), step = task->row_step;
		struct infer_rows *rows = &p->task[k], need;
		*rows = (struct infer_rows){border(task, number, parts), border(task, number + 1, parts)};
		if (w != NONE) {
			rows->first = p->window[w].first / step * step;
			rows->end = (p->window[w].end + step - 1) / step * step;
			rows->end = rows->end > task->call.out.h ? task->call.out.h : rows->end;
		}
		for (int i = 0; i < p->stream->value_count && rows->first < rows->end && !is_idle(r, task); i++)
			if (rows_needed(r, task, p->stream->value[i], *rows, &need)) {
				p->window[i].first = need.first < p->window[i].first ? need.first : p->window[i].first;
				p->window[i].end = need.end > p->window[i].end ? need.end : p->window[i].end;
			}
	}
	for (int k = 0; k < p->stream->count; k++) { /* makers may begin a little earlier */
		int w = window_of(p, infer_root_value(r, task_of(p, k)->output));
		if (w != NONE && !is_idle(r, task_of(p, k)) && p->task[k].first < p->window[w].first)
			p->window[w].first = p->task[k].first;
	}
}

/* The end of the rows of window i that are made, or, with `all` unset, of those that any maker has made. */
static int made(const struct part *p, int i, bool all)
{
	int end = all ? p->runner->values[p->stream->value[i]].map.h : 0;
	for (int k = 0; k < p->stream->count; k++) {
		const struct infer_task *task = task_of(p, k);
		if (is_idle(p->runner, task) || infer_root_value(p->runner, task->output) != p->stream->value[i])
			continue;
		int reached = p->task[k].first;
		end = all ? (reached < end ? reached : end) : reached > end ? reached : end;
	}
	return end;
}

/* The first row of window i that is still needed. */
static int needed_from(const struct part *p, int i)
{
	int first = p->runner->values[p->stream->value[i]].map.h;
	struct infer_rows need;
	for (int k = 0; k < p->stream->count; k++) {
		struct infer_rows rest = p->task[k];
		if (rest.first < rest.end && !is_idle(p->runner, task_of(p, k)) &&
		    rows_needed(p->runner, task_of(p, k), p->stream->value[i], rest, &need) && need.first < first)
			first = need.first;
	}
	return first;
}

/* Up to where task k can go now. */
static int reachable(const struct part *p, int k)
{
	const struct infer_runner *r = p->runner;
	const struct infer_task *task = task_of(p, k);
	struct infer_rows rows = p->task[k], need;
	int w = window_of(p, infer_root_value(r, task->output));
	if (w != NONE) {
		int from = needed_from(p, w), room = r->values[p->stream->value[w]].rows;
		from = from > p->window[w].first ? from : p->window[w].first;
		from = from < made(p, w, true) ? from : made(p, w, true);
		rows.end = from + room < rows.end ? (from + room) / task->row_step * task->row_step : rows.end;
	}
	for (int i = 0; i < p->stream->value_count; i++)
		while (rows.end > rows.first && rows_needed(r, task, p->stream->value[i], rows, &need) &&
		       need.end > made(p, i, true))
			rows.end = (rows.end - 1) / task->row_step * task->row_step;
	return rows.end;
}

static size_t row_bytes(const struct part *p, int i)
{
	return infer_map_row_bytes(&p->runner->values[p->stream->value[i]].map);
}

/* Makes room for rows up to `end`: what is not needed any more goes. */
static void move_window(struct part *p, int i, int end)
{
	struct infer_rows *window = &p->window[i];
	int from = needed_from(p, i), all = made(p, i, true), held = made(p, i, false);
	if (end - window->first <= p->runner->values[p->stream->value[i]].rows)
		return;
	from = from < all ? from : all;
	if (from <= window->first)
		return;
	unsigned char *memory = p->windows + p->stream->place[i];
	if (p->scratch && held > from)
		memmove(memory, memory + (size_t)(from - window->first) * row_bytes(p, i),
			(size_t)(held - from) * row_bytes(p, i));
	window->first = from;
}

/* A streamed map's data: where its row 0 would be, were it in memory. */
static void place_map(const struct part *p, int value, struct infer_map *map)
{
	int root = value == NONE ? NONE : infer_root_value(p->runner, value), i = window_of(p, root);
	if (i == NONE)
		return;
	size_t channel = 0;
	for (int v = value; v != root; v = p->runner->values[v].container)
		channel += (size_t)p->runner->values[v].place;
	uintptr_t start = (uintptr_t)(p->windows + p->stream->place[i]) - (size_t)p->window[i].first * row_bytes(p, i);
	map->data = (void *)(start + channel * infer_element_bytes(map->element));
}

static void run_rows(const struct part *p, const struct infer_task *task, int first, int end)
{
	struct infer_call call = task->call, plus = task->plus;
	for (int i = 0; i < task->input_count; i++)
		place_map(p, task->inputs[i], &call.in[i]);
	place_map(p, task->addend, &call.addend);
	place_map(p, task->plus_input, &plus.in[0]);
	place_map(p, task->output, &call.out);
	if (call.plus)
		call.plus = &plus;
	task->kernel->run(&call, first, end, p->scratch);
}

/* Goes round until nothing moves. Whether all is done. */
static bool run_part(struct part *p)
{
	bool moved = true, done = true;
	while (moved) {
		moved = false;
		for (int k = 0; k < p->stream->count; k++) {
			const struct infer_task *task = task_of(p, k);
			int first = p->task[k].first, w = window_of(p, infer_root_value(p->runner, task->output));
			int end = is_idle(p->runner, task) ? first : reachable(p, k);
			if (end <= first)
				continue;
			if (w != NONE)
				move_window(p, w, end);
			if (p->scratch)
				run_rows(p, task, first, end);
			p->task[k].first = end;
			moved = true;
		}
	}
	for (int k = 0; k < p->stream->count; k++)
		done &= is_idle(p->runner, task_of(p, k)) || p->task[k].first >= p->task[k].end;
	return done;
}

struct stream_job {
	const struct infer_runner *runner;
	const struct infer_stream *stream;
	int parts;
};

static void do_parts(void *context, int first, int end, int thread)
{
	const struct stream_job *job = context;
	const struct infer_runner *r = job->runner;
	unsigned char *scratch = r->scratch + (size_t)thread * r->scratch_bytes;
	for (int number = first; number < end; number++) {
		struct part part = {.runner = r,
				    .stream = job->stream,
				    .scratch = scratch,
				    .windows = scratch + r->scratch_bytes - r->window_bytes};
		set_rows(&part, number, job->parts);
		run_part(&part);
	}
}

void infer_run_stream(struct infer_runner *r, const struct infer_stream *stream)
{
	struct stream_job job = {r, stream, infer_threads_count(r->threads)};
	infer_threads_run(r->threads, job.parts, 1, do_parts, &job);
}

/* --- windows -------------------------------------------------------------- */

/* Rows of a value that are kept: those that its makers make at a time, and those that a reader needs for its next
 * step. */
static int window_rows(const struct infer_runner *r, const struct infer_stream *stream, int value)
{
	const struct infer_map *map = &r->values[value].map;
	int step = 1, reach = 0, band = (int)(r->stream_bytes / BANDS / infer_map_row_bytes(map));
	for (int t = stream->first; t < stream->first + stream->count; t++) {
		const struct infer_task *task = &r->tasks[t];
		struct infer_rows out = {0, task->row_step}, need,
				  at = {task->call.out.h / 2, task->call.out.h / 2 + task->row_step};
		if (makes(r, task, value) && !is_idle(r, task) && task->row_step > step)
			step = task->row_step;
		if (is_idle(r, task) || !rows_needed(r, task, value, out, &need) ||
		    !rows_needed(r, task, value, at, &need))
			continue;
		reach = need.end - need.first > reach ? need.end - need.first : reach;
	}
	int rows = (band > step ? band / step * step : step) + reach + 2 * step;
	return rows < map->h ? rows : map->h;
}

/* Whether the stream's parts come to their end with the windows as they are. */
static bool works(const struct infer_runner *r, const struct infer_stream *stream)
{
	int parts = infer_threads_count(r->threads);
	for (int number = 0; number < parts; number++) {
		struct part part = {.runner = r, .stream = stream};
		set_rows(&part, number, parts);
		if (!run_part(&part))
			return false;
	}
	return true;
}

/* 0: all windows are as long as their values, with which any stream works. */
static bool lengthen(struct infer_runner *r, const struct infer_stream *stream)
{
	bool longer = false;
	for (int i = 0; i < stream->value_count; i++) {
		struct infer_value *v = &r->values[stream->value[i]];
		longer |= v->rows < v->map.h;
		v->rows = 2 * v->rows < v->map.h ? 2 * v->rows : v->map.h;
	}
	return longer;
}

void infer_plan_windows(struct infer_runner *r)
{
	for (int s = 0; s < r->stream_count; s++) {
		struct infer_stream *stream = &r->streams[s];
		size_t used = 0;
		for (int i = 0; i < stream->value_count; i++)
			r->values[stream->value[i]].rows = window_rows(r, stream, stream->value[i]);
		while (!works(r, stream) && lengthen(r, stream)) /* where tasks wait for each other */
			;
		for (int i = 0; i < stream->value_count; i++) {
			const struct infer_value *v = &r->values[stream->value[i]];
			stream->place[i] = used;
			used += infer_round_up((size_t)v->rows * infer_map_row_bytes(&v->map), INFER_ALIGNMENT);
		}
		r->window_bytes = used > r->window_bytes ? used : r->window_bytes;
	}
}
