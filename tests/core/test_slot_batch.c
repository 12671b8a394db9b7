/* Batches of slots: the gradient is the mean of the slots' own, with the same bits on any number of threads; dropout
 * and running statistics are a slot's own; evaluation; a step that is not finite changes nothing. */
#include "core/slot_batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/nn/layers.h"
#include "core/ops/ops.h"
#include "tests/support/gradcheck.h"
#include "tests/support/test.h"

enum { SLOTS = 7, SAMPLES = 3, CLASSES = 4, SIZE = 9 };

/* Convolution, batch norm, dropout, and a loss: everything that could depend on who computes what. */
struct fixture {
	struct params params;
	struct graph graph;
	struct workers *workers;
	struct slot_batch batch;
	struct slot_task task;
	int image, label, logits;
	bool broken; /* an image is NaN */
};

static void fill(void *context, const struct executor *executor, uint64_t slot)
{
	const struct fixture *f = context;
	float *image = executor_data(executor, f->image), *label = executor_data(executor, f->label);
	test_fill(image, SAMPLES * SIZE * SIZE * 2, FILL_UNIFORM, 7u + (unsigned)slot);
	for (int n = 0; n < SAMPLES; n++)
		label[n] = (float)((slot + (uint64_t)n) % CLASSES);
	if (f->broken && slot % SLOTS == 3)
		image[5] = NAN;
}

static void start(struct fixture *f, int threads)
{
	struct nn nn = {.graph = &f->graph, .batch_norm = true};
	memset(f, 0, sizeof *f);
	graph_init(&f->graph, &f->params);
	f->image = graph_input(&f->graph, "image", (struct shape){SAMPLES, 2, SIZE, SIZE});
	f->label = graph_input(&f->graph, "label", (struct shape){SAMPLES, 1, 1, 1});
	int x = nn_conv2d_block(&nn, "conv", f->image, (struct nn_conv2d){.channels = 5, .kernel = 3});
	x = nn_dropout(&nn, "drop", nn_tanh(&nn, "tanh", x), 0.25);
	x = nn_layer_norm(&nn, "norm", nn_avg_pool2d(&nn, "pool", x, 2, 2));
	f->logits = nn_linear(&nn, "classes", nn_flatten(&nn, "flat", x), CLASSES);
	graph_keep(&f->graph, f->logits);
	f->task = (struct slot_task){.fill = fill, .context = f, .seed = 5};
	f->task.loss = nn_loss(&nn, &op_softmax_cross_entropy, NULL, f->logits, f->label);
	ck_assert_msg(graph_plan(&f->graph, GRAPH_TRAINING) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(params_alloc(&f->params, 1), STATUS_OK);
	ck_assert_int_eq(workers_new(threads, &f->workers), STATUS_OK);
	ck_assert_int_eq(slot_batch_init(&f->batch, &f->graph, f->workers, SLOTS), STATUS_OK);
}

static void stop(struct fixture *f)
{
	slot_batch_release(&f->batch);
	workers_free(f->workers);
	graph_release(&f->graph);
	params_release(&f->params);
}

static const int thread_counts[] = {1, 2, 3, 8};

/* Five steps of Adam: parameters and running statistics of batch norm. */
START_TEST(threads_change_no_bit)
{
	struct fixture one, many;
	struct optim optim_one, optim_many;
	start(&one, 1);
	start(&many, thread_counts[_i]);
	ck_assert_int_eq(optim_init(&optim_one, NULL, &one.params), STATUS_OK);
	ck_assert_int_eq(optim_init(&optim_many, NULL, &many.params), STATUS_OK);
	for (int step = 0; step < 5; step++) {
		double loss_one, loss_many;
		ck_assert_int_eq(slot_batch_step(&one.batch, &optim_one, &one.task, 1e-2, &loss_one), STATUS_OK);
		ck_assert_int_eq(slot_batch_step(&many.batch, &optim_many, &many.task, 1e-2, &loss_many), STATUS_OK);
		ck_assert(loss_one == loss_many && loss_one > 0.1);
	}
	ck_assert_mem_eq(one.params.values, many.params.values, one.params.total * sizeof(float));
	optim_release(&optim_one);
	optim_release(&optim_many);
	stop(&one);
	stop(&many);
}
END_TEST

/* One executor, slot after slot, summed in double. */
static double plain_gradient(struct fixture *f, uint64_t step, double *sum)
{
	struct slot_batch *batch = &f->batch;
	double loss = 0;
	float *grads = calloc(f->params.total, sizeof *grads);
	ck_assert_ptr_nonnull(grads);
	for (int i = 0; i < f->graph.node_count; i++)
		graph_prepare(&f->graph, f->params.values, i, batch->prepared);
	for (uint64_t k = 0; k < SLOTS; k++) {
		uint64_t slot = step * SLOTS + k;
		struct pass pass = {.values = f->params.values,
				    .prepared = batch->prepared,
				    .param_grads = grads,
				    .training = true,
				    .rng = rng_stream(f->task.seed, 0, slot, RNG_DROPOUT)};
		fill(f, &batch->executors[0], slot);
		executor_forward(&batch->executors[0], &pass, f->task.loss);
		loss += (double)*executor_data(&batch->executors[0], f->task.loss) / SLOTS;
		executor_backward(&batch->executors[0], &pass, f->task.loss, 1);
		for (size_t i = 0; i < f->params.total; i++)
			sum[i] += (double)grads[i] / SLOTS;
	}
	free(grads);
	return loss;
}

START_TEST(gradient_is_the_mean)
{
	struct fixture f;
	start(&f, 2);
	double *expected = calloc(f.params.total, sizeof *expected);
	ck_assert_ptr_nonnull(expected);
	double want = plain_gradient(&f, 11, expected);
	double loss = slot_batch_gradient(&f.batch, f.params.values, &f.task, 11);
	ck_assert_double_eq_tol(loss, want, 1e-6);
	for (size_t i = 0; i < f.params.total; i++)
		ck_assert_double_eq_tol(f.batch.sum[i], expected[i], 1e-5 * (1 + fabs(expected[i])));
	free(expected);
	stop(&f);
}
END_TEST

/* Each slot's number, times 1000 unless it was filled with its own samples and its logits are finite. */
static double score(void *context, const struct executor *executor, uint64_t slot)
{
	const struct fixture *f = context;
	bool right = executor_data(executor, f->label)[1] == (float)((slot + 1) % CLASSES);
	return (double)slot * (right && isfinite(executor_data(executor, f->logits)[0]) ? 1 : 1000);
}

START_TEST(evaluation_asks_about_each_slot)
{
	struct fixture f;
	double mean;
	start(&f, thread_counts[_i]);
	ck_assert_int_eq(slot_batch_evaluate(&f.batch, f.params.values, &f.task, 100, 21, f.logits, score, &mean),
			 STATUS_OK);
	ck_assert_double_eq(mean, 110);
	stop(&f);
}
END_TEST

START_TEST(a_step_that_is_not_finite_changes_nothing)
{
	struct fixture f;
	struct optim optim;
	double loss;
	start(&f, 2);
	ck_assert_int_eq(optim_init(&optim, NULL, &f.params), STATUS_OK);
	size_t bytes = f.params.total * sizeof(float);
	float *before = malloc(bytes);
	ck_assert_ptr_nonnull(before);
	memcpy(before, f.params.values, bytes);
	f.broken = true;
	ck_assert_int_eq(slot_batch_step(&f.batch, &optim, &f.task, 1e-2, &loss), STATUS_LIMIT);
	ck_assert_ptr_nonnull(strstr(status_message(), "step 1: the loss is"));
	ck_assert_mem_eq(before, f.params.values, bytes);
	ck_assert(optim.step == 0 && isnan(loss));
	free(before);
	optim_release(&optim);
	stop(&f);
}
END_TEST

START_TEST(a_graph_for_inference_is_refused)
{
	struct fixture f;
	struct slot_batch batch;
	start(&f, 1);
	ck_assert_int_eq(graph_plan(&f.graph, GRAPH_INFERENCE), STATUS_OK);
	ck_assert_int_eq(slot_batch_init(&batch, &f.graph, f.workers, 2), STATUS_CONFIG);
	ck_assert_ptr_null(batch.grads);
	stop(&f);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("slot_batch");
	TCase *tcase = tcase_create("slot_batch");
	tcase_add_loop_test(tcase, threads_change_no_bit, 0, 4);
	tcase_add_test(tcase, gradient_is_the_mean);
	tcase_add_loop_test(tcase, evaluation_asks_about_each_slot, 0, 4);
	tcase_add_test(tcase, a_step_that_is_not_finite_changes_nothing);
	tcase_add_test(tcase, a_graph_for_inference_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
