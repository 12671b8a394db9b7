/* What a run was made of and what came out, so that it can be repeated and compared: DIR/manifest.json, beside the
 * weights. `tapcut reproduce` trains it again; summary.json holds its short form. train/README.md describes the
 * keys. */
#ifndef TRAIN_RUN_MANIFEST_H
#define TRAIN_RUN_MANIFEST_H

#include <stdint.h>

#include "core/text.h"
#include "train/config/config.h"

enum { MANIFEST_MAX_WEIGHTS = 512 };

/* The weights after a step, as they are trained (not their moving average): SHA-256 of the floats, little-endian. */
struct manifest_weights {
	uint64_t step;
	char sha256[65];
};

struct run_manifest {
	char config_sha256[65]; /* of the keys that decide the weights */
	char *history;          /* what was changed on the way (train/run_state.h); owned; NULL: nothing */
	uint64_t seed;
	int numerics;    /* NUMERICS_VERSION */
	char commit[80]; /* of the program; "" where it does not know */
	char annotations_sha256[65];
	int objects;
	int photos; /* that were trained on; and one digest over their files */
	char photos_sha256[65];
	char init_file[CONFIG_TEXT], init_sha256[65]; /* "": the run began with random numbers */
	uint64_t step, samples;
	struct manifest_weights weights[MANIFEST_MAX_WEIGHTS]; /* after early steps and at checkpoints; steps ascend */
	int weights_count;
	char result_file[32], result_sha256[65]; /* "": none yet */
	uint64_t result_bytes;
	char machine[256]; /* kernels, compiler, threads, ranks, host */
	char started[32], written[32];
	double seconds;
};

/* All empty, but for the numerics version and the time. */
void run_manifest_init(struct run_manifest *manifest);
/* Sets `written` to now. */
void run_manifest_stamp(struct run_manifest *manifest);
void run_manifest_release(struct run_manifest *manifest);

/* Notes the weights after a step, in place of those of this step or later ones that are there. */
void run_manifest_add_weights(struct run_manifest *manifest, uint64_t step, const float *values, size_t count);
/* The noted weights of a step; NULL: none. */
const struct manifest_weights *run_manifest_find_weights(const struct run_manifest *manifest, uint64_t step);

/* DIR/manifest.json, atomically, with the whole config; and the short form without config and weights, as one JSON
 * object. */
enum status run_manifest_write(const struct run_manifest *manifest, const struct config *config, const char *dir);
void run_manifest_add_short(struct text *text, const struct run_manifest *manifest);

/* Reads a manifest; *config_text is its config as JSON, returned, caller frees (NULL: nobody asks). On failure nothing
 * needs releasing. */
enum status run_manifest_read(struct run_manifest *manifest, const char *path, char **config_text);

#endif
