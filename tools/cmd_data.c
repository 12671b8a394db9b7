/* tapcut data: what a dataset holds after the filters, what was left out and why; and its index. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/sha256.h"
#include "data/dataset_open.h"
#include "data/index.h"
#include "data/robot.h"
#include "tools/command.h"

enum { MAX_CATEGORIES = 1024 };

struct arguments {
	const char *json, *images, *index;
	const char *categories[MAX_CATEGORIES];
	struct dataset_filter filter;
	bool list;
};

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

static const struct option_row operand_rows[] = {
	{"INSTANCES.json", OPTION_FILE, OPTION_FIELD(json), NULL, .help = "a COCO-format instances file, or an index",
	 .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"images", OPTION_FOLDER, OPTION_FIELD(images), "DIR", .help = "the photos",
	 .otherwise = "images/ beside the JSON"},
	{"category", OPTION_CALL, 0, 0, "NAME", .help = "only objects of this category", .take = take_category,
	 .many = true},
	{"min-area", OPTION_REAL, OPTION_FIELD(filter.min_area_fraction), "F",
	 .help = "only objects of at least this fraction of their photo's pixels", .max = 1, .standard = "0"},
	{"max-area", OPTION_REAL, OPTION_FIELD(filter.max_area_fraction), "F",
	 .help = "only objects of at most this fraction of their photo's pixels", .max = 1, .above_min = true,
	 .otherwise = "1"},
	{"max-objects", OPTION_WHOLE, OPTION_FIELD(filter.max_objects), "N",
	 .help = "keep N objects, chosen by hash of their ids", .min = 1, .max = 2147483647, .otherwise = "all"},
	{"index", OPTION_FILE, OPTION_FIELD(index), "OUT",
	 .help = "write an index, which training opens instead of the JSON in no time", .writes = true},
	{"list", OPTION_FLAG, OPTION_FIELD(list), NULL,
	 .help = "one line per object: id, photo, category, pixels, box x0 y0 x1 y1, and x,y: the middle of its "
		 "thickest part, where a first tap would go"},
	{0},
};

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

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct dataset dataset;
	int code = 0;
	if (dataset_open(&dataset, a->json, a->images, &a->filter) != STATUS_OK)
		return command_failed("data");
	if (a->list && print_objects(&dataset) != STATUS_OK)
		code = command_failed("data");
	if (!a->list)
		print_report(&dataset);
	if (a->index && index_write(&dataset, a->json, a->index) != STATUS_OK)
		code = command_failed("data");
	else if (a->index)
		fprintf(stderr, "index: %s\n", a->index);
	dataset_release(&dataset);
	return code;
}

const struct command command_data = {
	.name = "data",
	.summary = "summarise and index a COCO-format dataset",
	.usage = "INSTANCES.json [OPTIONS]",
	.about = "Reads a COCO-format instances file (or an index), applies the filters and reports what is left, what "
		 "was "
		 "skipped and why, and the objects per category.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut data instances_train2017.json --images train2017 --category dog --index dogs.tapindex",
	.size = sizeof(struct arguments),
	.run = run,
};
