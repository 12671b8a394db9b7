/* tapcut eval: the interactive protocol on a benchmark or on a dataset, figures with their settings. */
#include <stdio.h>
#include <unistd.h>

#include "data/dataset_open.h"
#include "tools/command.h"
#include "tools/eval_gallery.h"
#include "tools/model_file.h"
#include "tools/streams.h"
#include "train/config/config_file.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/evaluate_labels.h"

enum { MAX_CATEGORIES = 1024 };

struct arguments {
	const char *model, *pairs, *coco, *images, *baseline, *config, *objects, *gallery;
	const char *categories[MAX_CATEGORIES];
	struct dataset_filter filter;
	int worst;
	struct config run; /* of --config */
	bool json, quiet, each, labels;
	int keep_touched, fill_holes; /* -1: not given */
	struct evaluate_options options;
};

/* In the order of enum tapcut_arithmetic. */
static const char *const arithmetic_names[] = {"auto", "float", "int8", NULL};
static const char *const baseline_names[] = {"graph-cut", NULL};

static enum status take_category(void *field, const struct option_row *row, const char *value)
{
	struct arguments *a = field;
	(void)row;
	if (a->filter.category_count == MAX_CATEGORIES)
		return option_expected(value, "at most %d categories", MAX_CATEGORIES);
	a->filter.categories = a->categories;
	a->categories[a->filter.category_count++] = value;
	return STATUS_OK;
}

static const struct option_row option_rows[] = {
	{"model", OPTION_FILE, OPTION_FIELD(model), "FILE", .help = "weights file, or a run's checkpoint",
	 .otherwise = "infer/models/base.tapcut"},
	{"pairs", OPTION_FILE, OPTION_FIELD(pairs), "FILE", .help = "benchmark: pairs of photo and mask",
	 .no_stream = true},
	{"coco", OPTION_FILE, OPTION_FIELD(coco), "FILE", .help = "dataset: COCO-format instances JSON",
	 .no_stream = true},
	{"images", OPTION_FOLDER, OPTION_FIELD(images), "DIR", .help = "its photos", .otherwise = "images/ beside it"},
	{"config", OPTION_FILE, OPTION_FIELD(config), "FILE",
	 .help = "config of a run: its validation's categories, areas, limit and clicks, and data.val where there is "
		 "no "
		 "--coco"},
	{"category", OPTION_CALL, 0, 0, "NAME", .help = "only objects of this category of --coco",
	 .take = take_category, .many = true},
	{"min-area", OPTION_REAL, OPTION_FIELD(filter.min_area_fraction), "F",
	 .help = "only objects of at least this fraction of their photo's pixels", .max = 1, .standard = "0"},
	{"max-area", OPTION_REAL, OPTION_FIELD(filter.max_area_fraction), "F",
	 .help = "only objects of at most this fraction of their photo's pixels", .max = 1, .above_min = true,
	 .otherwise = "1"},
	{"size", OPTION_WHOLE, OPTION_FIELD(options.session.size), "N",
	 .help = "long side at which the network sees the photo", .min = 32, .max = 4096, .unit = "pixels",
	 .otherwise = "five quarters of the model's own size with zoom, else that"},
	{"first-size", OPTION_WHOLE, OPTION_FIELD(options.session.first_size), "N",
	 .help = "the same for the first click", .min = 32, .max = 4096, .unit = "pixels",
	 .otherwise = "the model's own size, at most --size"},
	{"zoom", OPTION_FLAG, OPTION_FIELD(options.session.no_zoom), NULL, .off = true,
	 .help = "look closer at the object once it is found", .otherwise = "so it is"},
	{"no-zoom", OPTION_FLAG, OPTION_FIELD(options.session.no_zoom), NULL, .help = "never look closer"},
	{"one-look", OPTION_FLAG, OPTION_FIELD(options.session.one_look), NULL,
	 .help = "the first click looks at the whole photo only, not once more at what it found"},
	{"threshold", OPTION_REAL, OPTION_FIELD(options.session.threshold), "T",
	 .help = "a pixel is object where its probability is over T", .max = 1, .above_min = true, .below_max = true,
	 .otherwise = "0.49"},
	{"keep-touched", OPTION_WHOLE, OPTION_FIELD(keep_touched), "0|1",
	 .help = "1: keep only components that a positive click touches", .max = 1, .otherwise = "1"},
	{"fill-holes", OPTION_WHOLE, OPTION_FIELD(fill_holes), "PPM",
	 .help = "fill holes up to this many pixels per million of the photo", .max = 1000000, .otherwise = "500"},
	{"arithmetic", OPTION_ENUM, OPTION_FIELD(options.session.arithmetic), "A",
	 .help = "auto takes 8 bits where the weights file has what that takes", .names = arithmetic_names,
	 .standard = "auto"},
	{"graph-cut", OPTION_FLAG, OPTION_FIELD(options.session.graph_cut), NULL,
	 .help = "refine each mask by colour models and a minimum cut"},
	{"baseline", OPTION_CHOICE, OPTION_FIELD(baseline), "graph-cut",
	 .help = "no network: the taps alone, by colour models and a minimum cut", .names = baseline_names},
	{"max-clicks", OPTION_WHOLE, OPTION_FIELD(options.max_clicks), "N", .help = "clicks per object", .min = 1,
	 .max = EVALUATE_MAX_CLICKS, .standard = "20"},
	{"jitter", OPTION_WHOLE, OPTION_FIELD(options.jitter), "PX",
	 .help = "clicks miss their aim by up to so many photo pixels; 0 is the protocol", .max = 1000,
	 .standard = "0"},
	{"limit", OPTION_WHOLE, OPTION_FIELD(options.limit), "N",
	 .help = "only N objects: the first pairs, or objects chosen by hash of their id; 0: all", .max = 1000000000,
	 .standard = "0"},
	{"threads", OPTION_WHOLE, OPTION_FIELD(options.threads), "N",
	 .help = "objects at a time; more blurs the times, not the other figures", .min = 1, .max = 256,
	 .standard = "1"},
	{"labels", OPTION_FLAG, OPTION_FIELD(labels), NULL,
	 .help = "no clicks: the classes of a model of the task \"labels\", on the photos of --coco: pixel accuracy, "
		 "and IoU by class (--limit counts photos)"},
	{"objects", OPTION_FILE, OPTION_FIELD(objects), "FILE",
	 .help = "all objects with their figures: a CSV file, or JSON if the name ends in .json", .writes = true},
	{"gallery", OPTION_FILE, OPTION_FIELD(gallery), "FILE.html",
	 .help = "a page with the worst objects of --coco: clicks, mask and errors", .writes = true, .ends = ".html"},
	{"worst", OPTION_WHOLE, OPTION_FIELD(worst), "N", .help = "how many on that page", .min = 1, .max = 1000,
	 .standard = "24"},
	{"each", OPTION_FLAG, OPTION_FIELD(each), NULL, .help = "also one line per object"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

/* What validation does with the config; what the command line says as well is the command line's. */
static void take_config(struct arguments *a)
{
	const struct config *run = &a->run;
	for (int i = 0; i < run->data.category_count && !a->filter.categories; i++)
		a->categories[i] = run->data.categories[i];
	if (run->data.category_count && !a->filter.categories) {
		a->filter.categories = a->categories;
		a->filter.category_count = run->data.category_count;
	}
	if (a->filter.min_area_fraction == 0)
		a->filter.min_area_fraction = run->data.min_area_fraction;
	if (a->filter.max_area_fraction == 0)
		a->filter.max_area_fraction = run->data.max_area_fraction;
	if (!a->options.limit)
		a->options.limit = run->eval.limit;
	if (a->options.max_clicks == EVALUATE_MAX_CLICKS)
		a->options.max_clicks = run->eval.max_clicks;
	if (!run->eval.zoom)
		a->options.session.no_zoom = 1;
}

static enum status read_config(struct arguments *a)
{
	if (!a->config)
		return STATUS_OK;
	TRY(config_load(&a->run, a->config, NULL, 0));
	if (!a->pairs)
		take_config(a);
	if (!a->pairs && !a->coco && a->run.data.val[0]) {
		a->coco = a->run.data.val;
		a->images = a->images || !a->run.data.images[0] ? a->images : a->run.data.images;
	}
	return STATUS_OK;
}

static enum status check(void *arguments)
{
	struct arguments *a = arguments;
	a->options.baseline = a->baseline != NULL;
	TRY(read_config(a));
	a->options.session.keep_all = !a->keep_touched;
	if (a->fill_holes >= 0)
		a->options.session.hole_limit = a->fill_holes ? a->fill_holes : -1;
	if (!a->pairs == !a->coco)
		return status_fail(STATUS_CONFIG, "give either --pairs or --coco");
	if (a->labels && (a->pairs || a->baseline || a->objects || a->gallery || a->each))
		return status_fail(
			STATUS_CONFIG,
			"--labels goes with --coco or --config, and without --baseline, --objects, --gallery "
			"and --each");
	bool filters = a->filter.category_count || a->filter.min_area_fraction > 0 || a->filter.max_area_fraction > 0;
	if (a->pairs && (a->images || filters || a->gallery))
		return status_fail(STATUS_CONFIG,
				   "--images, --category, --min-area, --max-area and --gallery go with --coco");
	return STATUS_OK;
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
	TRY(dataset_open(&dataset, a->coco, a->images, &a->filter));
	if (!a->json)
		dataset_print_summary(&dataset, stdout);
	enum status status = STATUS_OK;
	if (!dataset.object_count)
		status = status_fail(STATUS_CONFIG, "%s: no object passes the filters", a->coco);
	if (status == STATUS_OK)
		status = evaluate_dataset(model, &dataset, &a->options, result);
	if (status == STATUS_OK && a->gallery) {
		status = eval_gallery_write(a->gallery, a->model, model, &dataset, &a->options, result, a->worst);
		if (status != STATUS_OK)
			evaluate_result_release(result);
	}
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

static int evaluate_classes(const struct tapcut_model *model, const struct arguments *a)
{
	struct dataset dataset;
	struct label_counts counts;
	if (dataset_open(&dataset, a->coco, a->images, &a->filter) != STATUS_OK)
		return command_failed("eval");
	enum status status = evaluate_labels(model, &dataset, &a->options, &counts);
	dataset_release(&dataset);
	if (status != STATUS_OK)
		return command_failed("eval");
	if (a->json) {
		evaluate_labels_print_json(model, &counts, streams_output());
	} else {
		print_model(model, a);
		evaluate_labels_print(model, &counts, stdout);
	}
	return 0;
}

static int evaluate(const struct tapcut_model *model, struct arguments *a)
{
	struct evaluate_result result;
	if (!a->quiet && isatty(STDERR_FILENO))
		a->options.progress = show_progress;
	if (a->labels)
		return evaluate_classes(model, a);
	enum status status =
		a->pairs ? evaluate_pairs(model, a->pairs, &a->options, &result) : evaluate_coco(model, a, &result);
	if (status != STATUS_OK)
		return command_failed("eval");
	if (a->objects && evaluate_write_items(&result, a->options.max_clicks, a->objects) != STATUS_OK) {
		evaluate_result_release(&result);
		return command_failed("eval");
	}
	if (a->each)
		print_each(&result, a->json ? stderr : stdout);
	if (a->json) {
		evaluate_print_json(&result, &a->options, streams_output());
	} else {
		print_model(model, a);
		evaluate_print(&result, &a->options, stdout);
	}
	evaluate_result_release(&result);
	return 0;
}

static void init(void *arguments)
{
	struct arguments *a = arguments;
	evaluate_options_init(&a->options);
	a->keep_touched = 1;
	a->fill_holes = -1;
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct tapcut_model *model;
	char path[MODEL_PATH_SIZE];
	if (!model_file_load("eval", a->model, &model, path))
		return 1;
	a->model = path;
	int code = evaluate(model, a);
	tapcut_model_free(model);
	return code;
}

const struct command command_eval = {
	.name = "eval",
	.summary = "measure a model by the interactive protocol (NoC, mIoU)",
	.usage = "[--model FILE] --pairs PAIRS.json [OPTIONS]\n"
		 "[--model FILE] --coco INSTANCES.json [--images DIR] [OPTIONS]\n"
		 "[--model FILE] --config RUN/config.json [OPTIONS]",
	.about = "Clicks each object as the published click robot does (centre of the largest error) and reports how "
		 "many "
		 "clicks a good mask takes. PAIRS.json is a list of {\"image\", \"mask\"} relative to its folder; in a "
		 "mask 128 "
		 "is ignored and more than 128 is the object.",
	.options = option_rows,
	.examples =
		"tapcut eval --model infer/models/base.tapcut --pairs grabcut/pairs.json --size 384\n"
		"tapcut eval --model runs/x/best.ckpt --config runs/x/config.json --objects x.csv --gallery x.html\n"
		"tapcut eval --coco instances_val2017.json --category dog --min-area 0.02 --limit 200",
	.size = sizeof(struct arguments),
	.init = init,
	.check = check,
	.run = run,
};
