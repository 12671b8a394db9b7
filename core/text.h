/* Text that grows: configs, log lines and reports are put together in memory and written in one go. Failure is
 * sticky, so that a long list of text_add calls needs one check at the end. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

struct text {
	char *data; /* owned; NUL-terminated once something was added, else NULL */
	size_t length, capacity;
	bool failed; /* an allocation failed; everything added since is lost */
};

void text_init(struct text *text);
void text_release(struct text *text);

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const void *bytes, size_t count);
/* With the escapes of JSON and the quotes around it. */
void text_add_json_string(struct text *text, const char *string);
/* The shortest decimal that reads back as the same number; null where it is not finite, because JSON has no word for
 * that. */
void text_add_number(struct text *text, double number);
/* The shortest decimal that reads back as the same float. */
void text_add_float(struct text *text, float number);
/* With & < > " written as HTML entities. */
void text_add_html(struct text *text, const char *string);

/* STATUS_NO_MEMORY if any addition failed. */
enum status text_status(const struct text *text);
/* Hands the text to the caller, who frees it; NULL when an addition failed. The struct is empty afterwards. */
char *text_take(struct text *text);

#endif
