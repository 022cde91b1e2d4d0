/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/glyphs.h"

#include <stdlib.h>

struct glyphs *glyphs_create(void)
{
    struct glyphs *g = calloc(1, sizeof *g);
    if (g)
        g->ops = column_ops_best();
    return g;
}

void glyphs_destroy(struct glyphs *g)
{
    free(g);
}

int glyphs_cut(struct glyphs *g, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground, struct box *out)
{
    const struct columns *c = &g->columns;
    int n = 0;
    g->ops->scan(&g->columns, px, stride, width, rows, ground);
    for (int x = 0; x < width; x++) {
        if (c->off[x] == 0)
            continue;
        struct box b = {x, c->on[x], x, c->off[x]};
        for (; b.x1 < width && c->off[b.x1]; b.x1++) {
            b.y0 = c->on[b.x1] < b.y0 ? c->on[b.x1] : b.y0;
            b.y1 = c->off[b.x1] > b.y1 ? c->off[b.x1] : b.y1;
        }
        out[n++] = b;
        x = b.x1;
    }
    return n;
}

bool glyphs_count(struct glyphs *g, uint64_t key)
{
    unsigned i = (unsigned)(key % GLYPHS_SEEN);
    uint32_t name = (uint32_t)(key >> 32);
    if (g->seen[i].key != name) {
        g->seen[i].key = name;
        g->seen[i].times = 0;
    }
    g->seen[i].times += g->seen[i].times < GLYPHS_RECUR;
    return g->seen[i].times == GLYPHS_RECUR;
}

static int by_slot(const void *a, const void *b)
{
    const struct glyph *p = a, *q = b;
    if (p->slot != q->slot)
        return p->slot < q->slot ? -1 : 1;
    if (p->y != q->y)
        return p->y < q->y ? -1 : 1;
    return (p->x > q->x) - (p->x < q->x);
}

void glyphs_sort(struct glyphs *g)
{
    qsort(g->placed, (size_t)g->nplaced, sizeof *g->placed, by_slot);
}
