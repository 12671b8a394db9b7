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

enum status status_wrap(enum status code, const char *format, ...)
{
	char text[MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t used = strlen(text), room = sizeof text - 1 - used;
	strncat(text, ": ", room);
	strncat(text, message, room > 2 ? room - 2 : 0);
	memcpy(message, text, sizeof message);
	return code;
}

const char *status_message(void)
{
	return message;
}
