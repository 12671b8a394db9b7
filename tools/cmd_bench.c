/* tapcut bench: how fast this machine trains and infers the configured network, and where the time goes. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/backend.h"
#include "tools/bench/bench.h"
#include "tools/command.h"
#include "tools/overrides.h"
#include "tools/project_file.h"

#define DEFAULT_CONFIG "configs/baseline.json"

enum { FEW_STEPS = 3, SECONDS = 4, PROFILE_STEPS = 8 };

static void print_usage(FILE *out)
{
	fputs("usage: tapcut bench [CONFIG.json] [OPTIONS]\n"
	      "       tapcut bench --taps [--against onnxruntime] [--model FILE] [--size N] [--threads N] [--repeat "
	      "N]\n"
	      "       tapcut bench --photo FILE [--graph-cut] [--model FILE] [--threads N] [--repeat N]\n"
	      "\n"
	      "Trains and infers the network of a config (default " DEFAULT_CONFIG ") on generated data. Prints\n"
	      "samples per second, the time of each kind of operator as a share of the FMA peak that it measures,\n"
	      "memory, the loader's share, and milliseconds per click. Weights are random; nothing is written.\n"
	      "\n"
	      "  --size N         side of the samples and of the photo of inference (default: train.size)\n"
	      "  --batch N        samples per step\n"
	      "  --slot N         samples that one thread computes together\n"
	      "  --threads N      threads that compute (default: all processors)\n"
	      "  --rounds N       corrective rounds: 0 to N per sample (default 0: one forward and backward pass)\n"
	      "  --steps N        steps per measurement (default 16), or those of four seconds if they take longer\n"
	      "  --repeat N       measurements, of which the median is printed (default 5)\n"
	      "  --backend NAME   native or openblas\n"
	      "  --set KEY=VALUE  another value for a key of the config; may be repeated\n"
	      "  --nodes          a table of every node as well; with --taps: of each kind of step\n"
	      "  --json           one JSON object: seconds, bytes, FLOP/s\n"
	      "  --against torch  PyTorch trains the same network in turns with us: prints the ratio. Skipped where\n"
	      "                   it is not installed. TAPCUT_PYTHON: the Python (default /usr/bin/python3);\n"
	      "                   TAPCUT_TORCH_TWIN: the script (default tools/bench/torch_twin.py)\n"
	      "  --taps           instead of all that: milliseconds per tap of a weights file, share of the FMA peak, "
	      "memory\n"
	      "                   and time to load; planes of 512 and 256 pixels and 1 and 2 threads unless said\n"
	      "  --photo FILE     instead of all that: the time of each stage of a cutout and memory; a photo of less "
	      "than 12\n"
	      "                   million pixels is enlarged to that; --graph-cut: with that option on\n"
	      "  --model FILE     the weights file of --taps and --photo (default: the shipped one)\n"
	      "  --against onnxruntime\n"
	      "                   --taps in turns with ONNX Runtime on the same network: prints the ratio. Skipped "
	      "where\n"
	      "                   Node or the package is missing (make npm-onnxruntime; TAPCUT_NPM: the folder)\n"
	      "\n"
	      "TAPCUT_ISA=generic|avx2|avx512 chooses the instruction set.\n"
	      "\n"
	      "examples:\n"
	      "  tapcut bench --threads 2 --nodes\n"
	      "  tapcut bench --size 512 --batch 16 --threads 1 --against torch\n"
	      "  tapcut bench --taps --against onnxruntime\n"
	      "  tapcut bench configs/sharpmask.json --backend openblas --json\n",
	      out);
}

/* --- command line --------------------------------------------------------- */

struct arguments {
	const char *config, *model, *photo;
	struct overrides overrides;
	int threads, steps, repeats, size;
	bool nodes, json, torch, taps, onnx, graph_cut, help;
};

enum {
	OPT_SIZE = 256,
	OPT_BATCH,
	OPT_SLOT,
	OPT_THREADS,
	OPT_ROUNDS,
	OPT_STEPS,
	OPT_REPEAT,
	OPT_BACKEND,
	OPT_SET,
	OPT_NODES,
	OPT_JSON,
	OPT_AGAINST,
	OPT_MODEL,
	OPT_TAPS,
	OPT_PHOTO,
	OPT_GRAPH_CUT,
	OPT_HELP
};

static const struct option long_options[] = {
	{"size", required_argument, NULL, OPT_SIZE},     {"batch", required_argument, NULL, OPT_BATCH},
	{"slot", required_argument, NULL, OPT_SLOT},     {"threads", required_argument, NULL, OPT_THREADS},
	{"rounds", required_argument, NULL, OPT_ROUNDS}, {"steps", required_argument, NULL, OPT_STEPS},
	{"repeat", required_argument, NULL, OPT_REPEAT}, {"backend", required_argument, NULL, OPT_BACKEND},
	{"set", required_argument, NULL, OPT_SET},       {"nodes", no_argument, NULL, OPT_NODES},
	{"json", no_argument, NULL, OPT_JSON},           {"against", required_argument, NULL, OPT_AGAINST},
	{"model", required_argument, NULL, OPT_MODEL},   {"taps", no_argument, NULL, OPT_TAPS},
	{"photo", required_argument, NULL, OPT_PHOTO},   {"graph-cut", no_argument, NULL, OPT_GRAPH_CUT},
	{"help", no_argument, NULL, OPT_HELP},           {NULL, 0, NULL, 0},
};

static bool wrong_usage(const char *message)
{
	fprintf(stderr, "tapcut bench: %s\n", message);
	return false;
}

static bool add_key(struct arguments *a, const char *option, const char *key)
{
	return overrides_add_option(&a->overrides, "bench", option, key, optarg);
}

static bool parse_number(const char *name, const char *text, int most, int *number)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (!errno && end != text && !*end && value >= 1 && value <= most) {
		*number = (int)value;
		return true;
	}
	fprintf(stderr, "tapcut bench: %s expects a whole number from 1 to %d, found \"%s\"\n", name, most, text);
	return false;
}

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case OPT_SIZE:
		a->size = atoi(optarg); /* both may read it; what is wrong with it is said where it is used */
		return add_key(a, "--size", "train.size");
	case OPT_BATCH: return add_key(a, "--batch", "train.batch_size");
	case OPT_SLOT: return add_key(a, "--slot", "train.slot_size");
	case OPT_ROUNDS: return add_key(a, "--rounds", "clicks.corrective_rounds");
	case OPT_BACKEND: return add_key(a, "--backend", "compute.backend");
	case OPT_SET: return overrides_add(&a->overrides, "bench", optarg);
	case OPT_THREADS: return parse_number("--threads", optarg, 1024, &a->threads);
	case OPT_STEPS: return parse_number("--steps", optarg, 100000, &a->steps);
	case OPT_REPEAT: return parse_number("--repeat", optarg, BENCH_MAX_REPEATS, &a->repeats);
	case OPT_NODES: a->nodes = true; return true;
	case OPT_JSON: a->json = true; return true;
	case OPT_AGAINST:
		a->torch = strcmp(optarg, "torch") == 0;
		a->onnx = strcmp(optarg, "onnxruntime") == 0;
		return a->torch || a->onnx || wrong_usage("--against expects \"torch\" or \"onnxruntime\"");
	case OPT_TAPS: a->taps = true; return true;
	case OPT_PHOTO: a->photo = optarg; return true;
	case OPT_GRAPH_CUT: a->graph_cut = true; return true;
	case OPT_MODEL: a->model = optarg; return true;
	case OPT_HELP: a->help = true; return true;
	default: return false; /* getopt_long has said what is wrong */
	}
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){.steps = 16, .repeats = 5};
	overrides_add(&a->overrides, "bench", "clicks.corrective_rounds=0");
	optind = 1;
	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		if (!parse_option(option, a))
			return false;
	if (optind < argc)
		a->config = argv[optind++];
	return optind == argc || wrong_usage("one config only");
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
	report->arena_bytes = executor_bytes(&training->batch.slot_workers[0].executor);
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
				      .against_torch = a->torch};
	bench_machine_look(&report.machine, workers);
	TRY(bench_training_init(&training, config, workers));
	enum status status = measure(&training, &report);
	bench_training_release(&training);
	if (!status && a->json)
		status = bench_print_json(&report, stdout);
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
	return bench_taps(&(struct bench_taps_options){a->model, a->size, a->threads, a->repeats, a->onnx, a->nodes},
			  stdout);
}

static enum status photo(const struct arguments *a)
{
	return bench_photo(&(struct bench_photo_options){a->photo, a->model, a->threads, a->repeats, a->graph_cut},
			   stdout);
}

int cmd_bench(int argc, char **argv)
{
	struct arguments a;
	if (!parse_arguments(argc, argv, &a))
		return 2;
	if (a.help) {
		print_usage(stdout);
		return 0;
	}
	return (a.photo ? photo(&a) : a.taps || a.onnx ? taps(&a) : bench(&a)) ? command_failed("bench") : 0;
}
