/* What a sweep varies: config keys, each with a list of values or a range. A point of the space is one value per key;
 * that of trial i is a function of the sweep's seed, i and the key's name alone (Philox), so that it does not depend
 * on the number of trials, of workers, or on what else is varied.
 *
 * Numbers drawn from a range have four significant digits: what is written in a config is then what was drawn, on
 * every machine, and a person can read it. */
#ifndef TRAIN_SWEEP_SPACE_H
#define TRAIN_SWEEP_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "core/text.h"
#include "train/config/json.h"

enum {
	SPACE_MAX_PARAMETERS = 32,
	SPACE_MAX_VALUES = 256, /* of a list */
	SPACE_KEY = 64,
	SPACE_VALUE = 512, /* bytes of a value as text */
};

enum space_kind {
	SPACE_LIST,
	SPACE_LINEAR,
	SPACE_LOG,         /* uniform in the logarithm */
	SPACE_INTEGER,     /* whole numbers, all as likely */
	SPACE_LOG_INTEGER, /* whole numbers, uniform in the logarithm */
};
extern const char *const space_kind_names[]; /* "list", "linear", ...; NULL-terminated */

struct space_parameter {
	char key[SPACE_KEY]; /* dotted config key */
	enum space_kind kind;
	char **values; /* SPACE_LIST: JSON of each; owned */
	int value_count;
	double min, max; /* ranges; both ends belong to them */
	int multiple;    /* whole numbers are multiples of it; at least 1 */
	int points;      /* method "grid": so many values of a range; 0: not given */
};

struct space {
	struct space_parameter parameters[SPACE_MAX_PARAMETERS]; /* in the order of the sweep's file */
	int count;
};

/* A value per parameter: the index in a list, or the number itself. */
struct space_point {
	double at[SPACE_MAX_PARAMETERS];
};

/* The object "vary" of a sweep's file; `source` is the file's name for messages. Whether a key is a config key, and
 * takes such values, is not checked here. The space is to be released after a failure too. */
enum status space_parse(struct space *space, const struct json *vary, const char *source);
void space_release(struct space *space);

/* Points of the grid, the last parameter fastest. A range has its `points`, or all its whole numbers where it has at
 * most SPACE_MAX_VALUES; STATUS_CONFIG for a range without, and for more than `limit` points. */
enum status space_grid_size(const struct space *space, int limit, const char *source, int *size);
void space_grid_point(const struct space *space, int index, struct space_point *point);

/* The point of trial `trial`; another `attempt` (0, 1, ...) is another point. */
void space_draw(const struct space *space, uint64_t seed, int trial, int attempt, struct space_point *point);
bool space_same(const struct space *space, const struct space_point *a, const struct space_point *b);

/* Where a value lies in its range, 0..1 (in the logarithm where that is how it is drawn); the middle of its share for
 * an item of a list. And back, to the nearest value that can be drawn. */
double space_to_unit(const struct space_parameter *parameter, double at);
double space_from_unit(const struct space_parameter *parameter, double unit);

/* The value as JSON. */
void space_add_value(struct text *text, const struct space_parameter *parameter, double at);
/* The same for tables and pictures: a text without its quotes. */
void space_add_plain(struct text *text, const struct space_parameter *parameter, double at);
/* "optim.lr=0.003 optim.name=adam", as --set takes them one by one. */
void space_add_settings(struct text *text, const struct space *space, const struct space_point *point);
/* {"optim.lr": 0.003, ...}, without the braces; as dotted keys. */
void space_add_point(struct text *text, const struct space *space, const struct space_point *point);
/* The inverse, from an object of dotted keys; false if it is no point of this space. */
bool space_read_point(const struct space *space, const struct json *object, struct space_point *point);

/* A JSON value on one line. */
void space_add_json(struct text *text, const struct json *value);

#endif
