/* What is minimised, on one slot: the losses on parts, and gradients of several rounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/export.h"
#include "data/robot.h"
#include "tests/support/test.h"
#include "train/config/config_file.h"
#include "train/slot.h"

enum { SIZE = 48, PIXELS = SIZE * SIZE };

static struct config config;

/* A network, a worker and one sample: a tilted ellipse on noise. */
struct setting {
	struct params params;
	struct model model;
	struct objective objective;
	struct slot_worker worker;
	struct executor executor;
	struct sample sample;
	struct slot slot;
	float *prepared, *grads;
};

static void load(const char *keys)
{
	char text[1000];
	snprintf(text, sizeof text,
		 "{\"model\": {\"widths\": [8, 8, 8, 8], \"context_width\": 8, \"feature_scale\": 1}, \"input\": "
		 "{\"scale\": "
		 "[0.0156, 0.0156, 0.0156], \"click_scale\": 1}, \"train\": {\"size\": %d}%s%s}",
		 SIZE, *keys ? ", " : "", keys);
	ck_assert_msg(config_from_json(&config, text, "x") == STATUS_OK, "%s", status_message());
}

static void draw(struct sample *sample)
{
	struct rng rng = rng_stream(1, 0, 0, RNG_TEST);
	for (int i = 0; i < PIXELS; i++) {
		double x = i % SIZE - 20, y = i / SIZE - 25;
		sample->truth[i] = (x * x + x * y + 2 * y * y < 200) ? TRUTH_OBJECT : TRUTH_BACKGROUND;
		sample->others[i] = 0;
		for (int c = 0; c < 3; c++)
			sample->rgb[3 * i + c] = (uint8_t)(rng_below(&rng, 128) + 100 * sample->truth[i]);
	}
	for (int i = 0; i < 40; i++)
		sample->truth[i] = TRUTH_IGNORE;
}

static void open_setting(struct setting *s)
{
	*s = (struct setting){0};
	params_init(&s->params);
	ck_assert_int_eq(model_build(&s->model, &s->params, &config.model, 1, SIZE, SIZE), STATUS_OK);
	ck_assert_msg(objective_add(&s->objective, &s->model, &config) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(graph_plan(&s->model.graph, GRAPH_TRAINING), STATUS_OK);
	ck_assert_int_eq(params_alloc(&s->params, 1), STATUS_OK);
	ck_assert_int_eq(slot_worker_init(&s->worker, &config, &s->model, &s->objective), STATUS_OK);
	ck_assert_int_eq(executor_init(&s->executor, &s->model.graph), STATUS_OK);
	ck_assert_int_eq(sample_alloc(&s->sample, SIZE), STATUS_OK);
	draw(&s->sample);
	size_t bytes = (s->model.graph.prepared_floats + 16) * sizeof(float);
	s->prepared = aligned_alloc(64, (bytes + 63) / 64 * 64);
	s->grads = calloc(s->params.total, sizeof *s->grads);
	ck_assert(s->prepared && s->grads);
	for (int i = 0; i < s->model.graph.node_count; i++)
		graph_prepare(&s->model.graph, s->params.values, i, s->prepared);
	s->slot = (struct slot){.samples = {&s->sample}, .epoch_size = 10};
}

static void compute(struct setting *s, uint64_t number)
{
	struct slot_call call = {.executor = &s->executor,
				 .pass = {.values = s->params.values, .prepared = s->prepared},
				 .grads = s->grads,
				 .grad_scale = 1};
	s->slot.first = number;
	slot_compute(&s->worker, &call, &s->slot);
}

static void close_setting(struct setting *s)
{
	slot_worker_release(&s->worker);
	executor_release(&s->executor);
	model_release(&s->model);
	params_release(&s->params);
	sample_release(&s->sample);
	free(s->prepared);
	free(s->grads);
}

static double norm(const float *values, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)values[i] * values[i];
	return sqrt(sum);
}

/* Without a corrective round the last round is all of them; with rounds it is not. */
START_TEST(all_rounds_or_the_last)
{
	struct setting last, all;
	load("");
	config.model.dropout = 0.2;
	open_setting(&last);
	config.train_rounds = TRAIN_ROUNDS_ALL;
	open_setting(&all);
	int same = 0, other = 0;
	for (uint64_t n = 0; n < 12; n++) {
		config.train_rounds = TRAIN_ROUNDS_LAST;
		compute(&last, n);
		config.train_rounds = TRAIN_ROUNDS_ALL;
		compute(&all, n);
		ck_assert_int_eq(last.slot.rounds, all.slot.rounds);
		bool equal = memcmp(last.grads, all.grads, last.params.total * sizeof(float)) == 0;
		ck_assert(equal == (all.slot.rounds == 0));
		same += equal;
		other += !equal;
	}
	ck_assert(same > 0 && other > 0);
	close_setting(&last);
	close_setting(&all);
}
END_TEST

/* Twice the same pass: twice the gradient where it is added, the same where it is replaced. */
START_TEST(gradients_are_added)
{
	struct setting s;
	load("\"clicks\": {\"corrective_rounds\": 0}");
	open_setting(&s);
	compute(&s, 3);
	float *once = malloc(s.params.total * sizeof *once);
	ck_assert_ptr_nonnull(once);
	memcpy(once, s.grads, s.params.total * sizeof *once);
	struct pass pass = {.values = s.params.values,
			    .prepared = s.prepared,
			    .param_grads = s.grads,
			    .training = true};
	executor_forward(&s.executor, &pass, s.objective.loss);
	executor_backward(&s.executor, &pass, s.objective.loss, 1);
	ck_assert_mem_eq(once, s.grads, s.params.total * sizeof *once);
	pass.add_grads = true;
	executor_forward(&s.executor, &pass, s.objective.loss);
	executor_backward(&s.executor, &pass, s.objective.loss, 1);
	double size = norm(once, s.params.total);
	for (size_t i = 0; i < s.params.total; i++)
		once[i] = s.grads[i] - 2 * once[i];
	ck_assert_double_gt(size, 0);
	ck_assert_double_lt(norm(once, s.params.total), 1e-5 * size);
	free(once);
	close_setting(&s);
}
END_TEST

/* Whether a pixel of the other side of the mask is within `width` of pixel p. */
static bool is_near(const uint8_t *truth, int p, double width)
{
	for (int q = 0; q < PIXELS; q++) {
		double x = q % SIZE - p % SIZE, y = q / SIZE - p / SIZE;
		if ((truth[q] == TRUTH_OBJECT) != (truth[p] == TRUTH_OBJECT) && x * x + y * y <= width * width)
			return true;
	}
	return false;
}

START_TEST(band_along_the_boundary)
{
	struct setting s;
	int in = 0;
	load("\"loss\": {\"boundary_weight\": 1, \"boundary_width\": 2.5}");
	open_setting(&s);
	compute(&s, 0);
	const float *band = executor_data(&s.executor, s.objective.band);
	for (int p = 0; p < PIXELS; p++) {
		uint8_t truth = s.sample.truth[p];
		bool expected = truth != TRUTH_IGNORE && is_near(s.sample.truth, p, 2.5);
		float wanted = expected ? (float)(truth == TRUTH_OBJECT) : TARGET_IGNORE;
		if (band[p] != wanted)
			ck_abort_msg("pixel %d,%d: %g instead of %g", p % SIZE, p / SIZE, band[p], wanted);
		in += expected;
	}
	ck_assert(in > 50 && in < PIXELS / 2);
	close_setting(&s);
}
END_TEST

/* Another target of the loss, so another loss. */
START_TEST(band_counts)
{
	struct setting s;
	double losses[2];
	for (int i = 0; i < 2; i++) {
		load(i ? "\"loss\": {\"boundary_weight\": 1.5}" : "");
		open_setting(&s);
		compute(&s, 0);
		losses[i] = s.slot.loss;
		close_setting(&s);
	}
	ck_assert_double_gt(losses[1], losses[0] + 0.01);
}
END_TEST

/* The coarse map's head learns, changes nothing of what is deployed, and is not in the weights file. */
START_TEST(coarse_head)
{
	struct setting plain, with;
	unsigned char *data[2];
	size_t size[2];
	load("\"clicks\": {\"corrective_rounds\": 0}");
	struct export_options options = {.weights = EXPORT_F32, .preprocess = config.preprocess, .default_size = SIZE};
	open_setting(&plain);
	compute(&plain, 0);
	ck_assert_int_eq(export_memory(&plain.model, &config.model, plain.params.values, &options, &data[0], &size[0]),
			 STATUS_OK);
	load("\"clicks\": {\"corrective_rounds\": 0}, \"loss\": {\"coarse_weight\": 0.4}");
	open_setting(&with);
	compute(&with, 0);
	ck_assert_int_eq(export_memory(&with.model, &config.model, with.params.values, &options, &data[1], &size[1]),
			 STATUS_OK);
	ck_assert_int_eq(with.params.count, plain.params.count + 2);
	ck_assert_uint_eq(with.params.total, plain.params.total + 8 + 1);
	ck_assert_double_gt(norm(with.grads + plain.params.total, 9), 0);
	ck_assert_double_gt(fabs((double)with.slot.loss - (double)plain.slot.loss - 0.4 * log(2)), 0);
	ck_assert_double_lt(fabs((double)with.slot.loss - (double)plain.slot.loss - 0.4 * log(2)), 0.05);
	ck_assert_mem_eq(executor_data(&plain.executor, plain.model.logits),
			 executor_data(&with.executor, with.model.logits), PIXELS * sizeof(float));
	ck_assert_uint_eq(size[0], size[1]);
	ck_assert_mem_eq(data[0], data[1], size[0]);
	free(data[0]);
	free(data[1]);
	close_setting(&plain);
	close_setting(&with);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("objective");
	TCase *tcase = tcase_create("objective");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, all_rounds_or_the_last);
	tcase_add_test(tcase, gradients_are_added);
	tcase_add_test(tcase, band_along_the_boundary);
	tcase_add_test(tcase, band_counts);
	tcase_add_test(tcase, coarse_head);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
