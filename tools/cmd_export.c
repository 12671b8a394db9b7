/* tapcut export: a weights file from a checkpoint. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/checkpoint_model.h"
#include "tools/command.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut export CHECKPOINT -o FILE.tapcut [OPTIONS]\n"
	      "       tapcut export CHECKPOINT -o FILE.safetensors [--raw]\n"
	      "\n"
	      "Writes what the inference library runs: the network as a list of steps and its weights, compressed and\n"
	      "checksummed (infer/FORMAT.md). The same checkpoint gives the same bytes. A name that ends in\n"
	      ".safetensors gets all parameters as F32 under their own names instead.\n"
	      "\n"
	      "  -o, --output FILE      where to\n"
	      "  --weights f32|f16|int8 how numbers are stored (default f16; int8 has a scale per output channel)\n"
	      "  --size N               long side at which it sees whole photos (default: the config's eval.size)\n"
	      "  --raw                  the weights as trained, even where the checkpoint has their moving average\n"
	      "  --verbose              what each tensor lost by rounding\n"
	      "\n"
	      "example: tapcut export runs/base/best.ckpt -o base.tapcut --weights int8\n",
	      out);
}

struct arguments {
	const char *checkpoint, *output;
	enum export_weights weights;
	int size; /* 0: as the config says */
	bool raw, verbose, help;
};

enum { OPT_WEIGHTS = 256, OPT_SIZE, OPT_RAW, OPT_VERBOSE, OPT_HELP };

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' }, { "weights", required_argument, NULL, OPT_WEIGHTS },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "raw", no_argument, NULL, OPT_RAW },      { "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },    { NULL, 0, NULL, 0 },
};

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case 'o': a->output = optarg; return true;
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
		fprintf(stderr, "tapcut export: --weights: expected f32, f16 or int8, found \"%s\"\n", optarg);
		return false;
	default: return false; /* getopt_long has said what is wrong */
	}
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){ .weights = EXPORT_F16 };
	optind = 1;
	for (int option; (option = getopt_long(argc, argv, "o:", long_options, NULL)) != -1;)
		if (!parse_option(option, a))
			return false;
	if (a->help)
		return true;
	if (optind + 1 != argc || !a->output) {
		fprintf(stderr, "tapcut export: expected one checkpoint and -o FILE\n");
		return false;
	}
	a->checkpoint = argv[optind];
	return true;
}

int cmd_export(int argc, char **argv)
{
	struct arguments a;
	struct checkpoint_model loaded;
	if (!parse_arguments(argc, argv, &a))
		return 2;
	if (a.help) {
		print_usage(stdout);
		return 0;
	}
	if (checkpoint_model_load(&loaded, a.checkpoint, !a.raw) != STATUS_OK)
		return command_failed("export");
	if (a.size)
		loaded.config.eval.size = a.size;
	enum status status = checkpoint_model_write(&loaded, a.weights, a.output, a.verbose);
	checkpoint_model_release(&loaded);
	return status == STATUS_OK ? 0 : command_failed("export");
}
