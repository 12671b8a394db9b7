/* What a command line changes in a config: --set KEY=VALUE, and options that stand for a key. */
#ifndef TOOLS_OVERRIDES_H
#define TOOLS_OVERRIDES_H

#include <stdbool.h>

enum { MAX_OVERRIDES = 256, MAX_OVERRIDE_OPTIONS = 16, OVERRIDE_SIZE = 128 };

/* All zero: none. */
struct overrides {
	const char *items[MAX_OVERRIDES]; /* for config_load; in the order given, the last one counts */
	int count;
	char made[MAX_OVERRIDE_OPTIONS][OVERRIDE_SIZE];
	int made_count;
};

/* Adds "KEY=VALUE", which stays the caller's. False after a message on stderr that begins with "tapcut COMMAND: ". */
bool overrides_add(struct overrides *overrides, const char *command, const char *text);
/* The same for --OPTION VALUE, which stands for a key; what the key may be is checked with the config. */
bool overrides_add_option(struct overrides *overrides, const char *command, const char *option, const char *key,
			  const char *value);

#endif
