/* Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011. A block of four numbers is a function of (counter, key) alone,
 * so that every sample of every epoch has its own numbers wherever and whenever it is computed.
 *
 * Who gets which counter:
 *     key         seed
 *     counter[0]  block within the stream
 *     counter[1]  epoch
 *     counter[2]  sample, bits 0..31
 *     counter[3]  sample, bits 32..55; purpose in the top 8 bits
 * so that streams of one seed never overlap while a stream stays under 2^34 numbers. */
#include "core/rng.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/portable_math.h"

enum { PHILOX_ROUNDS = 10, WORDS = 4, PURPOSE_SHIFT = 24, PURPOSE_SUBSTREAM = 0xff };

void philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];
	for (int round = 0; round < PHILOX_ROUNDS; round++) {
		uint64_t product0 = (uint64_t)0xD2511F53u * c0;
		uint64_t product1 = (uint64_t)0xCD9E8D57u * c2;
		c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)product1;
		c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)product0;
		k0 += 0x9E3779B9u; /* golden ratio */
		k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

struct rng rng_stream(uint64_t seed, uint32_t epoch, uint64_t sample, enum rng_purpose purpose)
{
	assert(purpose > 0 && (int)purpose < PURPOSE_SUBSTREAM);
	uint32_t high = (uint32_t)(sample >> 32) & ((1u << PURPOSE_SHIFT) - 1);
	return (struct rng){
		.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
		.counter = {0, epoch, (uint32_t)sample, high | (uint32_t)purpose << PURPOSE_SHIFT},
		.used = WORDS,
	};
}

/* The key of a substream is itself a Philox block, under a purpose that no stream has. */
struct rng rng_substream(const struct rng *rng, uint32_t index)
{
	const uint32_t counter[4] = {index, 0, 0, (uint32_t)PURPOSE_SUBSTREAM << PURPOSE_SHIFT};
	uint32_t block[4];
	philox4x32_10(counter, rng->key, block);
	struct rng sub = *rng;
	memcpy(sub.key, block, sizeof sub.key);
	sub.counter[0] = 0;
	sub.used = WORDS;
	return sub;
}

uint32_t rng_u32(struct rng *rng)
{
	if (rng->used == WORDS) {
		philox4x32_10(rng->counter, rng->key, rng->block);
		rng->counter[0]++;
		rng->used = 0;
	}
	return rng->block[rng->used++];
}

/* Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019): the upper half of
 * number * bound, rejecting the 2^32 mod bound numbers that would make some results more likely. */
uint32_t rng_below(struct rng *rng, uint32_t bound)
{
	assert(bound > 0);
	uint64_t product = (uint64_t)rng_u32(rng) * bound;
	if ((uint32_t)product < bound) {
		uint32_t rejected = -bound % bound;
		while ((uint32_t)product < rejected)
			product = (uint64_t)rng_u32(rng) * bound;
	}
	return (uint32_t)(product >> 32);
}

float rng_float(struct rng *rng)
{
	return (float)(rng_u32(rng) >> 8) * 0x1p-24f;
}

float rng_range(struct rng *rng, float low, float high)
{
	float value = low + (high - low) * rng_float(rng);
	/* Rounding may reach the open end. */
	return value < high || high <= low ? value : nextafterf(high, low);
}

/* Box & Muller, Annals of Mathematical Statistics 29 (1958): the cosine half, two numbers for one. The sine half
 * is thrown away, so that a stream has no state but its position. */
float rng_normal(struct rng *rng)
{
	double uniform = (rng_u32(rng) + 1.0) * 0x1p-32; /* (0, 1] */
	double turns = rng_u32(rng) * 0x1p-32;
	return (float)(sqrt(-2 * portable_log(uniform)) * portable_cos_turns(turns));
}

/* A balanced Feistel network over 2 * half_bits bits, a bijection whatever its round function is; Luby & Rackoff,
 * SIAM J. Computing 17 (1988). Few bits need more than their four rounds to mix. */
static uint32_t feistel(const struct rng *stream, int half_bits, uint32_t value)
{
	enum { ROUNDS = 8 };
	uint32_t mask = (1u << half_bits) - 1;
	uint32_t left = value >> half_bits, right = value & mask;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		const uint32_t counter[4] = {right, stream->counter[1], round, stream->counter[3]};
		uint32_t block[4];
		philox4x32_10(counter, stream->key, block);
		uint32_t next = left ^ (block[0] & mask);
		left = right;
		right = next;
	}
	return left << half_bits | right;
}

/* Positions are followed through the larger power of four until they come back below count (cycle walking; Black &
 * Rogaway, CT-RSA 2002): a bijection again, and fewer than four applications on average once count is above 16. */
uint32_t rng_permute(uint64_t seed, uint32_t epoch, uint32_t count, uint32_t position)
{
	assert(position < count);
	struct rng stream = rng_stream(seed, epoch, 0, RNG_ORDER);
	int half_bits = 3;
	while ((uint64_t)1 << (2 * half_bits) < count)
		half_bits++;
	do
		position = feistel(&stream, half_bits, position);
	while (position >= count);
	return position;
}
