/* What a command line changes in a config: --set KEY=VALUE, and options that stand for a key. */
#ifndef TOOLS_OVERRIDES_H
#define TOOLS_OVERRIDES_H

#include <stdbool.h>

#include "tools/options.h"

enum { MAX_OVERRIDES = 256, MAX_OVERRIDE_OPTIONS = 16, OVERRIDE_SIZE = 128 };

/* All zero: none. */
struct overrides {
	const char *items[MAX_OVERRIDES]; /* for config_load; in the order given, the last one counts */
	int count;
	char made[MAX_OVERRIDE_OPTIONS][OVERRIDE_SIZE];
	int made_count;
};

/* What reads --set, and an option that stands for the config key of its row: for rows of the type OPTION_CALL whose
 * field is the struct. The value is checked as the config's own would be, except for what needs other keys. */
enum status overrides_take_set(void *field, const struct option_row *row, const char *value);
enum status overrides_take_key(void *field, const struct option_row *row, const char *value);

#endif
