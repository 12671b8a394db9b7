/* tapcut coco: masks of COCO files in another notation. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/coco_rle_export.h"
#include "tools/command.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut coco rle IN.json -o OUT.json [--skip-unusable]\n"
	      "\n"
	      "Writes every segmentation of an instances file (polygons, boxes, uncompressed and compressed RLE) as\n"
	      "compressed RLE, byte for byte as the COCO tools do: a list in the order of the annotations with id,\n"
	      "image_id, category_id, iscrowd, size, counts, area and bbox.\n"
	      "\n"
	      "  -o, --output FILE   where to write\n"
	      "  --skip-unusable     leave out segmentations that make no sense instead of stopping at the first\n"
	      "\n"
	      "example: tapcut coco rle instances_val2017.json -o val_rle.json\n",
	      out);
}

static int wrong_usage(const char *message, const char *argument)
{
	fprintf(stderr, "tapcut coco: %s%s\n", message, argument);
	return 2;
}

static int run_rle(const char *in, const char *out, bool skip_unusable)
{
	struct coco_rle_export export = {.skip_unusable = skip_unusable};
	if (coco_rle_export(&export, in, out) != STATUS_OK)
		return command_failed("coco");
	printf("%s: %" PRId64 " masks\n", out, export.written);
	if (export.left_out)
		fprintf(stderr, "tapcut coco: left out %" PRId64 " annotations without a mask; first: %s\n",
			export.left_out, export.first_reason);
	return 0;
}

int cmd_coco(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"skip-unusable", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *out = NULL;
	bool skip_unusable = false;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
		if (c == 'h') {
			print_usage(stdout);
			return 0;
		}
		if (c == 'o')
			out = optarg;
		else if (c == 's')
			skip_unusable = true;
		else
			return wrong_usage("cannot use ", argv[optind - 1]);
	}
	if (argc - optind != 2 || strcmp(argv[optind], "rle") != 0)
		return wrong_usage("expected: rle IN.json", "");
	if (!out)
		return wrong_usage("-o OUT.json is missing", "");
	return run_rle(argv[optind + 1], out, skip_unusable);
}
