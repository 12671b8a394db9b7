/* tapcut coco: masks of COCO files in another notation. */
#include <inttypes.h>
#include <stdio.h>

#include "data/coco_rle_export.h"
#include "tools/command.h"
#include "tools/streams.h"

struct arguments {
	const char *verb, *input, *output;
	bool skip_unusable, json, quiet;
};

static const char *const verbs[] = {"rle", NULL};

static const struct option_row operand_rows[] = {
	{"rle", OPTION_CHOICE, OPTION_FIELD(verb), NULL, .help = "what to do", .names = verbs, .needed = true},
	{"IN.json", OPTION_FILE, OPTION_FIELD(input), NULL, .help = "an instances file", .needed = true},
	{0},
};

static const struct option_row option_rows[] = {
	{"output", OPTION_FILE, OPTION_FIELD(output), "FILE", .letter = 'o', .help = "where to write", .writes = true,
	 .needed = true},
	{"skip-unusable", OPTION_FLAG, OPTION_FIELD(skip_unusable), NULL,
	 .help = "leave out segmentations that make no sense instead of stopping at the first"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static enum status print_json(struct arguments *a, const struct coco_rle_export *export)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"masks\": %" PRId64 ", \"left_out\": %" PRId64 ", \"first_reason\": ", export->written,
		 export->left_out);
	text_add_json_string(&text, export->left_out ? export->first_reason : "");
	text_add(&text, ", ");
	enum status status = command_add_written(&command_coco, a, &text);
	text_add(&text, "}");
	if (status == STATUS_OK)
		return streams_json(&text);
	text_release(&text);
	return status;
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct coco_rle_export export = {.skip_unusable = a->skip_unusable};
	enum status status = coco_rle_export(&export, a->input, a->output);
	if (status != STATUS_OK)
		return command_failed("coco");
	printf("%s: %" PRId64 " masks\n", a->output, export.written);
	if (export.left_out && !a->quiet)
		fprintf(stderr, "tapcut coco: left out %" PRId64 " annotations without a mask; first: %s\n",
			export.left_out, export.first_reason);
	return command_end("coco", a->json ? print_json(a, &export) : STATUS_OK);
}

const struct command command_coco = {
	.name = "coco",
	.summary = "COCO masks: every segmentation as compressed RLE",
	.usage = "rle IN.json -o OUT.json [--skip-unusable]",
	.about = "Writes every segmentation of an instances file (polygons, boxes, uncompressed and compressed RLE) as "
		 "compressed RLE, byte for byte as the COCO tools do: "
		 "a list in the order of the annotations with id, image_id, category_id, iscrowd, size, counts, area "
		 "and bbox.",
	.options = option_rows,
	.operands = operand_rows,
	.examples = "tapcut coco rle instances_val2017.json -o val_rle.json",
	.size = sizeof(struct arguments),
	.run = run,
};
