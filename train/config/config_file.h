/* A config read from a file, checked, written out again, and compared with another one. */
#ifndef TRAIN_CONFIG_FILE_H
#define TRAIN_CONFIG_FILE_H

#include <stdio.h>

#include "core/status.h"
#include "train/config/config.h"

/* Every key's default. Fails only when memory is out. */
enum status config_init(struct config *config);
/* Defaults; then the file that "base" names (relative to the file; it may have a base itself), then the file, then each
 * "a.b=v" override in order. Every value is checked; messages name file, key, expected, found; what only the overrides
 * make wrong is said to come from --set. A relative path in the config that does not exist from the working directory
 * but does from the file's folder becomes the latter. Files that the config names need not exist. */
enum status config_load(struct config *config, const char *path, const char *const *overrides, int override_count);
/* Whether one "a.b=v" is a value that its key can have, other keys aside; the message names the key. */
enum status config_check_override(const char *override);
/* From a config.json text as config_to_json gives it (the one inside a checkpoint). */
enum status config_from_json(struct config *config, const char *text, const char *name);
/* The resolved config with every key; returned, caller frees; NULL when memory is out. Stable: the same config, the
 * same bytes. */
char *config_to_json(const struct config *config);
/* Key, type, default, unit and meaning of every key, as configs/README.md has them. */
void config_print_keys(FILE *out);

/* What training needs beyond a valid config: data.train is given, and the files that are named are there. */
enum status config_check_training(const struct config *config);
/* SHA-256 over the keys that decide the trained bytes and are not at their defaults: a key that is added later, and
 * whose default changes nothing, changes no digest. */
enum status config_digest(const struct config *config, uint8_t digest[32]);

/* What a run that goes on does otherwise than before. */
enum { CONFIG_MAX_CHANGES = 8 };
enum { CONFIG_CHANGE_TEXT = 80 };
struct config_change {
	const char *key;
	char from[CONFIG_CHANGE_TEXT], to[CONFIG_CHANGE_TEXT]; /* as JSON */
};
struct config_changes {
	struct config_change items[CONFIG_MAX_CHANGES];
	int count;
};

/* May a run that was started with `saved` continue with `now` after `step` steps? Stages may be other ones where the
 * steps so far would have been the same. Keys that cannot change the trained bytes may differ,
 * and a few that may be changed on the way (configs/README.md marks both); what was changed of these goes to `changes`.
 * The message names the first other one. */
enum status config_check_resume(const struct config *saved, const struct config *now, uint64_t step,
				struct config_changes *changes);

#endif
