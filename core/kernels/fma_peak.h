/* The yardstick of `tapcut bench`: how many multiply-adds a core can do at all. */
#ifndef CORE_KERNELS_FMA_PEAK_H
#define CORE_KERNELS_FMA_PEAK_H

/* Floats that fma_peak may use: 24 registers of 16. */
enum { FMA_PEAK_FLOATS = 24 * 16 };

#endif
