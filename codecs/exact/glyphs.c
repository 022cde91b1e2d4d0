/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/glyphs.h"

#include <stdlib.h>

/* A name is a polynomial over its columns, told from the sums before its first and its last: two multiplications
 * whatever the width. */
#define COLUMN 0x9E3779B97F4A7C15u
#define HEIGHT 0xD6E8FEB86659FD93u
#define SPREAD 0xFF51AFD7ED558CCDu

struct glyphs *glyphs_create(void)
{
    struct glyphs *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->scan = ink_scan_best();
    g->powers[0] = 1;
    for (int w = 0; w < GLYPH_SIDE; w++) {
        g->powers[w + 1] = g->powers[w] * COLUMN;
        g->power_sums[w + 1] = g->power_sums[w] * COLUMN + 1;
    }
    return g;
}

void glyphs_destroy(struct glyphs *g)
{
    free(g);
}

static void add_up(struct glyphs *g, int width)
{
    const struct ink_columns *c = &g->columns;
    for (int x = 0; x < width; x++)
        g->sums[x + 1] = g->sums[x] * COLUMN + c->hash[x] + c->on[x] * HEIGHT;
}

int glyphs_cut(struct glyphs *g, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground,
    struct box *out)
{
    const struct ink_columns *c = &g->columns;
    int n = 0;
    g->scan(&g->columns, px, stride, width, rows, ground);
    add_up(g, width);
    for (int x = 0, end; x < width; x = end + 1) {
        for (end = x; end < width && c->off[end]; end++)
            ;
        if (end > x)
            out[n++] = glyphs_box(g, x, end);
    }
    return n;
}

struct box glyphs_box(const struct glyphs *g, int x0, int x1)
{
    const struct ink_columns *c = &g->columns;
    struct box b = {x0, c->on[x0], x1, c->off[x0]};
    for (int x = x0 + 1; x < x1; x++) {
        b.y0 = c->on[x] < b.y0 ? c->on[x] : b.y0;
        b.y1 = c->off[x] > b.y1 ? c->off[x] : b.y1;
    }
    return b;
}

uint64_t glyphs_name(const struct glyphs *g, int x, int width)
{
    uint64_t h = g->sums[x + width] - g->sums[x] * g->powers[width] - g->columns.on[x] * HEIGHT * g->power_sums[width];
    h = (h ^ h >> 32 ^ (uint64_t)width) * SPREAD;
    return h ^ h >> 29;
}

/* Tables have it by its lower half and know it by its upper. */
static uint32_t upper(uint64_t name)
{
    return (uint32_t)(name >> 32);
}

int glyphs_count(struct glyphs *g, uint64_t name)
{
    unsigned i = (unsigned)(name % GLYPHS_SEEN);
    if (g->seen[i].name != upper(name)) {
        g->seen[i].name = upper(name);
        g->seen[i].times = 0;
    }
    g->seen[i].times += g->seen[i].times < GLYPHS_OFTEN;
    return g->seen[i].times;
}

void glyphs_learn(struct glyphs *g, int x, int width)
{
    uint64_t name = glyphs_name(g, x, width);
    g->known[name % GLYPHS_KNOWN] = upper(name);
    if (width < GLYPH_HEAD)
        return;
    uint64_t head = glyphs_name(g, x, GLYPH_HEAD);
    unsigned i = (unsigned)(head % GLYPHS_HEADS);
    if (g->heads[i].name != upper(head)) {
        g->heads[i].name = upper(head);
        g->heads[i].widths = 0;
    }
    g->heads[i].widths |= 1ull << (width - 1);
}

bool glyphs_knows(const struct glyphs *g, uint64_t name)
{
    return g->known[name % GLYPHS_KNOWN] == upper(name);
}

uint64_t glyphs_widths(const struct glyphs *g, int x, int end)
{
    if (end - x < GLYPH_HEAD)
        return 1ull << (end - x - 1);
    uint64_t head = glyphs_name(g, x, GLYPH_HEAD);
    unsigned i = (unsigned)(head % GLYPHS_HEADS);
    uint64_t fitting = end - x >= GLYPH_SIDE ? ~0ull : (1ull << (end - x)) - 1;
    return g->heads[i].name == upper(head) ? g->heads[i].widths & fitting : 0;
}

void glyphs_place(struct glyphs *g, uint16_t slot, int x, int y)
{
    int at = g->nplaced++;
    g->placed[at] = (struct glyph){slot, (uint16_t)x, (uint16_t)y, 0};
    if (g->last[slot])
        g->placed[g->last[slot] - 1].next = (uint16_t)(at + 1);
    else
        g->first[g->nslots++] = (uint16_t)at;
    g->last[slot] = (uint16_t)(at + 1);
}

void glyphs_drop(struct glyphs *g)
{
    for (int i = 0; i < g->nslots; i++)
        g->last[g->placed[g->first[i]].slot] = 0;
    g->nplaced = g->nslots = 0;
}
