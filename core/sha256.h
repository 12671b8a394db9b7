/* SHA-256 (FIPS 180-4): digests of exported files, checkpoints and data. */
#ifndef CORE_SHA256_H
#define CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const void *data, size_t size);
void sha256_final(struct sha256 *sha, uint8_t digest[32]);
/* Of a whole file. */
enum status sha256_file(const char *path, uint8_t digest[32]);
/* Lower-case hex, 64 characters and NUL. */
void sha256_hex(const uint8_t digest[32], char text[65]);

#endif
