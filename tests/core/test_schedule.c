/* Learning-rate schedules: end points, warm-up, milestones, and falling in between. */
#include "core/schedule.h"

#include <math.h>

#include "tests/support/test.h"

static struct schedule_config make(enum schedule_kind kind)
{
	struct schedule_config config;
	schedule_config_init(&config);
	config.kind = kind;
	config.lr = 0.01;
	config.total_steps = 1000;
	return config;
}

static void expect(const struct schedule_config *config, uint64_t step, double expected)
{
	double found = schedule_lr(config, step);
	ck_assert_msg(fabs(found - expected) <= 1e-14, "step %d: %.17g, expected %.17g", (int)step, found, expected);
}

START_TEST(names_follow_the_enum)
{
	ck_assert_str_eq(schedule_names[SCHEDULE_CONSTANT], "constant");
	ck_assert_str_eq(schedule_names[SCHEDULE_STEP], "step");
	ck_assert_str_eq(schedule_names[SCHEDULE_COSINE], "cosine");
	ck_assert_str_eq(schedule_names[SCHEDULE_POLY], "poly");
	ck_assert_str_eq(schedule_names[SCHEDULE_WSD], "wsd");
	ck_assert_ptr_null(schedule_names[SCHEDULE_WSD + 1]);
}
END_TEST

START_TEST(constant)
{
	struct schedule_config config = make(SCHEDULE_CONSTANT);
	expect(&config, 0, 0.01);
	expect(&config, 999, 0.01);
	expect(&config, 5000, 0.01);
}
END_TEST

START_TEST(cosine)
{
	struct schedule_config config = make(SCHEDULE_COSINE);
	config.final_fraction = 0.1;
	expect(&config, 0, 0.01);
	expect(&config, 500, 0.01 * 0.55);
	expect(&config, 250, 0.01 * (0.1 + 0.9 * (1 + sqrt(0.5)) / 2));
	expect(&config, 1000, 0.001);
	expect(&config, 2000, 0.001);
	config.final_fraction = 0;
	expect(&config, 1000, 0);
	ck_assert_double_gt(schedule_lr(&config, 999), 0);
}
END_TEST

START_TEST(wsd)
{
	struct schedule_config config = make(SCHEDULE_WSD);
	config.cooldown_fraction = 0.25;
	config.warmup_steps = 100;
	expect(&config, 0, 0.01 / 100);
	expect(&config, 100, 0.01);
	expect(&config, 750, 0.01);
	expect(&config, 750 + 40, 0.01 * (1 - sqrt(0.16)));
	ck_assert_double_gt(schedule_lr(&config, 999), 0);
	expect(&config, 1000, 0);
	config.final_fraction = 0.1;
	expect(&config, 790, 0.01 * (0.1 + 0.9 * 0.6));
	config.cooldown_steps = 100; /* before the share */
	expect(&config, 900, 0.01);
	expect(&config, 904, 0.01 * (0.1 + 0.9 * 0.8));
	config.cooldown_steps = 5000; /* longer than all: from the warm-up's end */
	expect(&config, 100, 0.01);
	expect(&config, 100 + 9, 0.01 * (0.1 + 0.9 * 0.9));
}
END_TEST

/* Up to the cool-down a run of any length goes as a constant one does: a cool-down branches off anywhere. */
START_TEST(wsd_begins_as_constant)
{
	struct schedule_config flat = make(SCHEDULE_CONSTANT), branch = make(SCHEDULE_WSD);
	flat.warmup_steps = branch.warmup_steps = 30;
	branch.total_steps = 600;
	branch.cooldown_steps = 200;
	for (uint64_t step = 0; step <= 400; step++)
		ck_assert(schedule_lr(&flat, step) == schedule_lr(&branch, step));
	ck_assert_double_lt(schedule_lr(&branch, 401), 0.01);
}
END_TEST

START_TEST(begins_at_its_first_step)
{
	static const enum schedule_kind kinds[] = {SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_POLY, SCHEDULE_WSD};
	for (int i = 0; i < 4; i++) {
		struct schedule_config config = make(kinds[i]), later;
		config.warmup_steps = 10;
		config.milestones[0] = 0.5;
		config.milestone_count = 1;
		later = config;
		later.first_step = 5000;
		for (uint64_t step = 0; step < 1000; step += 7)
			ck_assert(schedule_lr(&config, step) == schedule_lr(&later, 5000 + step));
		ck_assert(schedule_lr(&config, 0) == schedule_lr(&later, 4000));
	}
}
END_TEST

START_TEST(poly)
{
	struct schedule_config config = make(SCHEDULE_POLY);
	expect(&config, 0, 0.01);
	expect(&config, 300, 0.01 * pow(0.7, 0.9));
	expect(&config, 999, 0.01 * pow(0.001, 0.9));
	expect(&config, 1000, 0);
	config.power = 1;
	config.final_fraction = 0.5;
	expect(&config, 500, 0.0075);
	expect(&config, 1000, 0.005);
}
END_TEST

START_TEST(step)
{
	struct schedule_config config = make(SCHEDULE_STEP);
	config.milestone_count = 2;
	config.milestones[0] = 0.7;
	config.milestones[1] = 0.9;
	for (uint64_t i = 0; i < 1000; i++)
		expect(&config, i, i < 700 ? 0.01 : i < 900 ? 0.001 : 0.0001);
	config.total_steps = 10; /* 0.7 * 10 must be 7 whatever it rounds to */
	for (uint64_t i = 0; i < 10; i++)
		expect(&config, i, i < 7 ? 0.01 : i < 9 ? 0.001 : 0.0001);
	config.milestone_count = 0;
	expect(&config, 9, 0.01);
}
END_TEST

START_TEST(warmup_is_linear)
{
	for (int kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_POLY; kind++) {
		struct schedule_config config = make((enum schedule_kind)kind);
		config.warmup_steps = 100;
		for (uint64_t i = 0; i < 100; i++)
			expect(&config, i, 0.01 * (double)(i + 1) / 100);
		expect(&config, 100, 0.01);
		ck_assert_double_le(schedule_lr(&config, 101), 0.01);
	}
	struct schedule_config config = make(SCHEDULE_COSINE);
	config.warmup_steps = 200;
	expect(&config, 600, 0.005);
	expect(&config, 1000, 0);
}
END_TEST

/* A short trial run of a long config: the warm-up never ends, nothing divides by zero. */
START_TEST(warmup_longer_than_the_run)
{
	for (int kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_POLY; kind++)
		for (uint64_t total = 0; total <= 10; total += 5) {
			struct schedule_config config = make((enum schedule_kind)kind);
			config.warmup_steps = 10;
			config.total_steps = total;
			for (uint64_t i = 0; i < 20; i++)
				ck_assert(schedule_lr(&config, i) >= 0 && schedule_lr(&config, i) <= 0.01);
			if (total)
				expect(&config, 0, 0.001);
		}
}
END_TEST

START_TEST(curves_fall)
{
	for (int kind = SCHEDULE_COSINE; kind <= SCHEDULE_POLY; kind++) {
		struct schedule_config config = make((enum schedule_kind)kind);
		for (uint64_t i = 0; i < 1000; i++)
			ck_assert_double_lt(schedule_lr(&config, i + 1), schedule_lr(&config, i));
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("all");
	tcase_add_test(tcase, names_follow_the_enum);
	tcase_add_test(tcase, constant);
	tcase_add_test(tcase, cosine);
	tcase_add_test(tcase, wsd);
	tcase_add_test(tcase, wsd_begins_as_constant);
	tcase_add_test(tcase, begins_at_its_first_step);
	tcase_add_test(tcase, poly);
	tcase_add_test(tcase, step);
	tcase_add_test(tcase, warmup_is_linear);
	tcase_add_test(tcase, warmup_longer_than_the_run);
	tcase_add_test(tcase, curves_fall);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
