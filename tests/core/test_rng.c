/* The generator against its published vectors; streams apart from each other; distributions; the permutation a
 * bijection. */
#include "core/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

/* Known-answer vectors of the authors' Random123 distribution, "philox4x32 10". */
START_TEST(known_answers)
{
	static const struct {
		uint32_t counter[4], key[2], out[4];
	} vectors[] = {
		{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
		 {0xffffffff, 0xffffffff},
		 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
		 {0xa4093822, 0x299f31d0},
		 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};
	for (int i = 0; i < 3; i++) {
		uint32_t out[4];
		philox4x32_10(vectors[i].counter, vectors[i].key, out);
		ck_assert_mem_eq(out, vectors[i].out, sizeof out);
	}
}
END_TEST

/* Two streams are apart when their counters differ in other words than the block's. */
static bool apart(struct rng a, struct rng b)
{
	return memcmp(a.counter + 1, b.counter + 1, 3 * sizeof(uint32_t)) != 0;
}

START_TEST(streams_never_collide)
{
	static const uint64_t samples[] = {0, 1, 0xffffffff, 0x100000000, 0x00ffffffffffffff, 0x0080000000000000};
	static const uint32_t epochs[] = {0, 1, 0xffffffff};
	enum { SAMPLES = 6, EPOCHS = 3, PURPOSES = RNG_TEST, ALL = SAMPLES * EPOCHS * PURPOSES };
	struct rng streams[ALL];
	for (int i = 0; i < ALL; i++)
		streams[i] = rng_stream(9, epochs[i / SAMPLES % EPOCHS], samples[i % SAMPLES],
					(enum rng_purpose)(1 + i / SAMPLES / EPOCHS));
	for (int i = 0; i < ALL; i++)
		for (int k = 0; k < i; k++)
			ck_assert(apart(streams[i], streams[k]));
	struct rng a = rng_stream(1, 0, 0, RNG_TEST), b = rng_stream((uint64_t)1 << 32, 0, 0, RNG_TEST);
	ck_assert_uint_ne(rng_u32(&a), rng_u32(&b));
}
END_TEST

START_TEST(a_copy_forks_and_a_stream_is_its_blocks)
{
	struct rng rng = rng_stream(0x0123456789abcdef, 7, 42, RNG_TEST), copy = rng;
	for (uint32_t i = 0; i < 40; i++) {
		uint32_t out[4];
		const uint32_t counter[4] = {i / 4, 7, 42, (uint32_t)RNG_TEST << 24}, key[2] = {0x89abcdef, 0x01234567};
		philox4x32_10(counter, key, out);
		ck_assert_uint_eq(rng_u32(&rng), out[i % 4]);
		if (i == 10)
			copy = rng;
	}
	for (int i = 11; i < 40; i++)
		rng_u32(&copy);
	ck_assert_uint_eq(rng_u32(&copy), rng_u32(&rng));
}
END_TEST

START_TEST(substreams_do_not_depend_on_the_position)
{
	struct rng rng = rng_stream(3, 1, 2, RNG_DROPOUT), other = rng_stream(3, 1, 3, RNG_DROPOUT);
	struct rng before = rng_substream(&rng, 5), neighbour = rng_substream(&rng, 6);
	struct rng sample = rng_substream(&other, 5);
	for (int i = 0; i < 6; i++)
		rng_u32(&rng);
	struct rng after = rng_substream(&rng, 5);
	int equal = 0;
	for (int i = 0; i < 100; i++) {
		uint32_t number = rng_u32(&before);
		ck_assert_uint_eq(number, rng_u32(&after));
		equal += number == rng_u32(&neighbour) || number == rng_u32(&sample) || number == rng_u32(&rng);
	}
	ck_assert_int_eq(equal, 0);
}
END_TEST

START_TEST(below_is_even)
{
	static const uint32_t bounds[] = {1, 2, 3, 7, 1000, 0x80000001, 0xffffffff};
	struct rng rng = rng_stream(5, 0, 0, RNG_TEST);
	for (int b = 0; b < 7; b++)
		for (int i = 0; i < 1000; i++)
			ck_assert_uint_lt(rng_below(&rng, bounds[b]), bounds[b]);
	/* Without rejection, one third of the numbers below 3 * 2^30 would be twice as likely. */
	int third[3] = {0};
	for (int i = 0; i < 30000; i++)
		third[rng_below(&rng, 3u << 30) >> 30]++;
	for (int i = 0; i < 3; i++)
		ck_assert_int_lt(abs(third[i] - 10000), 400);
}
END_TEST

START_TEST(floats_fill_their_range)
{
	struct rng rng = rng_stream(6, 0, 0, RNG_TEST);
	double sum = 0, square = 0;
	bool exact = true;
	enum { COUNT = 100000 };
	for (int i = 0; i < COUNT; i++) {
		float x = rng_float(&rng);
		exact &= x >= 0 && x < 1 && x * 0x1p24f == floorf(x * 0x1p24f);
		sum += x;
		square += (double)x * x;
	}
	ck_assert(exact);
	ck_assert_double_lt(fabs(sum / COUNT - 0.5), 0.005);
	ck_assert_double_lt(fabs(square / COUNT - 1.0 / 3), 0.005);
}
END_TEST

/* One unit in the last place wide: rounding alone would give the open end half of the time. */
START_TEST(range_keeps_its_open_end)
{
	struct rng rng = rng_stream(7, 0, 0, RNG_TEST);
	float high = nextafterf(1, 2);
	for (int i = 0; i < 1000; i++) {
		ck_assert(rng_range(&rng, 1, high) == 1);
		float x = rng_range(&rng, -3, 5);
		ck_assert(x >= -3 && x < 5);
		ck_assert(rng_range(&rng, 2, 2) == 2);
	}
}
END_TEST

START_TEST(normal_has_its_moments)
{
	struct rng rng = rng_stream(8, 0, 0, RNG_TEST);
	enum { COUNT = 200000 };
	double moment[5] = {0};
	int beyond_two = 0;
	for (int i = 0; i < COUNT; i++) {
		double x = rng_normal(&rng), power = 1;
		beyond_two += fabs(x) > 2;
		for (int k = 0; k < 5; k++, power *= x)
			moment[k] += power / COUNT;
	}
	ck_assert_double_lt(fabs(moment[1]), 0.01);
	ck_assert_double_lt(fabs(moment[2] - 1), 0.015);
	ck_assert_double_lt(fabs(moment[3]), 0.04);
	ck_assert_double_lt(fabs(moment[4] - 3), 0.1);
	ck_assert_double_lt(fabs((double)beyond_two / COUNT - 0.0455), 0.002);
}
END_TEST

START_TEST(permute_is_a_bijection)
{
	enum { LARGEST = 5000 };
	static const uint32_t more[] = {255, 256, 257, 1000, 1023, 1024, 1025, 4095, 4096, 4097, LARGEST};
	static unsigned char seen[LARGEST];
	for (uint32_t i = 0; i < 130 + sizeof more / sizeof *more; i++) {
		uint32_t count = i < 130 ? i + 1 : more[i - 130];
		memset(seen, 0, sizeof seen);
		for (uint32_t position = 0; position < count; position++) {
			uint32_t item = rng_permute(11, i, count, position);
			if (item >= count || seen[item]++)
				ck_abort_msg("count %u, position %u: item %u again or too large", count, position,
					     item);
		}
	}
	for (uint32_t position = 0; position < 1000; position++) /* the whole 32 bits: no overflow */
		ck_assert_uint_lt(rng_permute(11, 0, 0xffffffff, 0xfffffffe - position), 0xffffffff);
}
END_TEST

/* All 24 orders of four samples turn up about equally often over epochs and seeds: chi-square, 23 degrees of
 * freedom. */
START_TEST(permute_has_no_favourites)
{
	enum { TRIALS = 4800, ORDERS = 256 };
	int orders[ORDERS] = {0};
	for (uint32_t i = 0; i < TRIALS; i++) {
		int code = 0;
		for (uint32_t position = 0; position < 4; position++)
			code = code << 2 | (int)rng_permute(i / 100, i % 100, 4, position);
		orders[code]++;
	}
	double chi = 0, expected = TRIALS / 24.0;
	int different = 0;
	for (int i = 0; i < ORDERS; i++)
		if (orders[i]) {
			chi += (orders[i] - expected) * (orders[i] - expected) / expected;
			different++;
		}
	ck_assert_int_eq(different, 24);
	ck_assert_double_lt(chi, 50); /* exceeded once in a thousand */
}
END_TEST

/* Neighbours must not stay neighbours: as many as chance would leave, which is about one. */
START_TEST(permute_separates_neighbours)
{
	for (uint32_t epoch = 0; epoch < 20; epoch++) {
		int adjacent = 0, fixed = 0;
		for (uint32_t i = 0; i < 999; i++) {
			adjacent += rng_permute(1, epoch, 1000, i + 1) == rng_permute(1, epoch, 1000, i) + 1;
			fixed += rng_permute(1, epoch, 1000, i) == i;
		}
		ck_assert_int_le(adjacent, 7);
		ck_assert_int_le(fixed, 7);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("rng");
	TCase *tcase = tcase_create("all");
	tcase_add_test(tcase, known_answers);
	tcase_add_test(tcase, streams_never_collide);
	tcase_add_test(tcase, a_copy_forks_and_a_stream_is_its_blocks);
	tcase_add_test(tcase, substreams_do_not_depend_on_the_position);
	tcase_add_test(tcase, below_is_even);
	tcase_add_test(tcase, floats_fill_their_range);
	tcase_add_test(tcase, range_keeps_its_open_end);
	tcase_add_test(tcase, normal_has_its_moments);
	tcase_add_test(tcase, permute_is_a_bijection);
	tcase_add_test(tcase, permute_has_no_favourites);
	tcase_add_test(tcase, permute_separates_neighbours);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
