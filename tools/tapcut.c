/* The `tapcut` program: finds the subcommand and hands over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/status.h"
#include "tools/command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"train", cmd_train, "train a model from a config"},
	{"eval", cmd_eval, "measure a model by the interactive protocol (NoC, mIoU)"},
	{"cut", cmd_cut, "cut an object out of a photo with a tap"},
	{"edit", cmd_edit, "filters, lens blur and another background through the mask of a tap"},
	{"export", cmd_export, "write a weights file from a checkpoint"},
	{"quantize", cmd_quantize, "a weights file that runs in 8 bits, from float weights and photos"},
	{"import", cmd_import, "read published weights (safetensors)"},
	{"inspect", cmd_inspect, "show what is in a weights file or checkpoint"},
	{"data", cmd_data, "summarise and index a COCO-format dataset"},
	{"coco", cmd_coco, "COCO masks: every segmentation as compressed RLE"},
	{"scenes", cmd_scenes, "generate photos in COCO format"},
	{"serve", cmd_serve, "show the web page, on this machine only"},
	{"bench", cmd_bench, "measure training and inference on this machine"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out)
{
	fprintf(out, "tapcut: select an object in a photo with one tap\n\nusage: tapcut COMMAND [OPTIONS]\n\n");
	for (int i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\ntapcut COMMAND --help shows the options and an example.\n\nTAPCUT_ISA=");
	for (int i = 0; kernels_names[i]; i++)
		fprintf(out, "%s%s", i ? "|" : "", kernels_names[i]);
	fprintf(out, " in the environment chooses the instructions to train with\n"
		     "(the weights get the same bytes with each); unset, the best that this processor has.\n");
}

int command_failed(const char *name)
{
	fprintf(stderr, "tapcut %s: %s\n", name, status_message());
	return 1;
}

bool command_int(const char *name, const char *option, const char *text, int low, int high, int *value)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && number >= low && number <= high) {
		*value = (int)number;
		return true;
	}
	fprintf(stderr, "tapcut %s: --%s: expected a whole number from %d to %d, found \"%s\"\n", name, option, low,
		high, text);
	return false;
}

/* The subcommand has said what is wrong with its command line; here is the way out. */
static int run_command(int index, int argc, char **argv)
{
	char name[32];
	snprintf(name, sizeof name, "tapcut %s", commands[index].name);
	argv[0] = name; /* what getopt_long begins its messages with */
	int code = commands[index].run(argc, argv);
	if (code == 2)
		fprintf(stderr, "%s --help shows the options and an example\n", name);
	return code;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return 0;
	}
	if (kernels_select(NULL)) {
		fprintf(stderr, "tapcut: %s\n", status_message());
		return 2;
	}
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(argv[1], commands[i].name))
			return run_command(i, argc - 1, argv + 1);
	fprintf(stderr, "tapcut: no command '%s'\n\n", argv[1]);
	print_usage(stderr);
	return 2;
}
