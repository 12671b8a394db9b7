/* The same report as one JSON object: seconds, bytes, FLOP/s. */
#include "core/backend.h"
#include "core/blas.h"
#include "core/kernels.h"
#include "tools/bench/bench.h"
#include "core/text.h"

static void add_number(struct text *text, const char *key, double number)
{
	text_add(text, ", \"%s\": ", key);
	text_add_number(text, number);
}

static void add_string(struct text *text, const char *key, const char *string)
{
	text_add(text, ", \"%s\": ", key);
	text_add_json_string(text, string);
}

static void add_numbers(struct text *text, const char *key, const double *numbers, int count)
{
	text_add(text, ", \"%s\": [", key);
	for (int i = 0; i < count; i++) {
		text_add(text, i ? ", " : "");
		text_add_number(text, numbers[i]);
	}
	text_add(text, "]");
}

static void add_machine(struct text *text, const struct bench_report *report)
{
	const struct bench_machine *machine = &report->machine;
	text_add(text, "\"machine\": {\"processors\": %ld", machine->processors);
	add_string(text, "cpu", machine->cpu);
	add_number(text, "idle", machine->idle);
	add_string(text, "backend", backend_current()->name);
	add_string(text, "core", backend_current()->core_name());
	add_string(text, "isa", kernels()->isa);
	add_string(text, "openblas_core", blas_core_name()); /* "none": not installed */
	add_number(text, "threads", machine->threads);
	add_number(text, "peak_one", machine->peak_one);
	add_number(text, "peak_each", machine->peak_each);
	text_add(text, "}");
}

static void add_training(struct text *text, const struct bench_report *report)
{
	const struct config *config = report->config;
	text_add(text, ", \"training\": {\"size\": %d, \"batch\": %d, \"slot\": %d, \"rounds\": %d, \"steps\": %d",
		 config->train.size, config->train.batch_size, config->train.slot_size, config->max_corrective_rounds,
		 report->limit.steps);
	add_number(text, "parameters", (double)report->parameters);
	add_number(text, "macs", report->macs);
	add_number(text, "samples_per_s", bench_report_speed(report));
	add_numbers(text, "repeats", report->speed, report->repeats);
	add_number(text, "best_samples_per_s", report->best);
	add_number(text, "thread_seconds", report->cpu);
	add_number(text, "prepare_seconds", report->parts.prepare);
	add_number(text, "sum_seconds", report->parts.sum);
	add_number(text, "optimiser_seconds", report->optimiser_cpu);
	add_number(text, "arena_bytes", (double)report->arena_bytes);
	add_number(text, "batch_bytes", (double)report->batch_bytes);
	add_number(text, "peak_rss", (double)report->peak_rss);
	text_add(text, "}");
}

static void add_rest(struct text *text, const struct bench_report *report)
{
	const struct bench_loader *loader = &report->loader;
	const struct bench_inference *inference = &report->inference;
	text_add(text, ", \"loader\": {\"samples\": %d", loader->samples);
	add_number(text, "load_seconds", loader->load);
	add_number(text, "load_share", loader->load / report->cpu);
	add_number(text, "click_seconds", loader->click);
	add_number(text, "click_share", loader->click / report->cpu);
	text_add(text, "}, \"inference\": {\"size\": %d", inference->size);
	add_number(text, "set_image_seconds", inference->set_image);
	add_number(text, "first_click_seconds", inference->first_click);
	add_number(text, "second_click_seconds", inference->second_click);
	add_number(text, "session_bytes", (double)inference->session_bytes);
	text_add(text, "}");
}

static void add_torch(struct text *text, const struct bench_report *report)
{
	const struct bench_torch *torch = &report->torch;
	if (!report->against_torch)
		return;
	if (torch->skipped) {
		text_add(text, ", \"torch\": {\"skipped\": ");
		text_add_json_string(text, torch->reason);
		text_add(text, "}");
		return;
	}
	text_add(text, ", \"torch\": {\"version\": ");
	text_add_json_string(text, torch->version);
	add_string(text, "format", torch->format);
	add_numbers(text, "formats", torch->format_speed, 2);
	add_numbers(text, "repeats", report->torch_speed, report->repeats);
	add_number(text, "best_samples_per_s", report->torch_best);
	add_number(text, "thread_seconds", report->torch_cpu);
	add_number(text, "ratio", bench_report_ratio(report));
	add_number(text, "best_ratio", report->best / report->torch_best);
	text_add(text, "}");
}

static void add_rows(struct text *text, const char *key, const struct bench_report *report,
		     const struct profile_row *rows, int count)
{
	bool first = true;
	text_add(text, ", \"%s\": [", key);
	for (int i = 0; i < count; i++) {
		if (!rows[i].nodes)
			continue;
		text_add(text, "%s{\"nodes\": %d", first ? "" : ", ", rows[i].nodes);
		add_string(text, "name", rows[i].name);
		add_string(text, "kind", rows[i].kind);
		for (int pass = 0; pass < PROFILE_PASSES; pass++) {
			text_add(text, ", \"%s\": {\"flops\": ", profile_pass_names[pass]);
			text_add_number(text, rows[i].flops[pass]);
			add_number(text, "seconds", rows[i].seconds[pass]);
			add_number(text, "peak_share", 1e9 * profile_speed(&rows[i], pass) / report->machine.peak_each);
			add_number(text, "step_share", rows[i].seconds[pass] / report->cpu);
			text_add(text, "}");
		}
		text_add(text, "}");
		first = false;
	}
	text_add(text, "]");
}

enum status bench_print_json(const struct bench_report *report, FILE *out)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{");
	add_machine(&text, report);
	add_training(&text, report);
	add_rest(&text, report);
	add_torch(&text, report);
	add_rows(&text, "kinds", report, report->kinds, report->kind_count);
	if (report->show_nodes)
		add_rows(&text, "nodes", report, report->nodes, report->node_count);
	text_add(&text, "}\n");
	enum status status = text_status(&text);
	if (!status)
		fputs(text.data, out);
	text_release(&text);
	return status;
}
