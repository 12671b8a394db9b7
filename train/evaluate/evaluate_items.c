/* What an evaluation found object by object: by category, and as a file. */
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "core/text.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/metrics.h"

/* --- by category ---------------------------------------------------------- */

static struct evaluate_group *find_group(struct evaluate_group *groups, int *count, const char *category)
{
	for (int i = 0; i < *count; i++)
		if (strcmp(groups[i].category, category) == 0)
			return &groups[i];
	groups[*count] = (struct evaluate_group){.category = category};
	return &groups[(*count)++];
}

static int compare_groups(const void *a, const void *b)
{
	const struct evaluate_group *x = a, *y = b;
	return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->category, y->category);
}

static void add_item(struct evaluate_group *group, const struct evaluate_instance *item, int max_clicks)
{
	group->count++;
	group->noc85 += metrics_clicks_needed(item->iou, item->clicks_run, 0.85, max_clicks);
	group->noc90 += metrics_clicks_needed(item->iou, item->clicks_run, 0.90, max_clicks);
	group->nof90 += !metrics_reached(item->iou, item->clicks_run, 0.90);
	group->miou1 += metrics_iou_at(item->iou, item->clicks_run, 1);
	group->miou3 += metrics_iou_at(item->iou, item->clicks_run, 3);
	group->biou1 += item->biou1;
}

static void divide(struct evaluate_group *group)
{
	group->noc85 /= group->count;
	group->noc90 /= group->count;
	group->miou1 /= group->count;
	group->miou3 /= group->count;
	group->biou1 /= group->count;
}

enum status evaluate_group_items(const struct evaluate_result *result, int max_clicks, struct evaluate_group **groups,
				 int *count)
{
	*count = 0;
	*groups = calloc((size_t)result->instances + 1, sizeof **groups);
	if (!*groups)
		return status_fail(STATUS_NO_MEMORY, "no memory for the categories of %d objects", result->instances);
	for (int i = 0; i < result->instances; i++)
		if (result->items[i].category[0])
			add_item(find_group(*groups, count, result->items[i].category), &result->items[i], max_clicks);
	for (int i = 0; i < *count; i++)
		divide(&(*groups)[i]);
	qsort(*groups, (size_t)*count, sizeof **groups, compare_groups);
	return STATUS_OK;
}

/* --- as a file ------------------------------------------------------------ */

/* In CSV a text with a comma, a quote or a line break stands in quotes, its own doubled (RFC 4180). */
static void add_csv_text(struct text *text, const char *value)
{
	if (!strpbrk(value, ",\"\r\n")) {
		text_add(text, "%s", value);
		return;
	}
	text_add(text, "\"");
	for (; *value; value++)
		text_add(text, *value == '"' ? "\"\"" : "%c", *value);
	text_add(text, "\"");
}

static void add_csv(struct text *text, const struct evaluate_result *result, int max_clicks)
{
	text_add(text, "object,category,photo,width,height,noc85,noc90,reached90,clicks,biou1,photo_ms,clicks_ms");
	for (int k = 1; k <= max_clicks; k++)
		text_add(text, ",iou%d", k);
	text_add(text, "\n");
	for (int i = 0; i < result->instances; i++) {
		const struct evaluate_instance *item = &result->items[i];
		add_csv_text(text, item->name);
		text_add(text, ",");
		add_csv_text(text, item->category);
		text_add(text, ",");
		add_csv_text(text, item->photo);
		text_add(text, ",%d,%d,%d,%d,%d,%d,%.6f,%.3f,%.3f", item->width, item->height,
			 metrics_clicks_needed(item->iou, item->clicks_run, 0.85, max_clicks),
			 metrics_clicks_needed(item->iou, item->clicks_run, 0.90, max_clicks),
			 metrics_reached(item->iou, item->clicks_run, 0.90), item->clicks_run, item->biou1,
			 item->set_image_ms, item->clicks_ms);
		for (int k = 0; k < max_clicks; k++)
			text_add(text, k < item->clicks_run ? ",%.6f" : ",", k < item->clicks_run ? item->iou[k] : 0);
		text_add(text, "\n");
	}
}

static void add_json(struct text *text, const struct evaluate_result *result, int max_clicks)
{
	text_add(text, "[");
	for (int i = 0; i < result->instances; i++) {
		const struct evaluate_instance *item = &result->items[i];
		text_add(text, "%s\n\t{\"object\": ", i ? "," : "");
		text_add_json_string(text, item->name);
		text_add(text, ", \"category\": ");
		text_add_json_string(text, item->category);
		text_add(text, ", \"photo\": ");
		text_add_json_string(text, item->photo);
		text_add(text,
			 ", \"width\": %d, \"height\": %d, \"noc85\": %d, \"noc90\": %d, \"reached90\": %s, "
			 "\"biou1\": %.6f, \"photo_ms\": %.3f, \"clicks_ms\": %.3f, \"iou\": [",
			 item->width, item->height,
			 metrics_clicks_needed(item->iou, item->clicks_run, 0.85, max_clicks),
			 metrics_clicks_needed(item->iou, item->clicks_run, 0.90, max_clicks),
			 metrics_reached(item->iou, item->clicks_run, 0.90) ? "true" : "false", item->biou1,
			 item->set_image_ms, item->clicks_ms);
		for (int k = 0; k < item->clicks_run; k++)
			text_add(text, "%s%.6f", k ? ", " : "", item->iou[k]);
		text_add(text, "], \"clicks\": [");
		for (int k = 0; k < item->clicks_run; k++)
			text_add(text, "%s[%d, %d%s]", k ? ", " : "", item->clicks[k].x, item->clicks[k].y,
				 item->clicks[k].positive ? "" : ", \"not\"");
		text_add(text, "]}");
	}
	text_add(text, "\n]\n");
}

enum status evaluate_write_items(const struct evaluate_result *result, int max_clicks, const char *path)
{
	struct text text;
	size_t length = strlen(path);
	text_init(&text);
	if (length > 5 && strcmp(path + length - 5, ".json") == 0)
		add_json(&text, result, max_clicks);
	else
		add_csv(&text, result, max_clicks);
	enum status status = text_status(&text);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){text.data, text.length}, 1);
	text_release(&text);
	return status;
}
