/* Our inference, alone or in turns with ONNX Runtime's on the same network, weights and inputs: a process of its own
 * (onnxruntime.mjs, which has the protocol) runs the exported ONNX files, float and 8 bits. Every turn begins with a
 * run that is not counted and after a pause in which the other's threads stop to wait actively. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "convert/onnx.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "infer/network/model.h"
#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tools/bench/bench.h"
#include "tools/bench/child.h"
#include "tools/bench/flops.h"
#include "tools/network_file.h"
#include "tools/project_file.h"
#include "core/text.h"

#define SCRIPT "tools/bench/onnxruntime.mjs"
#define SHIPPED_MODEL "infer/models/base.tapcut"
#define MIB (1024.0 * 1024.0)

enum { PATH_SIZE = 1200, TURN_RUNS = 3, ARITHMETICS = 2 };

/* What is timed of ours. ONNX Runtime's counterpart is always session.run: the whole network on planes that are ready.
 */
enum lane { LANE_WHOLE, LANE_PHOTO_SET, LANE_TAP, LANES };
static const char *const lane_names[LANES] = {"whole network", "photo set before", "tap to mask"};
static const char *const arithmetic_names[ARITHMETICS] = {"float", "8 bits"};
/* Their files, which are also the names of their sessions. */
static const char *const model_names[ARITHMETICS] = {"model.onnx", "model8.onnx"};

/* One size and number of threads. */
struct setting {
	int size, threads;
};

struct bench {
	const struct bench_taps_options *options;
	FILE *out;
	struct infer_network network;
	struct tapcut_model *model;
	struct bench_child child;
	char folder[PATH_SIZE], version[32], node[32];
	double load_seconds, peak_one;
	bool theirs; /* ONNX Runtime runs too */
};

/* Ours at one setting. */
struct ours {
	struct infer_runner *runner;    /* the network alone */
	struct tapcut_session *session; /* what an app calls */
	const float *logits;            /* of the last run */
};

struct figures {
	struct ours ours[ARITHMETICS];
	uint8_t *rgb, *mask;
	double theirs[ARITHMETICS][BENCH_MAX_REPEATS], times[ARITHMETICS][LANES][BENCH_MAX_REPEATS];
	/* of the logits, [theirs][ours], relative to the largest */
	double difference[ARITHMETICS][ARITHMETICS];
	double open_seconds[ARITHMETICS]; /* ONNX Runtime: making its session */
};

static bool can_run(const struct bench *b, int arithmetic)
{
	return arithmetic == 0 || b->network.ranges;
}

/* --- their process -------------------------------------------------------- */

static const char *file_in(const struct bench *b, const char *name)
{
	static char paths[4][PATH_SIZE + 32];
	static int turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", b->folder, name);
	return path;
}

/* Sends the command and reads what it answers; *answer: json_free. */
static enum status ask(struct bench *b, struct json **answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static enum status ask(struct bench *b, struct json **answer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(b->child.to, format, args);
	va_end(args);
	fflush(b->child.to);
	TRY(bench_child_answer(&b->child, answer));
	const char *error = json_string(json_get(*answer, "error"));
	if (!error)
		return STATUS_OK;
	enum status status = status_fail(STATUS_FORMAT, "ONNX Runtime: %s", error);
	json_free(*answer);
	return status;
}

static enum status tell_input(struct bench *b, const char *name, int planes, int size)
{
	struct json *answer;
	TRY(ask(b, &answer, "{\"input\": \"%s\", \"dims\": [1, %d, %d, %d], \"file\": \"%s\"}\n", name, planes, size,
		size, file_in(b, name)));
	json_free(answer);
	return STATUS_OK;
}

static enum status open_theirs(struct bench *b, struct setting setting, int arithmetic, double *seconds)
{
	const char *name = model_names[arithmetic];
	struct json *answer;
	double start = clock_seconds();
	TRY(ask(b, &answer, "{\"open\": \"%s\", \"threads\": %d, \"of\": \"%s\"}\n", file_in(b, name), setting.threads,
		name));
	*seconds = clock_seconds() - start;
	json_free(answer);
	TRY(tell_input(b, "image", 3, setting.size));
	return tell_input(b, "clicks", infer_click_planes(&b->network.preprocess), setting.size);
}

/* The median of `runs` runs. */
static enum status run_theirs(struct bench *b, int arithmetic, int runs, double *seconds)
{
	struct json *answer;
	double times[TURN_RUNS];
	int count = 0;
	TRY(ask(b, &answer, "{\"run\": %d, \"of\": \"%s\"}\n", runs, model_names[arithmetic]));
	const struct json *list = json_get(answer, "seconds");
	for (const struct json *item = json_first(list); item && count < TURN_RUNS; item = json_next(item))
		if (json_number(item, &times[count]) == STATUS_OK)
			count++;
	json_free(answer);
	*seconds = bench_median(times, count);
	return count ? STATUS_OK : status_fail(STATUS_FORMAT, "ONNX Runtime: expected times of %d runs", runs);
}

/* *skipped: what is missing, where something is. */
static enum status start_theirs(struct bench *b, char *skipped, size_t size)
{
	char script[PROJECT_PATH_SIZE];
	struct json *hello;
	if (!project_file_find(SCRIPT, script))
		return snprintf(skipped, size, SCRIPT " is not here"), STATUS_OK;
	int error = bench_child_start(&b->child, "ONNX Runtime", (char *[]){"node", script, NULL});
	if (error)
		return snprintf(skipped, size, "node: %s", strerror(error)), STATUS_OK;
	TRY(bench_child_answer(&b->child, &hello));
	const char *reason = json_string(json_get(hello, "skipped")),
		   *version = json_string(json_get(hello, "version")), *node = json_string(json_get(hello, "node"));
	if (reason)
		snprintf(skipped, size, "%s; make npm-onnxruntime installs it", reason);
	snprintf(b->version, sizeof b->version, "%s", version ? version : "?");
	snprintf(b->node, sizeof b->node, "%s", node ? node : "?");
	json_free(hello);
	return STATUS_OK;
}

/* --- inputs --------------------------------------------------------------- */

/* A bright disk on a ramp: what matters is that both see the same. */
static void paint(uint8_t *rgb, int size)
{
	for (int y = 0; y < size; y++)
		for (int x = 0; x < size; x++) {
			int dx = x - size / 2, dy = y - size / 2, inside = dx * dx + dy * dy < size * size / 16;
			uint8_t *pixel = rgb + 3 * ((size_t)y * (size_t)size + (size_t)x);
			pixel[0] = (uint8_t)(inside ? 200 : 128 * x / size);
			pixel[1] = (uint8_t)(inside ? 160 : 128 * y / size);
			pixel[2] = (uint8_t)(inside ? 40 + (x ^ y) % 32 : 90);
		}
}

static struct infer_click middle(int size)
{
	return (struct infer_click){(float)(size / 2), (float)(size / 2), 1};
}

static enum status write_floats(struct bench *b, const char *name, const float *data, size_t count)
{
	return atomic_file_write(file_in(b, name), &(struct file_part){data, count * sizeof *data}, 1);
}

/* The planes that our runner makes of photo and tap, for them. */
static enum status write_planes(struct bench *b, const uint8_t *rgb, int size)
{
	size_t pixels = (size_t)size * (size_t)size;
	struct infer_click click = middle(size);
	float *planes = calloc(3 * pixels, sizeof *planes);
	if (!planes)
		return status_fail(STATUS_NO_MEMORY, "no memory for planes of %dx%d", size, size);
	infer_normalize_rgb8(&b->network.preprocess, rgb, size, size, 3 * (size_t)size, planes, size, size);
	enum status status = write_floats(b, "image", planes, 3 * pixels);
	memset(planes, 0, 3 * pixels * sizeof *planes);
	infer_draw_clicks(&b->network.preprocess, &click, 1, planes, size, size);
	if (status == STATUS_OK)
		status = write_floats(b, "clicks", planes, (size_t)infer_click_planes(&b->network.preprocess) * pixels);
	free(planes);
	return status;
}

static enum status write_model(struct bench *b, int size, int arithmetic)
{
	unsigned char *data;
	size_t bytes;
	TRY(onnx_write(&b->network, &(struct onnx_options){size, size, arithmetic == INFER_ARITHMETIC_U8}, &data,
		       &bytes));
	enum status status =
		atomic_file_write(file_in(b, model_names[arithmetic]), &(struct file_part){data, bytes}, 1);
	free(data);
	return status;
}

/* --- ours ----------------------------------------------------------------- */

static enum status open_ours(struct bench *b, struct setting setting, int arithmetic, const uint8_t *rgb,
			     struct ours *ours)
{
	size_t stride = 3 * (size_t)setting.size;
	char message[TAPCUT_MESSAGE_SIZE];
	struct tapcut_options options;
	struct infer_run_options run = {.arithmetic = arithmetic ? INFER_ARITHMETIC_U8 : INFER_ARITHMETIC_F32,
					.threads = setting.threads,
					.isa = -1};
	tapcut_options_init(&options);
	options.size = options.first_size = setting.size;
	options.no_zoom = 1;
	options.threads = setting.threads;
	options.arithmetic = arithmetic ? TAPCUT_ARITHMETIC_INT8 : TAPCUT_ARITHMETIC_FLOAT;
	if (infer_runner_new(&b->network, setting.size, setting.size, &run, &ours->runner, message) != TAPCUT_OK ||
	    tapcut_session_new(b->model, &options, &ours->session, message) != TAPCUT_OK)
		return status_fail(STATUS_LIMIT, "%s", message);
	if (tapcut_session_set_image(ours->session, rgb, setting.size, setting.size, stride) != TAPCUT_OK)
		return status_fail(STATUS_LIMIT, "%s", tapcut_session_message(ours->session));
	infer_runner_set_photo(ours->runner, rgb, setting.size, setting.size, stride);
	return STATUS_OK;
}

static enum status run_once(struct figures *f, struct setting setting, enum lane lane, struct ours *ours)
{
	int size = setting.size;
	struct infer_click click = middle(size);
	if (lane == LANE_TAP) {
		tapcut_session_reset(ours->session);
		if (tapcut_session_click(ours->session, size / 2, size / 2, 1) != TAPCUT_OK ||
		    tapcut_session_mask(ours->session, f->mask, (size_t)size) != TAPCUT_OK)
			return status_fail(STATUS_LIMIT, "%s", tapcut_session_message(ours->session));
		return STATUS_OK;
	}
	if (lane == LANE_WHOLE)
		infer_runner_set_photo(ours->runner, f->rgb, size, size, 3 * (size_t)size);
	infer_runner_set_clicks(ours->runner, &click, 1, NULL, 0, 0);
	ours->logits = infer_runner_run(ours->runner);
	return STATUS_OK;
}

/* The median of some runs, after one that is not counted. */
static enum status run_ours(struct figures *f, struct setting setting, enum lane lane, struct ours *ours,
			    double *seconds)
{
	double times[TURN_RUNS];
	TRY(run_once(f, setting, lane, ours));
	for (int i = 0; i < TURN_RUNS; i++) {
		double start = clock_seconds();
		TRY(run_once(f, setting, lane, ours));
		times[i] = clock_seconds() - start;
	}
	*seconds = bench_median(times, TURN_RUNS);
	return STATUS_OK;
}

/* --- measuring ------------------------------------------------------------ */

static void pause_turn(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 60 * 1000 * 1000}, NULL);
}

/* The largest, relative to the largest logit. */
static double difference(const float *ours, const char *theirs, size_t count)
{
	double largest = 0, worst = 0;
	for (size_t i = 0; i < count; i++) {
		float logit;
		memcpy(&logit, theirs + i * sizeof logit, sizeof logit);
		largest = fmax(largest, fabs((double)logit));
		worst = fmax(worst, fabs((double)logit - (double)ours[i]));
	}
	return largest > 0 ? worst / largest : worst;
}

static enum status compare_logits(struct bench *b, struct figures *f, struct setting setting, int theirs)
{
	struct json *answer;
	char *bytes;
	size_t size, count = (size_t)setting.size * (size_t)setting.size;
	TRY(ask(b, &answer, "{\"output\": \"logits\", \"file\": \"%s\", \"of\": \"%s\"}\n", file_in(b, "logits"),
		model_names[theirs]));
	json_free(answer);
	TRY(file_read(file_in(b, "logits"), 1 << 28, &bytes, &size));
	enum status status = STATUS_OK;
	if (size != count * sizeof(float))
		status = status_fail(STATUS_FORMAT, "ONNX Runtime: expected %zu logits, found %zu bytes", count, size);
	for (int a = 0; a < ARITHMETICS && status == STATUS_OK; a++)
		if (can_run(b, a))
			f->difference[theirs][a] = difference(f->ours[a].logits, bytes, count);
	free(bytes);
	return status;
}

static enum status measure_round(struct bench *b, struct figures *f, struct setting setting, int round)
{
	double ignored;
	for (int a = 0; b->theirs && a < ARITHMETICS; a++) {
		if (!can_run(b, a))
			continue;
		pause_turn();
		TRY(run_theirs(b, a, 1, &ignored));
		TRY(run_theirs(b, a, TURN_RUNS, &f->theirs[a][round]));
	}
	for (int a = 0; a < ARITHMETICS; a++) {
		if (!can_run(b, a))
			continue;
		pause_turn();
		for (int lane = 0; lane < LANES; lane++)
			TRY(run_ours(f, setting, (enum lane)lane, &f->ours[a], &f->times[a][lane][round]));
	}
	return STATUS_OK;
}

static enum status prepare_theirs(struct bench *b, struct figures *f, struct setting setting)
{
	double ignored;
	TRY(write_planes(b, f->rgb, setting.size));
	for (int a = 0; a < ARITHMETICS; a++) {
		if (!can_run(b, a))
			continue;
		TRY(write_model(b, setting.size, a));
		TRY(open_theirs(b, setting, a, &f->open_seconds[a]));
		TRY(run_theirs(b, a, 1, &ignored)); /* it lays out its memory in the first run */
	}
	return STATUS_OK;
}

static enum status prepare(struct bench *b, struct figures *f, struct setting setting)
{
	size_t pixels = (size_t)setting.size * (size_t)setting.size;
	f->rgb = malloc(3 * pixels);
	f->mask = malloc(pixels);
	if (!f->rgb || !f->mask)
		return status_fail(STATUS_NO_MEMORY, "no memory for a photo of %dx%d", setting.size, setting.size);
	paint(f->rgb, setting.size);
	for (int a = 0; a < ARITHMETICS; a++)
		if (can_run(b, a))
			TRY(open_ours(b, setting, a, f->rgb, &f->ours[a]));
	return b->theirs ? prepare_theirs(b, f, setting) : STATUS_OK;
}

/* --- the report ----------------------------------------------------------- */

/* The median over the turns of one time over another, and its range. */
static void print_ratio(const struct bench *b, int width, const double *times, const double *others)
{
	double ratios[BENCH_MAX_REPEATS];
	int repeats = b->options->repeats;
	for (int i = 0; i < repeats; i++)
		ratios[i] = times[i] / others[i];
	double ratio = bench_median(ratios, repeats); /* sorted now */
	fprintf(b->out, " %*.3f x (%.3f to %.3f)", width, ratio, ratios[0], ratios[repeats - 1]);
}

static double median_ms(const struct bench *b, const double *times)
{
	double sorted[BENCH_MAX_REPEATS];
	memcpy(sorted, times, sizeof sorted);
	return 1e3 * bench_median(sorted, b->options->repeats);
}

static void print_lane(const struct bench *b, const struct figures *f, int arithmetic, int lane, double peak_seconds)
{
	const double *times = f->times[arithmetic][lane];
	double ms = median_ms(b, times);
	fprintf(b->out, "  %-7s %-18s %8.2f ms", lane ? "" : arithmetic_names[arithmetic], lane_names[lane], ms);
	if (b->theirs)
		print_ratio(b, 8, times, f->theirs[0]);
	if (b->theirs && arithmetic) {
		fputs("; of its 8 bits", b->out);
		print_ratio(b, 0, times, f->theirs[arithmetic]);
	}
	if (lane == LANE_WHOLE && peak_seconds > 0)
		fprintf(b->out, "   %.0f %% of the FMA peak", 1e5 * peak_seconds / ms);
	fputc('\n', b->out);
}

static void print_theirs(const struct bench *b, const struct figures *f, int arithmetic)
{
	static const char *const names[ARITHMETICS] = {"ONNX Runtime, every run", "its 8 bits, every run"};
	fprintf(b->out, "  %-26s %8.2f ms", names[arithmetic], median_ms(b, f->theirs[arithmetic]));
	if (arithmetic)
		print_ratio(b, 8, f->theirs[arithmetic], f->theirs[0]);
	else
		fprintf(b->out, " %8.3f x", 1.0);
	fprintf(b->out, "   (%.0f ms to make its session)\n", 1e3 * f->open_seconds[arithmetic]);
}

static void print_session(const struct bench *b, const struct figures *f, int arithmetic)
{
	fprintf(b->out, "          session %.1f MiB", (double)tapcut_session_bytes(f->ours[arithmetic].session) / MIB);
	if (b->theirs)
		fprintf(b->out, "; logits within %.2g of ONNX Runtime's, relative to the largest",
			f->difference[0][arithmetic]);
	if (b->theirs && arithmetic)
		fprintf(b->out, ", and within %.2g of its 8 bits", f->difference[arithmetic][arithmetic]);
	fputc('\n', b->out);
}

static void print_setting(const struct bench *b, const struct figures *f, struct setting setting,
			  const struct bench_flops *flops)
{
	fprintf(b->out, "\n%dx%d, %d thread%s: %.2f GFLOP, of which %.2f depend on the photo alone\n", setting.size,
		setting.size, setting.threads, setting.threads == 1 ? "" : "s", 1e-9 * flops->all, 1e-9 * flops->photo);
	for (int a = 0; b->theirs && a < ARITHMETICS; a++)
		if (can_run(b, a))
			print_theirs(b, f, a);
	for (int a = 0; a < ARITHMETICS; a++) {
		double peak = a ? 0 : flops->all / (b->peak_one * setting.threads); /* seconds that it would take */
		if (!can_run(b, a))
			continue;
		for (int lane = 0; lane < LANES; lane++)
			print_lane(b, f, a, lane, peak);
		print_session(b, f, a);
	}
}

static void close_figures(struct figures *f)
{
	for (int a = 0; a < ARITHMETICS; a++) {
		infer_runner_free(f->ours[a].runner);
		tapcut_session_free(f->ours[a].session);
	}
	free(f->rgb);
	free(f->mask);
}

static enum status bench_setting(struct bench *b, struct setting setting)
{
	struct figures f = {0};
	struct bench_flops flops;
	enum status status = bench_network_flops(&b->network, setting.size, &flops);
	if (status == STATUS_OK)
		status = prepare(b, &f, setting);
	for (int i = 0; i < b->options->repeats && status == STATUS_OK; i++)
		status = measure_round(b, &f, setting, i);
	for (int a = 0; a < ARITHMETICS && status == STATUS_OK; a++)
		if (b->theirs && can_run(b, a))
			status = compare_logits(b, &f, setting, a);
	if (status == STATUS_OK)
		print_setting(b, &f, setting, &flops);
	if (status == STATUS_OK && b->options->kinds)
		status = bench_kinds(&b->network, setting.size, setting.threads, b->peak_one * setting.threads, b->out);
	fflush(b->out);
	close_figures(&f);
	return status;
}

static enum status bench_settings(struct bench *b)
{
	static const int sizes[] = {512, 256};
	for (int s = 0; s < (b->options->size ? 1 : 2); s++)
		for (int threads = 1; threads <= (b->options->threads ? 1 : 2); threads++)
			TRY(bench_setting(b, (struct setting){b->options->size ? b->options->size : sizes[s],
							      b->options->threads ? b->options->threads : threads}));
	return STATUS_OK;
}

/* Weights as parsed, and as the kernels want them. */
static size_t model_bytes(const struct bench *b)
{
	return b->model->network.parameters * sizeof(float) + infer_network_packed_bytes(&b->model->network);
}

static enum status look_at_machine(struct bench *b, const char *path)
{
	struct workers *workers;
	struct bench_machine machine;
	struct tapcut_model_info info;
	TRY(workers_new(1, &workers));
	bench_machine_look(&machine, workers);
	workers_free(workers);
	b->peak_one = machine.peak_one;
	tapcut_model_info(b->model, &info);
	fprintf(b->out, "machine  %s, %ld processors, %.0f %% idle before, FMA peak of one %.0f GFLOP/s\n", machine.cpu,
		machine.processors, 100 * machine.idle, 1e-9 * machine.peak_one);
	fprintf(b->out, "model    %s: %s, %s, %zu bytes; loads in %.1f ms, then takes %.1f MiB\n", path,
		info.architecture, info.weights, info.file_bytes, 1e3 * b->load_seconds, (double)model_bytes(b) / MIB);
	if (b->theirs)
		fprintf(b->out,
			"against  ONNX Runtime %s in Node %s: the same network as ONNX, float%s, sequential, all graph "
			"optimisations\n",
			b->version, b->node, can_run(b, 1) ? " and 8 bits (QDQ)" : "");
	fprintf(b->out, "         medians of %d turns of %d runs each%s\n", b->options->repeats, TURN_RUNS,
		b->theirs ? "; x: time over ONNX Runtime's, and its range" : "");
	fprintf(b->out,
		"         whole network: planes made of the photo, click drawn, all steps. photo set before: what "
		"the\n         photo alone decides is reused. tap to mask: the same through tapcut.h, with the mask.\n"
		"         FMA peak: of multiply-adds without Winograd's savings\n");
	return STATUS_OK;
}

static enum status load(struct bench *b, const char *path)
{
	char message[TAPCUT_MESSAGE_SIZE];
	TRY(network_file_read(path, &b->network));
	if (b->network.class_count)
		return status_fail(STATUS_CONFIG,
				   "%s: expected a model that selects what is tapped, found one that labels scenes",
				   path);
	double start = clock_seconds();
	if (tapcut_model_load_file(path, &b->model, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "%s", message);
	b->load_seconds = clock_seconds() - start;
	return STATUS_OK;
}

static enum status bench_all(struct bench *b, const char *path)
{
	char skipped[512] = "";
	TRY(load(b, path));
	if (b->options->against)
		TRY(start_theirs(b, skipped, sizeof skipped));
	if (*skipped)
		fprintf(b->out, "ONNX Runtime skipped: %s\n", skipped);
	b->theirs = b->options->against && !*skipped;
	TRY(look_at_machine(b, path));
	return bench_settings(b);
}

static void remove_folder(struct bench *b)
{
	static const char *const names[] = {"model.onnx", "model8.onnx", "image", "clicks", "logits"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(file_in(b, names[i]));
	rmdir(b->folder);
}

enum status bench_taps(const struct bench_taps_options *options, FILE *out)
{
	char found[PROJECT_PATH_SIZE];
	const char *path = options->model, *tmp = getenv("TMPDIR");
	struct bench b = {.options = options, .out = out};
	if (!path && !project_file_find(SHIPPED_MODEL, found))
		return status_fail(STATUS_CONFIG, "no model: " SHIPPED_MODEL " is not here; name one with --model");
	snprintf(b.folder, sizeof b.folder, "%s/tapcut-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(b.folder))
		return status_fail(STATUS_IO, "cannot make a folder %s", b.folder);
	enum status status = bench_all(&b, path ? path : found);
	bench_child_stop(&b.child);
	remove_folder(&b);
	tapcut_model_free(b.model);
	infer_network_release(&b.network);
	return status;
}
