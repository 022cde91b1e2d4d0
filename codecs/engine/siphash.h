/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SipHash-2-4 (Aumasson and Bernstein, 2012) of whole 64-bit words, each as its eight little-endian bytes: a keyed
 * function whose values say nothing about each other or the key. Any thread. */
#ifndef ORIEL_CODECS_ENGINE_SIPHASH_H
#define ORIEL_CODECS_ENGINE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const uint64_t *words, size_t n);

#endif
