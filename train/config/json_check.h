/* Is a text JSON to the letter of RFC 8259? cJSON is lenient: it takes trailing text, 01, 1., 1e999 (as infinity),
 * numbers over 63 characters (cut), \u0000 (cuts the string) and invalid UTF-8. This scanner runs first and allows
 * none of it, and it knows line and column. */
#ifndef TRAIN_JSON_CHECK_H
#define TRAIN_JSON_CHECK_H

#include <stddef.h>

#include "core/status.h"

/* More levels or values than this are refused: the first bounds recursion, the second memory (cJSON takes some 80
 * bytes each). */
enum { JSON_MAX_DEPTH = 64, JSON_MAX_VALUES = 4 * 1000 * 1000 };

/* STATUS_FORMAT or STATUS_LIMIT with a message "NAME: line 3, column 7: expected ..., found ...". */
enum status json_check(const char *text, size_t length, const char *name);

#endif
