/* tapcut inspect: what is in a weights file, a checkpoint or a safetensors file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"
#include "core/atomic_file.h"
#include "core/checkpoint.h"
#include "core/sha256.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"
#include "tools/command.h"
#include "tools/inspect_json.h"
#include "tools/streams.h"
#include "train/config/config_file.h"
#include "train/record/run_manifest.h"
#include "train/run_state.h"

struct arguments {
	const char *path;
	bool steps, json, quiet;
};

/* --- weights files -------------------------------------------------------- */

static const char *const weights_names[] = {"f32", "f16", "int8", "codebook"};

/* "kernel 3 x 3 stride 2 padding 1 dilation 1 relu" */
static void describe_step(const struct infer_step *step, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	const char *name = infer_operator(step->op)->arg_names;
	for (int i = 0; name && *name && used < size; i++) {
		int length = (int)strcspn(name, " ");
		used += (size_t)snprintf(text + used, size - used, "%.*s %d ", length, name, step->args[i]);
		name += length + (name[length] == ' ');
	}
	if (step->farg != 0 && used < size)
		used += (size_t)snprintf(text + used, size - used, "%g ", (double)step->farg);
	if (step->relu && used < size)
		snprintf(text + used, size - used, "relu");
}

static size_t step_parameters(const struct infer_network *network, const struct infer_step *step)
{
	size_t sum = 0;
	for (int i = 0; i < 2; i++) {
		if (step->tensor[i] < 0)
			continue;
		const int *d = network->tensors[step->tensor[i]].dims;
		sum += (size_t)d[0] * (size_t)d[1] * (size_t)d[2] * (size_t)d[3];
	}
	return sum;
}

static void print_step(const struct infer_network *network, int index, struct infer_shape shape)
{
	const struct infer_step *step = &network->steps[index];
	char inputs[64] = "", text[160];
	size_t used = 0;
	for (int i = 0; i < step->input_count; i++) {
		int value = step->inputs[i];
		const char *comma = i ? "," : "";
		if (value < INFER_FIRST_STEP_VALUE)
			used += (size_t)snprintf(inputs + used, sizeof inputs - used, "%s%s", comma,
						 value ? "clicks" : "image");
		else
			used += (size_t)snprintf(inputs + used, sizeof inputs - used, "%s%d", comma,
						 value - INFER_FIRST_STEP_VALUE);
	}
	describe_step(step, text, sizeof text);
	printf("%4d %-18s <- %-14s %4d x %4d x %4d %8zu  %s\n", index, infer_op_name(step->op), inputs, shape.c,
	       shape.h, shape.w, step_parameters(network, step), text);
}

static enum status print_steps(const struct infer_network *network)
{
	int side = infer_network_side(network);
	char message[TAPCUT_MESSAGE_SIZE];
	struct infer_shape *shapes = calloc((size_t)network->step_count, sizeof *shapes);
	if (!shapes)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d steps", network->step_count);
	enum status status = STATUS_OK;
	if (infer_network_shapes(network, side, side, shapes, message) != TAPCUT_OK)
		status = status_fail(STATUS_FORMAT, "%s", message);
	printf("\nstep operator              inputs           channels x height x width  parameters\n");
	for (int i = 0; i < network->step_count && status == STATUS_OK; i++)
		print_step(network, i, shapes[i]);
	free(shapes);
	return status;
}

static void print_classes(const struct infer_network *network)
{
	printf("classes     ");
	for (int i = 0; i < network->class_count; i++)
		printf("%s%s", i ? ", " : "", network->class_names[i]);
	printf("\n");
}

static void print_preprocess(const struct infer_network *network)
{
	const struct infer_preprocess *p = &network->preprocess;
	printf("image       %s, (byte - %g,%g,%g) * %g,%g,%g\n", p->bgr ? "BGR" : "RGB", (double)p->mean[0],
	       (double)p->mean[1], (double)p->mean[2], (double)p->scale[0], (double)p->scale[1], (double)p->scale[2]);
	if (network->class_count) {
		print_classes(network);
		return;
	}
	if (p->encoding == INFER_CLICK_DISK)
		printf("clicks      disks of radius %g", (double)p->radius);
	else
		printf("clicks      distance maps, truncated at %g", (double)p->truncate);
	printf(", times %g%s\n", (double)p->click_scale, p->previous_mask ? ", with the previous mask" : "");
}

/* The end of what one of inspect_json.h's functions began. */
static enum status print_json(enum status status, struct text *text)
{
	if (status == STATUS_OK)
		return streams_json(text);
	text_release(text);
	return status;
}

/* A weights file has no room for where it came from (infer/FORMAT.md); the manifest of a run beside it has, if it is
 * the one whose result these bytes are. */
static void print_origin(const char *path, const char *digest)
{
	struct run_manifest *manifest = malloc(sizeof *manifest);
	char beside[1100];
	const char *slash = strrchr(path, '/');
	snprintf(beside, sizeof beside, "%.*smanifest.json", slash ? (int)(slash - path) + 1 : 0, path);
	if (manifest && run_manifest_read(manifest, beside, NULL) == STATUS_OK) {
		if (strcmp(manifest->result_sha256, digest) == 0)
			printf("origin      %s: commit %s, numerics %d, %llu steps, %llu samples, seed %llu,\n"
			       "            config %.16s, annotations %.16s, %d photos %.16s\n",
			       beside, manifest->commit, manifest->numerics, (unsigned long long)manifest->step,
			       (unsigned long long)manifest->samples, (unsigned long long)manifest->seed,
			       manifest->config_sha256, manifest->annotations_sha256, manifest->photos,
			       manifest->photos_sha256);
		run_manifest_release(manifest);
	}
	free(manifest);
}

static enum status inspect_network(const struct arguments *a, const char *bytes, size_t size, const char *digest)
{
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	if (infer_network_parse(bytes, size, &network, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "%s: %s", a->path, message);
	enum status status = STATUS_OK;
	struct text text;
	text_init(&text);
	if (a->json) {
		status = print_json(inspect_add_network(&network, digest, a->steps, &text), &text);
	} else {
		printf("%s: weights file\n", a->path);
		printf("network     %s, %d steps, made for %d pixels\n", network.architecture, network.step_count,
		       network.default_size);
		printf("parameters  %zu as %s in %d tensors\n", network.parameters, weights_names[network.weights],
		       network.tensor_count);
		printf("arithmetic  float%s\n", network.ranges ? ", or 8 bits" : "");
		print_preprocess(&network);
		printf("bytes       %zu\nsha256      %s\n", size, digest);
		print_origin(a->path, digest);
	}
	if (a->steps && !a->json)
		status = print_steps(&network);
	infer_network_release(&network);
	return status;
}

/* --- checkpoints ---------------------------------------------------------- */

static enum status print_config(const char *path, const struct checkpoint_section *section)
{
	struct config config;
	char *text = calloc(1, section->size + 1);
	if (!text)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config of %s", path);
	memcpy(text, section->data, section->size);
	enum status status = config_from_json(&config, text, path);
	free(text);
	if (status == STATUS_OK)
		printf("config      %s, seed %llu: %s+%s, %llu steps of %d\n", config.name,
		       (unsigned long long)config.seed, trunk_names[config.model.trunk],
		       decoder_names[config.model.decoder], (unsigned long long)config.train.steps,
		       config.train.batch_size);
	return status;
}

static enum status print_checkpoint(const char *path, const struct checkpoint *checkpoint)
{
	const struct checkpoint_section *config = checkpoint_find(checkpoint, "config", SIZE_MAX);
	const struct checkpoint_section *values = checkpoint_find(checkpoint, "values", SIZE_MAX);
	printf("%s: checkpoint\n", path);
	if (config)
		TRY(print_config(path, config));
	struct run_state state;
	if (run_state_find(checkpoint, &state) == STATUS_OK) {
		printf("step        %llu, best NoC@90 %.2f at step %llu\n", (unsigned long long)state.step,
		       state.best_noc90, (unsigned long long)state.best_step);
	}
	if (values)
		printf("parameters  %zu\n", values->size / sizeof(float));
	for (int i = 0; i < checkpoint->count; i++)
		printf("section     %-16s %zu bytes\n", checkpoint->sections[i].name, checkpoint->sections[i].size);
	return STATUS_OK;
}

static enum status inspect_checkpoint(const struct arguments *a, const char *bytes, size_t size, const char *digest)
{
	(void)bytes;
	struct checkpoint checkpoint;
	TRY(checkpoint_read(&checkpoint, a->path));
	struct text text;
	text_init(&text);
	enum status status = a->json ? print_json(inspect_add_checkpoint(&checkpoint, size, digest, &text), &text)
				     : print_checkpoint(a->path, &checkpoint);
	checkpoint_release(&checkpoint);
	if (status == STATUS_OK)
		printf("bytes       %zu\nsha256      %s\n", size, digest);
	return status;
}

/* --- safetensors ---------------------------------------------------------- */

static enum status inspect_safetensors(const struct arguments *a, const char *bytes, size_t size, const char *digest)
{
	(void)bytes;
	struct safetensors file;
	struct text text;
	TRY(safetensors_read(&file, a->path));
	if (a->json) {
		text_init(&text);
		enum status status = print_json(inspect_add_safetensors(&file, size, digest, &text), &text);
		safetensors_release(&file);
		return status;
	}
	size_t numbers = 0;
	printf("%s: safetensors\n", a->path);
	for (int i = 0; i < file.count; i++) {
		const struct safetensors_tensor *tensor = &file.tensors[i];
		printf("  %-40s %-8s", tensor->name, tensor->dtype);
		for (int k = 0; k < tensor->rank; k++)
			printf("%s%zu", k ? "x" : " ", tensor->dims[k]);
		printf("\n");
		numbers += tensor->count;
	}
	printf("tensors     %d, %zu numbers\nbytes       %zu\nsha256      %s\n", file.count, numbers, size, digest);
	safetensors_release(&file);
	return STATUS_OK;
}

/* --- the command ---------------------------------------------------------- */

static const struct {
	const char *magic;
	size_t length;
	enum status (*inspect)(const struct arguments *a, const char *bytes, size_t size, const char *digest);
} kinds[] = {
	{"\x89TAPCUT\n", 8, inspect_network},
	{"TAPCKPT1", 8, inspect_checkpoint},
	{"", 0, inspect_safetensors}, /* has no magic */
};

static enum status inspect(const struct arguments *a)
{
	char *bytes, digest[65];
	size_t size;
	uint8_t raw[32];
	struct sha256 sha;
	TRY(file_read(a->path, (size_t)1 << 30, &bytes, &size));
	sha256_init(&sha);
	sha256_update(&sha, bytes, size);
	sha256_final(&sha, raw);
	sha256_hex(raw, digest);
	size_t kind = 0;
	while (size < kinds[kind].length || memcmp(bytes, kinds[kind].magic, kinds[kind].length) != 0)
		kind++;
	enum status status = kinds[kind].inspect(a, bytes, size, digest);
	free(bytes);
	return status;
}

static const struct option_row operand_rows[] = {
	{"FILE", OPTION_FILE, OPTION_FIELD(path), NULL, .help = "a weights file, a checkpoint or a safetensors file",
	 .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"steps", OPTION_FLAG, OPTION_FIELD(steps), NULL,
	 .help = "also the network's steps, at the default size (weights files)"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static int run(void *arguments)
{
	return command_end("inspect", inspect(arguments));
}

const struct command command_inspect = {
	.name = "inspect",
	.summary = "show what is in a weights file or checkpoint",
	.usage = "FILE [--steps] [--json]",
	.about = "FILE is a weights file (.tapcut), a checkpoint (.ckpt) or a safetensors file; its first bytes "
		 "decide. The whole file is checked as if it were to be used.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut inspect infer/models/base.tapcut",
	.size = sizeof(struct arguments),
	.run = run,
};
