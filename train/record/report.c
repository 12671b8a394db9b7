/* See report.h. The page is put together top down by the add_* functions, each a section; its style is one text at
 * the top. */
#include "train/record/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic_file.h"
#include "train/config/config_file.h"
#include "train/record/chart.h"
#include "train/config/config_keys.h"
#include "train/record/report_picture.h"
#include "train/record/run_log.h"
#include "core/text.h"

static const char style[] =
	":root{color-scheme:light "
	"dark;--bg:#f6f7f9;--card:#fff;--ink:#17202b;--soft:#647083;--line:#e2e6ec;--s0:#2563eb;--s1:#ea580c;"
	"--s2:#059669;--s3:#7c3aed;--best:#eaf2ff}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#10141a;--card:#181e26;--ink:#e6eaf0;--soft:#93a0b3;"
	"--line:#2b3440;--s0:#6ea0ff;--s1:#fb923c;--s2:#34d399;--s3:#b794f6;--best:#1d2b45}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,'DejaVu "
	"Sans',sans-serif}\n"
	"main{max-width:1120px;margin:0 auto;padding:32px 20px "
	"64px}h1{font-size:28px;margin:0}h2{font-size:18px;margin:36px 0 12px}\n"
	".sub{color:var(--soft);margin:4px 0 "
	"20px}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(116px,1fr));gap:12px}\n"
	".card,figure,.box{background:var(--card);border:1px solid var(--line);border-radius:10px}.card{padding:12px "
	"14px}\n"
	".card b{display:block;font-size:22px;font-variant-numeric:tabular-nums}.card "
	"span{color:var(--soft);font-size:13px}\n"
	".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:16px}\n"
	"figure{margin:0;padding:14px 16px "
	"8px}figcaption{display:flex;justify-content:space-between;gap:12px;flex-wrap:wrap}\n"
	".legend{display:flex;gap:14px;color:var(--soft);font-size:13px}.legend "
	"i{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:5px;vertical-align:middle}\n"
	"svg{width:100%;height:auto;display:block}svg svg{width:auto}svg "
	"text{font-size:12px;fill:var(--soft)}.grid{stroke:var(--line)}.axis{stroke:var(--soft)}\n"
	".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.raw{stroke-width:1;opacity:.3}"
	".none{color:var(--soft);padding:40px "
	"0;text-align:center;margin:0}\n"
	".box{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
	"th,td{padding:7px "
	"12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}tr:last-child "
	"td{border-bottom:0}th{color:var(--soft);font-weight:500;font-size:13px}.text td,.text "
	"th{text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere}.best "
	"td{background:var(--best);font-weight:600}\n"
	".sample{display:grid;grid-template-columns:repeat(3,1fr);gap:10px;padding:14px;margin-bottom:14px}.sample "
	"header{grid-column:1/-1;display:flex;justify-content:space-between;gap:12px}.sample header "
	"span{color:var(--soft)}.sample "
	"img{width:100%;border-radius:6px;display:block}"
	".keys{display:flex;gap:16px;flex-wrap:wrap;color:var(--soft);font-size:13px;margin:0 "
	"0 12px}.keys "
	"i{display:inline-block;width:11px;height:11px;border-radius:50%;margin-right:5px;vertical-align:-1px}\n"
	"details{margin-top:12px}summary{cursor:pointer;color:var(--soft)}"
	"pre{margin:0;padding:14px;overflow-x:auto;font-size:13px;line-height:1.4}\n";

/* --- figures -------------------------------------------------------------- */

/* Fields of records as arrays, for the charts. */
static double *column(const void *records, int count, size_t size, size_t offset, bool integer)
{
	double *values = malloc((size_t)count * sizeof *values + 1);
	for (int i = 0; values && i < count; i++) {
		const char *from = (const char *)records + (size_t)i * size + offset;
		values[i] = integer ? (double)*(const uint64_t *)from : *(const double *)from;
	}
	return values;
}

#define STEP_COLUMN(h, f, integer) \
	column((h)->steps, (h)->step_count, sizeof *(h)->steps, offsetof(struct run_step, f), integer)
#define VAL_COLUMN(h, f, integer) \
	column((h)->vals, (h)->val_count, sizeof *(h)->vals, offsetof(struct run_val, f), integer)

/* Mean of the last tenth of the lines: what the run ended with, without the noise of one line. */
static double last_mean(const double *values, int count)
{
	double sum = 0;
	int used = 0;
	for (int i = count - 1 - count / 10; i >= 0 && i < count; i++)
		if (isfinite(values[i])) {
			sum += values[i];
			used++;
		}
	return used ? sum / used : NAN;
}

static void add_card(struct text *html, const char *label, const char *format, double value)
{
	text_add(html, "<div class=card><b>");
	if (isfinite(value))
		text_add(html, format, value);
	else
		text_add(html, "&ndash;");
	text_add(html, "</b><span>%s</span></div>\n", label);
}

/* The validation with the fewest clicks, the later of equal ones; -1: none. */
static int best_val(const struct run_history *history)
{
	int best = -1;
	for (int i = 0; i < history->val_count; i++)
		if (best < 0 || history->vals[i].noc90 <= history->vals[best].noc90)
			best = i;
	return best;
}

static enum status add_cards(struct text *html, const struct run_history *history)
{
	double *loss = STEP_COLUMN(history, loss, false), *iou = STEP_COLUMN(history, iou, false);
	double *speed = STEP_COLUMN(history, samples_per_s, false);
	enum status status = STATUS_OK;
	if (!loss || !iou || !speed) {
		status = status_fail(STATUS_NO_MEMORY, "no memory for the report");
	} else {
		int count = history->step_count, best = best_val(history);
		const struct run_val *val = best < 0 ? NULL : &history->vals[best];
		text_add(html, "<div class=cards>\n");
		add_card(html, "best NoC@90", "%.2f", val ? val->noc90 : NAN);
		add_card(html, "NoC@85", "%.2f", val ? val->noc85 : NAN);
		add_card(html, "mIoU, 1 click", "%.1f %%", val ? 100 * val->miou1 : NAN);
		add_card(html, "mIoU, 3 clicks", "%.1f %%", val ? 100 * val->miou3 : NAN);
		add_card(html, "steps", "%.0f", count ? (double)history->steps[count - 1].step : 0);
		add_card(html, "training loss", "%.4g", last_mean(loss, count));
		add_card(html, "training IoU", "%.1f %%", 100 * last_mean(iou, count));
		add_card(html, "samples / s", "%.1f", last_mean(speed, count));
		text_add(html, "</div>\n");
	}
	free(loss);
	free(iou);
	free(speed);
	return status;
}

static void add_facts(struct text *html, const struct report *report)
{
	if (!report->fact_count)
		return;
	text_add(html, "<div class=box style=\"margin-top:12px\"><table class=text>\n");
	for (int i = 0; i < report->fact_count; i++) {
		text_add(html, "<tr><th>");
		text_add_html(html, report->facts[i].label);
		text_add(html, "</th><td>");
		text_add_html(html, report->facts[i].value);
		text_add(html, "</td></tr>\n");
	}
	text_add(html, "</table></div>\n");
}

/* --- curves --------------------------------------------------------------- */

enum { CHART_MAX_SERIES = 4 };

/* A chart of up to four fields of one kind of record. */
struct plot {
	const char *title;
	double low, high;
	enum chart_style style;
	bool val; /* fields of struct run_val, else of struct run_step */
	struct {
		const char *name;
		size_t offset;
	} fields[CHART_MAX_SERIES];
};

static const struct plot plots[] = {
	{"Training loss", -INFINITY, INFINITY, CHART_SMOOTH, false, {{"loss", offsetof(struct run_step, loss)}}},
	{"Training IoU", 0, 1, CHART_SMOOTH, false, {{"IoU", offsetof(struct run_step, iou)}}},
	{"Validation: mean IoU after k clicks",
	 0,
	 1,
	 CHART_DOTS,
	 true,
	 {{"1 click", offsetof(struct run_val, miou1)},
	  {"2", offsetof(struct run_val, miou2)},
	  {"3", offsetof(struct run_val, miou3)},
	  {"5", offsetof(struct run_val, miou5)}}},
	{"Validation: clicks needed",
	 0,
	 INFINITY,
	 CHART_DOTS,
	 true,
	 {{"NoC@90", offsetof(struct run_val, noc90)}, {"NoC@85", offsetof(struct run_val, noc85)}}},
	{"Learning rate", 0, INFINITY, CHART_LINE, false, {{"lr", offsetof(struct run_step, lr)}}},
	{"Gradient norm before clipping",
	 0,
	 INFINITY,
	 CHART_SMOOTH,
	 false,
	 {{"norm", offsetof(struct run_step, grad_norm)}}},
};

static enum status add_plot(struct text *html, const struct run_history *history, const struct plot *plot)
{
	struct chart_series series[CHART_MAX_SERIES];
	struct chart chart = {.title = plot->title,
			      .x_label = "steps",
			      .series = series,
			      .low = plot->low,
			      .high = plot->high};
	int count = plot->val ? history->val_count : history->step_count;
	const void *records = plot->val ? (const void *)history->vals : (const void *)history->steps;
	size_t size = plot->val ? sizeof *history->vals : sizeof *history->steps;
	double *x = plot->val ? VAL_COLUMN(history, step, true) : STEP_COLUMN(history, step, true);
	double *y[CHART_MAX_SERIES] = {NULL};
	bool enough = x != NULL;
	for (; enough && chart.count < CHART_MAX_SERIES && plot->fields[chart.count].name; chart.count++) {
		int i = chart.count;
		y[i] = column(records, count, size, plot->fields[i].offset, false);
		enough = y[i] != NULL;
		series[i] = (struct chart_series){.name = plot->fields[i].name,
						  .x = x,
						  .y = y[i],
						  .count = count,
						  .style = plot->style};
	}
	if (enough)
		chart_add(html, &chart);
	for (int i = 0; i < CHART_MAX_SERIES; i++)
		free(y[i]);
	free(x);
	return enough ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for the report's curves");
}

static enum status add_plots(struct text *html, const struct run_history *history)
{
	text_add(html, "<h2>Curves</h2>\n<div class=charts>\n");
	for (size_t i = 0; i < sizeof plots / sizeof *plots; i++)
		TRY(add_plot(html, history, &plots[i]));
	text_add(html, "</div>\n");
	return STATUS_OK;
}

/* --- validations ---------------------------------------------------------- */

static void add_validations(struct text *html, const struct run_history *history)
{
	int best = best_val(history);
	if (best < 0)
		return;
	text_add(html, "<h2>Validations</h2>\n<div "
		       "class=box><table>\n<tr><th>step</th><th>objects</th><th>NoC@85</th><th>NoC@90</th>"
		       "<th>never 90</th><th>mIoU@1</th><th>@2</th><th>@3</th><th>@5</th><th>BIoU@1</th><th>ms per "
		       "click</th></tr>\n");
	for (int i = 0; i < history->val_count; i++) {
		const struct run_val *v = &history->vals[i];
		text_add(html, "<tr%s><td>%llu</td><td>%llu</td><td>%.2f</td><td>%.2f</td><td>%llu</td>",
			 i == best ? " class=best" : "", (unsigned long long)v->step, (unsigned long long)v->instances,
			 v->noc85, v->noc90, (unsigned long long)v->nof90);
		text_add(html, "<td>%.1f</td><td>%.1f</td><td>%.1f</td><td>%.1f</td><td>%.1f</td><td>%.1f</td></tr>\n",
			 100 * v->miou1, 100 * v->miou2, 100 * v->miou3, 100 * v->miou5, 100 * v->biou1,
			 v->ms_per_click);
	}
	text_add(html, "</table></div>\n");
}

/* --- samples -------------------------------------------------------------- */

enum status report_add_picture(struct text *html, const struct report_sample *sample, enum report_picture_kind kind,
			       const char *caption)
{
	text_add(html, "<img alt=\"%s\" title=\"%s\" src=\"", caption, caption);
	TRY(report_picture_add(html, sample, kind));
	text_add(html, "\">\n");
	return STATUS_OK;
}

enum status report_add_sample(struct text *html, const struct report_sample *sample)
{
	static const char *const captions[PICTURE_KINDS] = {"clicks", "prediction", "errors"};
	text_add(html, "<div class=\"box sample\"><header><b>");
	text_add_html(html, sample->name);
	text_add(html, "</b><span>%d click%s &middot; IoU %.1f %%</span></header>\n", sample->clicks.count,
		 sample->clicks.count == 1 ? "" : "s", 100.0 * (double)sample->iou);
	for (int kind = 0; kind < PICTURE_KINDS; kind++)
		TRY(report_add_picture(html, sample, (enum report_picture_kind)kind, captions[kind]));
	text_add(html, "</div>\n");
	return STATUS_OK;
}

static enum status add_samples(struct text *html, const struct report *report)
{
	if (!report->sample_count)
		return STATUS_OK;
	text_add(html,
		 "<h2>Samples</h2>\n<p class=keys><span><i style=\"background:#16a34a\"></i>click on the object</span>"
		 "<span><i style=\"background:#dc2626\"></i>click off it</span><span><i "
		 "style=\"background:#2563eb\"></i>predicted mask</span><span><i "
		 "style=\"background:#ef4444\"></i>missed</span><span><i "
		 "style=\"background:#3b82f6\"></i>wrongly taken</span></p>\n");
	for (int i = 0; i < report->sample_count; i++)
		TRY(report_add_sample(html, &report->samples[i]));
	return STATUS_OK;
}

/* --- config --------------------------------------------------------------- */

/* A row for a key whose value is not the default. */
static void add_key(struct text *html, const struct config *config, const struct config_key *key)
{
	struct text value;
	text_init(&value);
	config_add_value(&value, config, key);
	if (value.failed) {
		html->failed = true;
	} else if (strcmp(value.data, key->standard) != 0) {
		text_add(html, "<tr><td>%s</td><td>", key->key);
		text_add_html(html, value.data);
		text_add(html, "</td><td>");
		text_add_html(html, key->standard);
		text_add(html, "</td><td>");
		text_add_html(html, key->meaning);
		text_add(html, "</td></tr>\n");
	}
	text_release(&value);
}

static enum status add_config(struct text *html, const struct config *config)
{
	text_add(html,
		 "<h2>Config</h2>\n<div class=box><table class=text>\n<tr><th>key</th><th>value</th><th>default</th>"
		 "<th>meaning</th></tr>\n");
	for (int i = 0; i < config_key_count; i++)
		add_key(html, config, &config_keys[i]);
	text_add(html, "</table></div>\n<details><summary>all keys</summary><div class=box><pre>");
	char *json = config_to_json(config);
	if (!json)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config in the report");
	text_add_html(html, json);
	free(json);
	text_add(html, "</pre></div></details>\n");
	return STATUS_OK;
}

/* --- the page ------------------------------------------------------------- */

void report_add_head(struct text *html, const char *title, const char *line)
{
	text_add(html, "<!doctype html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
		       "content=\"width=device-width,initial-scale=1\">\n<title>");
	text_add_html(html, title);
	text_add(html, " &middot; tapcut</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>", style);
	text_add_html(html, title);
	text_add(html, "</h1>\n<p class=sub>");
	text_add_html(html, line);
	text_add(html, "</p>\n");
}

void report_add_end(struct text *html)
{
	text_add(html, "</main></body></html>\n");
}

static void add_head(struct text *html, const struct config *config)
{
	char line[256];
	snprintf(line, sizeof line, "%s + %s, seed %llu, batches of %d at %d \xc3\x97 %d pixels",
		 trunk_names[config->model.trunk], decoder_names[config->model.decoder],
		 (unsigned long long)config->seed, config->train.batch_size, config->train.size, config->train.size);
	report_add_head(html, config->name, line);
}

static enum status add_page(struct text *html, const struct report *report, const struct run_history *history)
{
	add_head(html, report->config);
	TRY(add_cards(html, history));
	add_facts(html, report);
	TRY(add_plots(html, history));
	add_validations(html, history);
	TRY(add_samples(html, report));
	TRY(add_config(html, report->config));
	report_add_end(html);
	return text_status(html);
}

enum status report_write(const struct report *report, const char *path)
{
	struct run_history history;
	struct text html;
	TRY(run_history_read(&history, report->log_path));
	text_init(&html);
	enum status status = add_page(&html, report, &history);
	if (status == STATUS_OK) {
		struct file_part part = {html.data, html.length};
		status = atomic_file_write(path, &part, 1);
	}
	text_release(&html);
	run_history_release(&history);
	return status;
}
