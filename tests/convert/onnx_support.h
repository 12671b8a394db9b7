/* What tests of ONNX files share: a small reader of our own (is it a graph, does it hold the network's numbers), scenes
 * for our runner and for ONNX Runtime, which runs them where it is installed (make npm-onnxruntime). */
#ifndef TESTS_CONVERT_ONNX_SUPPORT_H
#define TESTS_CONVERT_ONNX_SUPPORT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/onnx.h"
#include "core/atomic_file.h"
#include "infer/kernels/kernels.h"
#include "infer/tapcut.h"
#include "tests/infer/build_network.h"
#include "tests/support/test.h"

enum { MAX_NAMES = 2048 };

/* --- a reader of protocol buffers ----------------------------------------- */

struct view {
	const unsigned char *at, *end;
};

/* Check notes every assertion that it passes, which is too slow for every byte. */
static inline void expect(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

/* One field: `number` for varints and floats' bits, `bytes` for the rest. */
struct field {
	int id, wire;
	uint64_t number;
	struct view bytes;
};

static inline uint64_t read_varint(struct view *view)
{
	uint64_t value = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		expect(view->at < view->end, "a varint that is cut off");
		value |= (uint64_t)(*view->at & 127) << shift;
		if (*view->at++ < 128)
			return value;
	}
	ck_abort_msg("a varint of more than ten bytes");
	return 0;
}

static inline bool next_field(struct view *view, struct field *field)
{
	if (view->at == view->end)
		return false;
	uint64_t key = read_varint(view), size = 4;
	*field = (struct field){.id = (int)(key >> 3), .wire = (int)(key & 7)};
	expect(field->wire == 0 || field->wire == 2 || field->wire == 5, "an unknown wire type");
	if (field->wire == 0) {
		field->number = read_varint(view);
		return true;
	}
	if (field->wire == 2)
		size = read_varint(view);
	expect(size <= (uint64_t)(view->end - view->at), "a field that is cut off");
	field->bytes = (struct view){view->at, view->at + size};
	view->at += size;
	return true;
}

/* The n-th field with this id. */
static inline bool find(struct view view, int id, int n, struct field *field)
{
	while (next_field(&view, field))
		if (field->id == id && n-- == 0)
			return true;
	return false;
}

static int field_count(struct view view, int id)
{
	struct field field;
	int n = 0;
	while (find(view, id, n, &field))
		n++;
	return n;
}

static inline struct view message(struct view view, int id, int n)
{
	struct field field;
	expect(find(view, id, n, &field) && field.wire == 2, "a message is missing");
	return field.bytes;
}

static inline uint64_t number(struct view view, int id, int n)
{
	struct field field;
	expect(find(view, id, n, &field) && field.wire == 0, "a number is missing");
	return field.number;
}

/* Static buffers, eight in turn. */
static inline const char *string(struct view view, int id, int n)
{
	static char texts[8][2000];
	static int turn;
	struct view bytes = message(view, id, n);
	char *text = texts[turn++ % 8];
	ck_assert_uint_lt((size_t)(bytes.end - bytes.at), sizeof texts[0]);
	memcpy(text, bytes.at, (size_t)(bytes.end - bytes.at));
	text[bytes.end - bytes.at] = '\0';
	return text;
}

struct names {
	char name[MAX_NAMES][64];
	int count;
};

static inline bool known(const struct names *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], name))
			return true;
	return false;
}

static inline void add_name(struct names *names, const char *name)
{
	ck_assert_msg(!known(names, name), "%s twice", name);
	ck_assert_int_lt(names->count, MAX_NAMES);
	snprintf(names->name[names->count++], sizeof names->name[0], "%s", name);
}

/* Of float, int32, int8 and uint8, int64. */
static inline size_t element_size(uint64_t type)
{
	expect(type == 1 || type == 6 || type == 2 || type == 3 || type == 7, "an unknown type of tensor");
	return type == 7 ? 8 : type == 2 || type == 3 ? 1 : 4;
}

/* Every input of a node is there before it, every value is made once, every initialiser has its dimensions' bytes. */
static inline void check_graph(struct view graph)
{
	struct names names = {.count = 0};
	for (int i = 0; i < field_count(graph, 11); i++)
		add_name(&names, string(message(graph, 11, i), 1, 0));
	for (int i = 0; i < field_count(graph, 5); i++) {
		struct view tensor = message(graph, 5, i), raw = message(tensor, 9, 0);
		size_t numbers = 1;
		for (int d = 0; d < field_count(tensor, 1); d++)
			numbers *= (size_t)number(tensor, 1, d);
		ck_assert_uint_eq((size_t)(raw.end - raw.at), element_size(number(tensor, 2, 0)) * numbers);
		add_name(&names, string(tensor, 8, 0));
	}
	for (int i = 0; i < field_count(graph, 1); i++) {
		struct view node = message(graph, 1, i);
		for (int k = 0; k < field_count(node, 1); k++) {
			const char *input = string(node, 1, k);
			ck_assert_msg(!*input || known(&names, input), "node %d reads %s, which is not there yet", i,
				      input);
		}
		add_name(&names, string(node, 2, 0));
	}
	ck_assert_str_eq(string(message(graph, 12, 0), 1, 0), "logits");
	ck_assert(known(&names, "logits"));
}

/* --- scenes --------------------------------------------------------------- */

/* In the folder of the test; four buffers in turn. */
static const char *onnx_dir;
static inline const char *path_of(const char *format, int i)
{
	static char paths[4][1200];
	static int turn;
	char *path = paths[turn++ % 4];
	int used = snprintf(path, sizeof paths[0], "%s/", onnx_dir);
	snprintf(path + used, sizeof paths[0] - (size_t)used, format, i);
	return path;
}

static inline void spit(const char *path, const void *data, size_t size)
{
	ck_assert_msg(atomic_file_write(path, &(struct file_part){data, size}, 1) == STATUS_OK, "%s", status_message());
}

/* A photo, two taps and a previous mask, as an app gives them. All owned; w and h are multiples of 16. */
struct scene {
	int w, h;
	uint8_t *rgb;
	float *previous; /* NULL: none */
	struct infer_click taps[2];
	int tap_count;
};

static inline void scene_release(struct scene *scene)
{
	free(scene->rgb);
	free(scene->previous);
}

/* Noise. */
static inline struct scene noise_scene(int w, int h)
{
	uint32_t state = 77;
	size_t pixels = (size_t)w * (size_t)h;
	struct scene scene = {w, h, malloc(3 * pixels), malloc(pixels * sizeof(float)), {{30, 20, 1}, {60, 40, 0}}, 2};
	for (size_t i = 0; i < 3 * pixels; i++)
		scene.rgb[i] = (uint8_t)(128 + 120 * builder_number(&state));
	for (size_t i = 0; i < pixels; i++)
		scene.previous[i] = fabsf(builder_number(&state));
	return scene;
}

/* The planes that the network sees, to files. */
static inline void write_planes(const struct infer_preprocess *p, const struct scene *scene, int i)
{
	size_t pixels = (size_t)scene->w * (size_t)scene->h, stride = 3 * (size_t)scene->w;
	int planes = infer_click_planes(p);
	float *data = calloc(3 * pixels, sizeof *data);
	infer_normalize_rgb8(p, scene->rgb, scene->w, scene->h, stride, data, scene->w, scene->h);
	spit(path_of("image%d", i), data, 3 * pixels * sizeof *data);
	memset(data, 0, 3 * pixels * sizeof *data);
	infer_draw_clicks(p, scene->taps, scene->tap_count, data, scene->w, scene->h);
	for (size_t k = 0; planes == 3 && scene->previous && k < pixels; k++)
		data[2 * pixels + k] = p->click_scale * scene->previous[k];
	spit(path_of("clicks%d", i), data, (size_t)planes * pixels * sizeof *data);
	free(data);
}

static inline size_t logit_channels(const struct infer_network *network)
{
	return network->class_count ? (size_t)network->class_count : 1;
}

/* Our own logits, a plane for each class as ONNX has them; caller frees. */
static inline float *run_scene(const struct infer_network *network, const struct scene *scene, int arithmetic)
{
	const struct infer_run_options options = {.arithmetic = arithmetic, .threads = 1, .isa = -1};
	size_t pixels = (size_t)scene->w * (size_t)scene->h, channels = logit_channels(network);
	char text[TAPCUT_MESSAGE_SIZE];
	struct infer_runner *runner;
	float *planes = malloc(pixels * channels * sizeof *planes);
	ck_assert_msg(infer_runner_new(network, scene->h, scene->w, &options, &runner, text) == TAPCUT_OK, "%s", text);
	infer_runner_set_photo(runner, scene->rgb, scene->w, scene->h, 3 * (size_t)scene->w);
	infer_runner_set_clicks(runner, scene->taps, scene->tap_count,
				network->preprocess.previous_mask ? scene->previous : NULL, scene->w, scene->h);
	const float *logits = infer_runner_run(runner);
	for (size_t c = 0; c < channels; c++)
		for (size_t i = 0; i < pixels; i++)
			planes[c * pixels + i] = logits[i * infer_runner_output(runner)->pitch + c];
	infer_runner_free(runner);
	return planes;
}

/* --- ONNX Runtime --------------------------------------------------------- */

/* Writes ONNX file, inputs and our logits number i, and what ONNX Runtime shall do with them. */
static inline void prepare_scene(FILE *commands, const struct infer_network *network,
				 const struct onnx_options *options, const struct scene *scene, int i)
{
	unsigned char *model;
	size_t size;
	ck_assert_msg(onnx_write(network, options, &model, &size) == STATUS_OK, "%s", status_message());
	spit(path_of("m%d.onnx", i), model, size);
	free(model);
	float *logits = run_scene(network, scene, options->qdq ? INFER_ARITHMETIC_U8 : INFER_ARITHMETIC_F32);
	spit(path_of("logits%d", i), logits,
	     logit_channels(network) * (size_t)scene->w * (size_t)scene->h * sizeof *logits);
	free(logits);
	write_planes(&network->preprocess, scene, i);
	fprintf(commands, "{\"open\": \"%s\", \"threads\": 1}\n", path_of("m%d.onnx", i));
	fprintf(commands, "{\"input\": \"image\", \"dims\": [1, 3, %d, %d], \"file\": \"%s\"}\n", scene->h, scene->w,
		path_of("image%d", i));
	if (!network->class_count)
		fprintf(commands, "{\"input\": \"clicks\", \"dims\": [1, %d, %d, %d], \"file\": \"%s\"}\n",
			infer_click_planes(&network->preprocess), scene->h, scene->w, path_of("clicks%d", i));
	fprintf(commands, "{\"run\": 1}\n{\"output\": \"logits\", \"file\": \"%s\"}\n", path_of("found%d", i));
}

static inline float *read_logits(const char *path, size_t *count)
{
	char *bytes;
	ck_assert_msg(file_read(path, 1 << 24, &bytes, count) == STATUS_OK, "%s", status_message());
	*count /= sizeof(float);
	return (float *)(void *)bytes;
}

/* Largest difference between ours and theirs over the largest logit. */
static inline double difference(int i)
{
	size_t count, found_count;
	float *expected = read_logits(path_of("logits%d", i), &count),
	      *found = read_logits(path_of("found%d", i), &found_count);
	double scale = 0, worst = 0;
	ck_assert_uint_eq(count, found_count);
	for (size_t k = 0; k < count; k++) {
		scale = fmax(scale, fabs((double)expected[k]));
		worst = fmax(worst, fabs((double)expected[k] - (double)found[k]));
	}
	ck_assert_msg(scale > 1e-3, "model %d: the logits are all but zero", i);
	free(expected);
	free(found);
	return worst / scale;
}

/* One process for all models; false where it cannot run. */
static inline bool run_onnxruntime(void)
{
	char command[4000], first[400] = "", line[2000];
	snprintf(command, sizeof command, "node tools/bench/onnxruntime.mjs <%s/commands >%s/answers 2>&1", onnx_dir,
		 onnx_dir);
	int code = system(command);
	FILE *answers = fopen(path_of("answers", 0), "r");
	ck_assert_ptr_nonnull(answers);
	bool some = fgets(first, sizeof first, answers) != NULL;
	if (code || !some || strstr(first, "\"skipped\"")) {
		test_skip("ONNX Runtime: %s", some ? first : "node did not run");
		fclose(answers);
		return false;
	}
	while (fgets(line, sizeof line, answers))
		ck_assert_msg(!strstr(line, "\"error\""), "%s", line);
	fclose(answers);
	return true;
}

/* The format's own checker, shapes included (python3-onnx), of all m*.onnx. */
static inline void run_checker(void)
{
	char command[4000];
	if (system("/usr/bin/python3 -c 'import onnx' 2>/dev/null") != 0) {
		test_skip("python3-onnx is not installed");
		return;
	}
	snprintf(command, sizeof command,
		 "/usr/bin/python3 -c 'import onnx, sys\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f), "
		 "full_check=True)' %s/m*.onnx",
		 onnx_dir);
	ck_assert_int_eq(system(command), 0);
}

#endif
