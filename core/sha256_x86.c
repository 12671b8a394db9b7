/* See sha256_x86.h. The instructions keep the state as two vectors, (A,B,E,F) and (C,D,G,H), do two rounds at a time,
 * and four words of the message schedule at a time. */
#include "core/sha256_x86.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

bool sha256_x86_supported(void)
{
	unsigned a, b, c, d;
	const unsigned sha = 1u << 29; /* leaf 7, EBX */
	return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha);
}

__attribute__((target("sha,sse4.1"))) void sha256_x86_compress(uint32_t state[8], const uint8_t *block,
							       const uint32_t K[64])
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i dcba = _mm_loadu_si128((const __m128i *)state), hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
	const __m128i abef_before = abef, cdgh_before = cdgh;
	__m128i W[4];
	for (int t = 0; t < 16; t++) {
		__m128i *w = &W[t % 4];
		if (t < 4) {
			*w = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * t)), big_endian);
		} else { /* W[t-16] + s0(W[t-15]), + W[t-7], + s1(W[t-2]) of FIPS 180-4 for four t */
			__m128i sum = _mm_sha256msg1_epu32(*w, W[(t + 1) % 4]);
			sum = _mm_add_epi32(sum, _mm_alignr_epi8(W[(t + 3) % 4], W[(t + 2) % 4], 4));
			*w = _mm_sha256msg2_epu32(sum, W[(t + 3) % 4]);
		}
		__m128i wk = _mm_add_epi32(*w, _mm_loadu_si128((const __m128i *)(K + 4 * t)));
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
	}
	abef = _mm_add_epi32(abef, abef_before);
	cdgh = _mm_add_epi32(cdgh, cdgh_before);
	__m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool sha256_x86_supported(void)
{
	return false;
}

void sha256_x86_compress(uint32_t state[8], const uint8_t *block, const uint32_t K[64])
{
	(void)state, (void)block, (void)K;
}

#endif
