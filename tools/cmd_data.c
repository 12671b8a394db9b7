/* tapcut data: what a dataset holds after the filters, what was left out and why; and its index. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/sha256.h"
#include "data/dataset_open.h"
#include "data/index.h"
#include "data/robot.h"
#include "tools/command.h"
#include "tools/data_check.h"
#include "tools/data_preview.h"
#include "tools/data_records.h"
#include "tools/streams.h"
#include "train/config/config_file.h"

enum { MAX_CATEGORIES = 1024 };

struct arguments {
	const char *instances, *images, *index, *preview, *config;
	const char *categories[MAX_CATEGORIES];
	struct dataset_filter filter;
	int samples;
	int records;
	uint64_t seed;
	const char *records_out;
	bool list, json, quiet, check_photos, statistics;
	int bad_photos; /* found by --check-photos */
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
	{"INSTANCES.json", OPTION_FILE, OPTION_FIELD(instances), NULL,
	 .help = "a COCO-format instances file, or an index", .no_stream = true, .needed = true},
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
	{"check-photos", OPTION_FLAG, OPTION_FIELD(check_photos), NULL,
	 .help = "decode every photo as training will; name those that cannot be used, and end with exit code 1 if "
		 "there are any"},
	{"statistics", OPTION_FLAG, OPTION_FIELD(statistics), NULL,
	 .help = "sizes of objects and photos, objects per photo"},
	{"preview", OPTION_FILE, OPTION_FIELD(preview), "OUT.html",
	 .help = "a page with objects of the set: mask on the photo, a training sample with simulated clicks, its mask",
	 .writes = true, .ends = ".html"},
	{"samples", OPTION_WHOLE, OPTION_FIELD(samples), "N", .help = "objects on that page", .min = 1, .max = 1000,
	 .standard = "12"},
	{"config", OPTION_FILE, OPTION_FIELD(config), "FILE",
	 .help = "config whose crops, augmentation and clicks the page shows, or whose clicks the records have",
	 .otherwise = "the defaults; configs/dios.json for records"},
	{"records", OPTION_WHOLE, OPTION_FIELD(records), "N",
	 .help = "expand the objects to N records of first clicks, by the three strategies of Deep Interactive Object "
		 "Selection in turn: how many each object gives, and with --records-out the records",
	 .min = 1, .max = 100000000},
	{"records-out", OPTION_FILE, OPTION_FIELD(records_out), "OUT.jsonl",
	 .help = "the records, a JSON object a line", .writes = true, .ends = ".jsonl"},
	{"seed", OPTION_WHOLE, OPTION_FIELD(seed), "S", .help = "other records for another seed", .standard = "1",
	 .max = 9007199254740991.0},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
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

static void print_report(const struct arguments *a, const struct dataset *d)
{
	char digest[65];
	sha256_hex(d->digest, digest);
	dataset_print_summary(d, stdout);
	printf("digest %s\n", digest);
	if (d->skips.missing_photos)
		printf("%d photo files are missing in %s\n", d->skips.missing_photos, d->image_dir);
	print_categories(d);
	if (a->statistics)
		data_print_statistics(d, stdout);
}

static void add_categories(const struct dataset *d, struct text *text)
{
	const char *separator = "";
	text_add(text, ", \"categories\": [");
	for (int i = 0; i < d->category_count; i++) {
		text_add(text, "%s{\"name\": ", separator);
		text_add_json_string(text, d->categories[i].name);
		text_add(text, ", \"objects\": %d}", dataset_count_category(d, i));
		separator = ", ";
	}
	text_add(text, "]");
}

static enum status add_objects(const struct dataset *d, struct text *text)
{
	text_add(text, ", \"list\": [");
	for (int i = 0; i < d->object_count; i++) {
		const struct dataset_object *o = &d->objects[i];
		struct click tap;
		TRY(first_tap(o, &tap));
		text_add(text, "%s{\"id\": %" PRId64 ", \"photo\": ", i ? ",\n" : "", o->id);
		text_add_json_string(text, d->photos[o->photo].file_name);
		text_add(text, ", \"category\": ");
		text_add_json_string(text, category_name(d, o->category));
		text_add(text, ", \"pixels\": %" PRIu64 ", \"box\": [%d, %d, %d, %d], \"tap\": [%d, %d]}", o->area,
			 o->x0, o->y0, o->x1, o->y1, tap.x, tap.y);
	}
	text_add(text, "]");
	return STATUS_OK;
}

static enum status print_json(struct arguments *a, const struct dataset *d)
{
	char digest[65];
	struct text text;
	sha256_hex(d->digest, digest);
	text_init(&text);
	text_add(&text, "{\"objects\": %d, \"photos\": %d, \"skipped\": %" PRId64 ", \"missing_photos\": %d",
		 d->object_count, d->photo_count, dataset_skipped(d), d->skips.missing_photos);
	text_add(&text, ", \"first_reason\": ");
	text_add_json_string(&text, d->skips.first_reason);
	text_add(&text, ", \"digest\": \"%s\"", digest);
	if (a->check_photos)
		text_add(&text, ", \"bad_photos\": %d", a->bad_photos);
	add_categories(d, &text);
	enum status status = a->list ? add_objects(d, &text) : STATUS_OK;
	text_add(&text, ", ");
	if (status == STATUS_OK)
		status = command_add_written(&command_data, a, &text);
	text_add(&text, "}");
	if (status == STATUS_OK)
		return streams_json(&text);
	text_release(&text);
	return status;
}

static enum status write_preview(const struct arguments *a, const struct dataset *dataset)
{
	struct config config;
	TRY(a->config ? config_load(&config, a->config, NULL, 0) : config_init(&config));
	TRY(data_preview_write(a->preview, a->instances, dataset, &config, a->samples));
	if (!a->quiet)
		fprintf(stderr, "preview: %s\n", a->preview);
	return STATUS_OK;
}

/* The clicks of a config, or DIOS's as its re-implementations have them (docs/protocol.md, 6). */
static enum status records_sampler(const struct arguments *a, struct sampler_config *sampler)
{
	struct config config;
	sampler_config_init(sampler);
	sampler->kind = SAMPLER_DIOS;
	sampler->center_probability = 0;
	sampler->max_positive = 5;
	sampler->max_negative = 10;
	if (!a->config)
		return STATUS_OK;
	TRY(config_load(&config, a->config, NULL, 0));
	*sampler = config.sampler;
	return STATUS_OK;
}

static enum status make_records(const struct arguments *a, const struct dataset *dataset)
{
	struct sampler_config sampler;
	struct data_records records = {.count = a->records, .seed = a->seed, .sampler = &sampler};
	TRY(records_sampler(a, &sampler));
	FILE *out = a->json ? stderr : stdout;
	fprintf(out, "%d records: %.1f of each object\n", a->records, (double)a->records / dataset->object_count);
	if (!a->records_out)
		return STATUS_OK;
	TRY(data_records_write(dataset, &records, a->records_out));
	fprintf(out, "%s: %.2f positive and %.2f negative clicks a record\n", streams_name(a->records_out),
		records.positive, records.negative);
	return STATUS_OK;
}

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	return a->records_out && !a->records ? status_fail(STATUS_CONFIG, "--records-out goes with --records N")
					     : STATUS_OK;
}

static enum status report(struct arguments *a, const struct dataset *dataset)
{
	if (a->check_photos)
		TRY(data_check_photos(dataset, a->json ? stderr : stdout, &a->bad_photos));
	if (a->list && !a->json)
		TRY(print_objects(dataset));
	else if (!a->json)
		print_report(a, dataset);
	if (a->index) {
		TRY(index_write(dataset, a->instances, a->index));
		if (!a->quiet)
			fprintf(stderr, "index: %s\n", a->index);
	}
	if (a->preview)
		TRY(write_preview(a, dataset));
	if (a->records && dataset->object_count)
		TRY(make_records(a, dataset));
	if (a->json)
		TRY(print_json(a, dataset));
	if (a->bad_photos)
		return status_fail(STATUS_FORMAT, "%d of %d photos cannot be used", a->bad_photos,
				   dataset->photo_count);
	return STATUS_OK;
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct dataset dataset;
	enum status status = dataset_open(&dataset, a->instances, a->images, &a->filter);
	if (status == STATUS_OK) {
		status = report(a, &dataset);
		dataset_release(&dataset);
	}
	return command_end("data", status);
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
	.examples = "tapcut data mine/instances.json --check-photos --statistics --preview mine.html\n"
		    "tapcut data instances_train2017.json --images train2017 --category dog --index dogs.tapindex\n"
		    "tapcut data mine/instances.json --records 300000 --records-out records.jsonl",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
