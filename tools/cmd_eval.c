/* tapcut eval: the interactive protocol on a benchmark or on a dataset, figures with their settings. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset_open.h"
#include "tools/command.h"
#include "tools/model_file.h"
#include "train/evaluate/evaluate.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut eval [--model FILE.tapcut] --pairs PAIRS.json [OPTIONS]\n"
	      "       tapcut eval [--model FILE.tapcut] --coco INSTANCES.json [--images DIR] [OPTIONS]\n"
	      "\n"
	      "Clicks each object as the published click robot does (centre of the largest error) and reports how "
	      "many clicks a\n"
	      "good mask takes. PAIRS.json is a list of {\"image\", \"mask\"} relative to its folder; in a mask 128 "
	      "is ignored and\n"
	      "more than 128 is the object.\n"
	      "\n"
	      "  --model FILE        weights file (default: infer/models/base.tapcut)\n"
	      "  --pairs FILE        benchmark: pairs of photo and mask\n"
	      "  --coco FILE         dataset: COCO-format instances JSON\n"
	      "  --images DIR        its photos (default: images/ beside it)\n"
	      "  --size N            long side at which the network sees the photo, in pixels (default: five quarters "
	      "of the model's own\n"
	      "                      size with zoom, else that)\n"
	      "  --first-size N      the same for the first click (default: the model's own size, at most --size)\n"
	      "  --zoom, --no-zoom   look closer at the object from click 2 on, or never (default: --zoom)\n"
	      "  --threshold T       a pixel is object where its probability is over T, 0 < T < 1 (default 0.49)\n"
	      "  --keep-touched 0|1  keep only components that a positive click touches (default 1)\n"
	      "  --fill-holes PPM    fill holes up to this many pixels per million of the photo (default 500)\n"
	      "  --arithmetic A      float, int8 or auto: 8 bits where the weights file has what that takes (default "
	      "auto)\n"
	      "  --graph-cut         refine each mask by colour models and a minimum cut\n"
	      "  --baseline graph-cut  no network: the taps alone, by colour models and a minimum cut\n"
	      "  --max-clicks N      1..20 clicks per object (default 20)\n"
	      "  --jitter PX         clicks miss their aim by up to PX photo pixels (default 0, the protocol)\n"
	      "  --limit N           only N objects: the first pairs, or objects chosen by hash of their id (default: "
	      "all)\n"
	      "  --threads N         objects at a time (default 1; more blurs the times, not the other figures)\n"
	      "  --each              also one line per object\n"
	      "  --json              one JSON object instead of the table\n"
	      "\n"
	      "example: tapcut eval --model infer/models/base.tapcut --pairs grabcut/pairs.json --size 384\n",
	      out);
}

struct arguments {
	const char *model, *pairs, *coco, *images;
	bool json, each, help;
	struct evaluate_options options;
};

enum {
	OPT_MODEL = 256,
	OPT_PAIRS,
	OPT_COCO,
	OPT_IMAGES,
	OPT_SIZE,
	OPT_FIRST_SIZE,
	OPT_ZOOM,
	OPT_NO_ZOOM,
	OPT_THRESHOLD,
	OPT_KEEP,
	OPT_HOLES,
	OPT_ARITHMETIC,
	OPT_GRAPH_CUT,
	OPT_BASELINE,
	OPT_MAX_CLICKS,
	OPT_JITTER,
	OPT_LIMIT,
	OPT_THREADS,
	OPT_EACH,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{"model", required_argument, NULL, OPT_MODEL},
	{"pairs", required_argument, NULL, OPT_PAIRS},
	{"coco", required_argument, NULL, OPT_COCO},
	{"images", required_argument, NULL, OPT_IMAGES},
	{"size", required_argument, NULL, OPT_SIZE},
	{"first-size", required_argument, NULL, OPT_FIRST_SIZE},
	{"zoom", no_argument, NULL, OPT_ZOOM},
	{"no-zoom", no_argument, NULL, OPT_NO_ZOOM},
	{"threshold", required_argument, NULL, OPT_THRESHOLD},
	{"keep-touched", required_argument, NULL, OPT_KEEP},
	{"fill-holes", required_argument, NULL, OPT_HOLES},
	{"arithmetic", required_argument, NULL, OPT_ARITHMETIC},
	{"graph-cut", no_argument, NULL, OPT_GRAPH_CUT},
	{"baseline", required_argument, NULL, OPT_BASELINE},
	{"max-clicks", required_argument, NULL, OPT_MAX_CLICKS},
	{"jitter", required_argument, NULL, OPT_JITTER},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"each", no_argument, NULL, OPT_EACH},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool parse_threshold(const char *text, float *value)
{
	char *end;
	double number = strtod(text, &end);
	if (end != text && *end == '\0' && number > 0 && number < 1) {
		*value = (float)number;
		return true;
	}
	fprintf(stderr, "tapcut eval: --threshold: expected a number between 0 and 1, found \"%s\"\n", text);
	return false;
}

/* In the order of enum tapcut_arithmetic. */
static const char *const arithmetic_names[] = {"auto", "float", "int8"};

static bool parse_arithmetic(const char *text, int *value)
{
	for (*value = TAPCUT_ARITHMETIC_AUTO; *value <= TAPCUT_ARITHMETIC_INT8; (*value)++)
		if (strcmp(text, arithmetic_names[*value]) == 0)
			return true;
	fprintf(stderr, "tapcut eval: --arithmetic: expected auto, float or int8, found \"%s\"\n", text);
	return false;
}

static bool wrong_usage(const char *message)
{
	fprintf(stderr, "tapcut eval: %s\n", message);
	return false;
}

static bool parse_option(int option, struct arguments *a)
{
	struct evaluate_options *o = &a->options;
	switch (option) {
	case OPT_MODEL: a->model = optarg; return true;
	case OPT_PAIRS: a->pairs = optarg; return true;
	case OPT_COCO: a->coco = optarg; return true;
	case OPT_IMAGES: a->images = optarg; return true;
	case OPT_SIZE: return command_int("eval", "size", optarg, 32, 4096, &o->session.size);
	case OPT_FIRST_SIZE: return command_int("eval", "first-size", optarg, 32, 4096, &o->session.first_size);
	case OPT_ZOOM: o->session.zoom = 1; return true;
	case OPT_NO_ZOOM: o->session.zoom = 0; return true;
	case OPT_THRESHOLD: return parse_threshold(optarg, &o->session.threshold);
	case OPT_KEEP: return command_int("eval", "keep-touched", optarg, 0, 1, &o->session.keep_touched);
	case OPT_HOLES: return command_int("eval", "fill-holes", optarg, 0, 1000000, &o->session.fill_holes);
	case OPT_ARITHMETIC: return parse_arithmetic(optarg, &o->session.arithmetic);
	case OPT_GRAPH_CUT: o->session.graph_cut = 1; return true;
	case OPT_BASELINE:
		o->baseline = true;
		return strcmp(optarg, "graph-cut") == 0 || wrong_usage("--baseline: expected graph-cut");
	case OPT_MAX_CLICKS: return command_int("eval", "max-clicks", optarg, 1, EVALUATE_MAX_CLICKS, &o->max_clicks);
	case OPT_JITTER: return command_int("eval", "jitter", optarg, 0, 1000, &o->jitter);
	case OPT_LIMIT: return command_int("eval", "limit", optarg, 0, 1000000000, &o->limit);
	case OPT_THREADS: return command_int("eval", "threads", optarg, 1, 256, &o->threads);
	case OPT_EACH: a->each = true; return true;
	case OPT_JSON: a->json = true; return true;
	case OPT_HELP: a->help = true; return true;
	default: return false; /* getopt_long has said what is wrong */
	}
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){.model = NULL};
	evaluate_options_init(&a->options);
	optind = 1;
	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		if (!parse_option(option, a))
			return false;
	if (a->help)
		return true;
	if (optind < argc)
		return wrong_usage("expected options only");
	if (!a->pairs == !a->coco)
		return wrong_usage("give either --pairs or --coco");
	if (a->images && !a->coco)
		return wrong_usage("--images goes with --coco");
	return true;
}

static void show_progress(int done, int count, void *context)
{
	(void)context;
	fprintf(stderr, "\r%d of %d objects", done, count);
	if (done == count)
		fprintf(stderr, "\r\033[K");
	fflush(stderr);
}

static enum status evaluate_coco(const struct tapcut_model *model, const struct arguments *a,
				 struct evaluate_result *result)
{
	struct dataset dataset;
	const struct dataset_filter filter = {.categories = NULL};
	TRY(dataset_open(&dataset, a->coco, a->images, &filter));
	if (!a->json)
		dataset_print_summary(&dataset, stdout);
	enum status status = evaluate_dataset(model, &dataset, &a->options, result);
	dataset_release(&dataset);
	return status;
}

static void print_each(const struct evaluate_result *result, FILE *out)
{
	for (int i = 0; i < result->instances; i++) {
		const struct evaluate_instance *item = &result->items[i];
		fprintf(out, "%-24s %4dx%-4d biou@1 %.3f iou", item->name, item->width, item->height, item->biou1);
		for (int k = 0; k < item->clicks_run; k++)
			fprintf(out, " %.3f", item->iou[k]);
		fprintf(out, "\n");
	}
}

static void print_model(const struct tapcut_model *model, const struct arguments *a)
{
	struct tapcut_model_info info;
	tapcut_model_info(model, &info);
	printf("model     %s: %s, %s, %zu parameters, %zu bytes\n", a->model, info.architecture, info.weights,
	       info.parameters, info.file_bytes);
	printf("data      %s\n", a->pairs ? a->pairs : a->coco);
}

static int run(const struct tapcut_model *model, struct arguments *a)
{
	struct evaluate_result result;
	if (isatty(STDERR_FILENO))
		a->options.progress = show_progress;
	enum status status =
		a->pairs ? evaluate_pairs(model, a->pairs, &a->options, &result) : evaluate_coco(model, a, &result);
	if (status != STATUS_OK)
		return command_failed("eval");
	if (a->each)
		print_each(&result, a->json ? stderr : stdout);
	if (a->json) {
		evaluate_print_json(&result, &a->options, stdout);
	} else {
		print_model(model, a);
		evaluate_print(&result, &a->options, stdout);
	}
	evaluate_result_release(&result);
	return 0;
}

int cmd_eval(int argc, char **argv)
{
	struct arguments arguments;
	if (!parse_arguments(argc, argv, &arguments))
		return 2;
	if (arguments.help) {
		print_usage(stdout);
		return 0;
	}
	struct tapcut_model *model;
	char path[MODEL_PATH_SIZE];
	if (!model_file_load("eval", arguments.model, &model, path))
		return 1;
	arguments.model = path;
	int code = run(model, &arguments);
	tapcut_model_free(model);
	return code;
}
