/* Which bytes the photos of a set had when they were read, so that a photo that is another one later, or on another
 * machine, is found and named. A photo's file is digested (SHA-256) when this process reads it for the first time: it
 * is in memory then anyway.
 *
 * For one dataset; index = its photo's. Reading is safe from any number of threads. */
#ifndef DATA_PHOTO_DIGESTS_H
#define DATA_PHOTO_DIGESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct photo_digests;

enum status photo_digests_new(int photo_count, struct photo_digests **digests);
void photo_digests_free(struct photo_digests *digests); /* NULL is allowed */

/* The file of photo `index` as it was read from `path`: noted, or compared with what is known. STATUS_FORMAT where it
 * is another one. Cheap after the first time. */
enum status photo_digests_check(struct photo_digests *digests, int index, const void *data, size_t size,
				const char *path);
/* Whether this process has read it, so that there is nothing to check. */
bool photo_digests_was_read(const struct photo_digests *digests, int index);

/* What a photo must be: from an earlier start of the run, or from another process. False where it is known and is
 * another. It counts as used. */
bool photo_digests_expect(struct photo_digests *digests, int index, const uint8_t digest[32]);
/* It went into the result, and not only into a loader that was ahead. */
void photo_digests_use(struct photo_digests *digests, int index);

/* The digest of a photo that was used; false where it was not. */
bool photo_digests_get(const struct photo_digests *digests, int index, uint8_t digest[32]);
/* Photos used, and one digest over their numbers and digests in order. */
int photo_digests_all(const struct photo_digests *digests, uint8_t digest[32]);

#endif
