/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of writing: letters that the client has are placed from its cache, what lies between them is sent as bands. */
#include "codecs/engine/state.h"
#include "codecs/exact/glyphs.h"

/* Bands so near to each other cost less as one: a command is some fifty bytes */
#define JOIN_COLUMNS 16
/* Of a line: where bands would be more, they may be all of it */
#define SPARSE_PERCENT 70
/* Bytes a second: below, the bytes that placing letters costs more than bands take longer than it saves the client */
#define SLOW_LINK 1000000u

/* Slot 0: the client does not have it */
struct line {
    struct box cells[GLYPHS_OF_LINE];
    uint16_t slots[GLYPHS_OF_LINE];
    int n;
};
/* Of the line, whose columns are counted from its left */
struct where {
    const struct surface *s;
    struct box area;
};

static bool is_slow(const struct engine *e)
{
    uint32_t rate = pace_rate(&e->pace);
    return rate && rate < SLOW_LINK;
}

/* Columns x0 … x1 - 1 of the line. */
static struct box box_of(const struct engine *e, const struct where *w, int x0, int x1)
{
    struct box b = glyphs_box(e->glyphs, x0, x1);
    return (struct box){b.x0 + w->area.x0, b.y0 + w->area.y0, b.x1 + w->area.x0, b.y1 + w->area.y0};
}

static uint64_t key_of(const struct engine *e, const struct where *w, const struct box *b)
{
    struct cache_name name =
        cache_name(e->cache, w->s->ops, surface_cur(w->s, b->x0, b->y0), w->s->stride, b->x1 - b->x0, b->y1 - b->y0);
    return cache_key(e->cache, &name, PICTURE_QUALITIES);
}

/* Its slot, if it is known: a name is a guess, the key tells. 0: the client does not have it. */
static uint16_t find(struct engine *e, const struct where *w, int x0, int x1)
{
    if (!glyphs_knows(e->glyphs, glyphs_name(e->glyphs, x0, x1 - x0)))
        return 0;
    struct box b = box_of(e, w, x0, x1);
    return cache_find(e->cache, key_of(e, w, &b));
}

/* The longest that is known of those that begin at x. Returns where it ends, x for none. */
static int find_longest(struct engine *e, const struct where *w, int x, int end, uint16_t *slot)
{
    uint64_t widths = glyphs_widths(e->glyphs, x, end);
    for (; widths; widths &= ~(1ull << 63 >> __builtin_clzll(widths))) {
        int to = x + 64 - __builtin_clzll(widths);
        *slot = find(e, w, x, to);
        if (*slot)
            return to;
    }
    return x;
}

static void add(struct line *l, struct box b, uint16_t slot)
{
    l->cells[l->n] = b;
    l->slots[l->n++] = slot;
}

/* What comes often gets a slot at once if one is free, and is in it when those after it are placed. */
static void keep(struct engine *e, const struct where *w, int x0, int x1)
{
    struct glyphs *g = e->glyphs;
    if (g->nfresh == GLYPHS_NEW_MAX)
        return;
    struct box b = box_of(e, w, x0, x1);
    uint64_t key = key_of(e, w, &b);
    uint32_t bytes = (uint32_t)((b.x1 - b.x0) * (b.y1 - b.y0) * 4);
    uint16_t none, slot = cache_find(e->cache, key);
    glyphs_learn(g, x0, x1 - x0);
    if (slot)
        return; /* known before, and its name forgotten: the next one is placed */
    slot = cache_fits(e->cache, bytes) ? cache_room(e->cache, key, bytes, &none) : 0;
    g->fresh[g->nfresh++] = (struct new_glyph){b, key, slot};
}

/* Columns that are of nothing known: sent, and kept if they come again. Where two letters overlap that is a column or
 * two, too few to be looked for. */
static void add_new(struct engine *e, const struct where *w, int x0, int x1, struct line *l)
{
    if (x0 == x1)
        return;
    uint16_t slot = x1 - x0 < GLYPH_HEAD ? find(e, w, x0, x1) : 0;
    if (!slot && x1 - x0 <= GLYPH_SIDE && glyphs_count(e->glyphs, glyphs_name(e->glyphs, x0, x1 - x0)) >= GLYPHS_RECUR)
        keep(e, w, x0, x1);
    add(l, box_of(e, w, x0, x1), slot);
}

/* Letters that touch: those that are known, and what is between them. */
static void add_parts(struct engine *e, const struct where *w, int x0, int x1, struct line *l)
{
    int from = x0; /* of what is not known */
    for (int x = x0, end; x<x1; x = end> x ? end : x + 1) {
        uint16_t slot;
        end = find_longest(e, w, x, x1, &slot);
        if (end == x)
            continue;
        add_new(e, w, from, x, l);
        add(l, box_of(e, w, x, end), slot);
        from = end;
    }
    if (from > x0) /* else it has no parts, and was counted as a whole */
        add_new(e, w, from, x1, l);
    else
        add(l, box_of(e, w, x0, x1), 0);
}

/* Is all of it made of known parts? */
static bool is_explained(struct engine *e, const struct where *w, int x0, int x1)
{
    for (int x = x0, end; x < x1; x = end) {
        uint16_t slot;
        end = find_longest(e, w, x, x1, &slot);
        if (end == x)
            return false;
    }
    return true;
}

static void add_piece(struct engine *e, const struct where *w, int x0, int x1, struct line *l)
{
    bool whole = x1 - x0 <= GLYPH_SIDE;
    uint16_t slot = whole ? find(e, w, x0, x1) : 0;
    int times = whole && slot == 0 ? glyphs_count(e->glyphs, glyphs_name(e->glyphs, x0, x1 - x0)) : 0;
    if (slot) {
        add(l, box_of(e, w, x0, x1), slot);
    } else if (times >= GLYPHS_RECUR && (times >= GLYPHS_OFTEN || !is_explained(e, w, x0, x1))) {
        keep(e, w, x0, x1);
        add(l, box_of(e, w, x0, x1), 0);
    } else {
        add_parts(e, w, x0, x1, l);
    }
}

static void read_line(struct engine *e, const struct where *w, uint32_t ground, struct line *l)
{
    struct box pieces[GLYPHS_OF_LINE], area = w->area;
    const uint8_t *px = surface_cur(w->s, area.x0, area.y0);
    int n = glyphs_cut(e->glyphs, px, w->s->stride, area.x1 - area.x0, area.y1 - area.y0, ground, pieces);
    l->n = 0;
    for (int i = 0; i < n; i++)
        add_piece(e, w, pieces[i].x0, pieces[i].x1, l);
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
            glyphs_place(e->glyphs, l->slots[i], l->cells[i].x0, l->cells[i].y0);
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
    read_line(e, &(struct where){s, area}, ground, &l);
    if (missing_columns(&l) * 100 > (area.x1 - area.x0) * SPARSE_PERCENT)
        exact_bands(e, s, area);
    else
        send_missing(e, s, area, &l);
}

/* Those of one slot by one command. */
static void place_slot(struct engine *e, const struct surface *s, int first)
{
    struct gfx_command *c = NULL;
    for (int i = first + 1; i; i = e->glyphs->placed[i - 1].next) {
        const struct glyph *p = &e->glyphs->placed[i - 1];
        struct engine_rect point = {p->x, p->y, 0, 0};
        if (!c || c->nrects >= ENGINE_RECTS_MAX)
            c = frame_add(&e->frame, GFX_FROM_CACHE);
        if (!c)
            return;
        c->surface = s->id;
        c->cache_slot = p->slot;
        frame_add_rects(&e->frame, &point, 1);
    }
}

static void place_all(struct engine *e, const struct surface *s)
{
    for (int i = 0; i < e->glyphs->nslots; i++)
        place_slot(e, s, e->glyphs->first[i]);
    glyphs_drop(e->glyphs);
}

/* What is placed may have been kept just now; what needs a slot that is in use takes it from what was placed only after
 * it. */
void plan_glyphs_end(struct engine *e, const struct surface *s)
{
    struct glyphs *g = e->glyphs;
    for (int i = 0; i < g->nfresh; i++)
        if (g->fresh[i].slot)
            plan_cache_keep(e, s, &g->fresh[i].box, g->fresh[i].key, g->fresh[i].slot);
    place_all(e, s);
    for (int i = 0; i < g->nfresh; i++)
        if (!g->fresh[i].slot && !cache_find(e->cache, g->fresh[i].key))
            plan_cache_store(e, s, &g->fresh[i].box, g->fresh[i].key);
    g->nfresh = 0;
}
