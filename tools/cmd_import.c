/* tapcut import: what a safetensors file holds, which of it a model can take, and a model that starts from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"
#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "tools/network_file.h"
#include "tools/overrides.h"
#include "tools/streams.h"
#include "train/config/config_file.h"

struct arguments {
	const char *input, *config, *output;
	struct overrides overrides;
	enum export_weights weights;
	bool json, quiet;
};

static const struct option_row operand_rows[] = {
	{"FILE.safetensors", OPTION_FILE, OPTION_FIELD(input), NULL, .help = "the weights", .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"config", OPTION_FILE, OPTION_FIELD(config), "FILE", .help = "the model to fill",
	 .otherwise = "the default model"},
	{"output", OPTION_FILE, OPTION_FIELD(output), "FILE", .letter = 'o',
	 .help = "a weights file, an ONNX file if the name ends in .onnx, or all parameters as F32 if it ends in "
		 ".safetensors",
	 .writes = true},
	{"weights", OPTION_ENUM, OPTION_FIELD(weights), "KIND", .help = "how a weights file stores numbers",
	 .names = export_weights_names, .standard = "f16"},
	{"set", OPTION_CALL, OPTION_FIELD(overrides), "KEY=VALUE", .help = "another value for a key of the config",
	 .take = overrides_take_set, .many = true},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	return a->overrides.count && !a->config ? status_fail(STATUS_CONFIG, "--set goes with --config") : STATUS_OK;
}

static enum status load_config(const struct arguments *a, struct config *config)
{
	if (a->config)
		return config_load(config, a->config, a->overrides.items, a->overrides.count);
	return config_init(config);
}

/* --- the report ----------------------------------------------------------- */

struct report {
	const struct params *params;
	bool *found;         /* of each parameter */
	struct text tensors; /* for --json */
	int matched, trunk_missing, decoder_missing;
};

static void print_tensor(const struct safetensors_tensor *tensor, const char *verdict, struct report *report)
{
	char dims[128] = "";
	size_t used = 0;
	struct text *text = &report->tensors;
	for (int i = 0; i < tensor->rank && used < sizeof dims; i++)
		used += (size_t)snprintf(dims + used, sizeof dims - used, "%s%zu", i ? "x" : "", tensor->dims[i]);
	printf("  %-40s %-8s %-18s %s\n", tensor->name, tensor->dtype, dims, verdict);
	text_add(text, "%s{\"name\": ", text->length ? ",\n" : "");
	text_add_json_string(text, tensor->name);
	text_add(text, ", \"dtype\": ");
	text_add_json_string(text, tensor->dtype);
	text_add(text, ", \"shape\": \"%s\", \"verdict\": ", dims);
	text_add_json_string(text, verdict);
	text_add(text, "}");
}

/* Each tensor's fate. */
static void report_tensors(const struct safetensors *file, struct report *report)
{
	for (int i = 0; i < file->count; i++) {
		const struct safetensors_tensor *tensor = &file->tensors[i];
		int index = params_find(report->params, tensor->name);
		char verdict[300] = "ignored: not in the model";
		if (index >= 0) {
			report->found[index] = true;
			const struct param *param = &report->params->items[index];
			bool shaped = safetensors_shape_matches(tensor, param->shape);
			bool fits = shaped && safetensors_check(tensor, param) == STATUS_OK;
			snprintf(verdict, sizeof verdict, fits ? "loaded" : "REFUSED: %s",
				 shaped ? status_message() : "another shape in the model");
			report->matched += fits;
		}
		print_tensor(tensor, verdict, report);
	}
}

static void report_missing(struct report *report)
{
	for (int i = 0; i < report->params->count; i++) {
		if (report->found[i])
			continue;
		bool trunk = report->params->items[i].group == PARAM_TRUNK;
		report->trunk_missing += trunk;
		report->decoder_missing += !trunk;
		if (trunk)
			printf("  %-40s missing: stays as initialised\n", report->params->items[i].name);
	}
}

static enum status print_json(struct report *report, int ignored)
{
	struct text text;
	text_init(&text);
	TRY(text_status(&report->tensors));
	text_add(&text,
		 "{\"loaded\": %d, \"ignored\": %d, \"trunk_missing\": %d, \"decoder_missing\": %d, \"tensors\": [%s]}",
		 report->matched, ignored, report->trunk_missing, report->decoder_missing,
		 report->tensors.data ? report->tensors.data : "");
	return streams_json(&text);
}

static enum status print_report(const struct arguments *a, const struct params *params)
{
	struct safetensors file;
	struct report report = {.params = params};
	TRY(safetensors_read(&file, a->input));
	report.found = calloc((size_t)params->count + 1, sizeof *report.found);
	if (!report.found) {
		safetensors_release(&file);
		return status_fail(STATUS_NO_MEMORY, "no memory for %d names", params->count);
	}
	text_init(&report.tensors);
	printf("%s: %d tensors\n", a->input, file.count);
	report_tensors(&file, &report);
	report_missing(&report);
	printf("loaded %d, ignored %d; of the model's parameters not in the file: %d of the trunk, %d of the decoder\n",
	       report.matched, file.count - report.matched, report.trunk_missing, report.decoder_missing);
	enum status status = a->json && !a->output ? print_json(&report, file.count - report.matched) : STATUS_OK;
	text_release(&report.tensors);
	free(report.found);
	safetensors_release(&file);
	return status;
}

static enum status import_file(const struct arguments *a)
{
	if (a->output && path_ends_with(a->output, ".tapcut") && network_file_is_safetensors(a->input))
		return network_file_from_safetensors(a->input, a->output);
	struct config config;
	struct checkpoint_model loaded;
	struct safetensors_report report;
	TRY(load_config(a, &config));
	TRY(checkpoint_model_new(&loaded, &config));
	enum status status = print_report(a, &loaded.params);
	if (status == STATUS_OK)
		status = safetensors_import(a->input, &loaded.params, &report);
	if (status == STATUS_OK && a->output)
		status = checkpoint_model_write(&loaded, &(struct write_options){.weights = a->weights}, a->output);
	checkpoint_model_release(&loaded);
	return status;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	enum status status = import_file(a);
	if (status == STATUS_OK && a->json && a->output)
		status = command_json_written(&command_import, arguments);
	return command_end("import", status);
}

const struct command command_import = {
	.name = "import",
	.summary = "read published weights (safetensors)",
	.usage = "FILE.safetensors [--config CONFIG.json] [-o OUT] [OPTIONS]",
	.about = "A weights file that tapcut export wrote as safetensors becomes that weights file again with -o "
		 "FILE.tapcut. "
		 "All others: without -o, lists the file's tensors and says which of the model's parameters they fill. "
		 "With -o, builds the model, takes from the file "
		 "what matches by name, initialises the rest and writes it.",
	.options = option_rows,
	.operands = operand_rows,
	.notes = "Training starts from such a file by itself: config key init.trunk. Which channel order and mean the "
		 "weights expect is not in the file; "
		 "convert/README.md has the settings for those in use.",
	.examples = "tapcut import squeezenet_v1_1_imagenet.safetensors --config configs/baseline.json",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
