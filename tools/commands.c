/* All commands, in the order of `tapcut --help`. */
#include <stddef.h>

#include "tools/command.h"

#define OLD(NAME, SUMMARY) static const struct command command_##NAME = {#NAME, SUMMARY, .old = cmd_##NAME}
OLD(edit, "filters, lens blur and another background through the mask of a tap");
OLD(export, "write a weights file from a checkpoint");
OLD(quantize, "a weights file that runs in 8 bits, from float weights and photos");
OLD(import, "read published weights (safetensors)");
OLD(inspect, "show what is in a weights file or checkpoint");
OLD(coco, "COCO masks: every segmentation as compressed RLE");
OLD(scenes, "generate photos in COCO format");
OLD(serve, "show the web page, on this machine only");
OLD(bench, "measure training and inference on this machine");
OLD(cut, "cut an object out of a photo with a tap");

const struct command *const commands[] = {
	&command_train,    &command_eval,   &command_cut,     &command_edit, &command_export,
	&command_quantize, &command_import, &command_inspect, &command_data, &command_coco,
	&command_scenes,   &command_serve,  &command_bench,   NULL,
};
