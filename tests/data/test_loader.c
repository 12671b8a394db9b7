/* The loader's order and bytes depend on the seed alone: not on threads, prefetch, where it started, or how many
 * samples the caller keeps. */
#include "data/loader.h"

#include "tests/data/tiny_dataset.h"

enum { SIZE = 24, PHOTOS = 3, OBJECTS = 7, BAD_PHOTO = 1 };

static struct tiny tiny;

static void open_tiny(void)
{
	tiny_init(&tiny, "loader");
	for (int i = 0; i < OBJECTS; i++) {
		if (i * PHOTOS / OBJECTS == tiny.dataset.photo_count)
			tiny_add_photo(&tiny);
		tiny_add_object(&tiny, 5 * i, 4 * i, 5 * i + 40, 4 * i + 30);
	}
}

static void close_tiny(void)
{
	tiny_release(&tiny);
}

static struct loader_options options_for(int threads, int prefetch, uint64_t first)
{
	struct loader_options options = {.dataset = &tiny.dataset,
					 .size = SIZE,
					 .seed = 42,
					 .first = first,
					 .threads = threads,
					 .prefetch = prefetch};
	augment_config_init(&options.augment);
	return options;
}

static struct loader *start(int threads, int prefetch, uint64_t first)
{
	struct loader *loader;
	struct loader_options options = options_for(threads, prefetch, first);
	ck_assert_int_eq(loader_new(&options, &loader), STATUS_OK);
	return loader;
}

/* What the header promises of sample `number`. */
static void assert_sample(const struct sample *sample, uint64_t number)
{
	struct loader_options options = options_for(1, 1, 0);
	struct sample expected;
	uint32_t epoch = (uint32_t)(number / OBJECTS), position = (uint32_t)(number % OBJECTS);
	int object = (int)rng_permute(42, epoch, OBJECTS, position);
	ck_assert_int_eq(sample_alloc(&expected, SIZE), STATUS_OK);
	ck_assert_int_eq(augment_sample(&options.augment, &tiny.dataset, object,
					rng_stream(42, epoch, position, RNG_AUGMENT), &expected),
			 STATUS_OK);
	ck_assert_int_eq(sample->object, object);
	ck_assert_mem_eq(sample->rgb, expected.rgb, SIZE * SIZE * 3);
	ck_assert_mem_eq(sample->truth, expected.truth, SIZE * SIZE);
	ck_assert_mem_eq(sample->others, expected.others, SIZE * SIZE);
	sample_release(&expected);
}

START_TEST(order_depends_on_the_seed_alone)
{
	static const struct {
		int threads, prefetch;
		uint64_t first;
	} cases[] = {{1, 1, 0}, {1, 5, 0}, {2, 3, 0}, {3, 8, 0}, {4, 2, 0}, {2, 4, 10}, {3, 30, 1234567890123}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct loader *loader = start(cases[i].threads, cases[i].prefetch, cases[i].first);
		for (uint64_t n = cases[i].first; n < cases[i].first + 3 * OBJECTS; n++) {
			struct sample *sample = loader_next(loader);
			ck_assert_msg(sample != NULL, "%s", status_message());
			assert_sample(sample, n);
			loader_give_back(loader, sample);
		}
		loader_free(loader);
	}
}
END_TEST

/* Two of every five samples, as a rank that owns two of five slots takes them. */
START_TEST(a_share_of_the_samples)
{
	struct loader *loader;
	struct loader_options options = options_for(2, 3, 11);
	options.run = 2;
	options.stride = 5;
	ck_assert_int_eq(loader_new(&options, &loader), STATUS_OK);
	for (uint64_t step = 0; step < 6; step++)
		for (uint64_t k = 0; k < 2; k++) {
			struct sample *sample = loader_next(loader);
			ck_assert_msg(sample != NULL, "%s", status_message());
			assert_sample(sample, 11 + 5 * step + k);
			loader_give_back(loader, sample);
		}
	loader_free(loader);
}
END_TEST

START_TEST(an_epoch_holds_every_object_once)
{
	struct loader *loader = start(2, 4, OBJECTS);
	int seen[OBJECTS] = {0};
	for (int n = 0; n < OBJECTS; n++) {
		struct sample *sample = loader_next(loader);
		seen[sample->object]++;
		loader_give_back(loader, sample);
	}
	for (int n = 0; n < OBJECTS; n++)
		ck_assert_int_eq(seen[n], 1);
	loader_free(loader);
}
END_TEST

START_TEST(many_samples_kept)
{
	enum { KEPT = 16 };
	struct loader *loader = start(3, 2, 0);
	struct sample *kept[KEPT];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < KEPT; i++)
			ck_assert_ptr_nonnull(kept[i] = loader_next(loader));
		for (int i = 0; i < KEPT; i++) {
			assert_sample(kept[i], (uint64_t)(round * KEPT + i));
			if (round < 2)
				loader_give_back(loader, kept[i]);
		}
	}
	/* The last ones are freed with the loader. */
	loader_free(loader);
}
END_TEST

START_TEST(failure_comes_at_its_position)
{
	tiny.photos[BAD_PHOTO].file_name = (char[]){"gone.png"};
	struct loader *loader = start(3, 4, 0);
	int failed = 0;
	for (int n = 0; n < 2 * OBJECTS; n++) {
		int object = (int)rng_permute(42, (uint32_t)(n / OBJECTS), OBJECTS, (uint32_t)(n % OBJECTS));
		status_fail(STATUS_OK, "none");
		struct sample *sample = loader_next(loader);
		ck_assert_int_eq(sample == NULL, tiny.objects[object].photo == BAD_PHOTO);
		if (sample)
			loader_give_back(loader, sample);
		else
			ck_assert_ptr_nonnull(strstr(status_message(), "gone.png"));
		failed += !sample;
	}
	ck_assert_int_eq(failed, 2 * tiny.photos[BAD_PHOTO].object_count);
	loader_free(loader);
}
END_TEST

START_TEST(stops_at_any_time)
{
	for (int n = 0; n < 12; n++) {
		struct loader *loader = start(1 + n % 3, 1 + n % 5, 0);
		for (int i = 0; i < n / 2; i++)
			loader_give_back(loader, loader_next(loader));
		double waited = -1, worked = -1;
		loader_times(loader, &waited, &worked);
		ck_assert_double_ge(waited, 0);
		ck_assert_double_ge(worked, 0);
		loader_free(loader);
	}
	loader_free(NULL);
}
END_TEST

START_TEST(empty_dataset)
{
	struct loader *loader;
	struct loader_options options = options_for(1, 1, 0);
	struct dataset nothing = {0};
	options.dataset = &nothing;
	ck_assert_int_eq(loader_new(&options, &loader), STATUS_CONFIG);
	ck_assert_ptr_null(loader);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("loader");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 60);
	tcase_add_checked_fixture(all, open_tiny, close_tiny);
	tcase_add_test(all, order_depends_on_the_seed_alone);
	tcase_add_test(all, a_share_of_the_samples);
	tcase_add_test(all, an_epoch_holds_every_object_once);
	tcase_add_test(all, many_samples_kept);
	tcase_add_test(all, failure_comes_at_its_position);
	tcase_add_test(all, stops_at_any_time);
	tcase_add_test(all, empty_dataset);
	suite_add_tcase(suite, all);
	return suite;
}

TEST_MAIN(make_suite)
