/* Fuzz target: photos. The first byte chooses what is asked for, the rest is the file. An image that is accepted has
 * all its pixels; what it says of itself can be written into another file and read back. */
#include <string.h>

#include "data/image_io.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct image *image, const struct image_metadata *metadata)
{
	unsigned char *data;
	size_t size;
	struct image small = {.width = 1, .height = 1, .channels = image->channels, .pixels = image->pixels};
	fuzz_require(image_encode_png(&small, &data, &size) == STATUS_OK);
	free(data);
	fuzz_require(!metadata->exif || metadata->exif_size >= 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int channels[] = {1, 3, 4, 3};
	struct fuzz_input input = {data, size};
	uint8_t choice = fuzz_byte(&input);
	struct image image;
	struct image_facts facts;
	struct image_metadata metadata;
	struct image_read_options options = {
		.channels = channels[choice & 3],
		.exif = choice & 4 ? EXIF_APPLY : EXIF_IGNORE,
		.facts = &facts,
		.metadata = &metadata,
	};
	if (image_read_memory(input.at, input.left, "input", &options, &image) == STATUS_OK) {
		size_t bytes = (size_t)image.width * (size_t)image.height * (size_t)image.channels;
		unsigned sum = 0;
		fuzz_require(image.width > 0 && image.height > 0 && image.channels == options.channels);
		for (size_t i = 0; i < bytes; i += 61)
			sum += image.pixels[i];
		fuzz_require(sum <= 255 * bytes + image.pixels[bytes - 1]);
		read_again(&image, &metadata);
	} else {
		fuzz_require(!image.pixels && status_message()[0]);
	}
	image_metadata_release(&metadata);
	image_release(&image);
	return 0;
}
