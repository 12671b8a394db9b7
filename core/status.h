/* How libraries of tapcut report what went wrong.
 *
 * Every call that can fail because of something outside the program (a file, JSON, memory) returns an enum status; the
 * matching text is kept per thread until the next failure on that thread. Caller's bugs are assert()s, not statuses.
 * Only tools print and exit. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_NO_MEMORY,   /* an allocation failed */
	STATUS_IO,          /* a file could not be opened, read, written or synced */
	STATUS_FORMAT,      /* a file's content is damaged or not what it should be */
	STATUS_CONFIG,      /* a config key or command-line value is wrong */
	STATUS_LIMIT,       /* a declared size is over a limit */
	STATUS_INTERRUPTED, /* SIGINT/SIGTERM asked to stop; everything is saved */
};

/* Stores the message for this thread and returns `code`. Name the file, the key, what was expected and what was
 * found. */
enum status status_fail(enum status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message that is already stored (for adding a file name on the way up); returns `code`. */
enum status status_wrap(enum status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The last message on this thread ("" if none). Borrowed; valid until the next status_fail/status_wrap on this
 * thread. */
const char *status_message(void);

/* Forwards a failure to the caller. */
#define TRY(expression)                                 \
	do {                                            \
		enum status try_status_ = (expression); \
		if (try_status_ != STATUS_OK)           \
			return try_status_;             \
	} while (0)

#endif
