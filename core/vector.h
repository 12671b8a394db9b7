/* VECTORISED marks a hot loop function to be compiled once per instruction set (baseline, AVX2, AVX-512) and chosen
 * when the program is loaded. Results stay the same on every processor: contraction is off, so each operation rounds as
 * written, and the compiler never reorders a sum. Sums that should be fast keep their lanes in an array
 * (core/ops/sum.h). */
#ifndef CORE_VECTOR_H
#define CORE_VECTOR_H

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORISED __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define VECTORISED
#endif

#endif
