/* `tapcut inspect --json`: what a file holds, as one JSON object. Each adds to `text`, which the caller prints. */
#ifndef TOOLS_INSPECT_JSON_H
#define TOOLS_INSPECT_JSON_H

#include "convert/safetensors.h"
#include "core/checkpoint.h"
#include "core/text.h"
#include "infer/network/network.h"

/* `steps`: also the list of its steps at its own size. */
enum status inspect_add_network(const struct infer_network *network, const char *digest, bool steps, struct text *text);
/* The config, the step it stands at, its sections. */
enum status inspect_add_checkpoint(const struct checkpoint *checkpoint, size_t size, const char *digest,
				   struct text *text);
enum status inspect_add_safetensors(const struct safetensors *file, size_t size, const char *digest, struct text *text);

#endif
