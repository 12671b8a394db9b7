/* Photo, mask and others move together: the tiny photos hold their own coordinates, so that every pixel of a sample
 * tells where it comes from, whatever the crop. */
#include "data/augment.h"

#include <math.h>

#include "data/robot.h"
#include "tests/data/tiny_dataset.h"

enum { SIZE = 64, DRAWS = 60 };

static struct rng stream(int i)
{
	return rng_stream(5, 0, (uint64_t)i, RNG_AUGMENT);
}

static struct augment_config no_colour(void)
{
	struct augment_config config;
	augment_config_init(&config);
	config.colour_probability = 0;
	return config;
}

static bool is_fill(const uint8_t *rgb)
{
	return memcmp(rgb, augment_fill, 3) == 0;
}

/* +1 surely inside the rectangle, -1 surely outside, 0 within `doubt` pixels of its edge. */
static int side(const struct dataset_object *object, const uint8_t *rgb, double doubt)
{
	double x = rgb[0] + 0.5, y = rgb[1] + 0.5;
	double depth = fmin(fmin(x - object->x0, object->x1 - x), fmin(y - object->y0, object->y1 - y));
	return depth > doubt ? 1 : depth < -doubt ? -1 : 0;
}

static void check_plane(const uint8_t *plane, const struct sample *sample, const struct dataset_object *object,
			int *sure)
{
	for (int i = 0; i < SIZE * SIZE; i++) {
		const uint8_t *rgb = sample->rgb + 3 * i;
		int where = is_fill(rgb) ? -1 : side(object, rgb, 1.01);
		/* Check's assertions are slow; once per pixel would be minutes. */
		if (plane[i] > 1 || (where > 0 && !plane[i]) || (where < 0 && plane[i]))
			ck_abort_msg("pixel %d shows %d,%d and has %d", i, rgb[0], rgb[1], plane[i]);
		*sure += where != 0;
	}
}

START_TEST(planes_move_together)
{
	struct tiny tiny;
	struct sample sample;
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 10, 20, 60, 50);
	tiny_add_object(&tiny, 70, 5, 115, 78);
	struct augment_config config = no_colour();
	config.overhang_probability = 0.5;
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	int sure = 0, flipped = 0, outside = 0;
	for (int i = 0; i < DRAWS; i++) {
		config.object_scale_probability = i % 2;
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &sample), STATUS_OK);
		check_plane(sample.truth, &sample, &tiny.objects[0], &sure);
		check_plane(sample.others, &sample, &tiny.objects[1], &sure);
		ck_assert_int_eq(sample.object, 0);
		const uint8_t *middle = sample.rgb + 3 * (SIZE / 2 * SIZE + SIZE / 2);
		flipped += middle[-6] > middle[6];
		outside += is_fill(sample.rgb) || is_fill(sample.rgb + 3 * (SIZE * SIZE - 1));
	}
	ck_assert_int_gt(sure, DRAWS * SIZE * SIZE);
	ck_assert_int_gt(flipped, DRAWS / 4);
	ck_assert_int_lt(flipped, DRAWS * 3 / 4);
	ck_assert_int_gt(outside, DRAWS / 4);
	sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

START_TEST(same_stream_same_bytes)
{
	struct tiny tiny;
	struct sample a, b;
	struct augment_config config;
	augment_config_init(&config);
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 10, 20, 60, 50);
	ck_assert_int_eq(sample_alloc(&a, SIZE), STATUS_OK);
	ck_assert_int_eq(sample_alloc(&b, SIZE), STATUS_OK);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &a), STATUS_OK);
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &b), STATUS_OK);
		ck_assert_mem_eq(a.rgb, b.rgb, SIZE * SIZE * 3);
		ck_assert_mem_eq(a.truth, b.truth, SIZE * SIZE);
		ck_assert_mem_eq(a.others, b.others, SIZE * SIZE);
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i + 100), &b), STATUS_OK);
		ck_assert_mem_ne(a.rgb, b.rgb, SIZE * SIZE * 3);
	}
	sample_release(&a), sample_release(&b);
	tiny_release(&tiny);
}
END_TEST

/* The same bytes on every machine and in every version: a change here changes every trained network. */
START_TEST(golden_sample)
{
	struct tiny tiny;
	struct sample sample;
	struct augment_config config;
	augment_config_init(&config);
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 10, 20, 60, 50);
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &sample), STATUS_OK);
		for (int p = 0; p < SIZE * SIZE; p++) {
			for (int c = 0; c < 3; c++)
				hash = (hash ^ sample.rgb[3 * p + c]) * 16777619u;
			hash = (hash ^ sample.truth[p]) * 16777619u;
		}
	}
	sample_release(&sample);
	tiny_release(&tiny);
	ck_assert_msg(hash == 0xdb5dbff0u, "hash is now 0x%08x", hash);
}
END_TEST

START_TEST(object_is_always_there)
{
	struct tiny tiny;
	struct sample sample;
	struct augment_config config = no_colour();
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 119, 79, 120, 80); /* one pixel, in the corner */
	tiny_add_object(&tiny, 0, 40, 120, 41);   /* a line */
	tiny_add_object(&tiny, 0, 0, 2, 1);
	tiny_add_object(&tiny, 0, 0, 120, 80); /* everything */
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	for (int i = 0; i < DRAWS; i++) {
		int count = 0;
		config.overhang_probability = i % 3 / 2.0;
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, i % 4, stream(i), &sample), STATUS_OK);
		for (int p = 0; p < SIZE * SIZE; p++)
			count += sample.truth[p];
		ck_assert_msg(count >= 12, "object %d: %d pixels", i % 4, count);
	}
	sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

START_TEST(scale_by_object)
{
	struct tiny tiny;
	struct sample sample;
	struct augment_config config = no_colour();
	config.object_scale_probability = 1;
	config.overhang_probability = 1;
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 40, 30, 70, 50);
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	int small = 0, large = 0;
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &sample), STATUS_OK);
		int widest = 0;
		for (int y = 0; y < SIZE; y++) {
			int width = 0;
			for (int x = 0; x < SIZE; x++)
				width += sample.truth[y * SIZE + x];
			widest = width > widest ? width : widest;
		}
		/* Parts may lie outside the crop, so only the upper end is certain. */
		ck_assert_int_le(widest, (int)(0.9 * SIZE) + 2);
		small += widest < SIZE / 2;
		large += widest > SIZE / 2;
	}
	ck_assert_int_gt(small, 5);
	ck_assert_int_gt(large, 5);
	sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

/* Crops that may not hang over show as much photo as fits. */
START_TEST(staying_inside)
{
	struct tiny tiny;
	struct sample sample;
	struct augment_config config = no_colour();
	config.overhang_probability = 0;
	config.scale_min = 1.5, config.scale_max = 1.6; /* 120 / 1.5 = 80: the crop fits into the photo */
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 0, 0, 12, 12);
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &sample), STATUS_OK);
		for (int p = 0; p < SIZE * SIZE; p++)
			if (is_fill(sample.rgb + 3 * p))
				ck_abort_msg("pixel %d is outside", p);
	}
	sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

START_TEST(colours_shift)
{
	struct tiny tiny;
	struct sample plain, shifted;
	struct augment_config config;
	augment_config_init(&config);
	config.overhang_probability = 1;
	config.colour_probability = 1;
	struct augment_config without = config;
	without.colour_probability = 0;
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 10, 20, 60, 50);
	ck_assert_int_eq(sample_alloc(&plain, SIZE), STATUS_OK);
	ck_assert_int_eq(sample_alloc(&shifted, SIZE), STATUS_OK);
	double low = 0, high = 0;
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(augment_sample(&without, &tiny.dataset, 0, stream(i), &plain), STATUS_OK);
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &shifted), STATUS_OK);
		/* Same numbers otherwise: the geometry does not change. */
		ck_assert_mem_eq(plain.truth, shifted.truth, SIZE * SIZE);
		double difference = 0;
		int count = 0;
		for (int p = 0; p < SIZE * SIZE; p++) {
			const uint8_t *a = plain.rgb + 3 * p, *b = shifted.rgb + 3 * p;
			/* contrast of values below 120 by 25 %, brightness by 64, shift by 10 */
			if (is_fill(a) != is_fill(b) || abs(a[0] - b[0]) > 32 + 64 + 10 + 2)
				ck_abort_msg("pixel %d: red %d became %d", p, a[0], b[0]);
			if (is_fill(a))
				continue;
			difference += b[0] - a[0];
			count++;
		}
		low = fmin(low, difference / count);
		high = fmax(high, difference / count);
	}
	ck_assert_double_lt(low, -20);
	ck_assert_double_gt(high, 30);
	sample_release(&plain), sample_release(&shifted);
	tiny_release(&tiny);
}
END_TEST

/* A turned crop: pixels still tell where they come from, and mask and photo turn alike. */
START_TEST(turned_planes_move_together)
{
	struct tiny tiny;
	struct sample sample;
	struct augment_config config = no_colour();
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 10, 20, 60, 50);
	tiny_add_object(&tiny, 70, 5, 115, 78);
	config.rotation_probability = 1;
	config.rotation = 45;
	config.overhang_probability = 0;
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	int sure = 0, slanted = 0;
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(i), &sample), STATUS_OK);
		int object = 0;
		for (int p = 0; p < SIZE * SIZE; p++) {
			const uint8_t *rgb = sample.rgb + 3 * p;
			if (rgb[2] != 0) /* blue is the photo's number, 0, and 104 beside it: an edge between */
				continue;
			int where = side(&tiny.objects[0], rgb, 1.6);
			if ((where > 0 && !sample.truth[p]) || (where < 0 && sample.truth[p]))
				ck_abort_msg("sample %d, pixel %d shows %d,%d and has %d", i, p, rgb[0], rgb[1],
					     sample.truth[p]);
			sure += where != 0;
			object += sample.truth[p];
		}
		ck_assert_int_gt(object, 0);
		/* along a row the photo's y changes: it is slanted */
		const uint8_t *row = sample.rgb + 3 * SIZE * (SIZE / 2);
		slanted += abs(row[3 * 20 + 1] - row[3 * 44 + 1]) > 3;
	}
	ck_assert_int_gt(sure, DRAWS * SIZE * SIZE / 4);
	ck_assert_int_gt(slanted, DRAWS / 2);
	sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

/* Each switched on alone changes the picture and nothing that it should not, and gives the same bytes again. */
START_TEST(degraded_pictures_keep_their_masks)
{
	struct tiny tiny;
	struct sample plain, changed;
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 10, 20, 60, 50);
	ck_assert_int_eq(sample_alloc(&plain, SIZE), STATUS_OK);
	ck_assert_int_eq(sample_alloc(&changed, SIZE), STATUS_OK);
	for (int kind = 0; kind < 5; kind++) {
		struct augment_config config = no_colour();
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(kind), &plain), STATUS_OK);
		config.gamma = 0.5, config.blur = 2, config.noise = 0.1, config.jpeg_quality = 20;
		double *const probabilities[] = {&config.gamma_probability, &config.grey_probability,
						 &config.blur_probability, &config.noise_probability,
						 &config.jpeg_probability};
		*probabilities[kind] = 1;
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(kind), &changed), STATUS_OK);
		ck_assert_mem_eq(plain.truth, changed.truth, SIZE * SIZE);
		ck_assert_mem_eq(plain.others, changed.others, SIZE * SIZE);
		ck_assert_mem_ne(plain.rgb, changed.rgb, SIZE * SIZE * 3);
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, 0, stream(kind), &plain), STATUS_OK);
		ck_assert_mem_eq(plain.rgb, changed.rgb, SIZE * SIZE * 3);
	}
	sample_release(&plain), sample_release(&changed);
	tiny_release(&tiny);
}
END_TEST

static bool all_around(const uint8_t *plane, int p, int value)
{
	int x = p % SIZE, y = p / SIZE;
	if (x < 2 || y < 2 || x >= SIZE - 2 || y >= SIZE - 2)
		return false;
	for (int j = -2; j <= 2; j++)
		for (int i = -2; i <= 2; i++)
			if (plane[p + j * SIZE + i] != value)
				return false;
	return true;
}

/* Within the object the pasted sample is the plain one, its brightness changed by one factor; outside nothing of the
 * plain one is left. Returns whether it was pasted. */
static bool check_pasted(const struct sample *plain, const struct sample *pasted)
{
	double least = 10, most = 0;
	int same = 0, outside = 0;
	for (int p = 0; p < SIZE * SIZE; p++) {
		const uint8_t *a = plain->rgb + 3 * p, *b = pasted->rgb + 3 * p;
		if (all_around(pasted->truth, p, 1) && a[0] >= 20) {
			least = fmin(least, (double)b[0] / a[0]);
			most = fmax(most, (double)b[0] / a[0]);
		} else if (all_around(pasted->truth, p, 0) && !is_fill(a)) {
			same += memcmp(a, b, 3) == 0;
			outside++;
		}
	}
	if (same == outside && memcmp(plain->rgb, pasted->rgb, SIZE * SIZE * 3) == 0)
		return false;
	ck_assert_int_lt(same, outside / 10 + 1);
	if (most > 0)
		ck_assert_double_lt(most - least, 0.1);
	return true;
}

START_TEST(pasted_objects)
{
	struct tiny tiny;
	struct sample plain, sample;
	struct augment_config config = no_colour(), without = config;
	tiny_init(&tiny, "augment");
	for (int i = 0; i < 4; i++) {
		tiny_add_photo(&tiny);
		tiny_add_object(&tiny, 30, 20, 80, 60);
	}
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 0, 20, 80, 60); /* cut off by its photo */
	config.paste_probability = 1;
	ck_assert_int_eq(sample_alloc(&plain, SIZE), STATUS_OK);
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	int pasted = 0, others = 0;
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(augment_sample(&without, &tiny.dataset, i % 5, stream(i), &plain), STATUS_OK);
		ck_assert_int_eq(augment_sample(&config, &tiny.dataset, i % 5, stream(i), &sample), STATUS_OK);
		bool is_pasted = check_pasted(&plain, &sample);
		pasted += is_pasted;
		ck_assert(!is_pasted || i % 5 != 4);
		for (int p = 0; p < SIZE * SIZE; p++)
			others += sample.others[p];
	}
	ck_assert_int_gt(pasted, DRAWS / 3);
	ck_assert_int_gt(others, 1000); /* the other photo's object */
	sample_release(&plain), sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

START_TEST(bad_photo_is_named)
{
	struct tiny tiny;
	struct sample sample;
	struct augment_config config = no_colour();
	tiny_init(&tiny, "augment");
	tiny_add_photo(&tiny);
	tiny_add_object(&tiny, 30, 20, 60, 50);
	tiny.photos[0].file_name = (char[]){"missing.jpg"};
	ck_assert_int_eq(sample_alloc(&sample, SIZE), STATUS_OK);
	ck_assert_int_ne(augment_sample(&config, &tiny.dataset, 0, stream(0), &sample), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), "missing.jpg"));
	sample_release(&sample);
	tiny_release(&tiny);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("augment");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 60);
	tcase_add_test(all, planes_move_together);
	tcase_add_test(all, same_stream_same_bytes);
	tcase_add_test(all, golden_sample);
	tcase_add_test(all, object_is_always_there);
	tcase_add_test(all, scale_by_object);
	tcase_add_test(all, staying_inside);
	tcase_add_test(all, colours_shift);
	tcase_add_test(all, turned_planes_move_together);
	tcase_add_test(all, degraded_pictures_keep_their_masks);
	tcase_add_test(all, pasted_objects);
	tcase_add_test(all, bad_photo_is_named);
	suite_add_tcase(suite, all);
	return suite;
}

TEST_MAIN(make_suite)
