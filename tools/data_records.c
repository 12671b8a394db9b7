/* See data_records.h. Objects are clicked some at a time on all processors, and written in their order. */
#include "tools/data_records.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/atomic_file.h"
#include "core/text.h"
#include "core/workers.h"

enum { BATCH = 64 };

struct clicking {
	const struct dataset *dataset;
	const struct data_records *records;
	int first; /* object */
	struct text lines[BATCH];
	bool failed[BATCH]; /* for want of memory */
	int64_t positive[BATCH], negative[BATCH];
};

/* What a record is clicked with. */
static struct sampler_config sampler_of(const struct data_records *records, int index)
{
	static const enum sampler_kind strategies[] = {SAMPLER_DIOS_RANDOM, SAMPLER_DIOS_OTHERS, SAMPLER_DIOS_SURROUND};
	struct sampler_config sampler = *records->sampler;
	if (sampler.kind == SAMPLER_DIOS)
		sampler.kind = strategies[index % 3];
	return sampler;
}

static void add_clicks(struct text *text, const char *name, const struct click_list *clicks, bool positive,
		       int64_t *count)
{
	const char *separator = "";
	text_add(text, ", \"%s\": [", name);
	for (int i = 0; i < clicks->count; i++)
		if (clicks->items[i].positive == positive) {
			text_add(text, "%s[%d, %d]", separator, clicks->items[i].x, clicks->items[i].y);
			separator = ", ";
			++*count;
		}
	text_add(text, "]");
}

static void add_record(struct clicking *c, int slot, int object, int index, const struct click_list *clicks)
{
	const struct dataset_object *o = &c->dataset->objects[object];
	struct text *text = &c->lines[slot];
	text_add(text, "{\"id\": %" PRId64 ", \"photo\": ", o->id);
	text_add_json_string(text, c->dataset->photos[o->photo].file_name);
	text_add(text, ", \"record\": %d, \"strategy\": \"%s\"", index,
		 sampler_names[sampler_of(c->records, index).kind]);
	add_clicks(text, "positive", clicks, true, &c->positive[slot]);
	add_clicks(text, "negative", clicks, false, &c->negative[slot]);
	text_add(text, "}\n");
}

/* The object's mask, and those of the others of its photo. */
static void fill_masks(const struct dataset *dataset, int object, uint8_t *truth, uint8_t *others, uint8_t *scratch)
{
	const struct dataset_object *o = &dataset->objects[object];
	const struct dataset_photo *photo = &dataset->photos[o->photo];
	size_t pixels = (size_t)photo->width * (size_t)photo->height;
	rle_to_mask(&o->mask, truth);
	for (int i = photo->first_object; i < photo->first_object + photo->object_count; i++) {
		if (i == object)
			continue;
		rle_to_mask(&dataset->objects[i].mask, scratch);
		for (size_t k = 0; k < pixels; k++)
			others[k] |= scratch[k];
	}
}

static void click_object(void *context, int slot, int thread)
{
	struct clicking *c = context;
	int object = c->first + slot, objects = c->dataset->object_count;
	const struct dataset_object *o = &c->dataset->objects[object];
	int w = o->mask.width, h = o->mask.height;
	size_t pixels = (size_t)w * (size_t)h;
	uint8_t *masks = calloc(pixels, 3);
	void *workspace = malloc(sampler_workspace(w, h));
	(void)thread;
	if (masks && workspace)
		fill_masks(c->dataset, object, masks, masks + pixels, masks + 2 * pixels);
	else
		c->failed[slot] = true;
	for (int record = 0; !c->failed[slot] && object + record * objects < c->records->count; record++) {
		struct sampler_config sampler = sampler_of(c->records, record);
		struct rng rng = rng_stream(c->records->seed, (uint32_t)record, (uint64_t)object, RNG_CLICKS);
		struct click_list clicks;
		sampler_first_clicks(&sampler, &rng, masks, masks + pixels, w, h, &clicks, workspace);
		add_record(c, slot, object, record, &clicks);
	}
	free(workspace);
	free(masks);
}

/* Writes what a batch of objects gave, and makes room for the next. */
static enum status write_batch(struct clicking *c, int count, FILE *out)
{
	enum status status = STATUS_OK;
	for (int i = 0; i < count; i++) {
		if (!status)
			status = c->failed[i] ? status_fail(STATUS_NO_MEMORY, "no memory for a mask")
					      : text_status(&c->lines[i]);
		if (!status && c->lines[i].length)
			fwrite(c->lines[i].data, 1, c->lines[i].length, out);
		text_release(&c->lines[i]);
		text_init(&c->lines[i]);
	}
	return status;
}

enum status data_records_write(const struct dataset *dataset, struct data_records *records, const char *path)
{
	struct clicking *c = calloc(1, sizeof *c);
	struct workers *workers = NULL;
	struct atomic_file file;
	int64_t positive = 0, negative = 0;
	if (!c)
		return status_fail(STATUS_NO_MEMORY, "no memory for records");
	*c = (struct clicking){.dataset = dataset, .records = records};
	enum status status = atomic_file_open(&file, path);
	if (!status) {
		status = workers_new(workers_processors(), &workers);
		for (c->first = 0; !status && c->first < dataset->object_count; c->first += BATCH) {
			int left = dataset->object_count - c->first, count = left < BATCH ? left : BATCH;
			workers_run(workers, count, click_object, c);
			status = write_batch(c, count, file.stream);
		}
		if (workers)
			workers_free(workers);
		status = atomic_file_close(&file, status);
	}
	for (int i = 0; i < BATCH; i++) {
		positive += c->positive[i];
		negative += c->negative[i];
	}
	records->positive = (double)positive / records->count;
	records->negative = (double)negative / records->count;
	free(c);
	return status;
}
