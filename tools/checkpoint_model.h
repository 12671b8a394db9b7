/* Writing the model of a checkpoint as weights files, ONNX and safetensors, with a word about what was written. */
#ifndef TOOLS_CHECKPOINT_MODEL_H
#define TOOLS_CHECKPOINT_MODEL_H

#include "convert/export.h"
#include "tools/network_file.h"
#include "train/checkpoint_model.h"

/* Writes `model` to `path` as the name ends: .safetensors, .onnx, else a weights file; prints what was written and what
 * it lost. */
struct write_options {
	enum export_weights weights; /* of a weights file */
	bool verbose;                /* what each tensor lost */
	struct onnx_form onnx;       /* of an ONNX file */
};
enum status checkpoint_model_write(const struct checkpoint_model *loaded, const struct write_options *options,
				   const char *path);

#endif
