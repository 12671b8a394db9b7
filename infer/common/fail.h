/* How a function of infer says what went wrong: a status, and a sentence in memory of the caller's. */
#ifndef INFER_COMMON_FAIL_H
#define INFER_COMMON_FAIL_H

#include <stdarg.h>

#include "../tapcut.h"

/* Writes the sentence to `message` (TAPCUT_MESSAGE_SIZE bytes; NULL: nobody wants it) and returns `status`. */
enum tapcut_status infer_fail(char *message, enum tapcut_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with "WHERE: " before the sentence, for functions that add where it happened. */
enum tapcut_status infer_fail_at(char *message, enum tapcut_status status, const char *where, const char *format,
				 va_list arguments) __attribute__((format(printf, 4, 0)));

#endif
