/* See overrides.h. */
#include "tools/overrides.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "train/config/config_file.h"
#include "train/config/config_keys.h"

static enum status add_checked(struct overrides *overrides, const char *text)
{
	if (overrides->count == MAX_OVERRIDES)
		return status_fail(STATUS_CONFIG, "expected at most %d of them", MAX_OVERRIDES);
	enum status status = config_check_override(text);
	const char *message = status_message(), prefix[] = "--set: ";
	if (status != STATUS_OK) /* which option it is will be said by the row */
		return status_fail(status, "%s",
				   message + (strncmp(message, prefix, strlen(prefix)) ? 0 : strlen(prefix)));
	overrides->items[overrides->count++] = text;
	return STATUS_OK;
}

enum status overrides_take_set(void *field, const struct option_row *row, const char *value)
{
	(void)row;
	const char *equals = strchr(value, '=');
	return equals && equals != value ? add_checked(field, value) : option_expected(value, "KEY=VALUE");
}

/* A whole number is refused in the words of all options; other types in those of configs. */
static enum status check_number(const struct config_key *key, const char *value)
{
	const struct option_row row = {key->key, OPTION_WHOLE, 0, sizeof(int64_t), .min = key->min, .max = key->max};
	int64_t number;
	char expected[128];
	if (key->type != KEY_INTEGER || option_read(&row, value, &number))
		return STATUS_OK;
	option_describe(&row, expected, sizeof expected);
	return option_expected(value, "%s", expected);
}

enum status overrides_take_key(void *field, const struct option_row *row, const char *value)
{
	struct overrides *overrides = field;
	if (overrides->made_count == MAX_OVERRIDE_OPTIONS)
		return status_fail(STATUS_CONFIG, "expected at most %d options that change the config",
				   MAX_OVERRIDE_OPTIONS);
	for (int i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].key, row->key) == 0)
			TRY(check_number(&config_keys[i], value));
	char *text = overrides->made[overrides->made_count++];
	if (!*value || snprintf(text, OVERRIDE_SIZE, "%s=%s", row->key, value) >= OVERRIDE_SIZE)
		return option_expected(value, "a value for %s", row->key);
	return add_checked(overrides, text);
}
