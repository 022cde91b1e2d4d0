/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small patterns by which moved content is recognised: sixteen pixels in each of three rows (y, y + 2, y + 4), named by
 * a hash that anybody may know. Names are only guesses: what they find is compared. Pure. */
#ifndef ORIEL_CODECS_CHANGE_PATTERNS_H
#define ORIEL_CODECS_CHANGE_PATTERNS_H

#include <stdint.h>

#define PATTERN_WIDTH 16
#define PATTERN_HEIGHT 5
#define PATTERNS_MAX 64 /* of a row at a time */

struct pattern_ops {
    /* h[x] of the pixels x … x + 15 of a row, for x below `n` (1 … PATTERNS_MAX): reads n + PATTERN_WIDTH - 1 pixels,
     * or n + PATTERN_WIDTH of 64. */
    void (*hash_row)(const uint8_t *p, int n, uint32_t *h);
    /* The patterns' names of the hashes of their rows. */
    void (*mix_rows)(const uint32_t *a, const uint32_t *b, const uint32_t *c, int n, uint32_t *h);
    /* Bit x: h[x] is one to look at. One in 64 is, by its content only. */
    uint64_t (*chosen)(const uint32_t *h, int n);
};

extern const struct pattern_ops pattern_c;
/* The fastest that this processor runs. */
const struct pattern_ops *pattern_best(void);

#endif
