/* From a model to a weights file: steps.c says what the network is, weights_file.c how it is written down. */
#include "convert/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/steps.h"
#include "convert/weights_file.h"
#include "infer/tapcut.h"

static enum status translate(struct steps *steps, const struct model *model, const float *values)
{
	return steps_translate(steps, &model->graph, model->image, model->clicks, model->logits, values);
}

static enum status name_classes(struct infer_network *network, const struct model_config *config,
				const struct export_options *options)
{
	if (!config->classes)
		return STATUS_OK;
	network->class_names = calloc((size_t)config->classes, sizeof *network->class_names);
	if (!network->class_names)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d classes", config->classes);
	network->class_count = config->classes;
	for (int i = 0; i < config->classes; i++)
		snprintf(network->class_names[i], sizeof network->class_names[i], "%s",
			 i ? options->categories[i - 1] : "background");
	return STATUS_OK;
}

enum status export_memory(const struct model *model, const struct model_config *config, const float *values,
			  const struct export_options *options, unsigned char **data, size_t *size)
{
	struct steps steps;
	TRY(translate(&steps, model, values));
	struct infer_network *network = &steps.network;
	network->preprocess = options->preprocess;
	network->default_size = options->default_size;
	steps_click_range(&steps, options->preprocess.click_scale);
	snprintf(network->architecture, sizeof network->architecture, "%s+%s", trunk_names[config->trunk],
		 decoder_names[config->decoder]);
	enum status status = name_classes(network, config, options);
	if (status == STATUS_OK)
		status = weights_file_write(network, options->weights, data, size);
	steps_release(&steps);
	return status;
}

static enum status compare(const struct steps *steps, const struct infer_network *stored, struct export_loss **losses)
{
	int count = steps->network.tensor_count;
	if (stored->tensor_count != count)
		return status_fail(STATUS_FORMAT, "the file has %d tensors, the model %d", stored->tensor_count, count);
	*losses = calloc((size_t)count + 1, sizeof **losses);
	if (!*losses)
		return status_fail(STATUS_NO_MEMORY, "no memory for comparing %d tensors", count);
	for (int i = 0; i < count; i++) {
		const struct infer_tensor *a = &steps->network.tensors[i], *b = &stored->tensors[i];
		struct export_loss *loss = &(*losses)[i];
		if (memcmp(a->dims, b->dims, sizeof a->dims) != 0) {
			free(*losses);
			return status_fail(STATUS_FORMAT, "tensor %s has another shape in the file", steps->names[i]);
		}
		memcpy(loss->name, steps->names[i], sizeof loss->name);
		memcpy(loss->dims, a->dims, sizeof loss->dims);
		loss->type = b->type;
		size_t numbers = (size_t)a->dims[0] * (size_t)a->dims[1] * (size_t)a->dims[2] * (size_t)a->dims[3];
		loss->error = quantize_error(a->data, b->data, numbers);
	}
	return STATUS_OK;
}

enum status export_compare(const struct model *model, const float *values, const unsigned char *data, size_t size,
			   struct export_loss **losses, int *count)
{
	struct steps steps;
	TRY(translate(&steps, model, values));
	struct infer_network stored;
	char message[TAPCUT_MESSAGE_SIZE];
	enum status status;
	if (infer_network_parse(data, size, &stored, message) != TAPCUT_OK) {
		status = status_fail(STATUS_FORMAT, "the exported bytes do not load: %s", message);
	} else {
		status = compare(&steps, &stored, losses);
		*count = stored.tensor_count;
		infer_network_release(&stored);
	}
	steps_release(&steps);
	return status;
}
