/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/agent/layout.h"

#include "session/proto/layout.h"

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

/* The corner to 0,0. What does not fit shrinks to the primary, which always fits. */
static void keep_within(struct display_layout *l, uint32_t max_width, uint32_t max_height)
{
    struct layout_bounds b = layout_bounds(l->monitors, l->nmonitors);
    const struct display_monitor *primary = layout_primary(l->monitors, l->nmonitors);
    if (b.right - b.left > max_width || b.bottom - b.top > max_height) {
        l->monitors[0] = *primary;
        l->nmonitors = 1;
        primary = l->monitors;
        b = layout_bounds(primary, 1);
    }
    for (struct display_monitor *m = l->monitors; m < l->monitors + l->nmonitors; m++) {
        m->x = (int32_t)(m->x - b.left);
        m->y = (int32_t)(m->y - b.top);
        m->primary = m == primary;
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
