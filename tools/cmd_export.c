/* tapcut export: a checkpoint, parameters or a weights file, as a weights file or in the formats of others. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "tools/network_file.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut export CHECKPOINT -o FILE.tapcut [OPTIONS]\n"
	      "       tapcut export CHECKPOINT -o FILE.safetensors [--raw]\n"
	      "       tapcut export CHECKPOINT|FILE.tapcut -o FILE.onnx [--size N | --dynamic]\n"
	      "       tapcut export FILE.tapcut -o FILE.safetensors\n"
	      "\n"
	      "Writes what the inference library runs: the network as a list of steps and its weights, compressed "
	      "and\n"
	      "checksummed (infer/FORMAT.md). The same checkpoint gives the same bytes. A name that ends in\n"
	      ".safetensors gets all parameters as F32 under their own names instead; one that ends in .onnx gets "
	      "the\n"
	      "network as ONNX (opset 13, float32), with what it expects of its inputs in the metadata. A weights "
	      "file\n"
	      "as safetensors keeps its tensors as they are stored; tapcut import makes it again of that. In place of "
	      "a\n"
	      "checkpoint, a safetensors file with the parameters of the model that --config describes will do.\n"
	      "\n"
	      "  -o, --output FILE      where to\n"
	      "  --weights f32|f16|int8 how numbers are stored (default f16; int8 has a scale per output channel)\n"
	      "            codebook16|codebook32|codebook64|codebook256: as one of so many numbers, found by k-means "
	      "for\n"
	      "                         each tensor\n"
	      "  --size N               long side at which it sees whole photos (default: the config's eval.size);\n"
	      "                         an ONNX file's inputs are squares of that side\n"
	      "  --dynamic              an ONNX file whose inputs have any size\n"
	      "  --config FILE          the model of a safetensors file (default: the default model)\n"
	      "  --mean-with FILE       export the mean of these parameters and those of a safetensors file, such as "
	      "the weights\n"
	      "                         that this training began with\n"
	      "  --raw                  the weights as trained, even where the checkpoint has their moving average\n"
	      "  --verbose              what each tensor lost by rounding\n"
	      "\n"
	      "example: tapcut export runs/base/best.ckpt -o base.tapcut --weights int8\n"
	      "         tapcut export infer/models/base.tapcut -o base.onnx --size 512\n",
	      out);
}

struct arguments {
	const char *input, *output, *config, *mean_with;
	enum export_weights weights;
	int size; /* 0: as the config says */
	bool any_size, raw, verbose, help;
};

enum { OPT_WEIGHTS = 256, OPT_SIZE, OPT_DYNAMIC, OPT_CONFIG, OPT_MEAN_WITH, OPT_RAW, OPT_VERBOSE, OPT_HELP };

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"weights", required_argument, NULL, OPT_WEIGHTS},
	{"size", required_argument, NULL, OPT_SIZE},
	{"dynamic", no_argument, NULL, OPT_DYNAMIC},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"mean-with", required_argument, NULL, OPT_MEAN_WITH},
	{"raw", no_argument, NULL, OPT_RAW},
	{"verbose", no_argument, NULL, OPT_VERBOSE},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case 'o': a->output = optarg; return true;
	case OPT_CONFIG: a->config = optarg; return true;
	case OPT_MEAN_WITH: a->mean_with = optarg; return true;
	case OPT_DYNAMIC: a->any_size = true; return true;
	case OPT_RAW: a->raw = true; return true;
	case OPT_VERBOSE: a->verbose = true; return true;
	case OPT_HELP: a->help = true; return true;
	case OPT_SIZE:
		a->size = atoi(optarg);
		if (a->size >= 32 && a->size <= 4096)
			return true;
		fprintf(stderr, "tapcut export: --size: expected 32 to 4096, found \"%s\"\n", optarg);
		return false;
	case OPT_WEIGHTS:
		if (weights_from_name(optarg, &a->weights))
			return true;
		fprintf(stderr,
			"tapcut export: --weights: expected f32, f16, int8 or codebook16, 32, 64 or 256, found "
			"\"%s\"\n",
			optarg);
		return false;
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
	if (optind + 1 != argc || !a->output) {
		fprintf(stderr, "tapcut export: expected one checkpoint or other file and -o FILE\n");
		return false;
	}
	a->input = argv[optind];
	return true;
}

static enum status export_network(const struct arguments *a)
{
	struct infer_network network;
	if (path_ends_with(a->output, ".safetensors"))
		return network_file_to_safetensors(a->input, a->output);
	if (!path_ends_with(a->output, ".onnx"))
		return status_fail(STATUS_CONFIG,
				   "%s is a weights file, which can become .onnx or .safetensors, not %s", a->input,
				   a->output);
	TRY(network_file_read(a->input, &network));
	if (a->size)
		network.default_size = a->size;
	enum status status = network_file_write_onnx(&network, a->any_size, a->output);
	infer_network_release(&network);
	return status;
}

static enum status load_model(const struct arguments *a, struct checkpoint_model *loaded)
{
	struct config config;
	if (!path_ends_with(a->input, ".safetensors"))
		return checkpoint_model_load(loaded, a->input, !a->raw);
	TRY(a->config ? config_load(&config, a->config, NULL, 0) : config_init(&config));
	return checkpoint_model_import(loaded, &config, a->input);
}

static enum status export_model(const struct arguments *a)
{
	struct checkpoint_model loaded;
	struct write_options options = {.weights = a->weights, .verbose = a->verbose, .any_size = a->any_size};
	TRY(load_model(a, &loaded));
	if (a->size)
		loaded.config.eval.size = a->size;
	enum status status = a->mean_with ? checkpoint_model_mean(&loaded, a->mean_with) : STATUS_OK;
	if (!status)
		status = checkpoint_model_write(&loaded, &options, a->output);
	checkpoint_model_release(&loaded);
	return status;
}

int cmd_export(int argc, char **argv)
{
	struct arguments a;
	if (!parse_arguments(argc, argv, &a))
		return 2;
	if (a.help) {
		print_usage(stdout);
		return 0;
	}
	enum status status = path_ends_with(a.input, ".tapcut") ? export_network(&a) : export_model(&a);
	return status == STATUS_OK ? 0 : command_failed("export");
}
