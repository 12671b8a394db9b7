/* See sample.h. */
#include "data/sample.h"

#include <stdlib.h>

const uint8_t augment_fill[3] = {123, 117, 104};

enum status sample_alloc(struct sample *sample, int size)
{
	size_t pixels = (size_t)size * (size_t)size;
	*sample = (struct sample){.size = size};
	sample->rgb = malloc(pixels * 5);
	if (!sample->rgb)
		return status_fail(STATUS_NO_MEMORY, "no memory for a sample of %d x %d", size, size);
	sample->truth = sample->rgb + 3 * pixels;
	sample->others = sample->truth + pixels;
	return STATUS_OK;
}

void sample_release(struct sample *sample)
{
	free(sample->rgb);
	*sample = (struct sample){0};
}
