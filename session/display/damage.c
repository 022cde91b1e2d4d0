/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/display/damage.h"

uint64_t damage_area(const pixman_region32_t *damage)
{
    int n;
    const pixman_box32_t *b = pixman_region32_rectangles((pixman_region32_t *)damage, &n);
    uint64_t area = 0;
    for (int i = 0; i < n; i++)
        area += (uint64_t)(b[i].x2 - b[i].x1) * (uint64_t)(b[i].y2 - b[i].y1);
    return area;
}

static struct display_rect to_rect(const pixman_box32_t *b)
{
    return (
        struct display_rect){(uint16_t)b->x1, (uint16_t)b->y1, (uint16_t)(b->x2 - b->x1), (uint16_t)(b->y2 - b->y1)};
}

static size_t count_bands(const pixman_box32_t *b, int n)
{
    size_t bands = 0;
    for (int i = 0; i < n; i++)
        bands += i == 0 || b[i].y1 != b[i - 1].y1;
    return bands;
}

/* A region's boxes are sorted in bands of equal y1 and y2; `per` bands become one rectangle. */
static size_t merge_bands(const pixman_box32_t *b, int n, size_t per, struct display_rect *out)
{
    size_t nout = 0, band = 0;
    pixman_box32_t box = {0, 0, 0, 0};
    for (int i = 0; i < n; i++) {
        bool first = i == 0, next = !first && b[i].y1 != b[i - 1].y1;
        if (next && ++band % per == 0) {
            out[nout++] = to_rect(&box);
            first = true;
        }
        if (first) {
            box = b[i];
            continue;
        }
        box.x1 = b[i].x1 < box.x1 ? b[i].x1 : box.x1;
        box.x2 = b[i].x2 > box.x2 ? b[i].x2 : box.x2;
        box.y2 = b[i].y2;
    }
    if (n)
        out[nout++] = to_rect(&box);
    return nout;
}

size_t damage_rects(const pixman_region32_t *damage, uint32_t width, uint32_t height, struct display_rect *out,
    size_t cap)
{
    pixman_region32_t clipped;
    pixman_region32_init(&clipped);
    pixman_region32_intersect_rect(&clipped, (pixman_region32_t *)damage, 0, 0, width, height);
    int n;
    const pixman_box32_t *b = pixman_region32_rectangles(&clipped, &n);
    size_t nout = 0;
    if ((size_t)n <= cap) {
        for (int i = 0; i < n; i++)
            out[nout++] = to_rect(&b[i]);
    } else if (cap) {
        size_t bands = count_bands(b, n);
        nout = merge_bands(b, n, (bands + cap - 1) / cap, out);
    }
    pixman_region32_fini(&clipped);
    return nout;
}
