/* The model that a checkpoint holds: its config, the graph built from it, and the weights. For what translates,
 * measures or begins from checkpoints; a run that goes on has its own way in (train/run_state.h). */
#ifndef TRAIN_CHECKPOINT_MODEL_H
#define TRAIN_CHECKPOINT_MODEL_H

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

#endif
