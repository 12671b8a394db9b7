/* See draw.h. The weights' sums up to each object, and a search in them for a number below the whole sum. */
#include "data/draw.h"

#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/sha256.h"

struct draw {
	int count;
	uint64_t mask;  /* the least 2^k - 1 that the whole sum does not exceed */
	uint64_t *sums; /* sums[i]: weights of the objects 0..i together, as integers */
};

/* What 1 is rounded to: the sum of `count` such numbers stays below 2^63. */
static double unit(int count)
{
	double scale = 0x1p40;
	for (int64_t n = count; n > (int64_t)1 << 22; n /= 2)
		scale /= 2;
	return scale;
}

static enum status find_largest(const double *weights, int count, double *largest)
{
	*largest = 0;
	for (int i = 0; i < count; i++) {
		if (!(weights[i] >= 0) || !isfinite(weights[i]))
			return status_fail(STATUS_CONFIG, "data: weight of object %d: expected 0 or more, found %g", i,
					   weights[i]);
		*largest = weights[i] > *largest ? weights[i] : *largest;
	}
	return *largest > 0 ? STATUS_OK
			    : status_fail(STATUS_CONFIG, "data: expected an object of a weight above 0, found none");
}

enum status draw_new(const double *weights, int count, struct draw **out)
{
	double largest;
	*out = NULL;
	TRY(find_largest(weights, count, &largest));
	struct draw *draw = calloc(1, sizeof *draw);
	uint64_t *sums = malloc((size_t)count * sizeof *sums);
	if (!draw || !sums) {
		free(draw);
		free(sums);
		return status_fail(STATUS_NO_MEMORY, "no memory for the weights of %d objects", count);
	}
	double scale = unit(count);
	uint64_t sum = 0;
	for (int i = 0; i < count; i++) {
		sum += (uint64_t)floor(weights[i] / largest * scale + 0.5);
		sums[i] = sum;
	}
	*draw = (struct draw){.count = count, .sums = sums};
	while (draw->mask < sum)
		draw->mask = 2 * draw->mask + 1;
	*out = draw;
	return STATUS_OK;
}

void draw_free(struct draw *draw)
{
	if (draw)
		free(draw->sums);
	free(draw);
}

/* Uniform below the whole sum: numbers beyond it are drawn again, less than once on average. */
static uint64_t draw_number(const struct draw *draw, struct rng *rng)
{
	uint64_t number;
	do {
		uint64_t high = rng_u32(rng);
		number = (high << 32 | rng_u32(rng)) & draw->mask;
	} while (number >= draw->sums[draw->count - 1]);
	return number;
}

int draw_object(const struct draw *draw, uint64_t seed, uint64_t number)
{
	/* The epoch is no part of it: what has no order has no epochs. */
	struct rng rng = rng_stream(seed, (uint32_t)(number >> 56), number, RNG_DRAW);
	uint64_t wanted = draw_number(draw, &rng);
	int low = 0, high = draw->count - 1; /* the first object whose sum is above `wanted` is within low..high */
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (draw->sums[middle] > wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void draw_digest(const struct draw *draw, uint8_t digest[32])
{
	struct sha256 sha;
	sha256_init(&sha);
	for (int i = 0; i < draw->count; i++) {
		uint8_t bytes[8];
		for (int k = 0; k < 8; k++)
			bytes[k] = (uint8_t)(draw->sums[i] >> 8 * k);
		sha256_update(&sha, bytes, sizeof bytes);
	}
	sha256_final(&sha, digest);
}
