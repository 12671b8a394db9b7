/* Trains a classifier of digits, which it draws itself, and tries it on digits that it has not seen: a whole task on
 * libtapcut-core. README.md beside this file explains it and has the command that compiles it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tapcut/core/core.h>

enum { SIZE = 20, CLASSES = 10, STEPS = 300, SLOTS = 8, SAMPLES = 8, SEED = 1 };
enum { FIRST_HELD_OUT = 1 << 30, HELD_OUT = 250 }; /* slots with numbers that the training does not reach */

/* Seven strokes as on a calculator: x and y of both ends, from -1 to 1; and which of them make each digit. */
static const float strokes[7][4] = {{-1, -1, 1, -1}, {1, -1, 1, 0},   {1, 0, 1, 1}, {-1, 1, 1, 1},
				    {-1, 0, -1, 1},  {-1, -1, -1, 0}, {-1, 0, 1, 0}};
static const int digits[CLASSES] = {0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f};

struct task {
	struct params params;
	struct graph graph;
	int image, label, logits, loss; /* nodes */
	struct slot_batch batch;
	struct optim optim;
};

static float distance_to_stroke(float x, float y, const float s[4])
{
	float dx = s[2] - s[0], dy = s[3] - s[1], t = ((x - s[0]) * dx + (y - s[1]) * dy) / (dx * dx + dy * dy);
	t = fmaxf(0, fminf(1, t)); /* where on the stroke is nearest */
	return hypotf(x - s[0] - t * dx, y - s[1] - t * dy);
}

/* A digit, white on black: moved, slanted and stretched, by a trembling hand with a thin or a thick pen; and noise. */
static void draw(struct rng *rng, int digit, float *image)
{
	float left = rng_range(rng, 7, 12), top = rng_range(rng, 8, 11), slant = rng_range(rng, -0.35f, 0.35f), s[7][4];
	float width = rng_range(rng, 3, 4.5f), height = rng_range(rng, 4.5f, 7), pen = rng_range(rng, 0.6f, 1.2f);
	for (int i = 0; i < 28; i++)
		s[i / 4][i % 4] = strokes[i / 4][i % 4] + rng_range(rng, -0.1f, 0.1f);
	for (int p = 0; p < SIZE * SIZE; p++) {
		float y = ((float)(p / SIZE) - top) / height, x = ((float)(p % SIZE) - left) / width + slant * y, d = 9;
		for (int i = 0; i < 7; i++)
			d = digits[digit] >> i & 1 ? fminf(d, distance_to_stroke(x, y, s[i])) : d;
		image[p] = fmaxf(0, fminf(1, pen + 0.5f - d * width)) + rng_range(rng, -0.2f, 0.2f);
	}
}

/* Writes the inputs of one slot: functions of its number alone. */
static void fill(void *context, const struct executor *executor, uint64_t slot)
{
	const struct task *task = context;
	for (int n = 0; n < SAMPLES; n++) {
		struct rng rng = rng_stream(SEED, 0, slot * SAMPLES + (uint64_t)n, RNG_USER);
		int digit = (int)rng_below(&rng, CLASSES);
		executor_data(executor, task->label)[n] = (float)digit;
		draw(&rng, digit, executor_data(executor, task->image) + n * SIZE * SIZE);
	}
}

/* The share of a slot's digits that are read right. */
static double accuracy(void *context, const struct executor *executor, uint64_t slot)
{
	const struct task *task = context;
	const float *logits = executor_data(executor, task->logits), *label = executor_data(executor, task->label);
	int hits = 0;
	(void)slot;
	for (int n = 0; n < SAMPLES; n++)
		hits += floats_argmax(logits + n * CLASSES, CLASSES) == (int)label[n];
	return (double)hits / SAMPLES;
}

static enum status build(struct task *task)
{
	struct nn nn = {.graph = &task->graph};
	struct nn_conv2d conv1 = {.channels = 8, .kernel = 3, .relu = true}, conv2 = conv1;
	conv2.channels = 16;
	graph_init(&task->graph, &task->params);
	task->image = graph_input(&task->graph, "image", (struct shape){SAMPLES, 1, SIZE, SIZE});
	task->label = graph_input(&task->graph, "label", (struct shape){SAMPLES, 1, 1, 1});
	int x = nn_max_pool2d(&nn, "pool1", nn_conv2d(&nn, "conv1", task->image, conv1), 2, 2, false);
	x = nn_max_pool2d(&nn, "pool2", nn_conv2d(&nn, "conv2", x, conv2), 2, 2, true);
	task->logits = nn_linear(&nn, "classes", nn_flatten(&nn, "flat", x), CLASSES);
	graph_keep(&task->graph, task->logits); /* accuracy() reads it */
	task->loss = nn_loss(&nn, &op_softmax_cross_entropy, NULL, task->logits, task->label);
	return graph_plan(&task->graph, GRAPH_TRAINING); /* which also says what went wrong in any line above */
}

static enum status train(struct task *task, struct workers *workers, double *score)
{
	struct slot_task slots = {.fill = fill, .context = task, .loss = task->loss, .seed = SEED};
	double loss;
	TRY(params_alloc(&task->params, SEED));
	TRY(optim_init(&task->optim, NULL, &task->params));
	TRY(slot_batch_init(&task->batch, &task->graph, workers, SLOTS));
	for (int step = 1; step <= STEPS; step++) {
		TRY(slot_batch_step(&task->batch, &task->optim, &slots, step <= 200 ? 8e-3 : 2e-3, &loss));
		if (step % 100 == 0)
			printf("step %d: loss %.7f\n", step, loss);
	}
	return slot_batch_evaluate(&task->batch, task->params.values, &slots, FIRST_HELD_OUT, HELD_OUT, task->logits,
				   accuracy, score);
}

int main(int argc, char **argv)
{
	struct task task = {0};
	struct workers *workers;
	double score;
	enum status status = workers_new(argc > 1 ? atoi(argv[1]) : workers_processors(), &workers);
	status = status ? status : build(&task);
	status = status ? status : train(&task, workers, &score);
	if (status)
		fprintf(stderr, "digits: %s\n", status_message());
	else
		printf("%.2f %% of %d held-out digits are read right\n", 100 * score, HELD_OUT * SAMPLES);
	slot_batch_release(&task.batch);
	optim_release(&task.optim);
	graph_release(&task.graph);
	params_release(&task.params);
	workers_free(workers);
	return status;
}
