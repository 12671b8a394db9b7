/* The whole network against PyTorch: logits, every named gradient, ten Adam steps with two learning-rate groups and
 * clipping, every parameter after them, and the trunk's features with ImageNet weights. The figures are in
 * tests/golden/network.txt, made by tests/golden/network_golden.py; parameters and inputs come from the same integer
 * hash on both sides.
 *
 * Tolerances (relative to the tensor's norm) with the backend "openblas", which sums as PyTorch does: logits and
 * features 2e-5, gradients 2e-4, losses 1e-4, gradients' norm 5e-3, parameters after ten steps 2e-3 (Adam divides by
 * the gradient's size, so rounding of a near-zero gradient moves a value by up to the learning rate). "native"
 * rounds otherwise, so that now and then a value that is all but 0 comes out on the other side of a relu, and its
 * gradient with it: logits and features agree as closely, but what depends on gradients only within five times as
 * much. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"
#include "core/backend.h"
#include "core/executor.h"
#include "core/optim.h"
#include "tests/support/graph.h"
#include "tests/support/test.h"
#include "train/objective.h"

enum { SIZE = 64, BATCH = 2, STEPS = 10 };

static const struct {
	const char *backend;
	double slack; /* of what depends on gradients */
} settings[] = {{"openblas", 1}, {"native", 5}};

enum { SETTING_COUNT = sizeof settings / sizeof *settings };

struct network {
	double slack;
	struct config config;
	struct params params;
	struct model model;
	struct objective objective;
	struct executor executor;
	float *grads, *prepared;
};

struct golden {
	char kind[16], name[64];
	double norm, projection, picks[4];
};

static uint32_t name_hash(const char *name)
{
	uint32_t hash = 0x811c9dc5u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x01000193u;
	return hash;
}

/* Number `i` of the sequence of `start` = name_hash(name), in [-1, 1). */
static float fill(uint32_t start, uint32_t i)
{
	uint32_t h = start + i * 2654435761u;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	h ^= h >> 16;
	return (float)(h >> 8) / 8388608.0f - 1;
}

static void fill_params(struct params *params)
{
	for (int p = 0; p < params->count; p++) {
		const struct param *param = &params->items[p];
		struct shape s = param->shape;
		bool vector = s.c == 1 && s.h == 1 && s.w == 1;
		float bound = vector ? 0.1f : (float)sqrt(6.0 / (s.c * s.h * s.w));
		if (!strcmp(param->name, "decoder.logits.weight"))
			bound *= 1.0f / 16;
		uint32_t start = name_hash(param->name);
		for (size_t i = 0; i < shape_count(s); i++)
			params->values[param->offset + i] = fill(start, (uint32_t)i) * bound;
	}
}

/* Element `i` of an activation in PyTorch's order N,C,H,W: where it lies here. */
static size_t place_of(struct shape s, size_t i)
{
	size_t x = i % (size_t)s.w, y = i / (size_t)s.w % (size_t)s.h,
	       c = i / ((size_t)s.w * (size_t)s.h) % (size_t)s.c;
	return shape_offset(s, (int)(i / ((size_t)s.w * (size_t)s.h * (size_t)s.c)), (int)c, (int)y, (int)x);
}

static void fill_inputs(struct network *net)
{
	float *image = executor_data(&net->executor, net->model.image);
	float *clicks = executor_data(&net->executor, net->model.clicks);
	float *target = executor_data(&net->executor, net->objective.target);
	struct shape shape = net->model.graph.nodes[net->model.image].shape;
	for (uint32_t i = 0; i < shape_count(shape); i++) {
		image[place_of(shape, i)] = fill(name_hash("image"), i) * 120;
		clicks[place_of(shape, i)] = fill(name_hash("clicks"), i) > 0.9f ? 64 : 0;
	}
	for (uint32_t i = 0; i < BATCH * SIZE * SIZE; i++) {
		float t = fill(name_hash("target"), i);
		target[i] = t > 0.8f ? TARGET_IGNORE : t > 0.2f;
	}
}

static void network_init(struct network *net, int setting)
{
	memset(net, 0, sizeof *net);
	net->slack = settings[setting].slack;
	ck_assert_msg(!backend_select(settings[setting].backend), "%s", status_message());
	params_init(&net->params);
	model_config_init(&net->config.model);
	net->config.loss.nfl_weight = 1;
	net->config.loss.nfl_alpha = 0.5;
	net->config.loss.nfl_gamma = 2;
	net->config.loss.bce_weight = 0.5;
	net->config.loss.dice_weight = 0.25;
	ck_assert_msg(!model_build(&net->model, &net->params, &net->config.model, BATCH, SIZE, SIZE), "%s",
		      status_message());
	graph_keep(&net->model.graph, net->model.maps.half);
	graph_keep(&net->model.graph, net->model.maps.quarter);
	graph_keep(&net->model.graph, net->model.maps.eighth);
	graph_keep(&net->model.graph, net->model.maps.sixteenth);
	ck_assert_msg(!objective_add(&net->objective, &net->model, &net->config), "%s", status_message());
	ck_assert_msg(!graph_plan(&net->model.graph, GRAPH_TRAINING), "%s", status_message());
	ck_assert(!params_alloc(&net->params, 1));
	ck_assert(!executor_init(&net->executor, &net->model.graph));
	net->grads = calloc(net->params.total, sizeof *net->grads);
	fill_params(&net->params);
	fill_inputs(net);
}

static void network_release(struct network *net)
{
	free(net->grads);
	free(net->prepared);
	executor_release(&net->executor);
	model_release(&net->model);
	params_release(&net->params);
}

/* Forward and backward; returns the loss. */
static double run(struct network *net)
{
	net->prepared = test_prepare(&net->model.graph, net->params.values, net->prepared);
	struct pass pass = {.values = net->params.values,
			    .prepared = net->prepared,
			    .param_grads = net->grads,
			    .training = true};
	memset(net->grads, 0, net->params.total * sizeof *net->grads);
	executor_forward(&net->executor, &pass, net->objective.loss);
	double loss = *executor_data(&net->executor, net->objective.loss);
	executor_backward(&net->executor, &pass, net->objective.loss, 1);
	return loss;
}

/* Calls `check` for each golden line of `kind`; returns how many there were. */
static int each_golden(const char *kind, void (*check)(struct network *net, const struct golden *golden),
		       struct network *net)
{
	FILE *file = fopen("tests/golden/network.txt", "r");
	ck_assert_msg(file != NULL, "tests/golden/network.txt: run from the project's root");
	char line[512];
	int count = 0;
	while (fgets(line, sizeof line, file)) {
		struct golden g;
		if (line[0] == '#')
			continue;
		ck_assert_int_eq(sscanf(line, "%15s %63s %lf %lf %lf %lf %lf %lf", g.kind, g.name, &g.norm,
					&g.projection, &g.picks[0], &g.picks[1], &g.picks[2], &g.picks[3]),
				 8);
		if (strcmp(g.kind, kind) != 0)
			continue;
		check(net, &g);
		count++;
	}
	fclose(file);
	return count;
}

/* Norm, projection on a random vector and four values must agree within `tolerance` of the norm. */
static void compare(const struct golden *golden, const float *data, size_t count, double tolerance)
{
	char name[96];
	double square = 0, projection = 0;
	snprintf(name, sizeof name, "projection %s", golden->name);
	uint32_t start = name_hash(name);
	for (size_t i = 0; i < count; i++) {
		square += (double)data[i] * data[i];
		projection += (double)data[i] * fill(start, (uint32_t)i);
	}
	double room = tolerance * golden->norm;
	ck_assert_msg(fabs(sqrt(square) - golden->norm) <= room, "%s %s: norm %.9g, PyTorch %.9g", golden->kind,
		      golden->name, sqrt(square), golden->norm);
	ck_assert_msg(fabs(projection - golden->projection) <= room, "%s %s: projection %.9g, PyTorch %.9g",
		      golden->kind, golden->name, projection, golden->projection);
	for (size_t i = 0; i < 4; i++) {
		double found = data[i * (count - 1) / 3];
		ck_assert_msg(fabs(found - golden->picks[i]) <= room, "%s %s: value %zu is %.9g, PyTorch %.9g",
			      golden->kind, golden->name, i, found, golden->picks[i]);
	}
}

static void compare_logits(struct network *net, const struct golden *golden)
{
	compare(golden, executor_data(&net->executor, net->model.logits), BATCH * SIZE * SIZE, 2e-5);
}

static const struct param *param_named(const struct network *net, const char *name)
{
	int index = params_find(&net->params, name);
	ck_assert_msg(index >= 0, "no parameter %s", name);
	return &net->params.items[index];
}

static void compare_grad(struct network *net, const struct golden *golden)
{
	const struct param *param = param_named(net, golden->name);
	compare(golden, net->grads + param->offset, shape_count(param->shape), 2e-4 * net->slack);
}

static void compare_after(struct network *net, const struct golden *golden)
{
	const struct param *param = param_named(net, golden->name);
	compare(golden, net->params.values + param->offset, shape_count(param->shape), 2e-3 * net->slack);
}

START_TEST(test_logits_and_every_gradient)
{
	struct network net;
	network_init(&net, _i);
	run(&net);
	ck_assert_int_eq(each_golden("logits", compare_logits, &net), 1);
	ck_assert_int_eq(each_golden("grad", compare_grad, &net), net.params.count);
	network_release(&net);
}
END_TEST

static struct optim optim;
static struct workers *workers;

static void take_step(struct network *net, const struct golden *golden)
{
	double loss = run(net);
	double norm = optim_grad_norm(workers, &net->params, net->grads);
	ck_assert_msg(fabs(loss - golden->norm) <= 1e-4 * net->slack * golden->norm, "step %d: loss %.9g, PyTorch %.9g",
		      (int)optim.step, loss, golden->norm);
	ck_assert_msg(fabs(norm - golden->projection) <= 5e-3 * net->slack * golden->projection,
		      "step %d: gradient norm %.9g, PyTorch %.9g", (int)optim.step, norm, golden->projection);
	optim_step(&optim, workers, &net->params, net->grads, 1e-3, norm);
}

START_TEST(test_ten_adam_steps)
{
	struct network net;
	struct optim_config config;
	network_init(&net, _i);
	optim_config_init(&config);
	config.kind = OPTIM_ADAM;
	config.beta1 = 0.9;
	config.beta2 = 0.999;
	config.epsilon = 1e-8;
	config.weight_decay = 0;
	config.lr_scale[PARAM_TRUNK] = 0.2;
	config.lr_scale[PARAM_DECODER] = 1;
	config.clip_norm = 1;
	config.ema_decay = 0;
	ck_assert(!optim_init(&optim, &config, &net.params));
	ck_assert(!workers_new(1, &workers));
	ck_assert_int_eq(each_golden("step", take_step, &net), STEPS);
	ck_assert_int_eq(each_golden("after", compare_after, &net), net.params.count);
	optim_release(&optim);
	workers_free(workers);
	network_release(&net);
}
END_TEST

static void compare_map(struct network *net, const struct golden *golden)
{
	const struct trunk_maps *maps = &net->model.maps;
	int node = !strcmp(golden->name, "half")      ? maps->half
		   : !strcmp(golden->name, "quarter") ? maps->quarter
		   : !strcmp(golden->name, "eighth")  ? maps->eighth
						      : maps->sixteenth;
	struct shape shape = net->model.graph.nodes[node].shape;
	const float *found = executor_data(&net->executor, node);
	float *map = malloc(shape_count(shape) * sizeof *map);
	ck_assert_ptr_nonnull(map);
	for (size_t i = 0; i < shape_count(shape); i++)
		map[i] = found[place_of(shape, i)];
	compare(golden, map, shape_count(shape), 2e-5);
	free(map);
}

START_TEST(test_trunk_features_with_imagenet_weights)
{
	const char *path = test_shared_data("weights/squeezenet_v1_1_imagenet.safetensors");
	struct safetensors_report report;
	struct network net;
	if (!path)
		return;
	network_init(&net, _i);
	ck_assert_msg(!safetensors_import(path, &net.params, &report), "%s", status_message());
	ck_assert_int_eq(report.loaded, 50);
	/* No clicks: the planes add nothing to the first convolution. */
	memset(executor_data(&net.executor, net.model.clicks), 0, BATCH * 3 * SIZE * SIZE * sizeof(float));
	run(&net);
	ck_assert_int_eq(each_golden("map", compare_map, &net), 4);
	network_release(&net);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("golden_network");
	TCase *tcase = tcase_create("golden_network");
	tcase_set_timeout(tcase, 120);
	int first = test_has_openblas() ? 0 : 1;
	tcase_add_loop_test(tcase, test_logits_and_every_gradient, first, SETTING_COUNT);
	tcase_add_loop_test(tcase, test_ten_adam_steps, first, SETTING_COUNT);
	tcase_add_loop_test(tcase, test_trunk_features_with_imagenet_weights, first, SETTING_COUNT);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
