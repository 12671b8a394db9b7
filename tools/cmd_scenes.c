/* tapcut scenes: generated photos with masks, so that everything can be tried without a download. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "data/scenes.h"
#include "tools/command.h"
#include "tools/streams.h"

struct arguments {
	struct scenes_options scenes;
	bool json, quiet;
};

static const struct option_row option_rows[] = {
	{"out", OPTION_FOLDER, OPTION_FIELD(scenes.out_dir), "DIR", .letter = 'o',
	 .help = "where to; made where missing", .needed = true},
	{"count", OPTION_WHOLE, OPTION_FIELD(scenes.count), "N", .help = "photos", .min = 1, .max = SCENES_MOST,
	 .standard = "200"},
	{"seed", OPTION_WHOLE, OPTION_FIELD(scenes.seed), "S", .help = "other photos for another seed",
	 .max = 18446744073709551615.0, .any_base = true, .standard = "1"},
	{"width", OPTION_WHOLE, OPTION_FIELD(scenes.width), "W", .help = "of a photo", .min = SCENES_LEAST_SIDE,
	 .max = SCENES_MOST_SIDE, .unit = "pixels", .standard = "320"},
	{"height", OPTION_WHOLE, OPTION_FIELD(scenes.height), "H", .help = "of a photo", .min = SCENES_LEAST_SIDE,
	 .max = SCENES_MOST_SIDE, .unit = "pixels", .standard = "240"},
	{"quality", OPTION_WHOLE, OPTION_FIELD(scenes.quality), "Q", .help = "of the JPEG files", .min = 1, .max = 100,
	 .standard = "90"},
	OPTION_ROW_JSON,
	OPTION_ROW_QUIET,
	{0},
};

static void init(void *arguments)
{
	scenes_options_init(&((struct arguments *)arguments)->scenes);
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

static enum status print_json(const struct scenes_options *scenes)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"folder\": ");
	text_add_json_string(&text, scenes->out_dir);
	text_add(&text, ", \"photos\": %d, \"width\": %d, \"height\": %d, \"seed\": %" PRIu64 "}", scenes->count,
		 scenes->width, scenes->height, scenes->seed);
	return streams_json(&text);
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	struct scenes_options *scenes = &a->scenes;
	if (!a->quiet && isatty(STDERR_FILENO))
		scenes->progress = show_progress;
	enum status status = scenes_write(scenes);
	if (status == STATUS_OK)
		printf("%s: %d photos of %d x %d pixels and instances.json\n", scenes->out_dir, scenes->count,
		       scenes->width, scenes->height);
	if (status == STATUS_OK && a->json)
		status = print_json(scenes);
	return command_end("scenes", status);
}

const struct command command_scenes = {
	.name = "scenes",
	.summary = "generate photos in COCO format",
	.usage = "--out DIR [OPTIONS]",
	.about = "Writes generated photos to DIR/images and their object masks to DIR/instances.json (COCO format: "
		 "polygons and both kinds of RLE). The same options write the same bytes.",
	.options = option_rows,
	.examples = "tapcut scenes --out scenes/train --count 500 --seed 1",
	.size = sizeof(struct arguments),
	.init = init,
	.run = run,
};
