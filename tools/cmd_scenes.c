/* tapcut scenes: generated photos with masks, so that everything can be tried without a download. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/scenes.h"
#include "tools/command.h"

static void print_usage(FILE *out)
{
	fputs("usage: tapcut scenes --out DIR [OPTIONS]\n"
	      "\n"
	      "Writes generated photos to DIR/images and their object masks to DIR/instances.json (COCO format: "
	      "polygons and both\n"
	      "kinds of RLE). The same options write the same bytes.\n"
	      "\n"
	      "  --out DIR      where to; made where missing\n"
	      "  --count N      photos (default 200)\n"
	      "  --seed S       other photos for another seed (default 1)\n"
	      "  --width W      pixels (default 320)\n"
	      "  --height H     pixels (default 240)\n"
	      "  --quality Q    of the JPEG files, 1 to 100 (default 90)\n"
	      "\n"
	      "example: tapcut scenes --out scenes/train --count 500 --seed 1\n",
	      out);
}

static int wrong_usage(const char *message, const char *argument)
{
	fprintf(stderr, "tapcut scenes: %s%s\n", message, argument);
	return 2;
}

static bool parse_int(const char *text, int *value)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	*value = (int)number;
	return *text && !*end && !errno && number == *value;
}

static bool parse_seed(const char *text, uint64_t *seed)
{
	char *end;
	errno = 0;
	*seed = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* One line on a terminal, rewritten; nothing in a log. */
static void show_progress(int done, int count, void *context)
{
	(void)context;
	fprintf(stderr, "\r%d of %d photos", done, count);
	if (done == count)
		fprintf(stderr, "\r\033[K");
	fflush(stderr);
}

/* 0: parsed, and *help says whether to print the usage only; else the exit code. */
static int parse(int argc, char **argv, struct scenes_options *options, bool *help)
{
	static const struct option known[] = {
		{"out", required_argument, NULL, 'o'},    {"count", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},   {"width", required_argument, NULL, 'W'},
		{"height", required_argument, NULL, 'H'}, {"quality", required_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},         {0},
	};
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "o:h", known, NULL)) != -1;) {
		bool fine = true;
		switch (c) {
		case 'h': *help = true; return 0;
		case 'o': options->out_dir = optarg; break;
		case 'n': fine = parse_int(optarg, &options->count); break;
		case 's': fine = parse_seed(optarg, &options->seed); break;
		case 'W': fine = parse_int(optarg, &options->width); break;
		case 'H': fine = parse_int(optarg, &options->height); break;
		case 'q': fine = parse_int(optarg, &options->quality); break;
		default: return wrong_usage("cannot use ", argv[optind - 1]);
		}
		if (!fine)
			return wrong_usage("expected a whole number, found ", optarg);
	}
	if (optind < argc)
		return wrong_usage("cannot use ", argv[optind]);
	return options->out_dir ? 0 : wrong_usage("--out DIR is missing", "");
}

int cmd_scenes(int argc, char **argv)
{
	struct scenes_options options;
	bool help = false;
	scenes_options_init(&options);
	int code = parse(argc, argv, &options, &help);
	if (code)
		return code;
	if (help) {
		print_usage(stdout);
		return 0;
	}
	if (isatty(STDERR_FILENO))
		options.progress = show_progress;
	enum status status = scenes_write(&options);
	if (status != STATUS_OK)
		return command_failed("scenes") + (status == STATUS_CONFIG); /* 2: wrong usage */
	printf("%s: %d photos of %d x %d pixels and instances.json\n", options.out_dir, options.count, options.width,
	       options.height);
	return 0;
}
