/* The options of the commands: a row each. One row parses, checks, explains and completes an option, and puts it into
 * the man page. To add one: a field in the command's struct arguments and a row in its table (tools/README.md).
 *
 * What getopt_long accepts is accepted: --name value, --name=value, unambiguous beginnings of a name, options after
 * operands, and "--" before operands that begin with a dash. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

enum option_type {
	OPTION_END,     /* no row: the table ends */
	OPTION_HEADING, /* no option: `name` stands as a line above those that follow */
	OPTION_FLAG,    /* without a value; the field, a bool or an int, becomes 1, or 0 where the row says `off` */
	OPTION_WHOLE,   /* a whole number from min to max; the field is an int, int64_t or uint64_t */
	OPTION_REAL,    /* a number from min to max; float or double */
	OPTION_TEXT,    /* const char *, borrowed from the command line; not empty */
	/* the same, a file's name; "-" is standard input, or standard output where the row says `writes` */
	OPTION_FILE,
	OPTION_FOLDER, /* the same, a folder's name */
	OPTION_CHOICE, /* the same, one of `names` */
	OPTION_ENUM,   /* one of `names`; the field, an int or enum, gets its index */
	OPTION_CALL,   /* `take` reads the value */
};

struct option_row {
	const char *name; /* "size" of --size; of an operand what stands for it: "PHOTO" */
	enum option_type type;
	size_t offset, size; /* of the field in the command's struct: OPTION_FIELD */
	const char *value;   /* what stands for the value in texts: "N", "FILE"; NULL: without one */
	const char *help;    /* without range, unit and default, which follow from the row */

	char letter;          /* -o beside --output; 0: none */
	const char *standard; /* the default as it would be given, set before the command line is read; NULL: zero */
	const char
		*otherwise; /* where there is no such default: what holds without the option, in words; NULL: nothing */
	const char *unit;   /* "pixels"; NULL: none */
	double min, max;    /* of a number */
	bool above_min;     /* more than min, not min itself */
	bool below_max;
	bool any_base;            /* whole numbers: 0x1f and 017 as well */
	const char *const *names; /* OPTION_CHOICE, OPTION_ENUM; ends with NULL */
	enum status (*take)(void *field, const struct option_row *row, const char *value); /* OPTION_CALL */
	const char *key; /* the config key that the option stands for (tools/overrides.h) */
	/* OPTION_FILE with `writes`: the endings that suit what is written, ".png .jpg"; NULL: any */
	const char *ends;
	bool off;       /* OPTION_FLAG: sets 0 */
	int sets;       /* OPTION_FLAG of an int: what it sets; 0: 1 */
	bool writes;    /* OPTION_FILE: is written, not read */
	bool no_stream; /* OPTION_FILE: cannot be standard input or output */
	bool many;      /* may be given several times, and each counts; else the last one does */
	bool needed;    /* the command does not work without it */
	bool alone;     /* OPTION_FLAG: the command shows something and ends, nothing else is needed */
};

/* Offset and size of a field of the file's own struct arguments. */
#define OPTION_FIELD(field) offsetof(struct arguments, field), sizeof(((struct arguments *)0)->field)

/* The rows of --json and --quiet, for structs with these fields (tools/streams.h does what they say). */
#define OPTION_ROW_JSON                                                                 \
	{                                                                               \
		"json", OPTION_FLAG, OPTION_FIELD(json), NULL, .help = OPTION_JSON_HELP \
	}
#define OPTION_ROW_QUIET                                                                   \
	{                                                                                  \
		"quiet", OPTION_FLAG, OPTION_FIELD(quiet), NULL, .help = OPTION_QUIET_HELP \
	}
#define OPTION_JSON_HELP "one JSON object on standard output, and nothing else there"
#define OPTION_QUIET_HELP "no messages and no progress, only errors"

struct command; /* tools/command_form.h */

/* The rows that every command has: --help and --version. Their fields are in struct options_common. */
extern const struct option_row options_common[];

/* What a command line asked for. */
enum options_result {
	OPTIONS_RUN,
	OPTIONS_ALONE, /* a row with `alone` was given: run without what else is needed */
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_WRONG, /* status_message() says what */
};

/* Sets the defaults in `arguments`, which is zeroed (command->init, then the rows), and reads argv[1..] into it. argv
 * may be permuted and is borrowed for as long as the arguments are used. Neither the files that it
 * names nor what command->check looks at are checked. */
enum options_result options_parse(const struct command *command, int argc, char **argv, void *arguments);

/* Reads a value into `field` as the row says; false, and the field stays, if it is not what the row wants. Not for
 * OPTION_CALL. */
bool option_read(const struct option_row *row, const char *value, void *field);
/* The same into the row's own field, OPTION_CALL too: STATUS_CONFIG with "--NAME: expected ..., found ...". */
enum status options_set(const struct option_row *row, bool operand, const char *value, void *arguments);

/* For `take`: STATUS_CONFIG, "expected EXPECTED, found "VALUE"". */
enum status option_expected(const char *value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for `check`, of --NAME. */
enum status option_wrong(const char *name, const char *value, const char *expected);

/* What a row's value must be, in words: "a whole number from 32 to 4096". */
void option_describe(const struct option_row *row, char *text, size_t size);
/* "16 to 4096 pixels", of a number; else "". */
void option_range(const struct option_row *row, char *text, size_t size);

/* The field of a row; of a FILE, FOLDER, TEXT or CHOICE its text. */
void *option_field(const struct option_row *row, void *arguments);
const char **option_text(const struct option_row *row, void *arguments);
/* The row of that name; NULL: none. */
const struct option_row *options_find(const struct option_row *rows, const char *name);
/* Whether the command has a flag of that name and it was given. */
bool options_flag(const struct command *command, void *arguments, const char *name);

#endif
