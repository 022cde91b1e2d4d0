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

#define CELL 16

/* A line of which most pixels differ from their neighbours along it lies in a picture. */
static bool busy(const struct surface *s, struct box line)
{
    bool across = line.y1 - line.y0 == 1;
    int n = across ? line.x1 - line.x0 : line.y1 - line.y0, differ = 0;
    size_t step = across ? 4 : s->stride;
    const uint8_t *p = surface_cur(s, line.x0, line.y0);
    for (int i = 1; i < n; i++, p += step)
        differ += pixel(p) != pixel(p + step);
    return n >= 8 && differ * 10 > n * 6;
}

/* Push the edges from cells to the picture's own. */
static void grow(const struct surface *s, struct box a, struct box *b)
{
    for (int i = 0; i < CELL && b->y0 > a.y0 && busy(s, (struct box){b->x0, b->y0 - 1, b->x1, b->y0}); i++)
        b->y0--;
    for (int i = 0; i < CELL && b->y1 < a.y1 && busy(s, (struct box){b->x0, b->y1, b->x1, b->y1 + 1}); i++)
        b->y1++;
    for (int i = 0; i < CELL && b->x0 > a.x0 && busy(s, (struct box){b->x0 - 1, b->y0, b->x0, b->y1}); i++)
        b->x0--;
    for (int i = 0; i < CELL && b->x1 < a.x1 && busy(s, (struct box){b->x1, b->y0, b->x1 + 1, b->y1}); i++)
        b->x1++;
}

bool picture_part(const struct surface *s, struct box a, struct box *part)
{
    *part = a;
    if (is_picture(s, a))
        return true;
    if (a.x1 - a.x0 < 2 * CELL && a.y1 - a.y0 < 2 * CELL)
        return false;
    struct box around = {0, 0, 0, 0};
    int cells = 0;
    for (int y = a.y0; y < a.y1; y += CELL)
        for (int x = a.x0; x < a.x1; x += CELL) {
            struct box cell = {x, y, x + CELL, y + CELL};
            cell = box_intersect(cell, &a);
            if (!is_picture(s, cell))
                continue;
            box_add(&around, &cell);
            cells++;
        }
    int area = (around.x1 - around.x0) * (around.y1 - around.y0);
    if (cells < 2 || cells * CELL * CELL * 4 < area * 3)
        return false;
    grow(s, a, &around);
    *part = around;
    return true;
}
