/* tapcut export: a checkpoint, parameters or a weights file, as a weights file or in the formats of others. */
#include <stdio.h>

#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "tools/network_file.h"
#include "train/config/config_file.h"

struct arguments {
	const char *input, *output, *config, *mean_with;
	enum export_weights weights;
	int size; /* 0: as the config says */
	struct onnx_form onnx;
	bool raw, verbose, json, quiet;
};

static const struct option_row operand_rows[] = {
	{"CHECKPOINT|FILE", OPTION_FILE, OPTION_FIELD(input), NULL,
	 .help = "a checkpoint, a weights file or a safetensors file", .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"output", OPTION_FILE, OPTION_FIELD(output), "FILE", .letter = 'o', .help = "where to", .writes = true,
	 .needed = true},
	{"weights", OPTION_ENUM, OPTION_FIELD(weights), "KIND",
	 .help = "how numbers are stored, where int8 has a scale per output channel, and codebookN takes one of N "
		 "numbers, found by k-means for each tensor",
	 .names = export_weights_names, .standard = "f16"},
	{"size", OPTION_WHOLE, OPTION_FIELD(size), "N",
	 .help = "long side at which it sees whole photos; an ONNX file's inputs are squares of that side", .min = 32,
	 .max = 4096, .unit = "pixels", .otherwise = "the config's eval.size"},
	{"dynamic", OPTION_FLAG, OPTION_FIELD(onnx.any_size), NULL, .help = "an ONNX file whose inputs have any size"},
	{"qdq", OPTION_FLAG, OPTION_FIELD(onnx.qdq), NULL,
	 .help = "an ONNX file in 8 bits, in pairs of QuantizeLinear and DequantizeLinear, of a network with value "
		 "ranges"},
	{"config", OPTION_FILE, OPTION_FIELD(config), "FILE", .help = "the model of a safetensors file",
	 .otherwise = "the default model"},
	{"mean-with", OPTION_FILE, OPTION_FIELD(mean_with), "FILE",
	 .help = "export the mean of these parameters and those of a safetensors file, such as the weights that this "
		 "training began with"},
	{"raw", OPTION_FLAG, OPTION_FIELD(raw), NULL,
	 .help = "the weights as trained, even where the checkpoint has their moving average"},
	{"verbose", OPTION_FLAG, OPTION_FIELD(verbose), NULL, .help = "what each tensor lost by rounding"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

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
	enum status status = network_file_write_onnx(&network, &a->onnx, a->output);
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
	struct write_options options = {.weights = a->weights, .verbose = a->verbose, .onnx = a->onnx};
	TRY(load_model(a, &loaded));
	if (a->size)
		loaded.config.eval.size = a->size;
	enum status status = a->mean_with ? checkpoint_model_mean(&loaded, a->mean_with) : STATUS_OK;
	if (!status)
		status = checkpoint_model_write(&loaded, &options, a->output);
	checkpoint_model_release(&loaded);
	return status;
}

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	if (a->onnx.qdq && !path_ends_with(a->output, ".onnx"))
		return status_fail(STATUS_CONFIG, "--qdq goes with an output that ends in .onnx, not %s", a->output);
	return STATUS_OK;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	enum status status = path_ends_with(a->input, ".tapcut") ? export_network(a) : export_model(a);
	if (status == STATUS_OK && a->json)
		status = command_json_written(&command_export, arguments);
	return command_end("export", status);
}

const struct command command_export = {
	.name = "export",
	.summary = "write a weights file from a checkpoint",
	.usage = "CHECKPOINT -o FILE.tapcut [OPTIONS]\n"
		 "CHECKPOINT -o FILE.safetensors [--raw]\n"
		 "CHECKPOINT|FILE.tapcut -o FILE.onnx [--size N | --dynamic] [--qdq]\n"
		 "FILE.tapcut -o FILE.safetensors",
	.about = "Writes what the inference library runs: the network as a list of steps and its weights, compressed "
		 "and checksummed (infer/FORMAT.md). "
		 "The same checkpoint gives the same bytes. A name that ends in .safetensors gets all parameters as "
		 "F32 under their own names instead; one that ends "
		 "in .onnx gets the network as ONNX (opset 13, float32), with what it expects of its inputs in the "
		 "metadata. With --qdq it computes in 8 bits what our own 8 bits compute: the same weights, scales "
		 "and zero points (convert/README.md). A weights file as safetensors keeps its "
		 "tensors as they are stored; tapcut import makes it again of that. In place of a checkpoint, a "
		 "safetensors file with the parameters of the model that "
		 "--config describes will do.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut export runs/base/best.ckpt -o base.tapcut --weights int8\n"
		    "tapcut export infer/models/base.tapcut -o base.onnx --size 512\n"
		    "tapcut export infer/models/base.tapcut -o base8.onnx --size 512 --qdq",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
