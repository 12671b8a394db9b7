/* See photo_digests.h. */
#include "data/photo_digests.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/sha256.h"

/* What is known of a photo; bits. */
enum { KNOWN = 1, READ = 2, USED = 4 };

struct photo_digests {
	int count;
	uint8_t (*digests)[32];
	atomic_uchar *flags;
	pthread_mutex_t mutex; /* for digests and for setting flags */
};

enum status photo_digests_new(int photo_count, struct photo_digests **digests)
{
	struct photo_digests *d = calloc(1, sizeof *d);
	size_t count = (size_t)photo_count + 1;
	*digests = d;
	if (d) {
		d->count = photo_count;
		d->digests = calloc(count, sizeof *d->digests);
		d->flags = calloc(count, sizeof *d->flags);
	}
	if (d && d->digests && d->flags && pthread_mutex_init(&d->mutex, NULL) == 0)
		return STATUS_OK;
	if (d) {
		free(d->digests);
		free(d->flags);
	}
	free(d);
	*digests = NULL;
	return status_fail(STATUS_NO_MEMORY, "no memory for the digests of %d photos", photo_count);
}

void photo_digests_free(struct photo_digests *digests)
{
	if (!digests)
		return;
	pthread_mutex_destroy(&digests->mutex);
	free(digests->digests);
	free(digests->flags);
	free(digests);
}

bool photo_digests_was_read(const struct photo_digests *digests, int index)
{
	return atomic_load(&digests->flags[index]) & READ;
}

/* Notes the digest, or compares it. */
static bool settle(struct photo_digests *digests, int index, const uint8_t digest[32], unsigned char flags)
{
	pthread_mutex_lock(&digests->mutex);
	bool known = atomic_load(&digests->flags[index]) & KNOWN;
	bool same = !known || memcmp(digests->digests[index], digest, 32) == 0;
	if (!known)
		memcpy(digests->digests[index], digest, 32);
	if (same)
		atomic_fetch_or(&digests->flags[index], (unsigned char)(KNOWN | flags));
	pthread_mutex_unlock(&digests->mutex);
	return same;
}

enum status photo_digests_check(struct photo_digests *digests, int index, const void *data, size_t size,
				const char *path)
{
	uint8_t digest[32];
	char found[65], expected[65];
	struct sha256 sha;
	if (photo_digests_was_read(digests, index))
		return STATUS_OK;
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, digest);
	if (settle(digests, index, digest, READ))
		return STATUS_OK;
	sha256_hex(digest, found);
	sha256_hex(digests->digests[index], expected);
	return status_fail(
		STATUS_FORMAT,
		"%s: this photo is not the one that this run was trained on before: SHA-256 %.16s..., expected "
		"%.16s...",
		path, found, expected);
}

bool photo_digests_expect(struct photo_digests *digests, int index, const uint8_t digest[32])
{
	return settle(digests, index, digest, USED);
}

void photo_digests_use(struct photo_digests *digests, int index)
{
	atomic_fetch_or(&digests->flags[index], USED);
}

bool photo_digests_get(const struct photo_digests *digests, int index, uint8_t digest[32])
{
	unsigned char flags = atomic_load(&digests->flags[index]);
	if (!(flags & KNOWN) || !(flags & USED))
		return false;
	memcpy(digest, digests->digests[index], 32);
	return true;
}

int photo_digests_all(const struct photo_digests *digests, uint8_t digest[32])
{
	struct sha256 sha;
	int used = 0;
	sha256_init(&sha);
	for (int i = 0; i < digests->count; i++) {
		uint8_t one[32], number[4];
		if (!photo_digests_get(digests, i, one))
			continue;
		bytes_store(number, (uint64_t)i, sizeof number);
		sha256_update(&sha, number, sizeof number);
		sha256_update(&sha, one, sizeof one);
		used++;
	}
	sha256_final(&sha, digest);
	return used;
}
