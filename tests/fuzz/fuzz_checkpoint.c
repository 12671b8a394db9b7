/* Fuzz target: checkpoints. The input is what stands between magic and digest, which are made to fit. Sections that are
 * accepted lie inside the file. */
#include <string.h>

#include "core/checkpoint.h"
#include "core/sha256.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MAGIC = 8, DIGEST = 32 };
	size_t whole = MAGIC + size + DIGEST;
	char *file = malloc(whole);
	struct sha256 sha;
	struct checkpoint checkpoint;
	if (!file)
		return 0;
	memcpy(file, "TAPCKPT1", MAGIC);
	if (size)
		memcpy(file + MAGIC, data, size);
	sha256_init(&sha);
	sha256_update(&sha, file, MAGIC + size);
	sha256_final(&sha, (uint8_t *)file + MAGIC + size);
	if (checkpoint_read_memory(&checkpoint, file, whole, "input") != STATUS_OK) {
		fuzz_require(status_message()[0] && !checkpoint.bytes);
		return 0;
	}
	for (int i = 0; i < checkpoint.count; i++) {
		const struct checkpoint_section *section = &checkpoint.sections[i];
		const char *begin = section->data;
		fuzz_require(memchr(section->name, 0, sizeof section->name) != NULL);
		fuzz_require(begin >= checkpoint.bytes && section->size <= whole &&
			     begin + section->size <= checkpoint.bytes + whole - DIGEST);
		fuzz_require(checkpoint_find(&checkpoint, section->name, SIZE_MAX) != NULL);
	}
	checkpoint_release(&checkpoint);
	return 0;
}
