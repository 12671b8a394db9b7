/* See eval_gallery.h. */
#include "tools/eval_gallery.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/atomic_file.h"
#include "core/text.h"
#include "train/evaluate/metrics.h"
#include "train/record/report.h"
#include "train/record/run_report.h"

/* One object's place in the order. */
struct ranked {
	const struct evaluate_instance *item;
	int clicks;
	double iou;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->clicks != y->clicks)
		return y->clicks - x->clicks;
	if (x->iou != y->iou)
		return x->iou < y->iou ? -1 : 1;
	return x->item->object - y->item->object;
}

static enum status add_object(struct text *html, struct tapcut_session *session, const struct dataset *dataset,
			      const struct ranked *ranked, int max_clicks)
{
	struct report_sample sample = {.iou = 0};
	enum status status = run_report_sample(session, dataset, ranked->item->object, max_clicks, &sample);
	if (status == STATUS_OK) {
		snprintf(sample.name, sizeof sample.name, "%.40s #%.20s %.30s", ranked->item->photo, ranked->item->name,
			 ranked->item->category);
		status = report_add_sample(html, &sample);
	}
	run_report_release_sample(&sample);
	return status;
}

static enum status add_all(struct text *html, const struct tapcut_model *model, const struct dataset *dataset,
			   const struct evaluate_options *options, const struct ranked *ranked, int count)
{
	char message[TAPCUT_MESSAGE_SIZE];
	struct tapcut_session *session;
	if (tapcut_session_new(model, &options->session, &session, message) != TAPCUT_OK)
		return status_fail(STATUS_NO_MEMORY, "%s", message);
	enum status status = STATUS_OK;
	for (int i = 0; i < count && status == STATUS_OK; i++)
		status = add_object(html, session, dataset, &ranked[i], options->max_clicks);
	tapcut_session_free(session);
	return status;
}

enum status eval_gallery_write(const char *path, const char *title, const struct tapcut_model *model,
			       const struct dataset *dataset, const struct evaluate_options *options,
			       const struct evaluate_result *result, int count)
{
	char line[200];
	struct text html;
	struct ranked *ranked = malloc(((size_t)result->instances + 1) * sizeof *ranked);
	if (!ranked)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d objects", result->instances);
	for (int i = 0; i < result->instances; i++) {
		const struct evaluate_instance *item = &result->items[i];
		ranked[i] =
			(struct ranked){item,
					metrics_clicks_needed(item->iou, item->clicks_run, 0.90, options->max_clicks),
					metrics_iou_at(item->iou, item->clicks_run, item->clicks_run)};
	}
	qsort(ranked, (size_t)result->instances, sizeof *ranked, compare);
	count = count < result->instances ? count : result->instances;
	snprintf(line, sizeof line, "the worst %d of %d objects: the most clicks to an overlap of 0.90", count,
		 result->instances);
	text_init(&html);
	report_add_head(&html, title, line);
	enum status status = add_all(&html, model, dataset, options, ranked, count);
	report_add_end(&html);
	if (status == STATUS_OK)
		status = text_status(&html);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){html.data, html.length}, 1);
	text_release(&html);
	free(ranked);
	return status;
}
