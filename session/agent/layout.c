/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/agent/layout.h"

#include <string.h>

#define DPI 96 /* what 100 percent means */
/* A physical size below or above is a mistake: clients send 0 or pixels, too */
#define MM_MIN 10
#define MM_MAX 10000
#define SCALE_MIN 100
#define SCALE_MAX 500

static uint32_t clamp(uint32_t v, uint32_t lo, uint32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static uint32_t millimetres(uint32_t pixels, uint32_t scale)
{
    return (uint32_t)(pixels * 2540ull / (100ull * DPI) * 100 / scale);
}

static void sane_monitor(struct display_monitor *m, uint32_t max_width, uint32_t max_height)
{
    m->width = clamp(m->width, LAYOUT_SIDE_MIN, max_width);
    m->height = clamp(m->height, LAYOUT_SIDE_MIN, max_height);
    m->scale = m->scale ? clamp(m->scale, SCALE_MIN, SCALE_MAX) : SCALE_MIN;
    bool real =
        m->phys_width >= MM_MIN && m->phys_width <= MM_MAX && m->phys_height >= MM_MIN && m->phys_height <= MM_MAX;
    if (!real) {
        m->phys_width = millimetres(m->width, m->scale);
        m->phys_height = millimetres(m->height, m->scale);
    }
    m->orientation = m->orientation / 90 % 4 * 90;
    m->primary = m->primary != 0;
}

static void corner(const struct display_layout *l, int64_t *x, int64_t *y)
{
    *x = l->monitors[0].x;
    *y = l->monitors[0].y;
    for (uint32_t i = 1; i < l->nmonitors; i++) {
        *x = l->monitors[i].x < *x ? l->monitors[i].x : *x;
        *y = l->monitors[i].y < *y ? l->monitors[i].y : *y;
    }
}

static uint32_t primary_index(const struct display_layout *l)
{
    for (uint32_t i = 0; i < l->nmonitors; i++)
        if (l->monitors[i].primary)
            return i;
    return 0;
}

/* Relative to the primary, where it fits; the primary itself always does. */
static void keep_within(struct display_layout *l, uint32_t max_width, uint32_t max_height)
{
    int64_t left, top;
    corner(l, &left, &top);
    uint32_t kept = 0, primary = primary_index(l);
    bool fits = true;
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        const struct display_monitor *m = &l->monitors[i];
        fits = fits && m->x - left + m->width <= max_width && m->y - top + m->height <= max_height;
    }
    if (!fits) {
        l->monitors[0] = l->monitors[primary];
        l->nmonitors = 1;
        left = l->monitors[0].x;
        top = l->monitors[0].y;
        primary = 0;
    }
    for (; kept < l->nmonitors; kept++) {
        struct display_monitor *m = &l->monitors[kept];
        m->x = (int32_t)(m->x - left);
        m->y = (int32_t)(m->y - top);
        m->primary = kept == primary;
    }
}

void layout_normalise(const struct display_monitor *monitors, uint32_t n, uint32_t max_width, uint32_t max_height,
    struct display_layout *out)
{
    *out = (struct display_layout){0};
    for (uint32_t i = 0; i < n && i < DISPLAY_MONITORS_MAX; i++)
        if (monitors[i].width && monitors[i].height)
            out->monitors[out->nmonitors++] = monitors[i];
    if (!out->nmonitors) {
        out->nmonitors = 1;
        out->monitors[0] = (struct display_monitor){.width = 1024, .height = 768};
    }
    for (uint32_t i = 0; i < out->nmonitors; i++)
        sane_monitor(&out->monitors[i], max_width, max_height);
    keep_within(out, max_width, max_height);
    for (uint32_t i = out->nmonitors; i < DISPLAY_MONITORS_MAX; i++)
        out->monitors[i] = (struct display_monitor){0};
}

bool layout_equal(const struct display_layout *a, const struct display_layout *b)
{
    if (a->nmonitors != b->nmonitors)
        return false;
    for (uint32_t i = 0; i < a->nmonitors; i++) {
        const struct display_monitor *m = &a->monitors[i], *n = &b->monitors[i];
        if (m->x != n->x || m->y != n->y || m->width != n->width || m->height != n->height || m->scale != n->scale ||
            m->primary != n->primary)
            return false;
    }
    return true;
}

void layout_size(const struct display_layout *l, uint32_t *width, uint32_t *height)
{
    *width = *height = 0;
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        uint32_t right = (uint32_t)l->monitors[i].x + l->monitors[i].width;
        uint32_t bottom = (uint32_t)l->monitors[i].y + l->monitors[i].height;
        *width = right > *width ? right : *width;
        *height = bottom > *height ? bottom : *height;
    }
}

uint32_t layout_scale(const struct display_layout *l)
{
    uint32_t scale = l->nmonitors ? l->monitors[primary_index(l)].scale : 0;
    return scale ? scale : SCALE_MIN;
}

static int64_t nearest(int64_t v, int64_t from, int64_t size)
{
    return v < from ? from : v >= from + size ? from + size - 1 : v;
}

void layout_clamp_point(const struct display_layout *l, int32_t *x, int32_t *y)
{
    int64_t best = INT64_MAX, bx = 0, by = 0;
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        const struct display_monitor *m = &l->monitors[i];
        int64_t nx = nearest(*x, m->x, m->width), ny = nearest(*y, m->y, m->height);
        int64_t dx = nx - *x, dy = ny - *y;
        int64_t away = (dx < 0 ? -dx : dx) + (dy < 0 ? -dy : dy);
        if (away < best) {
            best = away;
            bx = nx;
            by = ny;
        }
    }
    *x = (int32_t)bx;
    *y = (int32_t)by;
}
