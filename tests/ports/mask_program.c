/* mask_program ISA ARITHMETIC THREADS SIZE <MODEL >RECORDS
 *
 * What the library makes of some photos and taps, as bytes to be compared between builds and processors
 * (test_same_bytes.c). Runs wherever there is standard input and output: processors that are emulated, WebAssembly.
 *
 * ISA: a name of infer_isa_name, or "best"; ends with 77 where this processor has it not. ARITHMETIC: float or int8.
 * SIZE: the network's, 0 for the model's own. The model's payload must not be packed.
 *
 * A record is what a tap leaves: u32 width, height of the photo, width, height of the probabilities; the mask, the
 * alpha, a preview of half the size, the probabilities as f32. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/kernels/kernels.h"
#include "infer/tapcut.h"
#include "tests/ports/photo.h"

enum { MAX_SIDE = 400, MAX_MODEL = 8 << 20, NOT_HERE = 77, UNDO = -1 };

static int forced_isa = -1;

/* Linked with --wrap=infer_isa_best: every session asks it which kernels to use. */
enum infer_isa __wrap_infer_isa_best(void);
enum infer_isa __real_infer_isa_best(void);
enum infer_isa __wrap_infer_isa_best(void)
{
	return forced_isa < 0 ? __real_infer_isa_best() : (enum infer_isa)forced_isa;
}

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "mask_program: %s: %s\n", what, why);
	exit(1);
}

static int isa_of(const char *name)
{
	for (int isa = 0; isa < INFER_ISA_COUNT; isa++)
		if (strcmp(name, infer_isa_name((enum infer_isa)isa)) == 0)
			return infer_isa_available((enum infer_isa)isa) ? isa : NOT_HERE;
	return strcmp(name, "best") == 0 ? -1 : NOT_HERE;
}

static struct tapcut_model *read_model(void)
{
	static unsigned char data[MAX_MODEL];
	char message[TAPCUT_MESSAGE_SIZE];
	struct tapcut_model *model;
	size_t size = fread(data, 1, sizeof data, stdin);
	if (tapcut_model_load_memory(data, size, &model, message) != TAPCUT_OK)
		give_up("model", message);
	return model;
}

/* As little endian. */
static void write_u32(int value)
{
	for (int i = 0; i < 4; i++)
		putchar(value >> (8 * i) & 255);
}

static void write_record(struct tapcut_session *s, int w, int h)
{
	static uint8_t mask[MAX_SIDE * MAX_SIDE], alpha[MAX_SIDE * MAX_SIDE], preview[MAX_SIDE * MAX_SIDE];
	int work_w, work_h;
	if (tapcut_session_mask(s, mask, (size_t)w) || tapcut_session_alpha(s, alpha, (size_t)w) ||
	    tapcut_session_preview(s, preview, w / 2, h / 2, (size_t)w / 2))
		give_up("result", tapcut_session_message(s));
	const float *probabilities = tapcut_session_probabilities(s, &work_w, &work_h);
	write_u32(w);
	write_u32(h);
	write_u32(work_w);
	write_u32(work_h);
	fwrite(mask, 1, (size_t)w * (size_t)h, stdout);
	fwrite(alpha, 1, (size_t)w * (size_t)h, stdout);
	fwrite(preview, 1, (size_t)(w / 2) * (size_t)(h / 2), stdout);
	fwrite(probabilities, sizeof(float), (size_t)work_w * (size_t)work_h, stdout);
}

struct scene {
	int w, h, graph_cut, taps;
	int tap[4][3]; /* x and y in thousandths of the sides; positive, or UNDO */
};

static const struct scene scenes[] = {
	{320, 240, 0, 4, {{500, 500, 1}, {420, 560, 1}, {60, 80, 0}, {0, 0, UNDO}}},
	{211, 307, 1, 2, {{810, 500, 1}, {500, 500, 0}}},
};

static void run_scene(const struct tapcut_model *model, struct tapcut_options options, const struct scene *scene,
		      uint32_t seed)
{
	static uint8_t rgb[3 * MAX_SIDE * MAX_SIDE];
	char message[TAPCUT_MESSAGE_SIZE];
	struct tapcut_session *s;
	options.graph_cut = scene->graph_cut;
	options.feather = scene->graph_cut ? 3.5f : 0;
	photo_fill(rgb, scene->w, scene->h, seed);
	if (tapcut_session_new(model, &options, &s, message) != TAPCUT_OK)
		give_up("session", message);
	if (tapcut_session_set_image(s, rgb, scene->w, scene->h, 3 * (size_t)scene->w) != TAPCUT_OK)
		give_up("photo", tapcut_session_message(s));
	for (int i = 0; i < scene->taps; i++) {
		const int *tap = scene->tap[i];
		int x = tap[0] * scene->w / 1000, y = tap[1] * scene->h / 1000;
		if (tap[2] == UNDO ? tapcut_session_undo(s) : tapcut_session_click(s, x, y, tap[2]))
			give_up("tap", tapcut_session_message(s));
		write_record(s, scene->w, scene->h);
	}
	tapcut_session_free(s);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		give_up("usage", "mask_program ISA float|int8 THREADS SIZE <MODEL >RECORDS");
	forced_isa = isa_of(argv[1]);
	if (forced_isa == NOT_HERE)
		return NOT_HERE;
	struct tapcut_options options;
	tapcut_options_init(&options);
	options.arithmetic = strcmp(argv[2], "int8") == 0 ? TAPCUT_ARITHMETIC_INT8 : TAPCUT_ARITHMETIC_FLOAT;
	options.threads = atoi(argv[3]);
	options.size = atoi(argv[4]);
	options.first_size = options.size * 4 / 5;
	struct tapcut_model *model = read_model();
	struct tapcut_model_info info;
	tapcut_model_info(model, &info);
	if (options.arithmetic == TAPCUT_ARITHMETIC_INT8 && info.arithmetic != TAPCUT_ARITHMETIC_INT8)
		return NOT_HERE;
	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
		run_scene(model, options, &scenes[i], (uint32_t)i + 1);
	tapcut_model_free(model);
	return fflush(stdout) == 0 ? 0 : 1;
}
