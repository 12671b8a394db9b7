/* The table of all config keys: one row drives parsing, checking, printing and documentation of a key. To add a key,
 * add a field to struct config and a row here, then renew configs/README.md (a test says how). Internal to train. */
#ifndef TRAIN_CONFIG_KEYS_H
#define TRAIN_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "train/config/config.h"
#include "train/config/json.h"
#include "core/text.h"

enum config_type {
	KEY_INTEGER,  /* int or uint64_t */
	KEY_NUMBER,   /* float or double */
	KEY_BOOL,     /* one byte */
	KEY_ENUM,     /* one of `names`; the field holds its index, as an enum or one byte */
	KEY_CHOICE,   /* one of `names`; the field holds the text */
	KEY_TEXT,     /* char array */
	KEY_INTEGERS, /* lists; array of `element` bytes each */
	KEY_NUMBERS,
	KEY_TEXTS,
	KEY_FILES,   /* struct config_file array with its count: a path, or a list of paths and objects */
	KEY_STAGES,  /* struct config_stage array with its count: a list of objects */
	KEY_WEIGHTS, /* struct config_weight array with its count: an object of names and numbers */
};

struct config_key {
	const char *key; /* "section.key", or "key" at the top */
	enum config_type type;
	size_t offset, size;  /* of the field in struct config */
	const char *standard; /* the default, as JSON */
	const char *unit;     /* "" = none */
	const char *meaning;

	double min, max;          /* of a number, and of each number of a list */
	int multiple;             /* integers: must be a multiple of it; 0: any */
	const char *const *names; /* KEY_ENUM, KEY_CHOICE; NULL-terminated */
	size_t element;           /* lists: bytes of one element */
	size_t count;             /* lists: offset of the int that counts; 0: always full */
	bool path;                /* a file or folder, looked for beside the config too */
	bool change; /* may be changed when a run is continued: decides its bytes from there on, and is noted */
	bool free;   /* may differ when a run is continued: it cannot change the trained bytes */
	bool stage;  /* a stage may change it though its section is none of those */
	bool fixed;  /* no stage may change it though its section is one of those */
};

extern const struct config_key config_keys[];
extern const int config_key_count;

struct config_section {
	const char *name; /* "" = the keys at the top */
	const char *meaning;
	bool stages; /* stages may change its keys */
};
extern const struct config_section config_sections[];
extern const int config_section_count;

/* The row of a dotted key; NULL where there is no such key. */
const struct config_key *config_find_key(const char *name);
/* Whether a stage may change it. */
bool config_key_may_change(const struct config_key *key);
/* Sets what `value` says. `name`: its dotted key, "" for a whole config; `source`: for messages. */
enum status config_apply(struct config *config, const char *name, const struct json *value, const char *source);
/* The checks that span keys, and what follows from other keys. */
enum status config_finish(struct config *config, const char *source);

/* Stages: the list into config->stages, unchecked but for its form; out of it as JSON; then, once all keys are read,
 * the ends of the stages and a check of each one's config. */
enum status config_set_stages(struct config *config, const struct json *list, const char *source);
void config_add_stages(struct text *text, const struct config *config);
enum status config_finish_stages(struct config *config, const char *source);

/* Whether the first `step` steps of both are the same, by their stages: these may differ in what comes after. Other
 * keys are not looked at. */
enum status config_same_stages_until(const struct config *a, const struct config *b, uint64_t step, bool *same);

/* A key's value as JSON. */
void config_add_value(struct text *text, const struct config *config, const struct config_key *key);

#endif
