/* tapcut data: what a dataset holds after the filters, what was left out and why; and its index. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sha256.h"
#include "data/dataset_open.h"
#include "data/index.h"
#include "data/robot.h"
#include "tools/command.h"

enum { MAX_CATEGORIES = 1024 };

static void print_usage(FILE *out)
{
	fputs("usage: tapcut data INSTANCES.json [OPTIONS]\n"
	      "\n"
	      "Reads a COCO-format instances file (or an index), applies the filters and reports what is left, what\n"
	      "was skipped and why, and the objects per category.\n"
	      "\n"
	      "  --images DIR        the photos (default: images/ beside the JSON)\n"
	      "  --category NAME     only objects of this category; may be given several times\n"
	      "  --min-area F        only objects of at least this fraction of their photo's pixels (default 0)\n"
	      "  --max-area F        ... of at most this fraction (default 1)\n"
	      "  --max-objects N     keep N objects, chosen by hash of their ids (default: all)\n"
	      "  --index OUT         write an index, which training opens instead of the JSON in no time\n"
	      "  --list              one line per object: id, photo, category, pixels, box x0 y0 x1 y1, and x,y: the\n"
	      "                      middle of its thickest part, where a first tap would go\n"
	      "\n"
	      "example: tapcut data instances_train2017.json --images train2017 --category dog --index dogs.tapindex\n",
	      out);
}

struct arguments {
	const char *json, *images, *index;
	const char *categories[MAX_CATEGORIES];
	struct dataset_filter filter;
	bool list, help;
};

static int wrong_usage(const char *message, const char *argument)
{
	fprintf(stderr, "tapcut data: %s%s\n", message, argument);
	return 2;
}

static bool parse_fraction(const char *text, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && *end == '\0' && *value >= 0 && *value <= 1;
}

static bool parse_count(const char *text, int *value)
{
	char *end;
	long number = strtol(text, &end, 10);
	*value = (int)number;
	return end != text && *end == '\0' && number > 0 && number <= 2147483647;
}

/* One option; false if its value is wrong. */
static bool take_option(struct arguments *a, int option)
{
	switch (option) {
	case 'm': a->images = optarg; return true;
	case 'c':
		if (a->filter.category_count == MAX_CATEGORIES)
			return false;
		a->categories[a->filter.category_count++] = optarg;
		return true;
	case 'a': return parse_fraction(optarg, &a->filter.min_area_fraction);
	case 'A': return parse_fraction(optarg, &a->filter.max_area_fraction) && a->filter.max_area_fraction > 0;
	case 'n': return parse_count(optarg, &a->filter.max_objects);
	case 'i': a->index = optarg; return true;
	case 'l': return a->list = true;
	case 'h': return a->help = true;
	default: return false;
	}
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"images", required_argument, NULL, 'm'},
		{"category", required_argument, NULL, 'c'},
		{"min-area", required_argument, NULL, 'a'},
		{"max-area", required_argument, NULL, 'A'},
		{"max-objects", required_argument, NULL, 'n'},
		{"index", required_argument, NULL, 'i'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		if (!take_option(a, c))
			return wrong_usage("cannot use ", argv[optind - 1]);
	if (a->help)
		return 0;
	if (argc - optind != 1)
		return wrong_usage("expected one INSTANCES.json", "");
	a->json = argv[optind];
	if (a->filter.category_count)
		a->filter.categories = a->categories;
	return 0;
}

static const char *category_name(const struct dataset *d, int id)
{
	for (int i = 0; i < d->category_count; i++)
		if (d->categories[i].id == id)
			return d->categories[i].name;
	return "-";
}

/* Where the click robot would tap first. */
static enum status first_tap(const struct dataset_object *object, struct click *tap)
{
	static const struct click_list none;
	int w = object->mask.width, h = object->mask.height;
	uint8_t *truth = calloc((size_t)w, (size_t)h), *pred = calloc((size_t)w, (size_t)h);
	void *workspace = malloc(robot_workspace(w, h));
	enum status status = STATUS_OK;
	if (truth && pred && workspace) {
		rle_to_mask(&object->mask, truth);
		*tap = robot_next_click(pred, truth, w, h, &none, workspace);
	} else {
		status = status_fail(STATUS_NO_MEMORY, "no memory for a mask of %d x %d", w, h);
	}
	free(truth);
	free(pred);
	free(workspace);
	return status;
}

static enum status print_objects(const struct dataset *d)
{
	for (int i = 0; i < d->object_count; i++) {
		const struct dataset_object *o = &d->objects[i];
		struct click tap;
		TRY(first_tap(o, &tap));
		printf("%" PRId64 "\t%s\t%s\t%" PRIu64 "\t%d %d %d %d\t%d,%d\n", o->id, d->photos[o->photo].file_name,
		       category_name(d, o->category), o->area, o->x0, o->y0, o->x1, o->y1, tap.x, tap.y);
	}
	return STATUS_OK;
}

static void print_categories(const struct dataset *d)
{
	for (int i = 0; i < d->category_count; i++) {
		int count = dataset_count_category(d, i);
		if (count)
			printf("%9d  %s\n", count, d->categories[i].name);
	}
}

static void print_report(const struct dataset *d)
{
	char digest[65];
	sha256_hex(d->digest, digest);
	dataset_print_summary(d, stdout);
	printf("digest %s\n", digest);
	if (d->skips.missing_photos)
		printf("%d photo files are missing in %s\n", d->skips.missing_photos, d->image_dir);
	print_categories(d);
}

int cmd_data(int argc, char **argv)
{
	struct arguments a = {0};
	struct dataset dataset;
	int code = parse(&a, argc, argv);
	if (code)
		return code;
	if (a.help) {
		print_usage(stdout);
		return 0;
	}
	if (dataset_open(&dataset, a.json, a.images, &a.filter) != STATUS_OK)
		return command_failed("data");
	if (a.list && print_objects(&dataset) != STATUS_OK)
		code = command_failed("data");
	if (!a.list)
		print_report(&dataset);
	if (a.index && index_write(&dataset, a.json, a.index) != STATUS_OK)
		code = command_failed("data");
	else if (a.index)
		fprintf(stderr, "index: %s\n", a.index);
	dataset_release(&dataset);
	return code;
}
