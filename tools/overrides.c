/* See overrides.h. */
#include "tools/overrides.h"

#include <stdio.h>

bool overrides_add(struct overrides *overrides, const char *command, const char *text)
{
	if (overrides->count == MAX_OVERRIDES) {
		fprintf(stderr, "tapcut %s: more than %d times --set\n", command, MAX_OVERRIDES);
		return false;
	}
	overrides->items[overrides->count++] = text;
	return true;
}

bool overrides_add_option(struct overrides *overrides, const char *command, const char *option, const char *key,
			  const char *value)
{
	if (overrides->made_count == MAX_OVERRIDE_OPTIONS) {
		fprintf(stderr, "tapcut %s: more than %d options that change the config; use --set\n", command,
			MAX_OVERRIDE_OPTIONS);
		return false;
	}
	char *text = overrides->made[overrides->made_count++];
	if (!*value || snprintf(text, OVERRIDE_SIZE, "%s=%s", key, value) >= OVERRIDE_SIZE) {
		fprintf(stderr, "tapcut %s: %s expects a value for %s, found \"%s\"\n", command, option, key, value);
		return false;
	}
	return overrides_add(overrides, command, text);
}
