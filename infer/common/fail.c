/* See fail.h. A sentence that does not fit is cut at its end. */
#include "fail.h"

#include <stdio.h>

enum tapcut_status infer_fail(char *message, enum tapcut_status status, const char *format, ...)
{
	if (message) {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(message, TAPCUT_MESSAGE_SIZE, format, arguments);
		va_end(arguments);
	}
	return status;
}

enum tapcut_status infer_fail_at(char *message, enum tapcut_status status, const char *where, const char *format,
				 va_list arguments)
{
	if (message) {
		int used = snprintf(message, TAPCUT_MESSAGE_SIZE, "%s: ", where);
		if (used >= 0 && used < TAPCUT_MESSAGE_SIZE)
			vsnprintf(message + used, TAPCUT_MESSAGE_SIZE - (size_t)used, format, arguments);
	}
	return status;
}
