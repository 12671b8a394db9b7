/* All commands, in the order of `tapcut --help`. */
#include <stddef.h>

#include "tools/command.h"

const struct command *const commands[] = {
	&command_train,  &command_reproduce, &command_sweep,      &command_runs,   &command_eval,
	&command_cut,    &command_edit,      &command_label,      &command_export, &command_quantize,
	&command_import, &command_inspect,   &command_data,       &command_coco,   &command_scenes,
	&command_serve,  &command_bench,     &command_completion, &command_man,    NULL,
};
