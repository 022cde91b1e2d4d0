/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of writing: letters that the client has are placed from its cache, what lies between them is sent as bands. */
#include "codecs/glyphs.h"
#include "codecs/state.h"

#define JOIN_COLUMNS 16               /* bands so near to each other cost less as one: a command is some fifty bytes */
#define SPARSE_PERCENT 70             /* of a line: where bands would be more, they may be all of it */
#define SLOW_LINK 1000000u            /* bytes a second: below, the bytes that placing letters costs more than bands take longer than it saves the client */

struct line { struct box cells[GLYPHS_OF_LINE]; uint16_t slots[GLYPHS_OF_LINE]; int n; }; /* slot 0: the client does not have it */

static bool is_slow(const struct engine *e)
{
    uint32_t rate = pace_rate(&e->pace);
    return rate && rate < SLOW_LINK;
}

static uint64_t key_of(const struct engine *e, const struct surface *s, const struct box *b)
{
    struct cache_name name = cache_name(e->cache, s->ops, surface_cur(s, b->x0, b->y0), s->stride, b->x1 - b->x0, b->y1 - b->y0);
    return cache_key(e->cache, &name, PICTURE_QUALITIES);
}

/* What comes often gets a slot at once if one is free, and is in it when those after it are placed. */
static void keep(struct engine *e, const struct box *b, uint64_t key)
{
    struct glyphs *g = e->glyphs;
    uint32_t bytes = (uint32_t)((b->x1 - b->x0) * (b->y1 - b->y0) * 4);
    uint16_t none, slot = cache_fits(e->cache, bytes) ? cache_room(e->cache, key, bytes, &none) : 0;
    g->fresh[g->nfresh++] = (struct new_glyph){*b, key, slot};
}

/* Its slot; 0: the client does not have it, it has to be sent. */
static uint16_t look_up(struct engine *e, const struct surface *s, const struct box *b)
{
    struct glyphs *g = e->glyphs;
    if (b->x1 - b->x0 > GLYPH_SIDE || b->y1 - b->y0 > GLYPH_SIDE)
        return 0;
    uint64_t key = key_of(e, s, b);
    uint16_t slot = cache_find(e->cache, key);
    if (slot == 0 && glyphs_count(g, key) && g->nfresh < GLYPHS_NEW_MAX)
        keep(e, b, key);
    return slot;
}

static void place(struct glyphs *g, const struct box *b, uint16_t slot)
{
    g->placed[g->nplaced++] = (struct glyph){slot, (uint16_t)b->x0, (uint16_t)b->y0};
}

static void read_line(struct engine *e, const struct surface *s, struct box area, uint32_t ground, struct line *l)
{
    l->n = glyphs_cut(e->glyphs, surface_cur(s, area.x0, area.y0), s->stride, area.x1 - area.x0, area.y1 - area.y0, ground, l->cells);
    for (int i = 0; i < l->n; i++) {
        struct box *b = &l->cells[i];
        *b = (struct box){b->x0 + area.x0, b->y0 + area.y0, b->x1 + area.x0, b->y1 + area.y0};
        l->slots[i] = look_up(e, s, b);
    }
}

/* From the i-th piece, which the client does not have, to the last such that is near. Returns the index after it. */
static int missing_span(const struct line *l, int i, struct box *span)
{
    int end = i + 1;
    span->x0 = l->cells[i].x0;
    span->x1 = l->cells[i].x1;
    for (int k = end; k < l->n && l->cells[k].x0 - span->x1 <= JOIN_COLUMNS; k++)
        if (l->slots[k] == 0) {
            span->x1 = l->cells[k].x1;
            end = k + 1;
        }
    return end;
}

static int missing_columns(const struct line *l)
{
    int columns = 0;
    struct box span;
    for (int i = 0; i < l->n; i++)
        if (l->slots[i] == 0) {
            i = missing_span(l, i, &span) - 1;
            columns += span.x1 - span.x0;
        }
    return columns;
}

static void send_missing(struct engine *e, const struct surface *s, struct box area, const struct line *l)
{
    struct box span = area; /* as high as the line: so its columns are those that the client saw elsewhere */
    for (int i = 0; i < l->n; i++) {
        if (l->slots[i] == 0) {
            i = missing_span(l, i, &span) - 1;
            exact_bands(e, s, span);
        } else {
            place(e->glyphs, &l->cells[i], l->slots[i]);
        }
    }
}

void plan_line(struct engine *e, const struct surface *s, struct box area, uint32_t ground)
{
    struct line l;
    struct glyphs *g = e->glyphs;
    if (area.y1 - area.y0 > GLYPH_SIDE || is_slow(e)) {
        exact_bands(e, s, area);
        return;
    }
    if (g->nplaced + GLYPHS_OF_LINE > GLYPHS_MAX || g->nfresh > GLYPHS_NEW_MAX / 2)
        plan_glyphs_end(e, s);
    read_line(e, s, area, ground, &l);
    if (missing_columns(&l) * 100 > (area.x1 - area.x0) * SPARSE_PERCENT)
        exact_bands(e, s, area);
    else
        send_missing(e, s, area, &l);
}

static void place_all(struct engine *e, const struct surface *s)
{
    struct glyphs *g = e->glyphs;
    struct gfx_command *c = NULL;
    glyphs_sort(g);
    for (int i = 0; i < g->nplaced; i++) {
        const struct glyph *p = &g->placed[i];
        struct engine_rect point = {p->x, p->y, 0, 0};
        if (!c || c->cache_slot != p->slot || c->nrects >= ENGINE_RECTS_MAX)
            c = frame_add(&e->frame, GFX_FROM_CACHE);
        if (!c)
            break;
        c->surface = s->id;
        c->cache_slot = p->slot;
        frame_add_rects(&e->frame, &point, 1);
    }
    g->nplaced = 0;
}

/* What is placed may have been kept just now; what needs a slot that is in use takes it from what was placed only after it. */
void plan_glyphs_end(struct engine *e, const struct surface *s)
{
    struct glyphs *g = e->glyphs;
    for (int i = 0; i < g->nfresh; i++)
        if (g->fresh[i].slot)
            cache_keep(e, s, &g->fresh[i].box, g->fresh[i].key, g->fresh[i].slot);
    place_all(e, s);
    for (int i = 0; i < g->nfresh; i++)
        if (!g->fresh[i].slot && !cache_find(e->cache, g->fresh[i].key))
            cache_store(e, s, &g->fresh[i].box, g->fresh[i].key);
    g->nfresh = 0;
}
