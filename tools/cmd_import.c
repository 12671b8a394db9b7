/* tapcut import: what a safetensors file holds, which of it a model can take, and a model that starts from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"
#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "tools/network_file.h"
#include "tools/overrides.h"

struct arguments {
	const char *input, *config, *output;
	struct overrides overrides;
	enum export_weights weights;
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

static void print_tensor(const struct safetensors_tensor *tensor, const char *verdict)
{
	char dims[128] = "";
	size_t used = 0;
	for (int i = 0; i < tensor->rank && used < sizeof dims; i++)
		used += (size_t)snprintf(dims + used, sizeof dims - used, "%s%zu", i ? "x" : "", tensor->dims[i]);
	printf("  %-40s %-8s %-18s %s\n", tensor->name, tensor->dtype, dims, verdict);
}

/* Prints each tensor's fate; *matched: how many fit. */
static void print_tensors(const struct safetensors *file, const struct params *params, bool *found, int *matched)
{
	for (int i = 0; i < file->count; i++) {
		const struct safetensors_tensor *tensor = &file->tensors[i];
		int index = params_find(params, tensor->name);
		const char *verdict = "ignored: not in the model";
		if (index >= 0) {
			found[index] = true;
			bool fits = safetensors_shape_matches(tensor, params->items[index].shape);
			verdict = fits ? "loaded" : "REFUSED: another shape in the model";
			*matched += fits;
		}
		print_tensor(tensor, verdict);
	}
}

static enum status print_report(const char *path, const struct params *params)
{
	struct safetensors file;
	TRY(safetensors_read(&file, path));
	bool *found = calloc((size_t)params->count + 1, sizeof *found);
	if (!found) {
		safetensors_release(&file);
		return status_fail(STATUS_NO_MEMORY, "no memory for %d names", params->count);
	}
	int matched = 0, trunk_missing = 0, decoder_missing = 0;
	printf("%s: %d tensors\n", path, file.count);
	print_tensors(&file, params, found, &matched);
	for (int i = 0; i < params->count; i++) {
		if (found[i])
			continue;
		bool trunk = params->items[i].group == PARAM_TRUNK;
		trunk_missing += trunk;
		decoder_missing += !trunk;
		if (trunk)
			printf("  %-40s missing: stays as initialised\n", params->items[i].name);
	}
	printf("loaded %d, ignored %d; of the model's parameters not in the file: %d of the trunk, %d of the decoder\n",
	       matched, file.count - matched, trunk_missing, decoder_missing);
	free(found);
	safetensors_release(&file);
	return STATUS_OK;
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
	enum status status = print_report(a->input, &loaded.params);
	if (status == STATUS_OK)
		status = safetensors_import(a->input, &loaded.params, &report);
	if (status == STATUS_OK && a->output)
		status = checkpoint_model_write(&loaded, &(struct write_options){.weights = a->weights}, a->output);
	checkpoint_model_release(&loaded);
	return status;
}

static int run(void *arguments)
{
	return command_end("import", import_file(arguments));
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
