/* Randomness as a counter: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011). A stream is named by what it is for, so there is no state to save and nothing to get out of step: the
 * numbers for (seed, epoch, sample, purpose) are the same on every thread, rank, and after every resume. */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stdint.h>

enum rng_purpose {
	RNG_INIT = 1,   /* parameter initialisation; sample = hash of the name */
	RNG_ORDER,      /* the epoch's permutation of samples */
	RNG_AUGMENT,    /* crop, flip, colour of one sample */
	RNG_CLICKS,     /* first clicks of one sample */
	RNG_CORRECTIVE, /* clicks of the corrective rounds of one sample */
	RNG_DROPOUT,    /* dropout of one sample; stream position = node */
	RNG_SCENES,     /* generated scenes */
	RNG_TEST,
	RNG_SWEEP,     /* values of one trial of a sweep; epoch = attempt, sample = trial */
	RNG_DRAW,      /* which object one sample shows, where objects are drawn by weight */
	RNG_USER = 64, /* this one to 127: for programs that are built on this library */
};

/* A stream. Copying it forks it: both copies give the same numbers from there on. */
struct rng {
	uint32_t key[2];
	uint32_t counter[4];
	uint32_t block[4]; /* the numbers of the counter before this one */
	int used;          /* how many of them are used up: 0..4; 4 at the beginning */
};

/* One raw Philox4x32-10 block, for the known-answer test and for random access. */
void philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The stream of (seed, epoch, sample, purpose), at its beginning. Of `sample` the lower 56 bits count. */
struct rng rng_stream(uint64_t seed, uint32_t epoch, uint64_t sample, enum rng_purpose purpose);

/* Stream number `index` below this one (a node's dropout), at its beginning, wherever `rng` stands. */
struct rng rng_substream(const struct rng *rng, uint32_t index);

uint32_t rng_u32(struct rng *rng);
/* Uniform integer in [0, bound) without bias (rejection); bound > 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);
/* Uniform in [0, 1), 24 bits, exact. */
float rng_float(struct rng *rng);
/* Uniform in [low, high). */
float rng_range(struct rng *rng, float low, float high);
/* Standard normal (Box-Muller in double). */
float rng_normal(struct rng *rng);

/* A keyed permutation of [0, count) by random access (Feistel network on Philox with cycle walking): position ->
 * item. This is the epoch's sample order; resuming in mid-epoch needs no stored list. */
uint32_t rng_permute(uint64_t seed, uint32_t epoch, uint32_t count, uint32_t position);

#endif
