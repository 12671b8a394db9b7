/* Talks to the PyTorch twin (torch_twin.py, which has the protocol): a process of its own, asked to train a few steps
 * at a time, so that it and we can take turns on the same machine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/bench.h"
#include "tools/project_file.h"
#include "core/text.h"

#define PYTHON "/usr/bin/python3" /* the distribution's: where its PyTorch is */
#define TWIN "tools/bench/torch_twin.py"

const char *const bench_torch_formats[2] = {"nchw", "channels_last"};

/* --- what the twin is told ------------------------------------------------ */

static void add_number(struct text *text, const char *key, double number)
{
	text_add(text, ", \"%s\": ", key);
	text_add_number(text, number);
}

static void add_name(struct text *text, const char *key, const char *name)
{
	text_add(text, ", \"%s\": ", key);
	text_add_json_string(text, name);
}

static void add_bool(struct text *text, const char *key, bool value)
{
	text_add(text, ", \"%s\": %s", key, value ? "true" : "false");
}

static void add_model(struct text *text, const struct model_config *model)
{
	add_name(text, "trunk", trunk_names[model->trunk]);
	add_name(text, "decoder", decoder_names[model->decoder]);
	text_add(text, ", \"widths\": [%d, %d, %d, %d]", model->widths[0], model->widths[1], model->widths[2],
		 model->widths[3]);
	add_number(text, "context_width", model->context_width);
	add_bool(text, "global_context", model->global_context);
	add_name(text, "click_entry", click_entry_names[model->click_entry]);
	add_number(text, "click_planes", model->click_planes);
	add_number(text, "feature_scale", model->feature_scale);
	add_number(text, "dropout", model->dropout);
	add_bool(text, "batch_norm", model->batch_norm);
}

static void add_recipe(struct text *text, const struct config *config)
{
	const struct optim_config *optim = &config->optim;
	add_number(text, "nfl_weight", config->loss.nfl_weight);
	add_number(text, "nfl_alpha", config->loss.nfl_alpha);
	add_number(text, "nfl_gamma", config->loss.nfl_gamma);
	add_number(text, "bce_weight", config->loss.bce_weight);
	add_number(text, "dice_weight", config->loss.dice_weight);
	add_number(text, "iou_weight", config->loss.iou_weight);
	add_name(text, "optim", optim_names[optim->kind]);
	add_number(text, "lr", config->schedule.lr);
	add_number(text, "trunk_lr_scale", optim->lr_scale[PARAM_TRUNK]);
	add_number(text, "momentum", optim->momentum);
	add_number(text, "beta1", optim->beta1);
	add_number(text, "beta2", optim->beta2);
	add_number(text, "epsilon", optim->epsilon);
	add_number(text, "weight_decay", optim->weight_decay);
	add_number(text, "clip_norm", optim->clip_norm);
	add_number(text, "ema_decay", optim->ema_decay);
}

static char *describe_twin(const struct config *config, int threads)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"size\": %d, \"batch\": %d, \"threads\": %d, \"seed\": %llu", config->train.size,
		 config->train.batch_size, threads, (unsigned long long)config->seed);
	add_model(&text, &config->model);
	add_recipe(&text, config);
	text_add(&text, "}");
	return text_take(&text);
}

/* --- the process ---------------------------------------------------------- */

static enum status skip(struct bench_torch *torch, const char *what, const char *why)
{
	torch->skipped = true;
	snprintf(torch->reason, sizeof torch->reason, "%.160s: %.80s", what, why);
	return STATUS_OK;
}

/* PyTorch gets the threads from us and its BLAS core from the processor, whatever the environment says. */
static void clean_environment(void)
{
	static const char *const names[] = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS",
					    "OMP_NUM_THREADS", "MKL_NUM_THREADS"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

static double number_of(const struct json *answer, const char *key)
{
	double number;
	return json_number(json_get(answer, key), &number) == STATUS_OK ? number : 0;
}

static enum status check_twin(struct bench_torch *torch, const struct bench_training *training,
			      const struct json *hello)
{
	const char *skipped = json_string(json_get(hello, "skipped")), *version = json_string(json_get(hello, "torch"));
	if (skipped)
		return skip(torch, "PyTorch", skipped);
	snprintf(torch->version, sizeof torch->version, "%s", version ? version : "?");
	const struct graph *graph = &training->model.graph;
	double macs = graph->forward_macs / training->config->train.slot_size;
	double parameters = (double)training->params.total;
	if (number_of(hello, "parameters") != parameters || number_of(hello, "macs") != macs)
		return status_fail(
			STATUS_CONFIG,
			"the PyTorch twin is another network: expected %.0f parameters and %.0f multiply-adds, "
			"found %.0f and %.0f",
			parameters, macs, number_of(hello, "parameters"), number_of(hello, "macs"));
	return STATUS_OK;
}

static enum status start(struct bench_torch *torch, const struct bench_training *training, const char *python,
			 const char *script)
{
	struct json *hello;
	char *config = describe_twin(training->config, workers_threads(training->workers));
	if (!config)
		return status_fail(STATUS_NO_MEMORY, "no memory for the twin's config");
	clean_environment();
	int error = bench_child_start(&torch->child, "the PyTorch twin",
				      (char *[]){(char *)python, (char *)script, config, NULL});
	free(config);
	if (error)
		return skip(torch, python, strerror(error));
	TRY(bench_child_answer(&torch->child, &hello));
	enum status status = check_twin(torch, training, hello);
	json_free(hello);
	return status;
}

enum status bench_torch_open(struct bench_torch *torch, const struct bench_training *training)
{
	char script[PROJECT_PATH_SIZE];
	const char *python = getenv("TAPCUT_PYTHON"), *twin = getenv("TAPCUT_TORCH_TWIN");
	*torch = (struct bench_torch){.format = bench_torch_formats[0]};
	if (!python || !*python)
		python = PYTHON;
	if (twin && *twin)
		snprintf(script, sizeof script, "%s", twin);
	else if (!project_file_find(TWIN, script))
		return skip(torch, TWIN, "not here; TAPCUT_TORCH_TWIN may name it");
	if (access(script, R_OK) != 0)
		return skip(torch, script, strerror(errno));
	enum status status = start(torch, training, python, script);
	if (status || torch->skipped)
		bench_torch_close(torch);
	return status;
}

enum status bench_torch_run(struct bench_torch *torch, const char *format, struct bench_limit limit,
			    struct bench_steps *result)
{
	struct json *answer;
	fprintf(torch->child.to, "%s %d %g\n", format, limit.steps, limit.seconds);
	fflush(torch->child.to);
	TRY(bench_child_answer(&torch->child, &answer));
	*result = (struct bench_steps){.samples = (int)number_of(answer, "samples"),
				       .wall = number_of(answer, "seconds"),
				       .best = number_of(answer, "best"),
				       .cpu = number_of(answer, "cpu")};
	json_free(answer);
	if (!(result->samples > 0 && result->wall > 0 && result->best > 0))
		return status_fail(STATUS_FORMAT, "the PyTorch twin: expected samples, seconds and best");
	return STATUS_OK;
}

enum status bench_torch_choose_format(struct bench_torch *torch, struct bench_limit limit)
{
	for (int i = 0; i < 2; i++) {
		struct bench_steps steps;
		TRY(bench_torch_run(torch, bench_torch_formats[i], limit, &steps));
		torch->format_speed[i] = steps.samples / steps.wall;
	}
	torch->format = bench_torch_formats[torch->format_speed[1] > torch->format_speed[0]];
	return STATUS_OK;
}

void bench_torch_close(struct bench_torch *torch)
{
	bench_child_stop(&torch->child);
}
