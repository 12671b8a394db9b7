/* Loading a model: bytes from a file or from memory to a checked network, which nothing changes afterwards. */
#include "model.h"

#include <stdbool.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/fail.h"

enum { READ_CHUNK = 1 << 16 };
/* Above what any network within the limits of FORMAT.md can need. */
static const size_t MAX_FILE_BYTES = (size_t)INFER_MAX_TENSOR_FLOATS * 4 + (1 << 21);

const char *tapcut_version(void)
{
	return TAPCUT_VERSION;
}

enum tapcut_status tapcut_model_load_memory(const void *data, size_t size, struct tapcut_model **model, char *message)
{
	if (!model)
		return infer_fail(message, TAPCUT_ARGUMENT, "model: path or model is NULL");
	*model = NULL;
	struct tapcut_model *m = calloc(1, sizeof *m);
	if (!m)
		return infer_fail(message, TAPCUT_NO_MEMORY, "no memory for a model");
	enum tapcut_status status = infer_network_parse(data, data ? size : 0, &m->network, message);
	if (!status)
		status = infer_network_pack(&m->network, m->network.ranges ? INFER_ARITHMETIC_U8 : INFER_ARITHMETIC_F32,
					    message);
	if (status) {
		tapcut_model_free(m);
		return status;
	}
	*model = m;
	return TAPCUT_OK;
}

/* Doubles the buffer; on failure it stays as it is. */
static bool grow(unsigned char **data, size_t *capacity)
{
	size_t wanted = *capacity ? 2 * *capacity : READ_CHUNK;
	unsigned char *larger = realloc(*data, wanted);
	if (!larger)
		return false;
	*data = larger;
	*capacity = wanted;
	return true;
}

/* The whole stream; *data is freed by the caller, on failure too. */
static enum tapcut_status read_all(FILE *in, unsigned char **data, size_t *size, char *message)
{
	size_t capacity = 0;
	for (;;) {
		if (*size > MAX_FILE_BYTES)
			return infer_fail(message, TAPCUT_LIMIT, "a weights file has at most %zu bytes",
					  MAX_FILE_BYTES);
		if (*size == capacity && !grow(data, &capacity))
			return infer_fail(message, TAPCUT_NO_MEMORY, "no memory after %zu bytes", *size);
		size_t got = fread(*data + *size, 1, capacity - *size, in);
		*size += got;
		if (got == 0)
			return ferror(in) ? infer_fail(message, TAPCUT_IO, "cannot be read: %s", strerror(errno))
					  : TAPCUT_OK;
	}
}

enum tapcut_status tapcut_model_load_file(const char *path, struct tapcut_model **model, char *message)
{
	char text[TAPCUT_MESSAGE_SIZE] = "";
	unsigned char *data = NULL;
	size_t size = 0;
	if (!path || !model)
		return infer_fail(message, TAPCUT_ARGUMENT, "model: path or model is NULL");
	*model = NULL;
	FILE *in = fopen(path, "rb");
	if (!in)
		return infer_fail(message, TAPCUT_IO, "%s: %s", path, strerror(errno));
	enum tapcut_status status = read_all(in, &data, &size, text);
	fclose(in);
	if (status == TAPCUT_OK)
		status = tapcut_model_load_memory(data, size, model, text);
	free(data);
	return status ? infer_fail(message, status, "%s: %s", path, text) : TAPCUT_OK;
}

void tapcut_model_free(struct tapcut_model *model)
{
	if (!model)
		return;
	infer_network_release(&model->network);
	free(model);
}

void tapcut_model_get_info(const struct tapcut_model *model, struct tapcut_model_info *info)
{
	static const char *const names[] = {"f32", "f16", "int8", "codebook"};
	const struct infer_network *n = &model->network;
	*info = (struct tapcut_model_info){
		.architecture = n->architecture,
		.weights = names[n->weights],
		.parameters = n->parameters,
		.steps = (size_t)n->step_count,
		.file_bytes = n->file_bytes,
		.default_size = n->default_size,
		.arithmetic = infer_natural_arithmetic(n),
	};
}

const char *tapcut_model_class(const struct tapcut_model *model, int index)
{
	return index >= 0 && index < model->network.class_count ? model->network.class_names[index] : NULL;
}
