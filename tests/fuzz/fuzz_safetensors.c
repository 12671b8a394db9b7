/* Fuzz target: the safetensors reader. What is accepted must cover the file's data exactly, in order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check_tensor(const struct safetensors_tensor *tensor)
{
	demand(tensor->name[0] != '\0');
	float *floats = malloc((tensor->count + 1) * sizeof *floats);
	demand(floats != NULL);
	if (safetensors_floats(tensor, floats) != STATUS_OK)
		demand(status_message()[0] != '\0');
	safetensors_shape_matches(tensor, (struct shape){2, 3, 1, 1});
	free(floats);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The parser takes memory of exactly the file's size. */
	unsigned char *copy = malloc(size ? size : 1);
	struct safetensors file;
	demand(copy != NULL);
	memcpy(copy, data, size);
	if (safetensors_parse(&file, copy, size, "fuzz") != STATUS_OK) {
		demand(status_message()[0] != '\0' && file.tensors == NULL);
		return 0;
	}
	const unsigned char *end = file.count ? file.tensors[0].data : file.file + size;
	for (int i = 0; i < file.count; i++) {
		demand(file.tensors[i].data == end);
		check_tensor(&file.tensors[i]);
		end += file.tensors[i].bytes;
	}
	demand(end == file.file + size);
	safetensors_release(&file);
	return 0;
}
