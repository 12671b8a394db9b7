/* tapcut import: what a safetensors file holds, which of it a model can take, and a model that starts from it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"
#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "tools/network_file.h"
#include "tools/overrides.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut import FILE.safetensors [--config CONFIG.json] [-o OUT] [OPTIONS]\n"
	      "\n"
	      "A weights file that tapcut export wrote as safetensors becomes that weights file again with -o "
	      "FILE.tapcut.\n"
	      "All others: without -o: lists the file's tensors and says which of the model's parameters they fill. "
	      "With -o:\n"
	      "builds the model, takes from the file what matches by name, initialises the rest and writes it.\n"
	      "\n"
	      "  --config FILE          the model to fill (default: the default model)\n"
	      "  -o, --output FILE      a weights file, an ONNX file if the name ends in .onnx, or all parameters\n"
	      "                         as F32 if it ends in .safetensors\n"
	      "  --weights f32|f16|int8|codebook16|codebook32|codebook64|codebook256\n"
	      "                         how a weights file stores numbers (default f16)\n"
	      "  --set KEY=VALUE        override a key of the config; may be repeated\n"
	      "\n"
	      "Training starts from such a file by itself: config key init.trunk. Which channel order and mean the\n"
	      "weights expect is not in the file; convert/README.md has the settings for those in use.\n"
	      "\n"
	      "example: tapcut import squeezenet_v1_1_imagenet.safetensors --config configs/baseline.json\n",
	      out);
}

struct arguments {
	const char *input, *config, *output;
	struct overrides overrides;
	enum export_weights weights;
	bool help;
};

enum { OPT_CONFIG = 256, OPT_WEIGHTS, OPT_SET, OPT_HELP };

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"output", required_argument, NULL, 'o'},
	{"weights", required_argument, NULL, OPT_WEIGHTS},
	{"set", required_argument, NULL, OPT_SET},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case 'o': a->output = optarg; return true;
	case OPT_CONFIG: a->config = optarg; return true;
	case OPT_HELP: a->help = true; return true;
	case OPT_WEIGHTS:
		if (weights_from_name(optarg, &a->weights))
			return true;
		fprintf(stderr,
			"tapcut import: --weights: expected f32, f16, int8 or codebook16, 32, 64 or 256, found "
			"\"%s\"\n",
			optarg);
		return false;
	case OPT_SET: return overrides_add(&a->overrides, "import", optarg);
	default: return false; /* getopt_long has said what is wrong */
	}
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){.weights = EXPORT_F16};
	optind = 1;
	for (int option; (option = getopt_long(argc, argv, "o:", long_options, NULL)) != -1;)
		if (!parse_option(option, a))
			return false;
	if (a->help)
		return true;
	if (optind + 1 != argc || (a->overrides.count && !a->config)) {
		fprintf(stderr, "tapcut import: expected one safetensors file, and --set only with --config\n");
		return false;
	}
	a->input = argv[optind];
	return true;
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

static enum status run(const struct arguments *a)
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

int cmd_import(int argc, char **argv)
{
	struct arguments a;
	if (!parse_arguments(argc, argv, &a))
		return 2;
	if (a.help) {
		print_usage(stdout);
		return 0;
	}
	return run(&a) == STATUS_OK ? 0 : command_failed("import");
}
