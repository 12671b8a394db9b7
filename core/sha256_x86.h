/* SHA-256's compression with the instructions that x86-64 processors have for it (Intel SHA extensions, 2013): some ten
 * times as fast, so that photos and checkpoints are digested in passing. Internal to sha256.c. */
#ifndef CORE_SHA256_X86_H
#define CORE_SHA256_X86_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this processor has them; never, where the program is made for another one. */
bool sha256_x86_supported(void);
/* One block of 64 bytes; K: the round constants. */
void sha256_x86_compress(uint32_t state[8], const uint8_t *block, const uint32_t K[64]);

#endif
