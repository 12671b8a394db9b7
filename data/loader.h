/* Loader threads that prepare samples ahead of the trainer, in an order that depends on the seed alone: position p
 * of epoch e is object rng_permute(seed, e, object_count, p), augmented with the stream (seed, e, p, RNG_AUGMENT). With
 * weights, sample number n is object draw_object(draw, seed, n) instead, augmented with the same stream. */
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include <stdint.h>

#include "data/augment.h"
#include "data/draw.h"

struct loader;

struct loader_options {
	const struct dataset *dataset; /* borrowed */
	const struct draw *draw;       /* borrowed; NULL: every object once per epoch, in a random order */
	struct augment_config augment;
	int size;
	uint64_t seed;
	/* global sample number to start at: epoch = first / object_count, position = first % object_count */
	uint64_t first;
	uint64_t run, stride; /* of every `stride` numbers from `first` on only the first `run` are wanted; 0, 0: all */
	int threads;          /* >= 1 */
	int prefetch;         /* samples kept ready ahead */
};

enum status loader_new(const struct loader_options *options, struct loader **loader);
/* Takes the next sample in order; NULL on failure of a photo (message stored on the calling thread), and the call
 * after that goes on with the next number. Blocks. The sample stays valid until loader_give_back or loader_free; any
 * number may be kept at a time. Callable from one thread. */
struct sample *loader_next(struct loader *loader);
void loader_give_back(struct loader *loader, struct sample *sample);
/* Seconds that loader_next has waited so far, and that loader threads have worked. */
void loader_times(const struct loader *loader, double *waited, double *worked);
void loader_free(struct loader *loader);

#endif
