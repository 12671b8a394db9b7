/* Writes a .tapcut weights file (infer/FORMAT.md): the network as a list of steps plus its tensors. */
#ifndef CONVERT_EXPORT_H
#define CONVERT_EXPORT_H

#include <stddef.h>

#include "convert/quantize.h"
#include "convert/weights_file.h"
#include "core/nn/model.h"
#include "infer/image/preprocess.h"

struct export_options {
	enum export_weights weights;
	struct infer_preprocess preprocess;
	int default_size; /* long side for inference */
	const char (
		*categories)[32]; /* of a model with classes: their names from class 1 on; class 0 is "background" */
};

/* `model`: a built graph; the part from its inputs to its logits is exported, whatever follows (losses) is not.
 * `values`: params->total floats (trained or averaged). *data is returned, caller frees. The same input gives the same
 * bytes. */
enum status export_memory(const struct model *model, const struct model_config *config, const float *values,
			  const struct export_options *options, unsigned char **data, size_t *size);
/* What one tensor lost by the way it is stored. */
struct export_loss {
	char name[64]; /* of the parameter */
	int dims[4];
	int type; /* enum infer_tensor_type */
	struct quantize_error error;
};
/* Compares the tensors of exported bytes with what they were made from. *losses is returned, caller frees. */
enum status export_compare(const struct model *model, const float *values, const unsigned char *data, size_t size,
			   struct export_loss **losses, int *count);

#endif
