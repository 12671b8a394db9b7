/* The model that a checkpoint holds: its config, the graph built from it, and the weights. For the commands that
 * translate or show checkpoints; training has its own way in (train/run_state.h). */
#ifndef TOOLS_CHECKPOINT_MODEL_H
#define TOOLS_CHECKPOINT_MODEL_H

#include "convert/export.h"
#include "train/config/config.h"

struct checkpoint_model {
	struct config config;
	struct params params;
	struct model model; /* a graph for one small picture; not planned */
	bool averaged;      /* params.values are the moving average */
};

/* `average`: take the moving average where the checkpoint has one. On failure nothing needs releasing. */
enum status checkpoint_model_load(struct checkpoint_model *loaded, const char *path, bool average);
/* The model of a config, filled from a safetensors file; the rest of its weights is random. */
enum status checkpoint_model_import(struct checkpoint_model *loaded, const struct config *config, const char *path);
/* Each parameter becomes the mean of itself and the one of its name in a safetensors file; what the file lacks
 * stays. Two ends of one training, averaged, are often better than both: Wortsman et al., "Robust fine-tuning of
 * zero-shot models", CVPR 2022. */
enum status checkpoint_model_mean(struct checkpoint_model *loaded, const char *path);
/* A model with random weights from a config. */
enum status checkpoint_model_new(struct checkpoint_model *loaded, const struct config *config);
void checkpoint_model_release(struct checkpoint_model *loaded);

/* How this model is exported: input and size as in its config. */
struct export_options checkpoint_model_options(const struct checkpoint_model *loaded, enum export_weights weights);

/* Writes `model` to `path` as the name ends: .safetensors, .onnx, else a weights file; prints what was written and what
 * it lost. */
struct write_options {
	enum export_weights weights; /* of a weights file */
	bool verbose;                /* what each tensor lost */
	bool any_size;               /* of an ONNX file: inputs of any size */
};
enum status checkpoint_model_write(const struct checkpoint_model *loaded, const struct write_options *options,
				   const char *path);

/* "f32" and the other export_weights_names to the enum; false if it is none of them. */
bool weights_from_name(const char *name, enum export_weights *weights);

#endif
