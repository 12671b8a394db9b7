/* Fuzz target: configs. One that is accepted is printed with all its keys, and reads back as the same config; one
 * that is not is refused with a message. */
#include <string.h>

#include "train/config/config_file.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_again(const struct config *config)
{
	struct config again;
	char *text = config_to_json(config);
	fuzz_require(text != NULL);
	fuzz_require(config_from_json(&again, text, "printed") == STATUS_OK);
	char *second = config_to_json(&again);
	fuzz_require(second != NULL && strcmp(text, second) == 0);
	free(text);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct config config;
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (config_from_json(&config, text, "input") == STATUS_OK)
		print_again(&config);
	else
		fuzz_require(status_message()[0] != '\0');
	free(text);
	return 0;
}
