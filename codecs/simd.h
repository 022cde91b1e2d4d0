/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loops that the compiler turns into vector code: written once in plain C, compiled for every processor and again with
 * AVX2. */
#ifndef ORIEL_CODECS_SIMD_H
#define ORIEL_CODECS_SIMD_H

#if defined(__GNUC__) && !defined(__clang__)
#define VECTORIZED __attribute__((optimize("O3")))
#else
#define VECTORIZED /* clang vectorizes at -O2 */
#endif
#if defined(__x86_64__)
#define HAVE_AVX2_PATH 1
#define AVX2 __attribute__((target("avx2")))
#endif

#endif
