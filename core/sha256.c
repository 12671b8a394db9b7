/* SHA-256 as FIPS 180-4 section 6.2 describes it; its names (a..h, T1, T2, W) are kept. */
#include "core/sha256.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sha256_x86.h"

enum { BLOCK_SIZE = 64, LENGTH_SIZE = 8 };

/* Section 4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store_big_endian(uint8_t *bytes, uint32_t x)
{
	bytes[0] = (uint8_t)(x >> 24);
	bytes[1] = (uint8_t)(x >> 16);
	bytes[2] = (uint8_t)(x >> 8);
	bytes[3] = (uint8_t)x;
}

static void schedule(uint32_t W[64], const uint8_t block[BLOCK_SIZE])
{
	for (int t = 0; t < 16; t++)
		W[t] = load_big_endian(block + 4 * t);
	for (int t = 16; t < 64; t++) {
		uint32_t s0 = rotate_right(W[t - 15], 7) ^ rotate_right(W[t - 15], 18) ^ W[t - 15] >> 3;
		uint32_t s1 = rotate_right(W[t - 2], 17) ^ rotate_right(W[t - 2], 19) ^ W[t - 2] >> 10;
		W[t] = s1 + W[t - 7] + s0 + W[t - 16];
	}
}

static void compress_plain(uint32_t state[8], const uint8_t block[BLOCK_SIZE])
{
	uint32_t W[64];
	schedule(W, block);
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	for (int t = 0; t < 64; t++) {
		uint32_t S1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
		uint32_t S0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
		uint32_t T1 = h + S1 + ((e & f) ^ (~e & g)) + K[t] + W[t];
		uint32_t T2 = S0 + ((a & b) ^ (a & c) ^ (b & c));
		h = g, g = f, f = e, e = d + T1;
		d = c, c = b, b = a, a = T1 + T2;
	}
	state[0] += a, state[1] += b, state[2] += c, state[3] += d;
	state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

/* Asking the processor costs more than a block does. Threads that ask at the same time find the same. */
static bool has_instructions(void)
{
	static atomic_int answer; /* 0: not asked yet, 1: no, 2: yes */
	int known = atomic_load_explicit(&answer, memory_order_relaxed);
	if (!known)
		atomic_store_explicit(&answer, known = 1 + sha256_x86_supported(), memory_order_relaxed);
	return known == 2;
}

static void compress(uint32_t state[8], const uint8_t *block)
{
	if (has_instructions())
		sha256_x86_compress(state, block, K);
	else
		compress_plain(state, block);
}

void sha256_init(struct sha256 *sha)
{
	*sha = (struct sha256){
		.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
			  0x5be0cd19},
	};
}

void sha256_update(struct sha256 *sha, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	while (size > 0) {
		size_t used = sha->length % BLOCK_SIZE;
		if (!used && size >= BLOCK_SIZE) { /* without a copy */
			compress(sha->state, bytes);
			sha->length += BLOCK_SIZE;
			bytes += BLOCK_SIZE;
			size -= BLOCK_SIZE;
			continue;
		}
		size_t take = size < BLOCK_SIZE - used ? size : BLOCK_SIZE - used;
		memcpy(sha->block + used, bytes, take);
		sha->length += take;
		bytes += take;
		size -= take;
		if (used + take == BLOCK_SIZE)
			compress(sha->state, sha->block);
	}
}

/* Section 5.1.1: a one bit, zeros, and the length in bits fill the last block. */
void sha256_final(struct sha256 *sha, uint8_t digest[32])
{
	static const uint8_t padding[BLOCK_SIZE] = {0x80};
	uint8_t length[LENGTH_SIZE];
	store_big_endian(length, (uint32_t)(sha->length >> 29));
	store_big_endian(length + 4, (uint32_t)(sha->length << 3));
	size_t used = sha->length % BLOCK_SIZE;
	size_t room = used < BLOCK_SIZE - LENGTH_SIZE ? BLOCK_SIZE - LENGTH_SIZE : 2 * BLOCK_SIZE - LENGTH_SIZE;
	sha256_update(sha, padding, room - used);
	sha256_update(sha, length, sizeof length);
	for (int i = 0; i < 8; i++)
		store_big_endian(digest + 4 * i, sha->state[i]);
}

enum status sha256_file(const char *path, uint8_t digest[32])
{
	static const size_t room = 1 << 16;
	struct sha256 sha;
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(room);
	enum status status = STATUS_OK;
	sha256_init(&sha);
	if (!file || !bytes)
		status = status_fail(file ? STATUS_NO_MEMORY : STATUS_IO, "%s: cannot open: %s", path, strerror(errno));
	for (size_t count; !status && (count = fread(bytes, 1, room, file)) > 0;)
		sha256_update(&sha, bytes, count);
	if (!status && ferror(file))
		status = status_fail(STATUS_IO, "%s: cannot read: %s", path, strerror(errno));
	if (file)
		fclose(file);
	free(bytes);
	sha256_final(&sha, digest);
	return status;
}

void sha256_hex(const uint8_t digest[32], char text[65])
{
	for (int i = 0; i < 32; i++) {
		text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	text[64] = '\0';
}
