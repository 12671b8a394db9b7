/* Simulated clicks: where they may lie, how far apart, how many, on shapes of every kind. */
#include "data/sampler.h"
#include "data/sampler_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/robot.h"
#include "tests/support/test.h"

enum { SIDE = 96, PIXELS = SIDE * SIDE };

static uint32_t state = 7;

static uint32_t random_below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(state >> 8) * bound) >> 24);
}

struct scene {
	int w, h;
	uint8_t truth[PIXELS], others[PIXELS], pred[PIXELS];
	void *workspace;
};

static void scene_open(struct scene *scene, int w, int h)
{
	memset(scene, 0, sizeof *scene);
	scene->w = w;
	scene->h = h;
	scene->workspace = malloc(sampler_workspace(w, h));
	memset(scene->workspace, 0xAA, sampler_workspace(w, h));
}

static void disk(uint8_t *pixels, int w, int h, int cx, int cy, int r, uint8_t value)
{
	for (int i = 0; i < w * h; i++)
		if ((i % w - cx) * (i % w - cx) + (i / w - cy) * (i / w - cy) <= r * r)
			pixels[i] = value;
}

static void blobs(const struct scene *scene, uint8_t *pixels, int count, int radius, uint8_t value)
{
	for (int k = 0; k < count; k++)
		disk(pixels, scene->w, scene->h, (int)random_below((uint32_t)scene->w),
		     (int)random_below((uint32_t)scene->h), (int)random_below((uint32_t)radius), value);
}

/* Random shapes, and the awkward ones: a single pixel, all object, no background, a line. */
static void scene_random(struct scene *scene, int kind)
{
	scene_open(scene, 1 + (int)random_below(SIDE), 1 + (int)random_below(SIDE));
	size_t pixels = (size_t)(scene->w * scene->h);
	blobs(scene, scene->others, 3, 20, 1);
	blobs(scene, scene->truth, 2, 25, TRUTH_OBJECT);
	if (kind % 3 == 1)
		blobs(scene, scene->truth, 4, 8, TRUTH_IGNORE);
	if (kind % 7 == 3)
		memset(scene->truth, TRUTH_OBJECT, pixels);
	if (kind % 7 == 4)
		memset(scene->truth, TRUTH_IGNORE, pixels);
	if (kind % 7 == 5)
		memset(scene->truth, TRUTH_BACKGROUND, pixels);
	if (kind % 7 == 6)
		memset(scene->truth, TRUTH_OBJECT, (size_t)scene->w);
	scene->truth[random_below((uint32_t)pixels)] = TRUTH_OBJECT;
	blobs(scene, scene->pred, 3, 25, 1);
}

static void scene_close(struct scene *scene)
{
	free(scene->workspace);
}

static struct rng stream(int sample)
{
	return rng_stream(5, 1, (uint64_t)sample, RNG_CLICKS);
}

static void first_clicks(const struct scene *scene, const struct sampler_config *config, int sample,
			 struct click_list *clicks)
{
	struct rng rng = stream(sample);
	sampler_first_clicks(config, &rng, scene->truth, scene->others, scene->w, scene->h, clicks, scene->workspace);
}

static uint8_t at(const uint8_t *pixels, const struct scene *scene, const struct click *click)
{
	ck_assert(click->x >= 0 && click->x < scene->w && click->y >= 0 && click->y < scene->h);
	return pixels[click->y * scene->w + click->x];
}

static int count_sign(const struct click_list *clicks, bool positive)
{
	int count = 0;
	for (int i = 0; i < clicks->count; i++)
		count += clicks->items[i].positive == positive;
	return count;
}

static int square_between(const struct click *a, const struct click *b)
{
	return (a->x - b->x) * (a->x - b->x) + (a->y - b->y) * (a->y - b->y);
}

/* Squared distance to the nearest pixel that is (or is not) object; large when there is none. */
static int square_to_object(const struct scene *scene, const struct click *click, bool object)
{
	int best = 1 << 30;
	for (int i = 0; i < scene->w * scene->h; i++)
		if ((scene->truth[i] == TRUTH_OBJECT) == object) {
			struct click pixel = {i % scene->w, i / scene->w, true};
			int square = square_between(click, &pixel);
			best = square < best ? square : best;
		}
	return best;
}

/* --- properties of all ---------------------------------------------------- */

START_TEST(clicks_lie_where_they_may)
{
	for (int round = 0; round < 600; round++) {
		struct scene scene;
		struct sampler_config config;
		struct click_list clicks;
		sampler_config_init(&config);
		config.kind = (enum sampler_kind)(round % 6);
		config.center_probability = round % 4 == 0 ? 0.3 : 0;
		if (config.kind < SAMPLER_RITM) {
			config.max_positive = 5;
			config.max_negative = 10;
		}
		scene_random(&scene, round);
		first_clicks(&scene, &config, round, &clicks);
		ck_assert_int_ge(count_sign(&clicks, true), 1);
		ck_assert(clicks.items[0].positive);
		ck_assert_int_le(count_sign(&clicks, true), config.max_positive);
		ck_assert_int_le(count_sign(&clicks, false), config.max_negative);
		for (int i = 0; i < clicks.count; i++)
			ck_assert_uint_eq(at(scene.truth, &scene, &clicks.items[i]),
					  clicks.items[i].positive ? TRUTH_OBJECT : TRUTH_BACKGROUND);
		scene_close(&scene);
	}
}
END_TEST

START_TEST(the_same_stream_gives_the_same_clicks)
{
	struct scene scene;
	scene_random(&scene, 0);
	for (int kind = 0; kind < 6; kind++) {
		struct sampler_config config;
		struct click_list a, b;
		sampler_config_init(&config);
		config.kind = (enum sampler_kind)kind;
		first_clicks(&scene, &config, 3, &a);
		memset(scene.workspace, 0x33, sampler_workspace(scene.w, scene.h));
		first_clicks(&scene, &config, 3, &b);
		ck_assert_int_eq(a.count, b.count);
		for (int i = 0; i < a.count; i++)
			ck_assert(square_between(&a.items[i], &b.items[i]) == 0 &&
				  a.items[i].positive == b.items[i].positive);
	}
	scene_close(&scene);
}
END_TEST

START_TEST(no_object_no_click)
{
	struct scene scene;
	struct sampler_config config;
	struct click_list clicks = {.count = 5};
	sampler_config_init(&config);
	scene_open(&scene, 20, 10);
	first_clicks(&scene, &config, 0, &clicks);
	ck_assert_int_eq(clicks.count, 0);
	scene_close(&scene);
}
END_TEST

START_TEST(names_match_kinds)
{
	ck_assert_str_eq(sampler_names[SAMPLER_DIOS], "dios");
	ck_assert_str_eq(sampler_names[SAMPLER_DIOS_SURROUND], "dios_surround");
	ck_assert_str_eq(sampler_names[SAMPLER_RITM], "ritm");
	ck_assert_str_eq(sampler_names[SAMPLER_CENTER], "center");
	ck_assert_ptr_null(sampler_names[SAMPLER_CENTER + 1]);
}
END_TEST

/* --- DIOS ----------------------------------------------------------------- */

static void open_disk_scene(struct scene *scene, struct sampler_config *config, enum sampler_kind kind)
{
	sampler_config_init(config);
	config->kind = kind;
	config->max_positive = 5;
	config->max_negative = 10;
	config->band = 25;
	scene_open(scene, SIDE, SIDE);
	disk(scene->truth, SIDE, SIDE, 45, 50, 20, TRUTH_OBJECT);
	disk(scene->others, SIDE, SIDE, 80, 20, 12, 1);
	disk(scene->others, SIDE, SIDE, 45, 50, 3, 1);
}

static void check_apart(const struct click_list *clicks, bool positive, int step)
{
	for (int i = 0; i < clicks->count; i++)
		for (int j = 0; j < i; j++)
			if (clicks->items[i].positive == positive && clicks->items[j].positive == positive)
				ck_assert_int_ge(square_between(&clicks->items[i], &clicks->items[j]), step * step);
}

START_TEST(dios_keeps_margins_and_steps)
{
	for (int round = 0; round < 90; round++) {
		struct scene scene;
		struct sampler_config config;
		struct click_list clicks;
		open_disk_scene(&scene, &config, round % 3 ? SAMPLER_DIOS_RANDOM : SAMPLER_DIOS_SURROUND);
		first_clicks(&scene, &config, round, &clicks);
		check_apart(&clicks, true, config.step);
		if (config.kind == SAMPLER_DIOS_RANDOM)
			check_apart(&clicks, false, config.step);
		for (int i = 0; i < clicks.count; i++) {
			int square = square_to_object(&scene, &clicks.items[i], !clicks.items[i].positive);
			ck_assert_int_ge(square, config.margin * config.margin);
			if (!clicks.items[i].positive)
				ck_assert_int_le(square, config.band * config.band);
		}
		scene_close(&scene);
	}
}
END_TEST

START_TEST(dios_others_clicks_other_objects)
{
	int negatives = 0;
	for (int round = 0; round < 40; round++) {
		struct scene scene;
		struct sampler_config config;
		struct click_list clicks;
		open_disk_scene(&scene, &config, SAMPLER_DIOS_OTHERS);
		first_clicks(&scene, &config, round, &clicks);
		for (int i = 0; i < clicks.count; i++)
			if (!clicks.items[i].positive)
				ck_assert_uint_eq(at(scene.others, &scene, &clicks.items[i]), 1);
		check_apart(&clicks, false, config.step);
		negatives += count_sign(&clicks, false);
		scene_close(&scene);
	}
	ck_assert_int_gt(negatives, 40);
}
END_TEST

START_TEST(dios_others_without_others_clicks_around)
{
	struct scene scene;
	struct sampler_config config;
	struct click_list clicks;
	int negatives = 0;
	open_disk_scene(&scene, &config, SAMPLER_DIOS_OTHERS);
	for (int round = 0; round < 20; round++) {
		struct rng rng = stream(round);
		sampler_first_clicks(&config, &rng, scene.truth, NULL, SIDE, SIDE, &clicks, scene.workspace);
		negatives += count_sign(&clicks, false);
	}
	ck_assert_int_gt(negatives, 20);
	scene_close(&scene);
}
END_TEST

/* Ten clicks around a disk: seen from its centre no quarter of the circle is empty, and each later click is where the
 * distance to the earlier ones and to what is not band is largest. */
START_TEST(dios_surround_surrounds)
{
	for (int round = 0; round < 20; round++) {
		struct scene scene;
		struct sampler_config config;
		struct click_list clicks;
		open_disk_scene(&scene, &config, SAMPLER_DIOS_SURROUND);
		first_clicks(&scene, &config, round, &clicks);
		ck_assert_int_eq(count_sign(&clicks, false), 10);
		int quarters = 0;
		for (int i = 0; i < clicks.count; i++)
			if (!clicks.items[i].positive)
				quarters |= 1 << ((clicks.items[i].x > 45) + 2 * (clicks.items[i].y > 50));
		ck_assert_int_eq(quarters, 15);
		check_apart(&clicks, false, 5);
		scene_close(&scene);
	}
}
END_TEST

/* --- RITM ----------------------------------------------------------------- */

START_TEST(ritm_counts_are_geometric)
{
	enum { ROUNDS = 4000 };
	struct scene scene;
	struct sampler_config config;
	struct click_list clicks;
	double positives = 0, negatives = 0, none = 0, one = 0;
	scene_open(&scene, 24, 24);
	disk(scene.truth, 24, 24, 12, 12, 7, TRUTH_OBJECT);
	sampler_config_init(&config);
	for (int round = 0; round < ROUNDS; round++) {
		first_clicks(&scene, &config, round, &clicks);
		positives += count_sign(&clicks, true);
		negatives += count_sign(&clicks, false);
		one += count_sign(&clicks, true) == 1;
		none += count_sign(&clicks, false) == 0;
	}
	/* docs/protocol.md, 6: means 4.89 and 3.9, P = 0.20 each; three standard errors and a little more */
	ck_assert_double_eq_tol(positives / ROUNDS, 4.89, 0.25);
	ck_assert_double_eq_tol(negatives / ROUNDS, 3.9, 0.25);
	ck_assert_double_eq_tol(one / ROUNDS, 0.20, 0.025);
	ck_assert_double_eq_tol(none / ROUNDS, 0.20, 0.025);
	scene_close(&scene);
}
END_TEST

START_TEST(ritm_mixes_background_others_and_border)
{
	struct scene scene;
	struct sampler_config config;
	struct click_list clicks;
	double total = 0, others = 0, border = 0, shallow = 0, positive = 0;
	scene_open(&scene, SIDE, SIDE);
	disk(scene.truth, SIDE, SIDE, 30, 30, 18, TRUTH_OBJECT);
	disk(scene.others, SIDE, SIDE, 80, 80, 8, 1);
	sampler_config_init(&config);
	double reach = ceil(0.1 * sqrt(1009)); /* the disk has 1009 pixels */
	for (int round = 0; round < 800; round++) {
		first_clicks(&scene, &config, round, &clicks);
		for (int i = 0; i < clicks.count; i++) {
			const struct click *click = &clicks.items[i];
			if (click->positive) {
				positive++;
				shallow += square_to_object(&scene, click, false) <= 9;
				continue;
			}
			total++;
			others += at(scene.others, &scene, click);
			border += square_to_object(&scene, click, true) <= reach * reach;
		}
	}
	ck_assert_double_eq_tol(others / total, 0.4, 0.05);
	ck_assert_double_eq_tol(border / total, 0.5, 0.05);
	/* one sample in ten is not eroded; 31 % of this disk is within 3 pixels of its edge */
	ck_assert_double_gt(shallow / positive, 0.005);
	ck_assert_double_lt(shallow / positive, 0.07);
	scene_close(&scene);
}
END_TEST

/* --- centre and corrective ------------------------------------------------ */

START_TEST(center_is_deep_inside)
{
	struct scene scene;
	struct sampler_config config;
	struct click_list clicks;
	sampler_config_init(&config);
	config.kind = SAMPLER_CENTER;
	scene_open(&scene, SIDE, SIDE);
	disk(scene.truth, SIDE, SIDE, 50, 40, 30, TRUTH_OBJECT);
	for (int round = 0; round < 50; round++) {
		first_clicks(&scene, &config, round, &clicks);
		ck_assert_int_eq(clicks.count, 1);
		/* the disk's depth is a little over 30 in the middle */
		ck_assert_int_gt(square_to_object(&scene, &clicks.items[0], false), 30 * 30 * 100 / 289);
	}
	scene_close(&scene);
}
END_TEST

START_TEST(center_probability_is_the_share_of_single_clicks)
{
	struct scene scene;
	struct sampler_config config;
	struct click_list clicks;
	int centers = 0;
	open_disk_scene(&scene, &config, SAMPLER_DIOS_SURROUND); /* always ten negatives */
	config.center_probability = 0.25;
	for (int round = 0; round < 400; round++) {
		first_clicks(&scene, &config, round, &clicks);
		centers += clicks.count == 1;
	}
	ck_assert_int_gt(centers, 70);
	ck_assert_int_lt(centers, 130);
	scene_close(&scene);
}
END_TEST

static double depth_of(const struct scene *scene, bool missed, int x, int y)
{
	double best = INFINITY;
	for (int v = -1; v <= scene->h; v++)
		for (int u = -1; u <= scene->w; u++) {
			bool error = false;
			if (u >= 0 && v >= 0 && u < scene->w && v < scene->h) {
				int i = v * scene->w + u;
				error = missed ? scene->truth[i] == TRUTH_OBJECT && !scene->pred[i]
					       : scene->truth[i] == TRUTH_BACKGROUND && scene->pred[i];
			}
			if (!error)
				best = fmin(best, hypot(u - x, v - y));
		}
	return best;
}

static double deepest(const struct scene *scene, bool missed)
{
	double best = 0;
	for (int i = 0; i < scene->w * scene->h; i++)
		best = fmax(best, depth_of(scene, missed, i % scene->w, i / scene->w));
	return best;
}

START_TEST(corrective_click_is_deep_in_the_larger_error)
{
	struct sampler_config config;
	int clicked = 0;
	sampler_config_init(&config);
	for (int round = 0; round < 60; round++) {
		struct scene scene;
		struct click_list clicks = {.count = 0};
		scene_random(&scene, round);
		scene.w = scene.w > 24 ? 24 : scene.w;
		scene.h = scene.h > 24 ? 24 : scene.h;
		struct rng rng = rng_stream(5, 1, (uint64_t)round, RNG_CORRECTIVE);
		sampler_corrective_click(&config, &rng, scene.pred, scene.truth, scene.w, scene.h, &clicks,
					 scene.workspace);
		double missed = deepest(&scene, true), wrong = deepest(&scene, false);
		ck_assert_int_eq(clicks.count, missed > 0 || wrong > 0);
		if (clicks.count) {
			const struct click *click = &clicks.items[0];
			ck_assert_int_eq(click->positive, missed > wrong);
			ck_assert_double_gt(depth_of(&scene, click->positive, click->x, click->y),
					    fmax(missed, wrong) / 2);
			clicked++;
		}
		scene_close(&scene);
	}
	ck_assert_int_gt(clicked, 30);
}
END_TEST

/* Off the centre by up to the share of the depth, on the object always, in all directions. */
START_TEST(jittered_clicks_stay_within)
{
	enum { JITTER_SIDE = 64, CENTRE = 32, RADIUS = 20, DRAWN = 300 };
	struct scene scene;
	struct sampler_config config;
	double farthest = 0, sum_x = 0, sum_y = 0;
	sampler_config_init(&config);
	config.kind = SAMPLER_CENTER;
	config.jitter = 0.9;
	scene_open(&scene, JITTER_SIDE, JITTER_SIDE);
	disk(scene.truth, JITTER_SIDE, JITTER_SIDE, CENTRE, CENTRE, RADIUS, TRUTH_OBJECT);
	for (int i = 0; i < DRAWN; i++) {
		struct click_list clicks;
		struct rng rng = stream(i);
		if (i % 2)
			sampler_first_clicks(&config, &rng, scene.truth, NULL, JITTER_SIDE, JITTER_SIDE, &clicks,
					     scene.workspace);
		else
			clicks.count = 0, sampler_corrective_click(&config, &rng, scene.pred, scene.truth, JITTER_SIDE,
								   JITTER_SIDE, &clicks, scene.workspace);
		ck_assert_int_eq(clicks.count, 1);
		int x = clicks.items[0].x, y = clicks.items[0].y;
		ck_assert(clicks.items[0].positive && scene.truth[y * JITTER_SIDE + x] == TRUTH_OBJECT);
		farthest = fmax(farthest, hypot(x - CENTRE, y - CENTRE));
		sum_x += x - CENTRE;
		sum_y += y - CENTRE;
	}
	ck_assert_double_gt(farthest, 15); /* without jitter half of the radius is the most */
	ck_assert_double_lt(fabs(sum_x) / DRAWN, 2);
	ck_assert_double_lt(fabs(sum_y) / DRAWN, 2);
	scene_close(&scene);
}
END_TEST

/* All of the disk whose radius is that share of the depth, and nothing else. */
START_TEST(jitter_fills_a_disk)
{
	enum { SIDE = 64, CENTRE = 32 * SIDE + 32, REACH = 10 };
	static int32_t depth[SIDE * SIDE];
	static uint8_t region[SIDE * SIDE];
	uint32_t pool[] = {CENTRE};
	int farthest = 0;
	depth[CENTRE] = 4 * REACH * REACH;
	memset(region, 1, sizeof region);
	struct sampler_space space =
		{.w = SIDE, .h = SIDE, .depth = depth, .region = region, .pool = pool, .pool_count = 1};
	for (int i = 0; i < 3000; i++) {
		struct click_list clicks = {.count = 0};
		struct rng rng = stream(i);
		sampler_draw_near(&space, &rng, true, 0.5, &clicks);
		int dx = clicks.items[0].x - 32, dy = clicks.items[0].y - 32;
		ck_assert_int_le(dx * dx + dy * dy, REACH * REACH);
		farthest = dx * dx + dy * dy > farthest ? dx * dx + dy * dy : farthest;
	}
	ck_assert_int_gt(farthest, 9 * 9);
}
END_TEST

START_TEST(corrective_click_stops_at_a_full_list)
{
	struct sampler_config config;
	sampler_config_init(&config);
	struct scene scene;
	struct click_list clicks = {.count = 0};
	scene_open(&scene, 16, 16);
	disk(scene.truth, 16, 16, 8, 8, 5, TRUTH_OBJECT);
	struct rng rng = stream(1);
	for (int i = 0; i < CLICKS_MAX + 3; i++)
		sampler_corrective_click(&config, &rng, scene.pred, scene.truth, 16, 16, &clicks, scene.workspace);
	ck_assert_int_eq(clicks.count, CLICKS_MAX);
	scene_close(&scene);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("sampler");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 60);
	tcase_add_test(all, clicks_lie_where_they_may);
	tcase_add_test(all, the_same_stream_gives_the_same_clicks);
	tcase_add_test(all, no_object_no_click);
	tcase_add_test(all, names_match_kinds);
	suite_add_tcase(suite, all);
	TCase *dios = tcase_create("dios");
	tcase_set_timeout(dios, 60);
	tcase_add_test(dios, dios_keeps_margins_and_steps);
	tcase_add_test(dios, dios_others_clicks_other_objects);
	tcase_add_test(dios, dios_others_without_others_clicks_around);
	tcase_add_test(dios, dios_surround_surrounds);
	suite_add_tcase(suite, dios);
	TCase *ritm = tcase_create("ritm");
	tcase_set_timeout(ritm, 60);
	tcase_add_test(ritm, ritm_counts_are_geometric);
	tcase_add_test(ritm, ritm_mixes_background_others_and_border);
	suite_add_tcase(suite, ritm);
	TCase *corrective = tcase_create("corrective");
	tcase_set_timeout(corrective, 60);
	tcase_add_test(corrective, center_is_deep_inside);
	tcase_add_test(corrective, center_probability_is_the_share_of_single_clicks);
	tcase_add_test(corrective, corrective_click_is_deep_in_the_larger_error);
	tcase_add_test(corrective, jittered_clicks_stay_within);
	tcase_add_test(corrective, jitter_fills_a_disk);
	tcase_add_test(corrective, corrective_click_stops_at_a_full_list);
	suite_add_tcase(suite, corrective);
	return suite;
}
TEST_MAIN(make_suite)
