/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes that must not be logged, dumped or left behind. */
#ifndef ORIEL_COMMON_SECRET_H
#define ORIEL_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wipe, so that the compiler cannot leave it out. */
void secret_wipe(void *p, size_t len);
/* Constant time. */
bool secret_equal(const void *a, const void *b, size_t len);
/* Fill with random bytes; never fails (aborts when the kernel has none). */
void secret_random(void *p, size_t len);
/* SHA-256 of `data`. */
void secret_sha256(const void *data, size_t len, uint8_t out[32]);
/* Lower-case hex with NUL: out has 2 * len + 1 bytes. */
void secret_hex(const void *p, size_t len, char *out);

#endif
