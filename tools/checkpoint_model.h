/* The model that a checkpoint holds: its config, the graph built from it, and the weights. For the commands that
 * translate or show checkpoints; training has its own way in (train/run_state.h). */
#ifndef TOOLS_CHECKPOINT_MODEL_H
#define TOOLS_CHECKPOINT_MODEL_H

#include "convert/export.h"
#include "train/config.h"

struct checkpoint_model {
	struct config config;
	struct params params;
	struct model model; /* a graph for one small picture; not planned */
	bool averaged;      /* params.values are the moving average */
};

/* `average`: take the moving average where the checkpoint has one. On failure nothing needs releasing. */
enum status checkpoint_model_load(struct checkpoint_model *loaded, const char *path, bool average);
/* A model with random weights from a config. */
enum status checkpoint_model_new(struct checkpoint_model *loaded, const struct config *config);
void checkpoint_model_release(struct checkpoint_model *loaded);

/* How this model is exported: input and size as in its config. */
struct export_options checkpoint_model_options(const struct checkpoint_model *loaded, enum export_weights weights);

/* Writes `model` to `path`: a weights file or, if the name ends in .safetensors, that; prints what was written and what
 * it lost. */
enum status checkpoint_model_write(const struct checkpoint_model *loaded, enum export_weights weights, const char *path,
				   bool verbose);

/* "f32", "f16", "int8" to the enum; false if it is none of them. */
bool weights_from_name(const char *name, enum export_weights *weights);

#endif
