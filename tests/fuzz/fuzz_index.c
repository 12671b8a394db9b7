/* Fuzz target: a dataset's index. The input gets the checksum that fits it, so that the reader behind the checksum is
 * reached. See replay.c for how to run it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char magic[] = "TAPINDX3";
	uint8_t *copy = malloc(size + 12);
	memcpy(copy, magic, 8);
	if (size)
		memcpy(copy + 8, data, size);
	uint32_t crc = (uint32_t)crc32_z(0, copy, size + 8);
	for (int i = 0; i < 4; i++)
		copy[size + 8 + (size_t)i] = (uint8_t)(crc >> 8 * i);
	struct dataset dataset;
	if (index_read_memory(&dataset, copy, size + 12, "input") == STATUS_OK) {
		for (int i = 0; i < dataset.object_count; i++)
			if (dataset.objects[i].photo < 0 || dataset.objects[i].photo >= dataset.photo_count)
				abort();
	}
	dataset_release(&dataset);
	free(copy);
	return 0;
}
