/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/clear_layout.h"

#include <string.h>

/* Uniform columns that separate panes or paragraphs, not words */
#define GUTTER 24
/* Of one colour: fewer are a stem, or the space between two letters */
#define PAPER_COLUMNS 4
#define DEPTH_MAX 6

static void cut_rows(struct layout *l, struct box b, int depth);

static const uint8_t *at(const struct layout *l, int x, int y)
{
    return l->px + (size_t)y * l->stride + (size_t)x * 4;
}

static void chop(struct layout *l, struct box b)
{
    /* what finds no room is drawn by the residual */
    for (int y = b.y0; y < b.y1 && l->n < LAYOUT_LEAVES_MAX; y += LAYOUT_BAND_ROWS) {
        int end = y + LAYOUT_BAND_ROWS < b.y1 ? y + LAYOUT_BAND_ROWS : b.y1;
        l->leaves[l->n++] = (struct box){b.x0, y, b.x1, end};
    }
}

/* Room for this box cut into bands, and for what waits on the stack above it? */
static bool crowded(const struct layout *l, struct box b, int depth)
{
    return depth >= DEPTH_MAX || l->n + (b.y1 - b.y0) / LAYOUT_BAND_ROWS + 128 > LAYOUT_LEAVES_MAX;
}

/* A letter's stem as high as the line is uniform as well, but belongs to the writing: paper is wider. What is higher
 * than a line is a frame. */
static void keep_stems(struct layout *l, struct box b)
{
    const uint8_t *row = at(l, b.x0, b.y0);
    int n = b.x1 - b.x0;
    for (int x = 0, end; x < n; x = end) {
        end = x + 1;
        while (end < n && !l->moving[x] && !l->moving[end] && memcmp(row + 4 * x, row + 4 * end, 4) == 0)
            end++;
        if (end - x < PAPER_COLUMNS)
            memset(l->moving + x, 1, (size_t)(end - x));
    }
}

static void part(struct layout *l, struct box b, int depth, bool again)
{
    if (b.y1 - b.y0 > LAYOUT_BAND_ROWS && again && !crowded(l, b, depth))
        cut_rows(l, b, depth + 1);
    else
        chop(l, b);
}

/* Split at gutters. The columns of a one-row box are all uniform in this sense: it goes whole. */
static void cut_columns(struct layout *l, struct box b, int depth)
{
    if (crowded(l, b, depth) || b.y1 - b.y0 == 1) {
        chop(l, b);
        return;
    }
    struct box parts[64];
    int n = 0, start = -1, last = -1;
    l->columns_of->find_moving(at(l, b.x0, b.y0), l->stride, b.x1 - b.x0, b.y1 - b.y0, l->moving);
    if (b.y1 - b.y0 <= LAYOUT_BAND_ROWS)
        keep_stems(l, b);
    for (int x = 0; x < b.x1 - b.x0; x++) {
        if (!l->moving[x])
            continue;
        if (start >= 0 && x - last > GUTTER && n < 63) {
            parts[n++] = (struct box){b.x0 + start, b.y0, b.x0 + last + 1, b.y1};
            start = x;
        }
        start = start < 0 ? x : start;
        last = x;
    }
    if (start < 0) {
        /* every column is uniform but the rows are not: one row tells it all, as runs */
        return;
    }
    parts[n++] = (struct box){b.x0 + start, b.y0, b.x0 + last + 1, b.y1};
    bool narrower = n > 1 || parts[0].x1 - parts[0].x0 < b.x1 - b.x0;
    for (int i = 0; i < n; i++)
        part(l, parts[i], depth, narrower);
}

static void cut_rows(struct layout *l, struct box b, int depth)
{
    int start = -1;
    for (int y = b.y0; y <= b.y1; y++) {
        bool blank = y == b.y1 || l->ops->uniform(at(l, b.x0, y), l->stride, b.x1 - b.x0, 1);
        if (!blank && start < 0)
            start = y;
        if (!blank || start < 0)
            continue;
        cut_columns(l, (struct box){b.x0, start, b.x1, y}, depth);
        start = -1;
    }
}

void layout_find(struct layout *l, const struct compare_ops *ops, const struct column_ops *columns_of,
    const uint8_t *px, size_t stride, int width, int height)
{
    l->n = 0;
    l->ops = ops;
    l->columns_of = columns_of;
    l->px = px;
    l->stride = stride;
    cut_rows(l, (struct box){0, 0, width, height}, 0);
}
