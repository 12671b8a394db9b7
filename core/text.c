/* See text.h. */
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *text)
{
	*text = (struct text){0};
}

void text_release(struct text *text)
{
	free(text->data);
	text_init(text);
}

/* Room for `extra` more bytes and a NUL. */
static bool reserve(struct text *text, size_t extra)
{
	if (text->failed || extra > SIZE_MAX / 4 - text->length) {
		text->failed = true;
		return false;
	}
	size_t need = text->length + extra + 1;
	if (need <= text->capacity)
		return true;
	size_t capacity = text->capacity ? text->capacity : 256;
	while (capacity < need)
		capacity *= 2;
	char *data = realloc(text->data, capacity);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t count)
{
	if (!reserve(text, count))
		return;
	if (count)
		memcpy(text->data + text->length, bytes, count);
	text->length += count;
	text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int count = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (count < 0)
		text->failed = true;
	else if (reserve(text, (size_t)count)) {
		vsnprintf(text->data + text->length, (size_t)count + 1, format, again);
		text->length += (size_t)count;
	}
	va_end(again);
}

void text_add_json_string(struct text *text, const char *string)
{
	text_add_bytes(text, "\"", 1);
	for (const char *c = string; *c; c++) {
		if (*c == '"' || *c == '\\')
			text_add(text, "\\%c", *c);
		else if (*c == '\n')
			text_add_bytes(text, "\\n", 2);
		else if (*c == '\t')
			text_add_bytes(text, "\\t", 2);
		else if ((unsigned char)*c < 0x20)
			text_add(text, "\\u%04x", (unsigned char)*c);
		else
			text_add_bytes(text, c, 1);
	}
	text_add_bytes(text, "\"", 1);
}

/* Below this, whole numbers are written out: 20000, not 2e+04. */
#define WHOLE_LIMIT 1e15

void text_add_number(struct text *text, double number)
{
	char digits[40] = "null";
	if (isfinite(number) && fabs(number) < WHOLE_LIMIT && number == floor(number))
		snprintf(digits, sizeof digits, "%.0f", number);
	else if (isfinite(number))
		for (int precision = 1; precision <= 17; precision++) {
			snprintf(digits, sizeof digits, "%.*g", precision, number);
			if (strtod(digits, NULL) == number)
				break;
		}
	text_add_bytes(text, digits, strlen(digits));
}

void text_add_float(struct text *text, float number)
{
	char digits[40];
	if (!isfinite(number) || number == floorf(number)) {
		text_add_number(text, (double)number);
		return;
	}
	for (int precision = 1; precision <= 9; precision++) {
		snprintf(digits, sizeof digits, "%.*g", precision, (double)number);
		if (strtof(digits, NULL) == number)
			break;
	}
	text_add_bytes(text, digits, strlen(digits));
}

void text_add_html(struct text *text, const char *string)
{
	for (const char *c = string; *c; c++) {
		if (*c == '&')
			text_add_bytes(text, "&amp;", 5);
		else if (*c == '<')
			text_add_bytes(text, "&lt;", 4);
		else if (*c == '>')
			text_add_bytes(text, "&gt;", 4);
		else if (*c == '"')
			text_add_bytes(text, "&quot;", 6);
		else
			text_add_bytes(text, c, 1);
	}
}

enum status text_status(const struct text *text)
{
	return text->failed ? status_fail(STATUS_NO_MEMORY, "no memory for a text of %zu bytes", text->length)
			    : STATUS_OK;
}

char *text_take(struct text *text)
{
	if (!text->failed)
		reserve(text, 0);
	if (text_status(text) != STATUS_OK) {
		text_release(text);
		return NULL;
	}
	if (!text->length)
		text->data[0] = '\0';
	char *data = text->data;
	text_init(text);
	return data;
}
