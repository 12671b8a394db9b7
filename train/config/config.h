/* One experiment: everything that decides the result. config_file.h reads it from one JSON file plus --set overrides;
 * the table in config_keys.c drives parsing, checking, printing and documentation; configs/README.md is that table as
 * text. */
#ifndef TRAIN_CONFIG_H
#define TRAIN_CONFIG_H

#include "core/nn/model.h"
#include "core/optim.h"
#include "core/schedule.h"
#include "data/augment.h"
#include "data/sampler.h"
#include "infer/image/preprocess.h"

enum {
	CONFIG_TEXT = 512,
	CONFIG_MAX_CATEGORIES = 80,
	CONFIG_MAX_CLASSES = CONFIG_MAX_CATEGORIES + 1, /* the background too */
	CONFIG_MAX_FILES = 8,
	CONFIG_MAX_STAGES = 16,
	CONFIG_MAX_SOURCES = 32
};

/* An instances file among those that are trained on. */
struct config_file {
	char path[CONFIG_TEXT];
	char images[CONFIG_TEXT]; /* "" = data.images, or images/ beside the file */
	double weight;            /* how often its objects are drawn, relative to those of other files */
};

/* A part of a run, and what changes with it. */
struct config_stage {
	uint64_t steps;  /* as given: its length, or its share of train.steps */
	bool restart;    /* the schedule of the learning rate begins anew */
	char keys[1024]; /* JSON: the keys that have another value from here on, as a config has them */
	/* Follow from the config: */
	uint64_t end;          /* the first step behind the stage */
	uint64_t first_sample; /* the number of its first sample */
	int batch_size;
};

/* What the network is for. */
enum task {
	TASK_CLICKS, /* the object that is clicked */
	TASK_LABELS, /* what class each pixel of the scene is of: data.categories, and "background" for all others */
};

/* Of which rounds of a sample the gradient is. */
enum train_rounds { TRAIN_ROUNDS_LAST, TRAIN_ROUNDS_ALL };

struct config_weight {
	char name[32];
	double weight;
};

struct config {
	char name[64];
	uint64_t seed;
	enum task task;

	struct {
		struct config_file train[CONFIG_MAX_FILES];
		int train_count;
		char val[CONFIG_TEXT];    /* instances JSON; "" = none */
		char images[CONFIG_TEXT]; /* photo folder; "" = found beside the JSON (data/dataset_open.h) */
		char train_images[CONFIG_TEXT], val_images[CONFIG_TEXT]; /* "" = images */
		enum exif_policy exif;
		struct config_weight source_weights[CONFIG_MAX_SOURCES];
		int source_weight_count;
		double area_exponent; /* an object is drawn in proportion to its share of the photo to this power */
		char categories[CONFIG_MAX_CATEGORIES][32];
		int category_count; /* 0 means all categories */
		double min_area_fraction, max_area_fraction;
		int max_objects;
	} data;

	struct model_config model; /* click_planes follows from input.previous_mask, classes from task and categories */
	struct infer_preprocess preprocess; /* section "input": channel order, mean, scale, click encoding */
	char init_checkpoint[CONFIG_TEXT];  /* "init.checkpoint": a run's checkpoint; "" = none */
	char init_trunk[CONFIG_TEXT];       /* "init.trunk": safetensors file; "" = random */
	char init_weights[CONFIG_TEXT];     /* "init.weights": weights of any kind; "" = none */

	struct augment_config augment;
	struct sampler_config sampler;  /* section "clicks" */
	int max_corrective_rounds;      /* "clicks.corrective_rounds": 0..3, drawn uniformly from 0..this */
	enum train_rounds train_rounds; /* "clicks.train_rounds" */
	/* "eval.threshold": a pixel above it counts as object, in rounds and evaluation */
	double threshold;

	struct {
		uint64_t steps;
		int batch_size, slot_size; /* batch_size is a multiple of slot_size */
		int size;                  /* side of the training crop; multiple of 16 */
		int log_every;             /* steps */
		int checkpoint_every;      /* steps */
		int keep_every;            /* steps between checkpoints that stay; 0: none */
		int loader_threads, prefetch;
		char nan_policy[8]; /* "stop" or "skip": a step whose loss or gradient is not finite */
		bool tensorboard;   /* an event file beside the log */
		int patience;       /* validations without a better one that end the run; 0: none does */
		char patience_metric[8];
	} train;

	struct {
		double nfl_weight, nfl_alpha, nfl_gamma;
		double bce_weight;
		double dice_weight, iou_weight;
		double coarse_weight; /* above 0: model.coarse_head */
		double boundary_weight, boundary_width;
		struct config_weight class_weights[CONFIG_MAX_CLASSES]; /* as given */
		int class_weight_count;
		float class_weight[CONFIG_MAX_CLASSES]; /* of each class: those given, else 1 */
	} loss;

	struct optim_config optim;
	/* also in section "optim": schedule, lr, warmup_steps, ...; total_steps = train.steps */
	struct schedule_config schedule;

	struct {
		int every; /* steps between validations; 0: only at the end */
		int limit; /* objects of the validation set, chosen by hash; 0 means all */
		int size;  /* long side seen by the network */
		int max_clicks;
		bool zoom;
	} eval;

	int calibration_steps;  /* "quantize.calibration_steps": so long values are measured before they are rounded */
	uint64_t quantize_from; /* the first step that rounds, if model.quantize */

	struct config_stage stages[CONFIG_MAX_STAGES];
	int stage_count;  /* 0: the run is of one piece */
	bool steps_given; /* train.steps was set: the stages share it. Used while a config is read only */

	int export_weights; /* "export.weights": enum export_weights (convert/weights_file.h) */
	char backend[16];   /* "compute.backend": "openblas" */
};

/* A class of TASK_LABELS: "background" for 0, then data.categories. */
const char *config_class_name(const struct config *config, int index);

/* Are objects drawn by weight? Else every one comes once per epoch. */
bool config_draws_by_weight(const struct config *config);

/* The stage that step `step` (from 0 on) belongs to; 0 without stages, the last one behind the end. */
int config_stage_at(const struct config *config, uint64_t step);
/* Samples of the first `step` steps together: the number of the next sample. */
uint64_t config_samples(const struct config *config, uint64_t step);
/* The config as it holds within a stage: its keys and those of the stages before it applied, the schedule's place set.
 * Of a config without stages, a copy. `to` must not be `config`. */
enum status config_in_stage(const struct config *config, int stage, struct config *to);
/* The config that a checkpoint after `step` steps was made with: that of the stage of its last step. */
enum status config_after(const struct config *config, uint64_t step, struct config *to);

#endif
