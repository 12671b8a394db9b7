/* The per-thread message store behind core/status.h. */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024 };

static _Thread_local char message[MESSAGE_SIZE];

enum status status_fail(enum status code, const char *format, ...)
{
	/* Through a temporary, because an argument may point into the old message. */
	char text[MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	memcpy(message, text, sizeof message);
	return code;
}

static void append(char *text, const char *more)
{
	size_t used = strlen(text);
	for (; *more && used < MESSAGE_SIZE - 1; more++)
		text[used++] = *more;
	text[used] = '\0';
}

enum status status_wrap(enum status code, const char *format, ...)
{
	char text[MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	append(text, ": ");
	append(text, message);
	memcpy(message, text, sizeof message);
	return code;
}

const char *status_message(void)
{
	return message;
}
