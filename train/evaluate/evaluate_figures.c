/* From the curves of all instances to figures, and figures as text. Settings stand beside the figures: without them
 * figures are not comparable (docs/protocol.md, 5). */
#include <stdlib.h>

#include "core/text.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/metrics.h"

static double mean_iou_at(const struct evaluate_result *result, int k)
{
	double sum = 0;
	for (int i = 0; i < result->instances; i++)
		sum += metrics_iou_at(result->items[i].iou, result->items[i].clicks_run, k);
	return sum / result->instances;
}

static double mean_clicks_needed(const struct evaluate_result *result, double threshold, int max_clicks)
{
	double sum = 0;
	for (int i = 0; i < result->instances; i++)
		sum += metrics_clicks_needed(result->items[i].iou, result->items[i].clicks_run, threshold, max_clicks);
	return sum / result->instances;
}

static void summarise_failures(struct evaluate_result *result, int max_clicks)
{
	result->nof90 = result->nof90_ritm = 0;
	for (int i = 0; i < result->instances; i++) {
		const struct evaluate_instance *item = &result->items[i];
		result->nof90 += !metrics_reached(item->iou, item->clicks_run, 0.90);
		result->nof90_ritm +=
			metrics_clicks_needed(item->iou, item->clicks_run, 0.90, max_clicks) == max_clicks;
	}
}

static void summarise_times(struct evaluate_result *result)
{
	double set_image = 0, clicks_ms = 0, clicks = 0;
	for (int i = 0; i < result->instances; i++) {
		set_image += result->items[i].set_image_ms;
		clicks_ms += result->items[i].clicks_ms;
		clicks += result->items[i].clicks_run;
	}
	result->ms_per_click = (set_image + clicks_ms) / clicks;
	result->ms_set_image = set_image / result->instances;
	result->clicks = clicks / result->instances;
}

void evaluate_summarise(struct evaluate_result *result, int max_clicks)
{
	result->noc85 = mean_clicks_needed(result, 0.85, max_clicks);
	result->noc90 = mean_clicks_needed(result, 0.90, max_clicks);
	summarise_failures(result, max_clicks);
	result->miou1 = mean_iou_at(result, 1);
	result->miou2 = mean_iou_at(result, 2);
	result->miou3 = mean_iou_at(result, 3);
	result->miou5 = mean_iou_at(result, 5);
	result->biou1 = 0;
	for (int i = 0; i < result->instances; i++)
		result->biou1 += result->items[i].biou1 / result->instances;
	summarise_times(result);
}

/* --- as text -------------------------------------------------------------- */

static void print_settings(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out)
{
	const struct tapcut_options *session = &result->session;
	if (options->baseline) {
		fprintf(out,
			"settings  no network: taps alone, by colour models and a minimum cut, at most %d clicks\n",
			options->max_clicks);
		return;
	}
	fprintf(out,
		"settings  long side %d for click 1, then %d, with the photo's aspect, no flips (TTA off), zoom-in "
		"%s, threshold %.2f,\n",
		session->first_size, session->size,
		session->no_zoom    ? "off"
		: session->one_look ? "on from click 2"
				    : "on (click 1 looks twice)",
		(double)session->threshold);
	fprintf(out,
		"          at most %d clicks, mask at photo size, keep touched components %s, fill holes up to %d ppm",
		options->max_clicks, session->keep_all ? "off" : "on",
		session->hole_limit > 0 ? session->hole_limit : 0);
	if (session->graph_cut)
		fprintf(out, ", refined by a minimum cut");
	if (options->jitter)
		fprintf(out, ", clicks off by up to %d px", options->jitter);
	fprintf(out, "\n");
}

static void print_groups(const struct evaluate_result *result, int max_clicks, FILE *out)
{
	struct evaluate_group *groups;
	int count;
	if (evaluate_group_items(result, max_clicks, &groups, &count) != STATUS_OK)
		return;
	if (count > 1)
		fprintf(out, "\n  objects  NoC@85  NoC@90  NoF@90  mIoU@1  mIoU@3  BIoU@1   category\n");
	for (int i = 0; i < count && count > 1; i++)
		fprintf(out, "  %7d  %6.2f  %6.2f  %6d  %6.4f  %6.4f  %6.4f   %s\n", groups[i].count, groups[i].noc85,
			groups[i].noc90, groups[i].nof90, groups[i].miou1, groups[i].miou3, groups[i].biou1,
			groups[i].category);
	free(groups);
}

void evaluate_print(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out)
{
	print_settings(result, options, out);
	fprintf(out, "\n  objects  %8d\n", result->instances);
	if (result->skipped)
		fprintf(out, "  skipped  %8d   %s\n", result->skipped, result->first_skip);
	fprintf(out, "  NoC@85   %8.2f   clicks until IoU 0.85, %d where it is not reached\n", result->noc85,
		options->max_clicks);
	fprintf(out, "  NoC@90   %8.2f\n", result->noc90);
	fprintf(out, "  NoF@90   %8d   never reach 0.90 (%d with those that do at click %d)\n", result->nof90,
		result->nof90_ritm, options->max_clicks);
	fprintf(out, "  mIoU@1   %8.4f\n  mIoU@2   %8.4f\n  mIoU@3   %8.4f\n  mIoU@5   %8.4f\n", result->miou1,
		result->miou2, result->miou3, result->miou5);
	fprintf(out, "  BIoU@1   %8.4f   boundary of 2 %% of the diagonal\n", result->biou1);
	fprintf(out, "  time     %8.1f   ms per click: (photo %.1f + %.1f clicks) per object, %d at a time\n",
		result->ms_per_click, result->ms_set_image, result->clicks, options->threads);
	print_groups(result, options->max_clicks, out);
}

static void print_json_groups(const struct evaluate_result *result, int max_clicks, FILE *out)
{
	struct evaluate_group *groups;
	struct text text;
	int count;
	text_init(&text);
	if (evaluate_group_items(result, max_clicks, &groups, &count) != STATUS_OK)
		return;
	for (int i = 0; i < count; i++) {
		text_add(&text, "%s{\"category\": ", i ? ", " : "");
		text_add_json_string(&text, groups[i].category);
		text_add(&text,
			 ", \"instances\": %d, \"noc85\": %.4f, \"noc90\": %.4f, \"nof90\": %d, \"miou1\": %.6f, "
			 "\"miou3\": %.6f, \"biou1\": %.6f}",
			 groups[i].count, groups[i].noc85, groups[i].noc90, groups[i].nof90, groups[i].miou1,
			 groups[i].miou3, groups[i].biou1);
	}
	fprintf(out, ", \"categories\": [%s]", text.data ? text.data : "");
	text_release(&text);
	free(groups);
}

void evaluate_print_json(const struct evaluate_result *result, const struct evaluate_options *options, FILE *out)
{
	const struct tapcut_options *session = &result->session;
	fprintf(out,
		"{\"instances\": %d, \"skipped\": %d, \"noc85\": %.4f, \"noc90\": %.4f, \"nof90\": %d, "
		"\"nof90_ritm\": %d",
		result->instances, result->skipped, result->noc85, result->noc90, result->nof90, result->nof90_ritm);
	fprintf(out, ", \"miou1\": %.6f, \"miou2\": %.6f, \"miou3\": %.6f, \"miou5\": %.6f, \"biou1\": %.6f",
		result->miou1, result->miou2, result->miou3, result->miou5, result->biou1);
	fprintf(out, ", \"ms_per_click\": %.3f, \"ms_set_image\": %.3f, \"clicks_per_object\": %.3f",
		result->ms_per_click, result->ms_set_image, result->clicks);
	fprintf(out,
		", \"first_size\": %d, \"size\": %d, \"resize\": \"long_side\", \"tta\": false, \"zoom\": %s, "
		"\"one_look\": %s",
		session->first_size, session->size, session->no_zoom ? "false" : "true",
		session->one_look ? "true" : "false");
	fprintf(out, ", \"threshold\": %.4g, \"max_clicks\": %d, \"min_clicks\": %d", (double)session->threshold,
		options->max_clicks,
		options->max_clicks < EVALUATE_LEAST_CLICKS ? options->max_clicks : EVALUATE_LEAST_CLICKS);
	fprintf(out, ", \"keep_touched\": %s, \"fill_holes_ppm\": %d", session->keep_all ? "false" : "true",
		session->hole_limit > 0 ? session->hole_limit : 0);
	fprintf(out, ", \"graph_cut\": %s, \"baseline\": %s", session->graph_cut ? "true" : "false",
		options->baseline ? "\"graph-cut\"" : "null");
	fprintf(out, ", \"jitter\": %d, \"threads\": %d", options->jitter, options->threads);
	print_json_groups(result, options->max_clicks, out);
	fprintf(out, "}\n");
}
