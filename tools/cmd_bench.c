/* tapcut bench: how fast this machine trains and infers the configured network, and where the time goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/backend.h"
#include "tools/bench/bench.h"
#include "tools/command.h"
#include "tools/overrides.h"
#include "tools/project_file.h"
#include "tools/streams.h"
#include "train/config/config_file.h"

#define DEFAULT_CONFIG "configs/baseline.json"

enum { FEW_STEPS = 3, SECONDS = 4, PROFILE_STEPS = 8, MOST_SIZE = 16384 };

/* --- command line --------------------------------------------------------- */

struct arguments {
	const char *config, *model, *photo, *against;
	struct overrides overrides;
	int threads, steps, repeats, size;
	char size_override[64];
	bool nodes, json, quiet, taps, graph_cut;
};

static const char *const against_names[] = {"torch", "onnxruntime", NULL};

/* A key of the config, or with --taps the planes' side, which may be no size to train with: what suits neither is said
 * where it is used. */
static enum status take_size(void *field, const struct option_row *row, const char *value)
{
	struct arguments *a = field;
	const struct option_row size = {row->name, OPTION_WHOLE, 0, sizeof a->size, .min = 1, .max = MOST_SIZE};
	if (!option_read(&size, value, &a->size) || a->overrides.count == MAX_OVERRIDES)
		return option_expected(value, "a whole number from 1 to %d", MOST_SIZE);
	snprintf(a->size_override, sizeof a->size_override, "%s=%d", row->key, a->size);
	a->overrides.items[a->overrides.count++] = a->size_override;
	return STATUS_OK;
}

static const struct option_row operand_rows[] = {
	{"CONFIG.json", OPTION_FILE, OPTION_FIELD(config), NULL, .help = "what is trained",
	 .otherwise = DEFAULT_CONFIG},
	{0},
};

static const struct option_row option_rows[] = {
	{"size", OPTION_CALL, 0, 0, "N", .help = "side of the samples and of the photo of inference, in pixels",
	 .otherwise = "train.size", .take = take_size, .key = "train.size"},
	{"batch", OPTION_CALL, OPTION_FIELD(overrides), "N", .help = "samples per step", .take = overrides_take_key,
	 .key = "train.batch_size"},
	{"slot", OPTION_CALL, OPTION_FIELD(overrides), "N", .help = "samples that one thread computes together",
	 .take = overrides_take_key, .key = "train.slot_size"},
	{"threads", OPTION_WHOLE, OPTION_FIELD(threads), "N", .help = "threads that compute", .min = 1, .max = 1024,
	 .otherwise = "all processors"},
	{"rounds", OPTION_CALL, OPTION_FIELD(overrides), "N",
	 .help = "corrective rounds: 0 to N per sample; 0: one forward and backward pass", .otherwise = "0",
	 .take = overrides_take_key, .key = "clicks.corrective_rounds"},
	{"steps", OPTION_WHOLE, OPTION_FIELD(steps), "N",
	 .help = "steps per measurement, or those of four seconds if they take longer", .min = 1, .max = 100000,
	 .standard = "16"},
	{"repeat", OPTION_WHOLE, OPTION_FIELD(repeats), "N", .help = "measurements, of which the median is printed",
	 .min = 1, .max = BENCH_MAX_REPEATS, .standard = "5"},
	{"backend", OPTION_CALL, OPTION_FIELD(overrides), "NAME", .help = "native or openblas",
	 .take = overrides_take_key, .key = "compute.backend"},
	{"set", OPTION_CALL, OPTION_FIELD(overrides), "KEY=VALUE", .help = "another value for a key of the config",
	 .take = overrides_take_set, .many = true},
	{"nodes", OPTION_FLAG, OPTION_FIELD(nodes), NULL,
	 .help = "a table of every node as well; with --taps: of each kind of step"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{"against", OPTION_CHOICE, OPTION_FIELD(against), "LIBRARY",
	 .help = "in turns with PyTorch, which trains the same network, or with ONNX Runtime (then --taps), in float "
		 "and in 8 bits, and prints the ratio; skipped where it is not installed",
	 .names = against_names},
	{"taps", OPTION_FLAG, OPTION_FIELD(taps), NULL,
	 .help = "instead of all that: milliseconds per tap of a weights file, share of the FMA peak, memory and time "
		 "to load; planes of 512 and 256 pixels and 1 and 2 threads unless said"},
	{"photo", OPTION_FILE, OPTION_FIELD(photo), "FILE",
	 .help = "instead of all that: the time of each stage of a cutout and memory; a photo of less than 12 million "
		 "pixels is enlarged to that"},
	{"graph-cut", OPTION_FLAG, OPTION_FIELD(graph_cut), NULL, .help = "with --photo: with that option on"},
	{"model", OPTION_FILE, OPTION_FIELD(model), "FILE", .help = "the weights file of --taps and --photo",
	 .otherwise = "the shipped one"},
	{0},
};

static void init(void *arguments)
{
	struct arguments *a = arguments;
	a->overrides.items[a->overrides.count++] = "clicks.corrective_rounds=0";
}

static bool is_against(const struct arguments *a, const char *library)
{
	return a->against && strcmp(a->against, library) == 0;
}

/* --- measurements --------------------------------------------------------- */

static void keep_best(double *best, const struct bench_steps *steps, const struct config *config)
{
	double speed = config->train.batch_size / steps->best;
	*best = speed > *best ? speed : *best;
}

/* We and PyTorch in turns, so that a machine that grows hot or busy spoils both alike. */
static enum status measure_speed(struct bench_training *training, struct bench_report *report)
{
	double cpu[BENCH_MAX_REPEATS], optimiser[BENCH_MAX_REPEATS], torch_cpu[BENCH_MAX_REPEATS];
	bool torch = report->against_torch && !report->torch.skipped;
	struct bench_limit few = {FEW_STEPS, report->limit.seconds};
	struct bench_steps steps;
	TRY(bench_training_run(training, few, &steps)); /* warms up */
	if (torch)
		TRY(bench_torch_choose_format(&report->torch, few));
	for (int i = 0; i < report->repeats; i++) {
		TRY(bench_training_run(training, report->limit, &steps));
		report->speed[i] = steps.samples / steps.wall;
		keep_best(&report->best, &steps, report->config);
		cpu[i] = steps.cpu / steps.samples;
		optimiser[i] = steps.optimiser_cpu / steps.samples;
		if (!torch)
			continue;
		TRY(bench_torch_run(&report->torch, report->torch.format, report->limit, &steps));
		report->torch_speed[i] = steps.samples / steps.wall;
		torch_cpu[i] = steps.cpu / steps.samples;
		keep_best(&report->torch_best, &steps, report->config);
	}
	report->cpu = bench_median(cpu, report->repeats);
	report->optimiser_cpu = bench_median(optimiser, report->repeats);
	report->torch_cpu = torch ? bench_median(torch_cpu, report->repeats) : 0;
	return STATUS_OK;
}

static enum status measure_torch_and_speed(struct bench_training *training, struct bench_report *report)
{
	if (report->against_torch)
		TRY(bench_torch_open(&report->torch, training));
	enum status status = measure_speed(training, report);
	if (report->against_torch)
		bench_torch_close(&report->torch);
	return status;
}

static enum status measure_nodes(struct bench_training *training, struct bench_report *report)
{
	struct profile profile;
	int count = training->model.graph.node_count;
	int steps = report->limit.steps < PROFILE_STEPS ? report->limit.steps : PROFILE_STEPS;
	report->nodes = calloc((size_t)count, sizeof *report->nodes);
	report->kinds = calloc((size_t)count, sizeof *report->kinds);
	if (!report->nodes || !report->kinds)
		return status_fail(STATUS_NO_MEMORY, "no memory for the tables");
	TRY(bench_training_profile(training, steps, &profile));
	profile_nodes(&profile, report->config->train.batch_size, report->nodes);
	profile_release(&profile);
	report->node_count = count;
	report->kind_count = profile_kinds(report->nodes, count, report->kinds);
	return STATUS_OK;
}

static void measure_parts(struct bench_training *training, struct bench_report *report)
{
	double prepare[PROFILE_STEPS], sum[PROFILE_STEPS];
	int samples = report->config->train.batch_size;
	for (int i = 0; i < PROFILE_STEPS; i++) {
		struct bench_parts parts;
		bench_training_parts(training, &parts);
		prepare[i] = parts.prepare / samples;
		sum[i] = parts.sum / samples;
	}
	report->parts.prepare = bench_median(prepare, PROFILE_STEPS);
	report->parts.sum = bench_median(sum, PROFILE_STEPS);
}

static void read_memory(const struct bench_training *training, struct bench_report *report)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	report->peak_rss = (size_t)usage.ru_maxrss * 1024;
	report->arena_bytes = executor_bytes(&training->batch.core.executors[0]);
	report->batch_bytes = batch_bytes(&training->batch);
	report->parameters = training->params.total;
	report->macs = training->model.graph.forward_macs / training->config->train.slot_size;
}

static enum status measure(struct bench_training *training, struct bench_report *report)
{
	TRY(measure_torch_and_speed(training, report));
	read_memory(training, report);
	TRY(measure_nodes(training, report));
	measure_parts(training, report);
	TRY(bench_loader(report->config, &report->loader));
	return bench_inference(training, report->config->train.size, &report->inference);
}

static enum status bench_with(struct workers *workers, const struct arguments *a, const struct config *config)
{
	struct bench_training training;
	struct bench_report report = {.config = config,
				      .repeats = a->repeats,
				      .limit = {a->steps, SECONDS},
				      .show_nodes = a->nodes,
				      .against_torch = is_against(a, "torch")};
	bench_machine_look(&report.machine, workers);
	TRY(bench_training_init(&training, config, workers));
	enum status status = measure(&training, &report);
	bench_training_release(&training);
	if (!status && a->json)
		status = bench_print_json(&report, streams_output());
	else if (!status)
		bench_print(&report, stdout);
	free(report.nodes);
	free(report.kinds);
	return status;
}

static enum status bench(const struct arguments *a)
{
	struct config config;
	struct workers *workers;
	char found[PROJECT_PATH_SIZE];
	const char *path = a->config;
	if (!path && !project_file_find(DEFAULT_CONFIG, found))
		return status_fail(STATUS_CONFIG, "no config: " DEFAULT_CONFIG " is not here; name one");
	TRY(config_load(&config, path ? path : found, a->overrides.items, a->overrides.count));
	TRY(backend_select(config.backend));
	TRY(workers_new(a->threads ? a->threads : (int)sysconf(_SC_NPROCESSORS_ONLN), &workers));
	enum status status = bench_with(workers, a, &config);
	workers_free(workers);
	return status;
}

static enum status taps(const struct arguments *a)
{
	return bench_taps(&(struct bench_taps_options){a->model, a->size, a->threads, a->repeats,
						       is_against(a, "onnxruntime"), a->nodes},
			  stdout);
}

static enum status photo(const struct arguments *a)
{
	return bench_photo(&(struct bench_photo_options){a->photo, a->model, a->threads, a->repeats, a->graph_cut},
			   stdout);
}

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	if (a->json && (a->photo || a->taps || is_against(a, "onnxruntime")))
		return status_fail(STATUS_CONFIG,
				   "--json: only the training is measured as JSON, not --taps and --photo");
	return STATUS_OK;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	bool inference = a->taps || is_against(a, "onnxruntime");
	return command_end("bench", a->photo ? photo(a) : inference ? taps(a) : bench(a));
}

const struct command command_bench = {
	.name = "bench",
	.summary = "measure training and inference on this machine",
	.usage = "[CONFIG.json] [OPTIONS]\n"
		 "--taps [--against onnxruntime] [--model FILE] [--size N] [--threads N] [--repeat N]\n"
		 "--photo FILE [--graph-cut] [--model FILE] [--threads N] [--repeat N]",
	.about = "Trains and infers the network of a config on generated data. Prints samples per second, the time of "
		 "each kind of operator as a share of the FMA peak that it "
		 "measures, memory, the loader's share, and milliseconds per click. Weights are random; nothing is "
		 "written.",
	.options = option_rows,
	.operands = operand_rows,
	.notes = "TAPCUT_ISA=generic|avx2|avx512 chooses the instruction set. TAPCUT_PYTHON is the Python of --against "
		 "torch (default /usr/bin/python3), TAPCUT_TORCH_TWIN its script "
		 "(default tools/bench/torch_twin.py), TAPCUT_NPM the folder of --against onnxruntime's packages (make "
		 "npm-onnxruntime).",
	.examples = "tapcut bench --threads 2 --nodes\n"
		    "tapcut bench --size 512 --batch 16 --threads 1 --against torch\n"
		    "tapcut bench --taps --against onnxruntime\n"
		    "tapcut bench configs/sharpmask.json --backend openblas --json",
	.size = sizeof(struct arguments),
	.init = init,
	.check = check,
	.run = run,
};
