/* See inspect_json.h. */
#include "tools/inspect_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert/export.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"
#include "train/run_state.h"

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

static void add_floats(struct text *text, const char *name, const float *values, int count)
{
	text_add(text, ", \"%s\": [", name);
	for (int i = 0; i < count; i++) {
		text_add(text, i ? ", " : "");
		text_add_float(text, values[i]);
	}
	text_add(text, "]");
}

static void add_float(struct text *text, const char *name, float value)
{
	text_add(text, ", \"%s\": ", name);
	text_add_float(text, value);
}

/* --- weights files -------------------------------------------------------- */

static void add_inputs(struct text *text, const struct infer_step *step)
{
	static const char *const planes[INFER_FIRST_STEP_VALUE] = {"\"image\"", "\"clicks\""};
	text_add(text, ", \"inputs\": [");
	for (int i = 0; i < step->input_count; i++) {
		int value = step->inputs[i];
		text_add(text, i ? ", " : "");
		if (value < INFER_FIRST_STEP_VALUE)
			text_add(text, "%s", planes[value]);
		else
			text_add(text, "%d", value - INFER_FIRST_STEP_VALUE);
	}
	text_add(text, "]");
}

static enum status add_steps(const struct infer_network *n, struct text *text)
{
	int side = infer_network_side(n);
	char message[TAPCUT_MESSAGE_SIZE];
	struct infer_shape *shapes = calloc((size_t)n->step_count, sizeof *shapes);
	if (!shapes)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d steps", n->step_count);
	enum status status = STATUS_OK;
	if (infer_network_shapes(n, side, side, shapes, message) != TAPCUT_OK)
		status = status_fail(STATUS_FORMAT, "%s", message);
	text_add(text, ", \"step_list\": [");
	for (int i = 0; i < n->step_count && status == STATUS_OK; i++) {
		const struct infer_step *step = &n->steps[i];
		text_add(text, "%s{\"operator\": \"%s\"", i ? ",\n" : "", infer_op_name(step->op));
		add_inputs(text, step);
		text_add(text, ", \"shape\": [%d, %d, %d]", shapes[i].c, shapes[i].h, shapes[i].w);
		text_add(text, ", \"relu\": %s}", truth(step->relu));
	}
	text_add(text, "]");
	free(shapes);
	return status;
}

enum status inspect_add_network(const struct infer_network *n, const char *digest, bool steps, struct text *text)
{
	static const char *const weights_names[] = {"f32", "f16", "int8", "codebook"};
	const struct infer_preprocess *p = &n->preprocess;
	text_add(text, "{\"kind\": \"weights\", \"architecture\": ");
	text_add_json_string(text, n->architecture);
	text_add(text, ", \"weights\": \"%s\", \"parameters\": %zu, \"steps\": %d", weights_names[n->weights],
		 n->parameters, n->step_count);
	text_add(text, ", \"bytes\": %zu, \"default_size\": %d, \"sha256\": \"%s\"", n->file_bytes, n->default_size,
		 digest);
	text_add(text, ", \"bgr\": %s", truth(p->bgr));
	add_floats(text, "mean", p->mean, 3);
	add_floats(text, "scale", p->scale, 3);
	for (int i = 0; i < n->class_count; i++) {
		text_add(text, i ? ", " : ", \"classes\": [");
		text_add_json_string(text, n->class_names[i]);
		text_add(text, i + 1 == n->class_count ? "]" : "");
	}
	text_add(text, ", \"click_encoding\": \"%s\"", p->encoding == INFER_CLICK_DISK ? "disk" : "distance");
	add_float(text, "click_radius", p->radius);
	add_float(text, "click_truncate", p->truncate);
	add_float(text, "click_scale", p->click_scale);
	text_add(text, ", \"previous_mask\": %s, \"arithmetic\": \"%s\"", truth(p->previous_mask),
		 n->ranges ? "int8" : "float");
	enum status status = steps ? add_steps(n, text) : STATUS_OK;
	text_add(text, "}");
	return status;
}

/* --- checkpoints ---------------------------------------------------------- */

/* The config is JSON already. */
enum status inspect_add_checkpoint(const struct checkpoint *c, size_t size, const char *digest, struct text *text)
{
	const struct checkpoint_section *config = checkpoint_find(c, "config", SIZE_MAX);
	const struct checkpoint_section *values = checkpoint_find(c, "values", SIZE_MAX);
	text_add(text, "{\"kind\": \"checkpoint\", \"bytes\": %zu, \"sha256\": \"%s\"", size, digest);
	if (values)
		text_add(text, ", \"parameters\": %zu", values->size / sizeof(float));
	struct run_state state;
	if (run_state_find(c, &state) == STATUS_OK) {
		text_add(text,
			 ", \"step\": %llu, \"best_step\": %llu, \"best_noc90\": ", (unsigned long long)state.step,
			 (unsigned long long)state.best_step);
		text_add_number(text, state.best_noc90);
	}
	text_add(text, ", \"sections\": {");
	for (int i = 0; i < c->count; i++) {
		text_add(text, i ? ", " : "");
		text_add_json_string(text, c->sections[i].name);
		text_add(text, ": %zu", c->sections[i].size);
	}
	text_add(text, "}");
	if (config) {
		text_add(text, ", \"config\": ");
		text_add_bytes(text, config->data, strnlen(config->data, config->size));
	}
	text_add(text, "}");
	return STATUS_OK;
}

/* --- safetensors ---------------------------------------------------------- */

enum status inspect_add_safetensors(const struct safetensors *file, size_t size, const char *digest, struct text *text)
{
	size_t numbers = 0;
	text_add(text, "{\"kind\": \"safetensors\", \"bytes\": %zu, \"sha256\": \"%s\", \"tensors\": [", size, digest);
	for (int i = 0; i < file->count; i++) {
		const struct safetensors_tensor *tensor = &file->tensors[i];
		text_add(text, "%s{\"name\": ", i ? ",\n" : "");
		text_add_json_string(text, tensor->name);
		text_add(text, ", \"dtype\": ");
		text_add_json_string(text, tensor->dtype);
		text_add(text, ", \"shape\": [");
		for (int k = 0; k < tensor->rank; k++)
			text_add(text, "%s%zu", k ? ", " : "", tensor->dims[k]);
		text_add(text, "]}");
		numbers += tensor->count;
	}
	text_add(text, "], \"numbers\": %zu}", numbers);
	return STATUS_OK;
}
