/* tapcut quantize: a weights file that runs in 8 bits as well, its ranges chosen on photos and simulated clicks. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "convert/weights_file.h"
#include "core/atomic_file.h"
#include "data/dataset_open.h"
#include "infer/network/ops.h"
#include "infer/tapcut.h"
#include "tools/checkpoint_model.h"
#include "tools/command.h"
#include "tools/network_file.h"
#include "train/calibrate.h"
#include "train/validate.h"

struct arguments {
	const char *input, *output, *coco, *images;
	int samples, size, seed;
	bool raw, verbose, json, quiet;
};

enum { LISTED = 8, COMPARED_SHARE = 5, LEAST_COMPARED = 4 };

static const struct option_row operand_rows[] = {
	{"CHECKPOINT|FILE.tapcut", OPTION_FILE, OPTION_FIELD(input), NULL, .help = "the float weights", .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"coco", OPTION_FILE, OPTION_FIELD(coco), "FILE", .help = "photos and objects: COCO-format instances JSON",
	 .no_stream = true, .needed = true},
	{"images", OPTION_FOLDER, OPTION_FIELD(images), "DIR", .help = "its photos", .otherwise = "images/ beside it"},
	{"output", OPTION_FILE, OPTION_FIELD(output), "FILE", .letter = 'o', .help = "where to", .writes = true,
	 .needed = true},
	{"samples", OPTION_WHOLE, OPTION_FIELD(samples), "N", .help = "objects to look at", .min = 1, .max = 100000,
	 .standard = "300"},
	{"size", OPTION_WHOLE, OPTION_FIELD(size), "N", .help = "side of the square crops, a multiple of 16", .min = 32,
	 .max = 4096, .unit = "pixels", .otherwise = "the network's own size"},
	{"seed", OPTION_WHOLE, OPTION_FIELD(seed), "N", .help = "which objects, crops and clicks", .max = 1000000000,
	 .standard = "1"},
	{"raw", OPTION_FLAG, OPTION_FIELD(raw), NULL,
	 .help = "the weights as trained, even where the checkpoint has their moving average"},
	{"verbose", OPTION_FLAG, OPTION_FIELD(verbose), NULL, .help = "every step, not only the worst"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static enum status check(void *arguments)
{
	const struct arguments *a = arguments;
	if (a->size % 16)
		return status_fail(STATUS_CONFIG, "--size: expected a multiple of 16, found \"%d\"", a->size);
	return STATUS_OK;
}

/* --- the network ---------------------------------------------------------- */

/* With its float weights. */
static enum status network_of_checkpoint(const struct arguments *a, struct infer_network *network)
{
	struct checkpoint_model loaded;
	char message[TAPCUT_MESSAGE_SIZE];
	unsigned char *data;
	size_t size;
	TRY(checkpoint_model_load(&loaded, a->input, !a->raw));
	struct export_options options = deploy_options(&loaded.config, EXPORT_F32);
	enum status status =
		export_memory(&loaded.model, &loaded.config.model, loaded.params.values, &options, &data, &size);
	checkpoint_model_release(&loaded);
	if (status != STATUS_OK)
		return status;
	if (infer_network_parse(data, size, network, message) != TAPCUT_OK)
		status = status_fail(STATUS_FORMAT, "%s", message);
	free(data);
	return status;
}

static enum status read_network(const struct arguments *a, struct infer_network *network)
{
	TRY(path_ends_with(a->input, ".tapcut") ? network_file_read(a->input, network)
						: network_of_checkpoint(a, network));
	if (!network->ranges)
		return STATUS_OK;
	infer_network_release(network);
	return status_fail(STATUS_CONFIG,
			   "%s has its ranges already (a network trained for 8 bits: tapcut export --weights int8)",
			   a->input);
}

/* --- the report ----------------------------------------------------------- */

static double relative(const struct calibration_loss *loss)
{
	return loss->square > 0 ? sqrt(loss->error / loss->square) : 0;
}

static void print_step(const struct infer_network *network, int step, const struct calibration_loss *loss)
{
	const struct infer_step *s = &network->steps[step];
	const int none[4] = {0}, *dims = s->tensor[0] >= 0 ? network->tensors[s->tensor[0]].dims : none;
	char shape[48] = "";
	if (dims[0])
		snprintf(shape, sizeof shape, "%dx%dx%dx%d", dims[0], dims[1], dims[2], dims[3]);
	printf("  step %3d %-18s %-14s rms %6.2f %%  worst %6.2f %% of the largest  cut off %.4f %%\n", step,
	       infer_op_name(s->op), shape, 100 * relative(loss), loss->most > 0 ? 100 * loss->worst / loss->most : 0,
	       100 * loss->cut / loss->count);
}

/* The step that lost most of those not printed yet; -1: none. */
static int next_worst(const struct infer_network *network, const struct calibration_loss *losses, const bool *printed)
{
	int worst = -1;
	for (int i = 0; i < network->step_count; i++)
		if (!printed[i] && losses[INFER_FIRST_STEP_VALUE + i].count > 0 &&
		    (worst < 0 ||
		     relative(&losses[INFER_FIRST_STEP_VALUE + i]) > relative(&losses[INFER_FIRST_STEP_VALUE + worst])))
			worst = i;
	return worst;
}

static void print_losses(const struct infer_network *network, const struct calibration_loss *losses, bool all)
{
	bool printed[INFER_MAX_STEPS] = {false};
	printf("distance    of 8 bits from float, steps that lose most first:\n");
	for (int i = 0; i < (all ? network->step_count : LISTED); i++) {
		int step = next_worst(network, losses, printed);
		if (step < 0)
			break;
		printed[step] = true;
		print_step(network, step, &losses[INFER_FIRST_STEP_VALUE + step]);
	}
	if (!all && !printed[network->step_count - 1]) {
		printf("  the logits:\n");
		print_step(network, network->step_count - 1, &losses[INFER_FIRST_STEP_VALUE + network->step_count - 1]);
	}
}

static void show_progress(int done, int count, void *context)
{
	fprintf(stderr, "\r%s %d of %d", (const char *)context, done, count);
	if (done == count)
		fprintf(stderr, "\r\033[K");
	fflush(stderr);
}

/* --- the work ------------------------------------------------------------- */

static enum status write_network(const struct infer_network *network, const char *path, unsigned char **data,
				 size_t *size)
{
	TRY(weights_file_write(network, EXPORT_INT8, data, size));
	enum status status = atomic_file_write(path, &(struct file_part){*data, *size}, 1);
	if (status != STATUS_OK)
		free(*data);
	return status;
}

static enum status compare(const struct arguments *a, const struct dataset *dataset,
			   const struct infer_network *network, struct calibrate_options *options)
{
	struct calibration_loss *losses;
	options->samples =
		options->samples / COMPARED_SHARE > LEAST_COMPARED ? options->samples / COMPARED_SHARE : LEAST_COMPARED;
	options->seed++;
	options->context = "comparing";
	TRY(calibrate_losses(network, dataset, options, &losses));
	print_losses(network, losses, a->verbose);
	free(losses);
	return STATUS_OK;
}

static enum status quantize(const struct arguments *a, const struct dataset *dataset, struct infer_network *network)
{
	struct calibrate_options options = {.samples = a->samples,
					    .size = a->size ? a->size : infer_network_side(network),
					    .seed = (uint64_t)a->seed,
					    .context = "looking at object"};
	unsigned char *data;
	size_t size;
	if (!a->quiet && isatty(STDERR_FILENO))
		options.progress = show_progress;
	network->ranges = calloc((size_t)(INFER_FIRST_STEP_VALUE + network->step_count), sizeof *network->ranges);
	struct infer_network plain = *network;
	plain.ranges = NULL;
	if (!network->ranges)
		return status_fail(STATUS_NO_MEMORY, "no memory for the ranges of %d steps", network->step_count);
	enum status status = calibrate_ranges(&plain, dataset, &options, network->ranges);
	for (int i = 0; i < INFER_ARITHMETIC_COUNT; i++) /* what the run packed, which `network` frees */
		network->packed[i] = plain.packed[i];
	if (status != STATUS_OK)
		return status;
	TRY(write_network(network, a->output, &data, &size));
	printf("%s: %s, 8 bits, ranges from %d objects, %zu bytes\n", a->output, network->architecture, a->samples,
	       size);
	free(data);
	return compare(a, dataset, network, &options);
}

static enum status quantize_file(const struct arguments *a)
{
	const struct dataset_filter filter = {.min_area_fraction = 0.005, .max_area_fraction = 0.98};
	struct infer_network network;
	struct dataset dataset;
	TRY(read_network(a, &network));
	enum status status = dataset_open(&dataset, a->coco, a->images, &filter);
	if (status == STATUS_OK) {
		status = dataset.object_count > 0
				 ? quantize(a, &dataset, &network)
				 : status_fail(STATUS_CONFIG, "%s has no object of a usable size", a->coco);
		dataset_release(&dataset);
	}
	infer_network_release(&network);
	return status;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	enum status status = quantize_file(a);
	if (status == STATUS_OK && a->json)
		status = command_json_written(&command_quantize, arguments);
	return command_end("quantize", status);
}

const struct command command_quantize = {
	.name = "quantize",
	.summary = "a weights file that runs in 8 bits, from float weights and photos",
	.usage = "CHECKPOINT|FILE.tapcut --coco INSTANCES.json -o OUT.tapcut [OPTIONS]",
	.about = "Runs the network in float on crops of photos with simulated clicks, notes what range each value "
		 "takes, and writes a weights file with int8 weights "
		 "and these ranges: it runs in float and, several times as fast, in 8 bits (infer/FORMAT.md, section "
		 "3). Then both are run on further photos, and the "
		 "steps whose bytes are farthest from the floats are listed. A network that was trained for 8 bits has "
		 "its ranges already: tapcut export --weights int8.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut quantize runs/base/last.ckpt --coco clicks/train/instances.json -o base.tapcut",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
