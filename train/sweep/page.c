/* See page.h. The files of page/ are taken in by the assembler as they are. */
#include "train/sweep/page.h"

#include <string.h>

#include "core/atomic_file.h"

/* A file as bytes NAME .. NAME_end. Paths count from the root, where make runs. */
#define EMBED(NAME, PATH)                                                                        \
	__asm__(".pushsection .rodata\n" #NAME ": .incbin \"train/sweep/page/" PATH "\"\n" #NAME \
		"_end: .byte 0\n.popsection\n");                                                 \
	extern const char NAME[], NAME##_end[]

EMBED(tapcut_page_html, "page.html");
EMBED(tapcut_page_css, "page.css");
EMBED(tapcut_page_data, "data.js");
EMBED(tapcut_page_plot, "plot.js");
EMBED(tapcut_page_curves, "curves.js");
EMBED(tapcut_page_parallel, "parallel.js");
EMBED(tapcut_page_scatter, "scatter.js");
EMBED(tapcut_page_effects, "effects.js");
EMBED(tapcut_page_table, "table.js");
EMBED(tapcut_page_page, "page.js");

/* In the order in which they use each other. */
static const char *const scripts[][2] = {
	{tapcut_page_data, tapcut_page_data_end},       {tapcut_page_plot, tapcut_page_plot_end},
	{tapcut_page_curves, tapcut_page_curves_end},   {tapcut_page_parallel, tapcut_page_parallel_end},
	{tapcut_page_scatter, tapcut_page_scatter_end}, {tapcut_page_effects, tapcut_page_effects_end},
	{tapcut_page_table, tapcut_page_table_end},     {tapcut_page_page, tapcut_page_page_end},
};

static void add_range(struct text *html, const char *from, const char *end)
{
	text_add_bytes(html, from, (size_t)(end - from));
}

/* In a script element "</script>" and "<!--" would end or hide what follows. In JSON "<" stands in texts only. */
static void add_json(struct text *html, const char *json)
{
	for (const char *c; (c = strchr(json, '<')); json = c + 1) {
		add_range(html, json, c);
		text_add(html, "\\u003c");
	}
	text_add(html, "%s", json);
}

enum status page_write(const char *path, const struct text *json)
{
	struct text html;
	TRY(text_status(json));
	text_init(&html);
	text_add(&html, "<!doctype html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
			"content=\"width=device-width,initial-scale=1\">\n<title>tapcut</title>\n<style>\n");
	add_range(&html, tapcut_page_css, tapcut_page_css_end);
	text_add(&html, "</style></head>\n<body>\n");
	add_range(&html, tapcut_page_html, tapcut_page_html_end);
	text_add(&html, "<script type=\"application/json\" id=data>");
	add_json(&html, json->data);
	text_add(&html, "</script>\n<script>\n");
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		add_range(&html, scripts[i][0], scripts[i][1]);
	text_add(&html, "</script>\n</body></html>\n");
	enum status status = text_status(&html);
	if (status == STATUS_OK)
		status = atomic_file_write(path, &(struct file_part){html.data, html.length}, 1);
	text_release(&html);
	return status;
}

/* Five digits: what a picture can show. */
static void add_short(struct text *json, double number)
{
	if (number != number)
		text_add(json, "null");
	else
		text_add(json, "%.5g", number);
}

void page_add_validations(struct text *json, const struct run_curves *curves, int metric)
{
	text_add(json, "[");
	for (int i = 0; i < curves->val_count; i++) {
		text_add(json, "%s[%.0f,", i ? "," : "", curves->val_samples[i]);
		add_short(json, curves->val[i][metric]);
		text_add(json, "]");
	}
	text_add(json, "]");
}

void page_add_training(struct text *json, const struct run_curves *curves)
{
	text_add(json, "[");
	for (int i = 0; i < curves->train_count; i++) {
		text_add(json, "%s[%.0f,", i ? "," : "", curves->train_samples[i]);
		add_short(json, curves->train_iou[i]);
		text_add(json, "]");
	}
	text_add(json, "]");
}

void page_add_metric_names(struct text *json)
{
	text_add(json, "\"metrics\":[");
	for (int m = 0; m < SWEEP_METRICS; m++)
		text_add(json, "%s\"%s\"", m ? "," : "", sweep_metric_names[m]);
	text_add(json, "]");
}
