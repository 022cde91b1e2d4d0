/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/classify.h"

#include <string.h>

#define SAMPLES 512                   /* looked at, where there are so many */
#define SAMPLES_MIN 40                /* smaller areas cost next to nothing exactly */
#define EQUAL_PERCENT 30              /* measured: photographs 2 - 15, text 55 - 95, interfaces 70 - 99 */
#define COLOURS_PERCENT 30            /* photographs 60 - 100, gradients 3 - 20 */
#define SEEN_BITS 4096

static uint32_t pixel(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Was the colour new? Colours that share a bit count once; with at most 1024 samples that hides one in eight. */
static int note(uint64_t *seen, uint32_t v)
{
    uint32_t h = v * 2654435761u >> 20;
    uint64_t bit = (uint64_t)1 << (h & 63);
    int fresh = !(seen[h >> 6] & bit);
    seen[h >> 6] |= bit;
    return fresh;
}

bool is_picture(const struct surface *s, struct box a)
{
    uint64_t seen[SEEN_BITS / 64] = {0};
    int equal = 0, colours = 0, n = 0;
    int dx = 1 + (a.x1 - a.x0) / 24, across = (a.x1 - a.x0 - 1 + dx - 1) / dx, dy = 1 + across * (a.y1 - a.y0) / SAMPLES;
    for (int y = a.y0; y < a.y1; y += dy)
        for (int x = a.x0 + 1; x < a.x1; x += dx) {
            const uint8_t *p = surface_cur(s, x, y);
            equal += pixel(p) == pixel(p - 4);
            colours += note(seen, pixel(p));
            n++;
        }
    return n >= SAMPLES_MIN && equal * 100 < n * EQUAL_PERCENT && colours * 100 > n * COLOURS_PERCENT;
}
